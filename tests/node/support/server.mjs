// The server under test: every group of tests gets its own process, with a fresh world, on a free port.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, describe } from 'node:test';

import { http } from './client.mjs';

const COMMAND = process.env.STUBSERVER ?? 'stubserver';
const SECONDS_TO_START = 60;

/** Groups tests around a server that starts before them and stops after them, whether they pass or fail. */
export function world(name, tests) {
  describe(name, () => {
    let server;
    before(async () => {
      server = spawn(COMMAND, ['serve', '--port', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
      process.once('exit', () => server.kill());
      http.setBasePortal(await address(server));
    });
    after(() => server.kill());
    tests();
  });
}

/** Waits for the line in which the server prints its address. */
function address(server) {
  return new Promise((resolve, reject) => {
    let log = '';
    const timer = setTimeout(() => fail('printed no address in time'), SECONDS_TO_START * 1000);
    const fail = (why) => {
      clearTimeout(timer);
      reject(new Error(`${COMMAND} serve ${why}\n${log}`));
    };
    server.stderr.on('data', (text) => (log += text));
    server.on('error', (error) => fail(`could not be run: ${error.message}`));
    server.on('exit', (status) => fail(`ended with status ${status}`));
    createInterface({ input: server.stdout }).on('line', (line) => {
      const [, api] = line.match(/^\s*API\s+(\S+)/) ?? [];
      if (!api) return;
      clearTimeout(timer);
      resolve(new URL(api).origin);
    });
  });
}

// An interrupted test run stops its servers, too.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
