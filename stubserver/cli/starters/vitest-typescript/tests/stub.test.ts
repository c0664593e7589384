// A first test in a world of the stub server. Run it with `npx vitest run stub`.
import { expect, test } from 'course-stubserver/vitest';

test('a stranger joins an open course', async ({ world }) => {
  // Give your code world.url as the base URL of the community, and world.token('stranger') as the token.
  const answer = await world.fetch('/course/1/join/', { method: 'POST', as: 'stranger' });
  expect(answer.status).toBe(200);
  await world.verify({ operation: 'join_course', persona: 'stranger', times: 1 });
});
