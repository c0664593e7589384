/** Worlds: what happens in one, no other sees. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { connect } from 'course-stubserver';
import { serverFor } from './support.mjs';

const held = serverFor({ freezeAt: '2031-05-01T09:00:00Z' });
const JOIN = '/course/1/join/';
const STATUS = '/course/1/status/';

const read = async (world, persona, path) => (await world.fetch(path, { as: persona })).json();
const freshWorld = (t, options) => {
  const made = held.server.world(options);
  t.after(async () => (await made).close());
  return made;
};

test('what happens in a world stays there', async (t) => {
  const [here, there] = [await freshWorld(t), await freshWorld(t)];
  const answer = await here.fetch(JOIN, { method: 'POST', as: 'stranger' });
  assert.equal(answer.status, 200);
  assert.deepEqual(await read(here, 'stranger', STATUS), { status: 'joined' });
  assert.deepEqual(await read(there, 'stranger', STATUS), { status: null });
});

test('fetch asks as a persona, as nobody, with JSON, in every spelling of a URL of the world', async (t) => {
  const world = await freshWorld(t);
  const me = world.as('creator');
  for (const url of ['/user/me/', '/api/v2/user/me/', `${world.apiUrl}/user/me/`, new URL(`${world.apiUrl}/user/me/`)]) {
    assert.equal((await (await me(url)).json()).username, world.user('creator').username, String(url));
  }
  assert.equal((await world.fetch('/user/me/')).status, 401);
  const json = { name: 'Knots', type: 'self-paced' };
  const made = await world.fetch('/course/', { method: 'POST', json, as: 'creator' });
  assert.equal(made.status, 201);
  const { id } = await made.json();
  const request = new Request(`${world.apiUrl}/course/${id}/`, { method: 'PATCH', body: new URLSearchParams({ name: 'Splices' }) });
  assert.equal((await (await me(request)).json()).name, 'Splices');
  const token = (await world.journal.requests({ limit: 1 }))[0].persona;
  assert.equal(token, world.token('creator'));
});

test('a picture is uploaded as a form, and can be had again', async (t) => {
  const world = await freshWorld(t);
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  const bytes = Buffer.from(png, 'base64');
  const body = new FormData();
  body.append('image_original', new Blob([bytes], { type: 'image/png' }), 'cover.png');
  const course = await (await world.fetch('/course/1/', { method: 'PATCH', body, as: 'creator' })).json();
  assert.deepEqual(Buffer.from(await (await world.fetch(course.image_small)).arrayBuffer()), bytes);
});

test('the clock of a world', async (t) => {
  const world = await freshWorld(t);
  const now = async () => (await world.clock.now()).toISOString();
  assert.equal(await now(), '2031-05-01T09:00:00.000Z');
  await world.clock.advance({ weeks: 1, hours: 2 });
  assert.equal(await now(), '2031-05-08T11:00:00.000Z');
  await world.clock.freeze(new Date('2032-01-01T00:00:00Z'));
  assert.equal(await now(), '2032-01-01T00:00:00.000Z');
  await world.clock.set('2033-01-01T01:00:00+01:00');
  assert.equal(await now(), '2033-01-01T00:00:00.000Z');
  assert.equal((await world.clock.freeze()).frozen, true);
  assert.equal((await world.clock.release()).frozen, false);
});

test('the faults of a world', async (t) => {
  const world = await freshWorld(t);
  const ask = async () => (await world.fetch(JOIN, { method: 'POST', as: 'stranger' })).status;
  const fault = await world.faults.add({ kind: 'error', status: 503, operation: 'join_course', times: 1 });
  assert.deepEqual([await ask(), await ask()], [503, 200]);
  assert.deepEqual((await world.faults.list()).map(({ id, fired }) => [id, fired]), [[fault.id, 1]]);
  await world.faults.remove(fault.id);
  await world.faults.add({ kind: 'reset' });
  await assert.rejects(ask(), TypeError); // as fetch says it
  await world.faults.clear();
  assert.deepEqual(await world.faults.list(), []);
});

test('the variants of a world', async (t) => {
  const world = await freshWorld(t);
  const place = '/created_by/avatar';
  const avatar = async () => (await read(world, 'member', '/course/1/')).created_by.avatar;
  const before = await avatar();
  assert.equal(typeof before, 'string');
  const variant = await world.variants.add({ kind: 'null', operation: 'get_course', place });
  assert.deepEqual([variant.kind, variant.operation, variant.place, variant.sent], ['null', 'get_course', place, 0]);
  assert.equal(await avatar(), null);
  assert.deepEqual((await world.variants.list()).map(({ id, sent }) => [id, sent]), [[variant.id, 1]]);
  const [entry] = await world.journal.requests({ limit: 1 });
  assert.deepEqual(entry.variants, [{ id: variant.id, kind: 'null', choice: null, places: [place] }]);
  await world.variants.remove(variant.id);
  assert.equal(await avatar(), before);
  await world.variants.add({ kind: 'enum', operation: 'get_course', place: '/privacy', choice: 'private' });
  assert.equal((await read(world, 'member', '/course/1/')).privacy, 'private');
  await world.variants.add({ kind: 'empty' });
  await world.variants.clear();
  assert.deepEqual(await world.variants.list(), []);
});

test('what variants the contract offers, page after page', async (t) => {
  const { variants } = await freshWorld(t);
  const offered = await variants.offered();
  assert.ok(offered.length > 1000, String(offered.length));
  assert.equal(new Set(offered.map(({ operation, place, kind }) => `${operation} ${place} ${kind}`)).size, offered.length);
  const enums = offered.filter(({ operation, kind }) => operation === 'get_course' && kind === 'enum');
  assert.deepEqual(await variants.offered({ operation: 'get_course', kind: 'enum', limit: 2, offset: 1 }), enums.slice(1, 3));
  assert.equal((await variants.offered({ kind: 'null' })).length, offered.filter(({ kind }) => kind === 'null').length);
});

test('the journal of a world, page after page', async (t) => {
  const world = await freshWorld(t);
  for (let sent = 0; sent < 130; sent++) await world.fetch(STATUS, { as: 'member' });
  await world.fetch(STATUS);
  const paths = (await world.journal.requests()).map(({ request }) => request.path);
  assert.equal(paths.length, 131);
  const ids = (entries) => entries.map(({ id }) => id);
  assert.deepEqual(ids(await world.journal.requests({ limit: 7, offset: 2 })), ids(await world.journal.requests()).slice(2, 9));
  assert.equal((await world.journal.requests({ persona: 'anonymous' })).length, 1);
  assert.equal(await world.journal.count({ persona: 'member', status: undefined }), 130);
  await world.journal.clear();
  assert.equal(await world.journal.count(), 0);
});

test('verify says what came instead', async (t) => {
  const world = await freshWorld(t);
  await world.fetch(JOIN, { method: 'POST', as: 'stranger' });
  await world.verify({ operation: 'join_course', persona: 'stranger', times: 1 });
  await assert.rejects(world.verify({ operation: 'join_course', times: 2 }), (error) => {
    assert.equal(error.name, 'VerificationError');
    assert.match(error.message, /operation join_course: expected exactly 2, found 1 of 1 requests/);
    return true;
  });
});

test('snapshots, forks and resets', async (t) => {
  const world = await freshWorld(t);
  await world.fetch(JOIN, { method: 'POST', as: 'stranger' });
  await world.snapshot('joined-once');
  const status = async (asked) => (await read(asked, 'stranger', STATUS)).status;
  const fork = await world.fork();
  await world.reset();
  assert.deepEqual([await status(world), await status(fork)], [null, 'joined']);
  await world.restore('joined-once');
  assert.equal(await status(world), 'joined');
  assert.equal(await status(await freshWorld(t, { snapshot: 'joined-once' })), 'joined');
  const named = await fork.fork('named-fork');
  assert.equal(named.name, 'named-fork');
  await Promise.all([fork.close(), named.close()]);
  assert.equal((await world.reset({ fixture: 'empty' })).fixture, 'empty');
});

test('a world that is opened outlives its handle, one that is made does not', async (t) => {
  const made = await freshWorld(t, { name: 'of-a-colleague' });
  const opened = await held.server.open('of-a-colleague');
  await opened.close();
  assert.equal((await made.facts()).name, 'of-a-colleague');
  await made.close();
  await made.close();
  await assert.rejects(held.server.open('of-a-colleague'), /There is no world of-a-colleague/);
});

test('strict worlds, cases, coverage', async (t) => {
  const world = await freshWorld(t);
  assert.equal((await world.beStrict()).strict, true);
  assert.equal((await world.beStrict(false)).strict, false);
  await world.fetch(STATUS, { as: 'member' });
  assert.equal((await world.case()).start.fixture, 'default');
  const { operations } = await (await connect(held.server.url)).coverage();
  assert.ok(operations.some(({ operation, requests }) => operation === 'get_course_status' && requests > 0));
});

test('what a test replaces does not come between a handle and its server', async (t) => {
  const world = await freshWorld(t);
  mock.method(globalThis, 'fetch', () => assert.fail('a request of the handles'));
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  try {
    assert.equal((await world.fetch(STATUS, { as: 'member' })).status, 200);
    await world.clock.advance({ days: 1 });
    await world.verify({ operation: 'get_course_status', times: 1 });
  } finally {
    mock.timers.reset();
    mock.restoreAll();
  }
});
