/** Which server the fixtures of test runners use, and what they call the worlds of tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverFor as running, worldName } from '../dist/running.js';
import setup from '../dist/setup.js';
import { refusal, serverFor } from './support.mjs';

const held = serverFor({});
delete process.env.STUBSERVER_URL;

/** Runs with STUBSERVER_URL set. */
async function at(url, action) {
  process.env.STUBSERVER_URL = url;
  try {
    return await action();
  } finally {
    delete process.env.STUBSERVER_URL;
  }
}

test('a server that is named is used, and not stopped', async () => {
  const { url } = held.server;
  for (const found of [await running({ url }), await at(url, () => running({}))]) {
    assert.equal(found.server.url, url);
    await found.stop();
  }
  await held.server.coverage();
});

test('a server is started otherwise, and stopped', async () => {
  const { server, stop } = await running({ fixture: 'empty' });
  assert.notEqual(server.url, held.server.url);
  await stop();
  assert.match(await refusal(() => server.coverage()), /^no stub server answers/);
});

test('options that would change nothing are refused', async () => {
  const { url } = held.server;
  const says = 'so the option fixture would change nothing; leave it out.';
  assert.equal(await refusal(() => running({ url, fixture: 'empty' })), `stubserver: there is a server at ${url}, ${says}`);
  const inEnvironment = await refusal(() => at(url, () => running({ fixture: 'empty' })));
  assert.equal(inEnvironment, `stubserver: STUBSERVER_URL names the server ${url}, ${says}`);
  assert.equal(await refusal(() => running({ token: 'x' })), 'stubserver: token is for a server at a url; name that, too.');
  assert.match(await refusal(() => running({ fixtur: 'x' })), /^startServer: There is no option 'fixtur'. Did you mean fixture/);
});

test('the set-up names its server to the workers until it ends', async () => {
  const stop = await setup();
  const url = process.env.STUBSERVER_URL;
  assert.equal((await running({})).server.url, url);
  await stop();
  assert.equal(process.env.STUBSERVER_URL, undefined);
  await at(held.server.url, async () => {
    await (await setup())();
    assert.equal(process.env.STUBSERVER_URL, held.server.url);
  });
});

test('the token of the control plane may be in the environment', async () => {
  process.env.STUBSERVER_CONTROL_TOKEN = 'secret';
  try {
    const { server, stop } = await running({});
    await server.world();
    await (await running({ url: server.url })).server.world();
    assert.match(await refusal(async () => (await running({ url: server.url, token: 'wrong' })).server.world()), /token/i);
    await stop();
  } finally {
    delete process.env.STUBSERVER_CONTROL_TOKEN;
  }
});

test('the name of a world tells its test, and is a name', () => {
  for (const [title, name] of [['joins: a course', 'joins-a-course'], ['è', 'test'], ['x'.repeat(99), 'x'.repeat(40)], ['-', 'test']]) {
    assert.match(worldName(title), new RegExp(`^${name}-[0-9a-f]{8}$`));
  }
  assert.notEqual(worldName('a'), worldName('a'));
});
