#!/usr/bin/env node
/** `npx course-stubserver ...`: runs the Python command `stubserver` with the same words. */

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { StubError } from './errors.js';
import { findCommand } from './find.js';

const CANNOT_RUN = 127;

try {
  const [program = '', ...first] = findCommand();
  const child = spawn(program, [...first, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends these to both; whoever signals this process alone means the server.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`${program} cannot be started: ${error.message}`));
  child.on('exit', (status, signal) => {
    process.exitCode = status ?? 128 + (signal === null ? 0 : constants.signals[signal]);
    process.exit();
  });
} catch (error) {
  if (!(error instanceof StubError)) throw error;
  fail(error.message);
}

function fail(message: string): void {
  process.stderr.write(`course-stubserver: ${message}\n`);
  process.exitCode = CANNOT_RUN;
}
