/** Tests of enrolment in courses. Run them with: stubserver exec -- npm test */

import assert from 'node:assert/strict';
import {test} from 'node:test';
import {freshWorld} from '../world.mjs';

const WATERCOLOUR = '/course/1/';
const SOURDOUGH = '/course/2/';

test('a stranger joins an open course', async (t) => {
  const world = await freshWorld(t.name);
  const answer = await world.ask('stranger', 'POST', `${WATERCOLOUR}join/`);
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).join_status, 'joined');
});

test('what one test does, no other sees', async (t) => {
  const [here, there] = [await freshWorld(t.name), await freshWorld(`${t.name}, nor its neighbour`)];
  await here.ask('stranger', 'POST', `${WATERCOLOUR}join/`);
  const answer = await there.ask('stranger', 'GET', `${WATERCOLOUR}status/`);
  assert.deepEqual(await answer.json(), {status: null});
});

test('a lesson opens a week after joining', async (t) => {
  const world = await freshWorld(t.name);
  const lesson = `${SOURDOUGH}section/5/lesson/11/`;
  await world.ask('stranger', 'POST', `${SOURDOUGH}join/`);
  assert.equal((await world.ask('stranger', 'GET', lesson)).status, 403);
  await world.control('POST', '/clock/advance', {days: 7});
  assert.equal((await world.ask('stranger', 'GET', lesson)).status, 200);
});

test('a server that is busy once is asked twice', async (t) => {
  const world = await freshWorld(t.name);
  await world.control('POST', '/faults', {kind: 'error', status: 503, retry_after: 0, operation: 'join_course', times: 1});
  const join = () => world.ask('stranger', 'POST', `${WATERCOLOUR}join/`);
  let answer = await join();
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get('retry-after'), '0');
  answer = await join();
  assert.equal(answer.status, 200);
});

test('the server tells whether it was asked as expected', async (t) => {
  const world = await freshWorld(t.name);
  const body = {text: '<p>Hello from Leith.</p>'};
  await world.ask('member', 'POST', `${WATERCOLOUR}section/1/lesson/1/comment/`, body);

  const said = await world.control('POST', '/verify', {operation: 'create_course_comment', body, times: 1});
  assert.ok(said.verified, said.message);
  const other = await world.control('POST', '/verify', {operation: 'create_course_comment', body: {text: 'Bye.'}});
  assert.match(other.message, /Hello from Leith/);
});
