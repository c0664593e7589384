// First tests in worlds of the stub server. Run them with `npx playwright test stub`.
import { expect, test } from 'course-stubserver/playwright';

// The origin that your application asks: what pages ask of it goes to the world of their test instead.
const COMMUNITY = 'https://community.example';

test('a page is a persona in a world of its own', async ({ page, world }) => {
  await world.route(page, COMMUNITY);
  await world.signIn(page, 'stranger');
  await page.goto(`${COMMUNITY}/api/v2/course/1/`); // in place of this, open a page of your application
  await expect(page.locator('body')).toContainText('Watercolour for Absolute Beginners');
  await world.verify({ operation: 'get_course', persona: 'stranger', times: 1 });
});
