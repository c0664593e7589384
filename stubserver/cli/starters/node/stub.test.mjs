// A first test with the stub server: run it with `node --test`. It starts its own server, with a fresh world.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import { as, client } from './stub.mjs';

let server;

before(async () => {
  server = spawn('stubserver', ['serve', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [banner] = await once(server.stdout, 'data');
  client.http.setBasePortal(String(banner).match(/API\s+(http:\/\/[^/\s]+)/)[1]);
});

after(() => server.kill());

test('a stranger joins an open course', async () => {
  const course = await as('stranger').joinOrAcceptInviteToCourse(1);
  assert.equal(course.join_status, 'joined');
});
