/** Each wrong use is refused, in one line that says what, where, and what would be right. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { connect, startServer } from 'course-stubserver';
import { refusal, serverFor } from './support.mjs';

const held = serverFor({});
const never = () => assert.fail('not reached');

const OPTIONS = [
  ['startServer, an option that there is not', () => startServer({ prot: 1 }), "startServer: There is no option 'prot'. Did you mean port?"],
  ['startServer, no object', () => startServer('default'), /^startServer takes an object with options, not 'default': fixture, /],
  ['startServer, text for a number', () => startServer({ port: '1' }), "startServer: the option port is a number, not '1'."],
  ['startServer, no time', () => startServer({ freezeAt: new Date('x') }), /^startServer: the option freezeAt is a time, such as/],
  ['startServer, a fixture that there is not', () => startServer({ fixture: 'nope' }), /did not start the server: unknown fixture 'nope': use one of default, empty, or a file$/],
  ['startServer, a port in use', () => startServer({ port: Number(new URL(held.server.url).port) }), /cannot listen on 127.0.0.1 port \d+: Address already in use/],
  ['startServer, a port that cannot be', () => startServer({ port: 70000 }), /did not start the server: .*70000/],
  ['connect, an option that there is not', () => connect(held.server.url, { tokn: 'x' }), "connect: There is no option 'tokn'. Did you mean token?"],
  ['connect, a token that no header can carry', () => connect(held.server.url, { token: 'ä' }), 'A token consists of printable ASCII characters without blanks; this one does not.'],
  ['connect, no URL', () => connect(undefined), 'undefined is not the URL of a server, such as http://127.0.0.1:8765.'],
  ['connect, no scheme', () => connect('127.0.0.1:8765'), "'127.0.0.1:8765' is not the URL of a server, such as http://127.0.0.1:8765."],
  ['connect, a world', () => connect('http://127.0.0.1:8765/~mine'), "'http://127.0.0.1:8765/~mine' is more than the URL of a server: use http://127.0.0.1:8765, and open(NAME) for a world of it."],
  ['connect, a password', () => connect('http://me:secret@127.0.0.1:8765'), 'The URL of a server has no user or password: use http://127.0.0.1:8765, and the option token.'],
  ['connect, nobody there', () => connect('http://127.0.0.1:9'), /^no stub server answers at http:\/\/127.0.0.1:9: /],
  ['world, an option that there is not', () => held.server.world({ fixtur: 'x' }), "POST /worlds: There is no field 'fixtur'. Did you mean fixture?"],
  ['world, a fixture that there is not', () => held.server.world({ fixture: 'x' }), /^POST \/worlds: .*'?x'?/],
  ['world, a name that is taken', async () => { for (const name of ['mine', 'mine']) await held.server.world({ name }); }, /^POST \/worlds: World mine already exists; reset it, or use another name.$/],
  ['open, a world that there is not', () => held.server.open('nope'), 'GET /worlds/nope: There is no world nope.'],
];

for (const [name, action, says] of OPTIONS) {
  test(name, async () => {
    if (says instanceof RegExp) assert.match(await refusal(action), says);
    else assert.equal(await refusal(action), says);
  });
}

const IN_A_WORLD = [
  ['a persona that there is not', (world) => world.token('membr'), "There is no persona 'membr'. Did you mean member?"],
  ['a client of such a persona', (world) => world.as('Creatr'), "There is no persona 'Creatr'. Did you mean creator?"],
  ['a request as such a persona', (world) => world.fetch('/course/1/', { as: 'wizard' }), /^There is no persona 'wizard'. Use one of: creator, manager, /],
  ['an option of fetch', (world) => world.fetch('/course/1/', { persona: 'x' }), /^fetch: There is no option 'persona'. /],
  ['two bodies', (world) => world.fetch('/course/1/', { method: 'PUT', json: {}, body: '' }), 'fetch takes json or body, not both.'],
  ['a path without a slash', (world) => world.fetch('course/1/'), /^fetch asks the world \S+ only: use a path, such as '\/course\/1\/', not 'course\/1\/'.$/],
  ['another host', (world) => world.fetch('//example.com/'), /^fetch asks the world/],
  ['another world', (world) => world.fetch(`${world.url}-2/api/v2/course/1/`), /^fetch asks the world/],
  ['a kind of fault', (world) => world.faults.add({ kind: 'err' }), /^POST \/faults: kind: "err" is not a valid choice. Use one of: "latency", /],
  ['a field of a fault', (world) => world.faults.add({ kind: 'error', opration: 'x' }), /^POST \/faults: There is no field 'opration'. Did you mean operation\?/],
  ['an operation of a fault', (world) => world.faults.add({ kind: 'error', operation: 'join_curse' }), /^POST \/faults: .*Did you mean join_course/],
  ['a fault that is not there', (world) => world.faults.remove(77), /^DELETE \/faults\/77: .*77/],
  ['a kind of variant', (world) => world.variants.add({ kind: 'nul' }), /^POST \/variants: kind: "nul" is not a valid choice. Use one of: "null", /],
  ['a variant without a kind', (world) => world.variants.add({ place: '/name' }), /^POST \/variants: kind: /],
  ['a variant that is no object', (world) => world.variants.add('null'), /^POST \/variants: /],
  ['a field of a variant', (world) => world.variants.add({ kind: 'null', plce: '/name' }), /^POST \/variants: There is no field 'plce'. Did you mean place\?/],
  ['an operation of a variant', (world) => world.variants.add({ kind: 'null', operation: 'get_curse' }), /^POST \/variants: .*Did you mean get_course/],
  ['a place of a variant', (world) => world.variants.add({ kind: 'null', place: '/created_by/avatr' }), /^POST \/variants: .*There is no place '\/created_by\/avatr' .*Did you mean \/created_by\/avatar/],
  ['a place that cannot be so', (world) => world.variants.add({ kind: 'null', operation: 'get_course', place: '/id' }), /^POST \/variants: .*The contract does not allow null at \/id; it allows /],
  ['a choice of a variant', (world) => world.variants.add({ kind: 'time', choice: 'pst' }), /^POST \/variants: .*'pst'.*past/],
  ['a variant that is not there', (world) => world.variants.remove(77), /^DELETE \/variants\/77: .*77/],
  ['a filter of what is offered', (world) => world.variants.offered({ knd: 'null' }), /^GET \/variants\/offered: .*'knd'/],
  ['an operation of what is offered', (world) => world.variants.offered({ operation: 'get_curse' }), /^GET \/variants\/offered: .*Did you mean get_course/],
  ['a filter of the journal', (world) => world.journal.requests({ opration: 'x' }), /^GET \/requests: .*'opration'/],
  ['a time of the clock', (world) => world.clock.freeze('tomorrow'), "clock.freeze: 'tomorrow' is not a time, such as '2031-05-01T09:00:00Z'."],
  ['a unit of the clock', (world) => world.clock.advance({ day: 1 }), /^POST \/clock\/advance: There is no field 'day'. Did you mean days/],
  ['an expectation', (world) => world.verify({ operaton: 'x' }), /^POST \/verify: There is no field 'operaton'. Did you mean operation/],
  ['an option of reset', (world) => world.reset({ snapshot: 'x' }), "reset: There is no option 'snapshot'. Use one of: fixture."],
  ['a snapshot that there is not', (world) => world.restore('nope'), /^POST \/snapshots\/nope\/restore: .*nope/],
  ['a name for a snapshot', (world) => world.snapshot('a b'), /^POST \/snapshots: /],
];

for (const [name, action, says] of IN_A_WORLD) {
  test(name, async (t) => {
    const world = await held.server.world();
    t.after(() => world.close());
    const said = await refusal(async () => action(world));
    if (says instanceof RegExp) assert.match(said, says);
    else assert.equal(said, says);
  });
}

test('everything about a world that is closed', async () => {
  const world = await held.server.world();
  await world.close();
  const uses = [() => world.fetch('/course/1/'), () => world.clock.now(), () => world.faults.clear(), () => world.variants.add({ kind: 'null' }), () => world.fork()];
  for (const use of [...uses, () => world.verify({ times: 0 }), () => world.journal.count(), () => world.facts()]) {
    assert.equal(await refusal(use), `The world ${world.name} is closed; make another one with server.world() before you use it.`);
  }
});

test('everything about a server that is gone', async () => {
  const server = await startServer();
  const world = await server.world();
  await server.stop();
  await server.stop();
  const uses = [() => world.fetch('/course/1/'), () => world.clock.now(), () => server.world(), () => server.coverage()];
  for (const use of [...uses, () => world.close(), () => connect(server.url)]) {
    assert.match(await refusal(use), /^no stub server answers at http:\/\/127\.0\.0\.1:\d+: \S/);
  }
});

test('a server of something else', async (t) => {
  const other = createServer((_, answer) => answer.end('<html>')).listen(0, '127.0.0.1', never);
  other.removeAllListeners('listening');
  await new Promise((ready) => other.once('listening', ready));
  t.after(() => other.close());
  const url = `http://127.0.0.1:${other.address().port}`;
  const says = `${url} is not a stub server: GET /__stub/version was answered with status 200. `;
  assert.equal(await refusal(() => connect(url)), `${says}\`npx course-stubserver serve\` starts one and prints its URL.`);
});

test('a control plane that wants its token', async () => {
  const server = await startServer({ controlToken: 'secret' });
  await server.coverage();
  const stranger = await connect(server.url);
  assert.match(await refusal(() => stranger.world()), /^POST \/worlds: .*token/i);
  const wrong = await connect(server.url, { token: 'other' });
  assert.match(await refusal(() => wrong.world()), /^POST \/worlds: .*token/i);
  await (await connect(server.url, { token: 'secret' })).world();
  await server.stop();
});
