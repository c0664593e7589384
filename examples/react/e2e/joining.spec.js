// Getting into a course: signing up, requesting access, being accepted or added, and what stays closed.
import {CREATOR, INVITED, STRANGER, expect, shot, test} from './scenario.js';

const OPEN = '/course/15/a-herb-garden-on-the-windowsill/';
const PRIVATE = '/course/4/portraits-by-window-light/';
const SECRET = '/course/7/handbook-for-community-mentors/';

test('a stranger signs up for an open course', async ({visit}) => {
  const page = await visit(OPEN, STRANGER);
  await expect(page.getByRole('button', {name: 'Sign up for the Course'})).toBeVisible();
  await shot(page, '20-open-course-stranger');
  await page.getByRole('button', {name: 'Sign up for the Course'}).click();

  await expect(page.getByText('Enroll completed!')).toBeVisible();
  await expect(page.getByRole('link', {name: 'Start the Course'})).toBeVisible();
  await expect(page.getByText('Completed 0 of 3 Lessons')).toBeVisible();
  await shot(page, '21-open-course-joined');
  await page.reload();
  await expect(page.getByRole('link', {name: 'Start the Course'})).toBeVisible();

  await page.goto('/courses/');
  await page.getByText('My Courses').click();
  await expect(page.locator('.SCCourse-preview-name')).toHaveText(['A Herb Garden on the Windowsill']);
});

test('a stranger asks to be let into a private course and is accepted', async ({visit}) => {
  const page = await visit(PRIVATE, STRANGER);
  await page.getByRole('button', {name: 'Request Access'}).click();
  await expect(page.getByRole('button', {name: 'Request Cancel'})).toBeVisible();
  await page.reload();
  await expect(page.getByRole('button', {name: 'Request Cancel'})).toBeVisible();
  await shot(page, '23-private-course-requested');

  const teacher = await visit(`${PRIVATE}edit/requests`, CREATOR);
  await expect(teacher.getByText('4 Course Requests')).toBeVisible();
  await shot(teacher, '24-requests');
  await teacher.getByRole('row', {name: STRANGER}).getByRole('button').first().click();
  await expect(teacher.getByText('User successfully accepted!')).toBeVisible();
  await expect(teacher.getByText('3 Course Requests')).toBeVisible();
  await teacher.getByRole('tab', {name: 'Users'}).click();
  await expect(teacher.getByRole('row', {name: STRANGER})).toBeVisible();

  await page.reload();
  await expect(page.getByRole('link', {name: 'Start the Course'})).toBeVisible();
  await page.getByRole('button', {name: 'Finding the light'}).click();
  await expect(page.getByText('One window is enough')).toBeVisible();
  await shot(page, '25-private-course-joined');
});

test('a request is taken back', async ({visit}) => {
  const page = await visit(PRIVATE, STRANGER);
  await page.getByRole('button', {name: 'Request Access'}).click();
  await page.getByRole('button', {name: 'Request Cancel'}).click();
  await expect(page.getByText('Request canceled!')).toBeVisible();

  await page.reload();
  await expect(page.getByRole('button', {name: 'Request Access'})).toBeVisible();
});

test('an invitation is accepted', async ({visit}) => {
  const page = await visit(PRIVATE, INVITED);
  await expect(page.getByText('You are invited to this course.')).toBeVisible();
  await shot(page, '22-private-course-invited');
  await page.getByRole('button', {name: 'Accept'}).click();
  await expect(page.getByRole('link', {name: 'Start the Course'})).toBeVisible();
  await expect(page.getByText('You are invited')).toHaveCount(0);

  await page.reload();
  await expect(page.getByRole('link', {name: 'Start the Course'})).toBeVisible();
});

test('the teacher adds a user, makes them a manager and removes them again', async ({visit}) => {
  const page = await visit(`${OPEN}edit/users`, CREATOR);
  await expect(page.getByText('1 Course User', {exact: true})).toBeVisible();
  const row = page.getByRole('row', {name: STRANGER});

  await page.getByRole('button', {name: 'Add users to the course'}).click();
  await page.getByPlaceholder('Add user').fill('tobin');
  await page.getByRole('option', {name: STRANGER}).click();
  await shot(page, '26-add-user');
  await page.getByRole('dialog').getByRole('button', {name: 'Add', exact: true}).click();
  await expect(row.getByRole('combobox')).toHaveText('User');

  await row.getByRole('combobox').click();
  await page.getByRole('option', {name: 'Manager'}).click();
  await expect(page.getByText('State saved successfully!')).toBeVisible();
  await page.reload();
  await expect(page.getByText('2 Course Users')).toBeVisible();
  await expect(row.getByRole('combobox')).toHaveText('Manager');
  await shot(page, '27-users');

  await row.getByRole('button').last().click();
  await page.getByRole('button', {name: 'Yes'}).click();
  await expect(row).toHaveCount(0);
  await page.reload();
  await expect(page.getByText('1 Course User', {exact: true})).toBeVisible();
});

test('what is closed to a stranger says so', async ({visit, guard}) => {
  guard.expectRefusal('GET', /^\/api\/v2\/course\/7\/\?view=user$/, 404, /Course with id 7 not found|status code 404/);
  const page = await visit(SECRET, STRANGER);
  await expect(page.getByText('You cannot see this course')).toBeVisible();
  await shot(page, '28-secret-course-stranger');

  await page.goto(PRIVATE);
  await expect(page.getByRole('button', {name: 'Request Access'})).toBeVisible();
  await expect(page.getByText('Finding the light')).toHaveCount(0);
  await shot(page, '29-private-course-stranger');

  guard.expectRefusal('GET', /\/section\/10\/lesson\/19\/$/, 403, /Lesson with id 19 not found|status code 403/);
  await page.goto(`${PRIVATE}section/10/lesson/19/`);
  await expect(page.getByText('You cannot see this lesson')).toBeVisible();
});
