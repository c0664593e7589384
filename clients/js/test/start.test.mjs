/** Where the command is found, and that a server never outlives who started it. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connect, startServer } from 'course-stubserver';
import { SERVE_OPTIONS } from '../dist/options.js';
import { VERSION, findCommand } from '../dist/find.js';
import { refusal } from './support.mjs';

const folder = mkdtempSync(join(tmpdir(), 'stubserver-'));
after(() => rmSync(folder, { recursive: true }));
const BIN = fileURLToPath(new URL('../dist/bin.js', import.meta.url));
const HERE = fileURLToPath(new URL('.', import.meta.url));
const run = promisify(execFile);

/** An empty program in the folder. */
function program(...path) {
  const file = join(folder, ...path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '#!/bin/sh\n');
  chmodSync(file, 0o755);
  return file;
}

test('the command is looked for in this order', async () => {
  const project = join(folder, 'project', 'packages', 'app');
  mkdirSync(project, { recursive: true });
  const find = (environment) => findCommand({ PATH: '', ...environment }, project);

  const here = { STUBSERVER_FROM: './here.whl' };
  const nowhere = 'There is no command stubserver: not on the PATH, and not in .venv/ or venv/ of this project';
  const makes = 'Run: python3 -m venv .venv && .venv/bin/pip install';
  const fetches = `, and neither uvx nor pipx is there to fetch it. ${makes} "./here.whl"`;
  assert.equal(await refusal(async () => find(here)), nowhere + fetches);
  const pipx = program('tools', 'pipx');
  const PATH = `:${join(folder, 'empty')}:${dirname(pipx)}`;
  assert.deepEqual(find({ PATH, ...here }), [pipx, 'run', '--spec', './here.whl', 'stubserver']);
  const uvx = program('tools', 'uvx');
  assert.deepEqual(find({ PATH, ...here }), [uvx, '--from', './here.whl', 'stubserver']);
  const installs = `. ${makes} SOURCE, where SOURCE is a wheel or a checkout of the server; or set STUBSERVER_FROM to it, `;
  for (const unasked of [{}, { PATH }, { PATH, STUBSERVER_FROM: '' }]) {
    // Nobody has said from where, and anybody may register a name.
    const said = await refusal(async () => find(unasked));
    assert.equal(said, `${nowhere}${installs}and uvx or pipx fetches it from there.`);
  }
  const far = program('project', 'venv', 'bin', 'stubserver');
  assert.deepEqual(find({ PATH, ...here }), [far]);
  mkdirSync(join(project, '.venv', 'bin', 'stubserver'), { recursive: true }); // a folder is no command
  const near = program('project', 'packages', '.venv', 'bin', 'stubserver');
  assert.deepEqual(find({ PATH }), [near]);
  const onPath = program('tools', 'stubserver');
  assert.deepEqual(find({ PATH }), [onPath]);
  assert.deepEqual(find({ PATH, STUBSERVER_BIN: far }), [far]);
  assert.deepEqual(find({ PATH, STUBSERVER_BIN: '../.venv/bin/stubserver' }), [near]);
  assert.deepEqual(find({ PATH, STUBSERVER_BIN: 'stubserver' }), [onPath]);
  const says = 'STUBSERVER_BIN names /no/where, which does not exist; unset it, or name the command stubserver.';
  assert.equal(await refusal(async () => find({ PATH, STUBSERVER_BIN: '/no/where' })), says);
});

test('the options are those of stubserver serve', async () => {
  const { stdout } = await run(process.execPath, [BIN, 'serve', '--help']);
  const flags = [...stdout.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, name]) => name);
  const own = SERVE_OPTIONS.map((name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
  assert.deepEqual(flags.sort(), [...own, 'log-format', 'quiet'].sort());
});

test('options reach the server', async () => {
  const options = { freezeAt: new Date('2031-05-01T09:00:00Z'), strict: true, corsOrigin: ['https://a.example', 'https://b.example'] };
  const server = await startServer({ ...options, watch: false, maxWorlds: 2, port: undefined });
  const facts = await (await server.world()).facts();
  assert.equal(facts.strict, true);
  assert.match(facts.clock.now, /^2031-05-01T09:00:00/);
  for (const origin of options.corsOrigin) {
    const answer = await fetch(`${server.url}/api/v2/course/1/`, { headers: { origin } });
    assert.equal(answer.headers.get('access-control-allow-origin'), origin);
  }
  await server.stop();
});

test('the bin passes words, output and status on', async () => {
  const { stdout } = await run(process.execPath, [BIN, '--version']);
  assert.equal(stdout, `stubserver, version ${VERSION}\n`);
  await assert.rejects(run(process.execPath, [BIN, 'serve', '--prot', '1']), (error) => {
    assert.equal(error.code, 2);
    assert.match(error.stderr, /No such option '--prot'/);
    return true;
  });
  const nowhere = { ...process.env, STUBSERVER_BIN: '/no/where' };
  await assert.rejects(run(process.execPath, [BIN, 'serve'], { env: nowhere }), (error) => {
    assert.equal(error.code, 127);
    assert.match(error.stderr, /^course-stubserver: STUBSERVER_BIN names \/no\/where, .*\n$/);
    return true;
  });
});

const STARTS = "const {startServer} = await import('course-stubserver'); console.log((await startServer()).url);";

/** Waits until nothing answers at the URL, but not for ever. */
async function gone(url) {
  for (let asked = 0; asked < 600; asked++) {
    try {
      await connect(url);
    } catch {
      return;
    }
    await new Promise((again) => setTimeout(again, 50));
  }
  assert.fail(`a server still answers at ${url}`);
}

for (const end of ['end', 'SIGKILL', 'SIGTERM', 'throw']) {
  test(`a server that nobody stops ends with its process: ${end}`, async () => {
    const more = { end: '', throw: "throw new Error('mine');" }[end] ?? 'setInterval(() => {}, 1000);';
    const child = spawn(process.execPath, ['--input-type=module', '-e', STARTS + more], { cwd: HERE, stdio: ['ignore', 'pipe', 'ignore'] });
    const [said] = await once(child.stdout, 'data');
    if (end.startsWith('SIG')) child.kill(end);
    const [status] = await once(child, 'exit');
    assert.equal(status, { end: 0, throw: 1 }[end] ?? null);
    await gone(String(said).trim());
  });
}

test('the bin ends its server with it', async () => {
  const child = spawn(process.execPath, [BIN, 'serve', '--port', '0', '--log-format', 'json'], { stdio: ['ignore', 'ignore', 'pipe'] });
  const [said] = await once(child.stderr, 'data');
  child.kill('SIGTERM');
  await once(child, 'exit');
  await gone(JSON.parse(String(said)).url);
});
