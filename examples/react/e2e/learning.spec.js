// Taking a course: opening lessons, completing them, and the progress that students and teachers see.
import {CREATOR, MEMBER, expect, iconButton, shot, test} from './scenario.js';

const COURSE = '/course/2/sourdough-in-thirty-days/';
const ORDERED = '/course/14/reading-music-step-by-step/';

test('a student completes a lesson, and both dashboards show it', async ({visit}) => {
  const page = await visit(COURSE, MEMBER);
  await expect(page.getByText('Completed 3 of 5 Lessons')).toBeVisible();
  await expect(page.getByText('60% completed')).toBeVisible();
  await shot(page, '30-student-dashboard');

  await page.getByRole('link', {name: 'Continue the Course'}).click();
  await expect(page.getByRole('heading', {name: 'Baking in a covered pot'})).toBeVisible();
  await expect(page.getByText('Lesson 4 of 5')).toBeVisible();
  await shot(page, '31-lesson');
  await page.getByRole('button', {name: 'I have completed the lesson'}).click();
  await expect(page.getByRole('button', {name: 'Completed'})).toBeVisible();
  await page.reload();
  await expect(page.getByRole('button', {name: 'Completed'})).toBeVisible();

  await page.goto(COURSE);
  await expect(page.getByText('Completed 4 of 5 Lessons')).toBeVisible();
  await expect(page.getByText('80% completed')).toBeVisible();

  const teacher = await visit(`${COURSE}dashboard`, CREATOR);
  const student = teacher.getByRole('row', {name: MEMBER});
  await expect(student).toContainText('80%');
  await shot(teacher, '32-teacher-dashboard');
  await teacher.getByPlaceholder('Search users').fill('dilys');
  await teacher.getByPlaceholder('Search users').press('Enter');
  await expect(teacher.getByRole('button', {name: 'See', exact: true})).toHaveCount(1);
  await student.getByRole('button', {name: 'See'}).click();
  await teacher.getByRole('dialog').getByRole('button', {name: 'The first loaf'}).click();
  await expect(teacher.getByRole('dialog').getByText('Baking in a covered pot')).toBeVisible();
  await shot(teacher, '33-progress-of-a-student');
});

test('the teacher looks up who takes part', async ({visit}) => {
  const page = await visit(`${COURSE}dashboard`, CREATOR);
  await page.getByRole('button', {name: '4 participants'}).click();
  await expect(page.getByRole('dialog')).toContainText('Participants (4)');
  await expect(page.getByRole('dialog').getByText(MEMBER)).toBeVisible();
  await expect(page.getByText('No other participants')).toBeVisible();
  await shot(page, '38-participants');
});

test('a lesson is marked as not completed again', async ({visit}) => {
  const page = await visit(`${COURSE}section/4/lesson/9/`, MEMBER);
  await page.getByRole('button', {name: 'Completed'}).click();
  await expect(page.getByRole('button', {name: 'I have completed the lesson'})).toBeVisible();

  await page.goto(COURSE);
  await expect(page.getByText('Completed 2 of 5 Lessons')).toBeVisible();
});

test('a part that opens later stays closed', async ({visit, guard}) => {
  const page = await visit(COURSE, MEMBER);
  await expect(page.getByText(/Rye and beyond.*Available from/)).toBeVisible();

  guard.expectRefusal('GET', /\/section\/6\/lesson\/13\/$/, 403, /Lesson with id 13 not found|status code 403/);
  await page.goto(`${COURSE}section/6/lesson/13/`);
  await expect(page.getByText('You cannot see this lesson')).toBeVisible();
  await shot(page, '37-lesson-closed');
});

test('a lesson shows its files and its links', async ({visit}) => {
  const page = await visit('/course/1/watercolour-for-absolute-beginners/section/1/lesson/1/', MEMBER);
  await expect(page.getByText('Shopping list for the first month')).toBeVisible();
  await page.goto('/course/1/watercolour-for-absolute-beginners/section/2/lesson/4/');
  await expect(page.getByText('The colour wheel in five minutes')).toBeVisible();
  await shot(page, '36-lesson-with-link');
});

test('in a fixed order a lesson opens when the one before it is done', async ({visit}) => {
  const page = await visit(`${ORDERED}section/26/lesson/43/`, MEMBER);
  await expect(page.getByRole('heading', {name: 'Step 4: long and short notes'})).toBeVisible();
  const next = iconButton(page, 'arrow_next');
  await expect(next).toBeDisabled();
  await page.getByRole('button', {name: 'I have completed the lesson'}).click();
  await expect(next).toBeEnabled();
  await next.click();
  await expect(page.getByRole('heading', {name: 'Step 5: a quiz in three and four'})).toBeVisible();
  await expect(page).toHaveURL(/section\/26\/lesson\/44\/$/);
});

test('the menu of a lesson leads to the other lessons', async ({visit}) => {
  const page = await visit(`${COURSE}section/4/lesson/9/`, MEMBER);
  await iconButton(page, 'courses').click();
  await page.getByText('The first loaf').click();
  await expect(page.getByText('Mixing and folding')).toBeVisible();
  await shot(page, '34-lesson-menu');
  await page.getByText('Mixing and folding').click();
  await expect(page.getByRole('heading', {name: 'Mixing and folding'})).toBeVisible();
  await expect(page.getByText('Lesson 3 of 5')).toBeVisible();
});

test('the last lesson completes the course', async ({visit}) => {
  const page = await visit('/course/13/spoon-carving-for-quiet-afternoons/', MEMBER);
  await page.getByRole('link', {name: 'Start the Course'}).click();
  await page.getByRole('button', {name: 'I have completed the lesson'}).click();
  await expect(page.getByRole('button', {name: 'Completed'})).toBeVisible();
  await iconButton(page, 'arrow_next').click();
  await page.getByRole('button', {name: 'I have completed the lesson'}).click();
  await expect(page.getByText('You have completed Spoon Carving')).toBeVisible();
  await shot(page, '35-course-completed');
});
