// Discussing a lesson: comments with and without files, editing and deleting them, and the teacher's overview.
import {DOCUMENT} from './files.js';
import {CREATOR, MEMBER, expect, iconButton, shot, test} from './scenario.js';

const LESSON = '/course/2/sourdough-in-thirty-days/section/5/lesson/11/';
const FIRST = 'Second round of folding and it feels like a cushion already.';
const SECOND = 'My dough has escaped into the airing cupboard.';

const comments = (page) => page.locator('.SCLessonCommentObject-text-content');
const editor = (page) => page.locator('#reply-lessonCommentObjects').getByRole('textbox');

async function openComments(page) {
  await iconButton(page, 'chat_bubble_outline').click();
  await expect(comments(page).first()).toBeVisible();
}

test('a student comments on a lesson, and the teacher sees it', async ({visit}) => {
  const page = await visit(LESSON, MEMBER);
  await openComments(page);
  await expect(comments(page)).toHaveText([FIRST]);
  await editor(page).fill(SECOND);
  await iconButton(page, 'send').click();
  await expect(comments(page)).toHaveText([FIRST, SECOND]);
  await shot(page, '40-comments');

  const teacher = await visit('/course/2/sourdough-in-thirty-days/dashboard', CREATOR);
  await teacher.getByRole('tab', {name: 'Comments'}).click();
  await expect(teacher.getByText('2 Comments')).toBeVisible();
  await expect(teacher.getByText(SECOND)).toBeVisible();
  await shot(teacher, '41-teacher-comments');
  await teacher.getByRole('link', {name: 'Other comments'}).click();
  await expect(comments(teacher)).toHaveText([FIRST, SECOND]);
});

test('a comment is changed and deleted by its author', async ({visit}) => {
  const page = await visit(LESSON, MEMBER);
  await openComments(page);
  const menu = page.locator('.SCLessonCommentObject-comment-actions-menu').getByRole('button');

  await menu.click();
  await page.getByRole('menuitem', {name: 'Edit'}).click();
  await page.locator('[id^=edit-]').getByRole('textbox').fill('Third round now.');
  await page.getByRole('button', {name: 'Save'}).click();
  await expect(comments(page)).toHaveText(['Third round now.']);
  await page.reload();
  await openComments(page);
  await expect(comments(page)).toHaveText(['Third round now.']);

  await menu.click();
  await page.getByRole('menuitem', {name: 'Delete'}).click();
  await shot(page, '42-comment-delete');
  await page.getByRole('button', {name: 'Yes'}).click();
  await expect(comments(page)).toHaveCount(0);
  await page.reload();
  await iconButton(page, 'chat_bubble_outline').click();
  await expect(editor(page)).toBeVisible();
  await expect(comments(page)).toHaveCount(0);
});

test('a comment carries a file', async ({visit}) => {
  const page = await visit(LESSON, MEMBER);
  await openComments(page);
  const chooser = page.waitForEvent('filechooser');
  await page.getByRole('button', {name: 'upload image'}).click();
  await (await chooser).setFiles(DOCUMENT);
  await expect(page.getByText(DOCUMENT.name)).toBeVisible();
  await editor(page).fill('What I wrote down.');
  await iconButton(page, 'send').click();
  await expect(comments(page)).toHaveText([FIRST, 'What I wrote down.']);

  await page.reload();
  await openComments(page);
  await expect(page.getByText(DOCUMENT.name)).toBeVisible();
  await shot(page, '43-comment-with-file');
});
