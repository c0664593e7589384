// A first test in a world of the stub server. Run it with `node --test` (Node.js 22.18 or newer), or else with tsx.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type StartedServer, type World, startServer } from 'course-stubserver';

let server: StartedServer | undefined;
let world: World;

before(async () => {
  server = await startServer();
  world = await server.world();
});

after(() => server?.stop());

test('a stranger joins an open course', async () => {
  // Give your code world.url as the base URL of the community, and world.token('stranger') as the token.
  const answer = await world.fetch('/course/1/join/', { method: 'POST', as: 'stranger' });
  assert.equal(answer.status, 200);
  await world.verify({ operation: 'join_course', persona: 'stranger', times: 1 });
});
