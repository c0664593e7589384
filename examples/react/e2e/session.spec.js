// Signing in and out, and what happens when that fails.
import {CREATOR, MEMBER, PASSWORD, STRANGER, expect, shot, signIn, test} from './scenario.js';

test('signing out and in changes what one sees', async ({visit}) => {
  const page = await visit('/courses/', CREATOR);
  await expect(page.getByRole('button', {name: 'Create Course'})).toBeVisible();
  await page.reload();
  await expect(page.getByRole('banner').getByRole('link', {name: CREATOR})).toBeVisible();

  await page.getByRole('button', {name: 'Sign out'}).click();
  await expect(page.getByRole('link', {name: 'Sign in'})).toBeVisible();
  await expect(page.getByText('My Courses')).toHaveCount(0);
  await page.getByRole('link', {name: 'Sign in'}).click();
  await signIn(page, MEMBER);
  await expect(page.getByText('You have joined').first()).toBeVisible();
});

test('a wrong password is refused in the words of the server', async ({visit, guard}) => {
  const page = await visit('/signin/');
  await page.getByLabel('Password').fill('guessed');
  guard.expectRefusal('POST', /^\/oauth\/token\/$/, 400);
  await page.getByRole('main').getByRole('button', {name: 'Sign in'}).click();

  await expect(page.getByRole('alert')).toHaveText('No user has this name and password.');
  await shot(page, '50-sign-in-refused');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('main').getByRole('button', {name: 'Sign in'}).click();
  await expect(page.getByRole('banner').getByRole('link', {name: CREATOR})).toBeVisible();
});

test('a token that has gone stale is refreshed unseen', async ({visit, guard}) => {
  const page = await visit('/courses/', MEMBER);
  // One request is sent with a token that the server does not know; all others are left alone.
  await page.route(
    /\/course\/14\/\?view=user$/,
    (route) => route.continue({headers: {...route.request().headers(), authorization: 'Bearer stale'}}),
    {times: 1}
  );
  guard.expectRefusal('GET', /\/course\/14\/\?view=user$/, 401);
  const refreshed = page.waitForResponse(/\/oauth\/token\/$/);
  await page.getByText('My Courses').click();
  await page.getByRole('link', {name: 'Reading Music Step by Step', exact: true}).click();

  expect((await refreshed).status()).toBe(200);
  await expect(page.getByText('Completed 3 of 6 Lessons')).toBeVisible();
  await page.reload();
  await expect(page.getByText('Completed 3 of 6 Lessons')).toBeVisible();
});

test('a session that the server ends while one reads leads to the sign-in form', async ({visit, guard, world}) => {
  const page = await visit('/course/14/reading-music-step-by-step/', MEMBER);
  await expect(page.getByText('Completed 3 of 6 Lessons')).toBeVisible();
  await revoke(page, world);

  guard.expectRefusal('GET', /^\/api\/v2\//, 401, /status code 401/);
  guard.expectRefusal('POST', /^\/oauth\/token\/$/, 400, /Unable to refresh user session/);
  await page.getByRole('link', {name: 'Courses', exact: true}).click();
  await expect(page).toHaveURL(/\/signin\//);
  await signIn(page, MEMBER);
});

test('a session that the server has ended meanwhile leads to the sign-in form', async ({visit, guard, world}) => {
  const page = await visit('/course/14/reading-music-step-by-step/', MEMBER);
  await expect(page.getByText('Completed 3 of 6 Lessons')).toBeVisible();
  await revoke(page, world);

  guard.expectRefusal('GET', /^\/api\/v2\/user\/me\/$/, 401, /Unable to retrieve the authenticated user/);
  await page.reload();
  await expect(page).toHaveURL(/\/signin\//);
});

/** Ends the session on the server, as signing out in another browser would. */
async function revoke(page, world) {
  const {accessToken} = await page.evaluate(() => JSON.parse(sessionStorage.getItem('session')));
  const body = new URLSearchParams({client_id: 'stub-app', token: accessToken});
  const answer = await fetch(`${world.portal}/oauth/revoke_token/`, {method: 'POST', body});
  expect(answer.status).toBe(200);
}

test('an anonymous visitor who wants to sign up signs in first', async ({visit}) => {
  const page = await visit('/course/15/a-herb-garden-on-the-windowsill/');
  await page.getByRole('button', {name: 'Sign up for the Course'}).click();
  await expect(page).toHaveURL(/\/signin\//);
  await page.getByText(`${STRANGER}, stranger`).click();
  await expect(page.getByLabel('Username')).toHaveValue(STRANGER);
  await shot(page, '51-sign-in');
  await signIn(page, STRANGER);
  await expect(page).toHaveURL(/\/course\/15\//);
  await expect(page.getByRole('button', {name: 'Sign up for the Course'})).toBeVisible();
});

test('the name of a teacher leads to the courses they made', async ({visit}) => {
  const page = await visit('/course/1/watercolour-for-absolute-beginners/', MEMBER);
  await page.getByRole('link', {name: CREATOR}).last().click();
  await expect(page.getByText(/Created +\d+ courses/)).toBeVisible();
  await page.getByRole('button', {name: 'Show All'}).click();
  await expect(page.getByRole('dialog').getByText('Portraits by Window Light')).toBeVisible();
  await shot(page, '52-created-courses');
});
