// How a project uses the package without any test runner. It is compiled strictly, and then run.
import assert from 'node:assert/strict';
import { type JournalEntry, type OfferedVariant, StubError, VerificationError, connect, startServer } from 'course-stubserver';
import type { components } from 'course-stubserver/api';

type Course = components['schemas']['CourseUserDetail'];

const started = await startServer({ freezeAt: new Date('2031-05-01T09:00:00Z'), maxWorlds: 10 });
const server = await connect(started.url);
const world = await server.world({ fixture: 'default' });

const joined = await world.fetch('/course/1/join/', { method: 'POST', as: 'stranger' });
assert.equal(joined.status, 200);
const lesson = world.as('creator');
assert.equal((await lesson(`${world.apiUrl}/user/me/`)).status, 200);

const clock = await world.clock.advance({ days: 7 });
assert.equal(clock.frozen, true);
const fault = await world.faults.add({ kind: 'error', status: 503, operation: 'join_course', times: 1 });
assert.equal(fault.fired, 0);
const variant = await world.variants.add({ kind: 'null', operation: 'get_course', place: '/created_by/avatar' });
assert.equal((await world.variants.list())[0]?.sent, variant.sent);
const offered: OfferedVariant[] = await world.variants.offered({ kind: 'null', operation: 'get_course' });
assert.ok(offered.some(({ place }) => place === variant.place));
const entries: JournalEntry[] = await world.journal.requests({ operation: 'join_course' });
assert.equal(entries[0]?.status, 200);
await world.verify({ operation: 'join_course', persona: 'stranger', times: 1 });
await assert.rejects(world.verify({ operation: 'leave_course' }), VerificationError);

const course: Pick<Course, 'id' | 'name'> = { id: 1, name: 'Watercolour' };
const status: Course['join_status'] = 'joined';
assert.ok(course.id && status);

// What the types refuse, the server or the package refuses, too.
const refused: (() => unknown)[] = [
  // @ts-expect-error an option that there is not
  () => startServer({ prot: 1 }),
  // @ts-expect-error text for a number
  () => startServer({ port: '1' }),
  // @ts-expect-error an option that there is not
  () => connect(started.url, { tokn: 'x' }),
  // @ts-expect-error an option that there is not
  () => server.world({ fixtur: 'default' }),
  // @ts-expect-error a unit that there is not
  () => world.clock.advance({ day: 1 }),
  // @ts-expect-error a kind that there is not
  () => world.faults.add({ kind: 'err' }),
  // @ts-expect-error a field that there is not
  () => world.faults.add({ kind: 'error', opration: 'join_course' }),
  // @ts-expect-error no kind
  () => world.faults.add({ status: 503 }),
  // @ts-expect-error a kind that there is not
  () => world.variants.add({ kind: 'nul' }),
  // @ts-expect-error a field that there is not
  () => world.variants.add({ kind: 'null', plce: '/name' }),
  // @ts-expect-error no kind
  () => world.variants.add({ place: '/name' }),
  // @ts-expect-error a filter that there is not
  () => world.variants.offered({ knd: 'null' }),
  // @ts-expect-error an expectation that there is not
  () => world.verify({ operaton: 'join_course' }),
  // @ts-expect-error a filter that there is not
  () => world.journal.requests({ opration: 'join_course' }),
  // @ts-expect-error an option that there is not
  () => world.fetch('/course/1/', { persona: 'member' }),
  // @ts-expect-error an option that there is not
  () => world.reset({ snapshot: 'x' }),
  () => world.token('membr'),
];
for (const use of refused) await assert.rejects(async () => use(), StubError, String(use));
await assert.rejects(async () => world.fetch('/course/1/', { as: 'membr' }), StubError);

await world.close();
await started.stop();
console.log('done');
