// A world for each scenario: a fresh stub server and the app's static server, on two ports and therefore two origins.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import {serve} from '../serve.mjs';

const COMMAND = process.env.STUBSERVER ?? 'stubserver';

/** Resolves to {app, portal, log, close}: two URLs, the lines that the server has logged so far, and a clean-up. */
export async function startWorld() {
  const server = spawn(COMMAND, ['serve', '--port', '0'], {stdio: ['ignore', 'pipe', 'pipe']});
  const log = [];
  createInterface({input: server.stderr}).on('line', (line) => log.push(line));
  const portal = await portalOf(server, log);
  const app = await serve({port: 0, portal});
  return {
    app: app.url,
    portal,
    log,
    async close() {
      await app.close();
      server.kill();
      await once(server, 'exit');
    },
  };
}

/** The origin in the line that says "API http://127.0.0.1:PORT/api/v2/". */
async function portalOf(server, log) {
  server.once('error', (error) => log.push(`cannot start ${COMMAND}: ${error.message}`));
  for await (const line of createInterface({input: server.stdout})) {
    const [, url] = line.match(/\bAPI\s+(http\S+)/) ?? [];
    if (url) {
      server.stdout.resume();
      return new URL(url).origin;
    }
  }
  throw new Error(`The stub server did not start.\n${log.join('\n')}`);
}
