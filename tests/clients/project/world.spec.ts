import { startServer } from 'course-stubserver';
import { PageWorld, expect, test } from 'course-stubserver/playwright';

test('passes', async ({ world }) => {
  expect(await world.facts()).toMatchObject({ strict: true, requests: 0 });
});

test('fails', async ({ world }) => {
  await world.fetch('/course/1/join/', { method: 'POST', as: 'stranger' });
  await world.verify({ operation: 'leave_course' });
});

test('fails as expected', async ({ world }) => {
  test.fail();
  await world.verify({ operation: 'leave_course' });
});


test('loses its server', async ({ page }) => {
  test.setTimeout(20_000);
  const server = await startServer();
  const world = PageWorld.of(await server.world());
  await world.route(page, 'https://community.example');
  await server.stop();
  await page.goto('https://community.example/api/v2/course/1/');
});
