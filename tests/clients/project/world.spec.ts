// No test of these opens a page, so no browser is needed.
import { expect, test } from 'course-stubserver/playwright';

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

