/** What the tests share: a server for one file, and what a refusal says. */
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { startServer } from 'course-stubserver';

/** The server of a test file; its `server` is there once the tests run. */
export function serverFor(options) {
  const held = {};
  before(async () => {
    held.server = await startServer(options);
  });
  after(() => held.server?.stop());
  return held;
}

/** The message with which something is refused; it is one line. */
export async function refusal(action) {
  try {
    await action();
  } catch (error) {
    assert.ok(error.name === 'StubError', error.stack);
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  assert.fail('nothing was refused');
}
