// A first test with the stub server: run it with `node --test`. It starts its own server, with a fresh world.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer } from 'course-stubserver';

import { as, client } from './stub.mjs';

let server;
let world;

before(async () => {
  server = await startServer();
  world = await server.world();
  client.http.setBasePortal(world.url);
});

after(() => server?.stop());

test('a stranger joins an open course', async () => {
  const course = await as('stranger').joinOrAcceptInviteToCourse(1);
  assert.equal(course.join_status, 'joined');
  await world.verify({ operation: 'join_course', persona: 'stranger', times: 1 });
});
