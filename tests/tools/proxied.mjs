// Stands for the command `stubserver serve`: starts it behind a validating proxy, and prints the proxy's address in the
// place of its own. Whatever the server answers must be what its document says; else the proxy answers with a 500.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const PRISM = new URL('./node_modules/@stoplight/prism-cli/dist/index.js', import.meta.url).pathname;
const serve = process.argv.slice(2);
const server = spawn(process.env.SERVER, serve, { stdio: ['ignore', 'pipe', 'inherit'] });
const started = [server];
const end = () => started.forEach((child) => child.kill());
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => (end(), process.exit(0)));
process.once('exit', end);

createInterface({ input: server.stdout }).on('line', async (line) => {
  const [, address] = line.match(/^\s*API\s+(\S+)/) ?? [];
  if (!address) return;
  const port = await free();
  const options = ['--errors', '--validate-request', 'false', '--host', '127.0.0.1', '--port', String(port)];
  const command = ['proxy', process.env.DOCUMENT, new URL(address).origin, ...options];
  const proxy = spawn(process.execPath, [PRISM, ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(proxy);
  createInterface({ input: proxy.stdout }).on('line', (text) => {
    if (text.includes('is listening on')) console.log(`  API    http://127.0.0.1:${port}/api/v2/`);
    if (/violation|error/i.test(text)) console.error(text);
  });
});

/** A port that nothing listens on. */
function free() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
