// The vendor's pages as in production: they ask a real community, and know of no stub. The test routes that origin to a
// world of its own.
import {expect, test as base} from 'course-stubserver/playwright';
import {serve} from '../serve.mjs';
import {signIn} from './scenario.js';

const COMMUNITY = 'https://community.example';
const OPEN = '/course/15/a-herb-garden-on-the-windowsill/';

const test = base.extend({
  app: [
    async ({}, use) => {
      const app = await serve({port: 0, portal: COMMUNITY});
      await use(app.url);
      await app.close();
    },
    {scope: 'worker'},
  ],

  page: async ({page, app, world}, use) => {
    await world.route(page, COMMUNITY);
    await page.goto(`${app}/signin/?next=${encodeURIComponent(OPEN)}`);
    await use(page);
  },
});

test('a stranger signs in and up, in a world of this test', async ({page, world}) => {
  await signIn(page, world.user('stranger').username);
  await page.getByRole('button', {name: 'Sign up for the Course'}).click();
  await expect(page.getByText('Enroll completed!')).toBeVisible();
  await world.verify({operation: 'join_course', path: '/course/15/join/', status: 200, times: 1});
  await page.reload();
  await expect(page.getByRole('link', {name: 'Start the Course'})).toBeVisible();
});

test('what is refused is told, and the next world knows nothing of the last', async ({page, world}) => {
  await world.faults.add({kind: 'error', status: 503, operation: 'join_course', times: 1});
  await signIn(page, world.user('stranger').username);
  await page.getByRole('button', {name: 'Sign up for the Course'}).click();
  await expect.poll(() => world.journal.count({operation: 'join_course', status: 503})).toBe(1);
  await page.reload();
  await expect(page.getByRole('button', {name: 'Sign up for the Course'})).toBeVisible();
});
