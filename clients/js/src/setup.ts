/**
 * One server for all workers, as the `globalSetup` of Playwright and Vitest: `globalSetup: 'course-stubserver/setup'`.
 * The environment has its options (STUBSERVER_FIXTURE and so on), and names it to the workers as STUBSERVER_URL.
 */

import { serverFor } from './running.js';

/** Starts the server, unless STUBSERVER_URL names one already; resolves to what stops it. */
export default async function setup(): Promise<() => Promise<void>> {
  const before = process.env['STUBSERVER_URL'];
  const { server, stop } = await serverFor({});
  process.env['STUBSERVER_URL'] = server.url;
  return async () => {
    if (before === undefined) delete process.env['STUBSERVER_URL'];
    await stop();
  };
}
