/** What the fixtures of Playwright and Vitest share: the server that they use, and the names of worlds. */

import { randomBytes } from 'node:crypto';
import { StubError } from './errors.js';
import type { ServeOptions } from './options.js';
import { type ConnectOptions, Server, connect } from './server.js';
import { startServer } from './start.js';

/** The server that tests use: the one at `url`, or at STUBSERVER_URL, or else one that is started with these options. */
export type StubserverOptions = ServeOptions | (ConnectOptions & { url: string });

export async function serverFor(options: StubserverOptions): Promise<{ server: Server; stop: () => Promise<void> }> {
  const { url, token, ...started } = { url: undefined, token: undefined, ...options };
  const here = url ?? process.env['STUBSERVER_URL'];
  if (here === undefined || here === '') {
    if (token !== undefined) throw new StubError('stubserver: token is for a server at a url; name that, too.');
    const server = await startServer(started);
    return { server, stop: () => server.stop() };
  }
  const [lost] = Object.keys(started);
  if (lost !== undefined) {
    const where = url === undefined ? `STUBSERVER_URL names the server ${here}` : `there is a server at ${here}`;
    throw new StubError(`stubserver: ${where}, so the option ${lost} would change nothing; leave it out.`);
  }
  const known = token ?? process.env['STUBSERVER_CONTROL_TOKEN'];
  return { server: await connect(here, known ? { token: known } : {}), stop: async () => {} };
}

/** A name for the world of a test, which tells whose it is and is never taken. */
export function worldName(title: string): string {
  const readable = title.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 40) || 'test';
  return `${readable}-${randomBytes(4).toString('hex')}`;
}
