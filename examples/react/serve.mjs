// Serves dist/ and tells the page where the portal is: node serve.mjs, or serve({port, portal}) in tests.
import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {createServer} from 'node:http';
import {extname, join, normalize} from 'node:path';
import {fileURLToPath} from 'node:url';

const DIST = fileURLToPath(new URL('dist', import.meta.url));
const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
};

/** Starts a server on localhost and resolves to {url, close}. Port 0 picks a free port. */
export function serve({port, portal}) {
  const server = createServer(async (request, response) => {
    const {pathname} = new URL(request.url, 'http://localhost');
    if (pathname === '/config.json') {
      response.writeHead(200, {'content-type': 'application/json', 'cache-control': 'no-store'});
      response.end(JSON.stringify({portal}));
      return;
    }
    const file = await fileFor(pathname);
    response.writeHead(200, {'content-type': TYPES[extname(file)] ?? 'application/octet-stream'});
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, 'localhost', () =>
      resolve({
        url: `http://localhost:${server.address().port}`,
        close: () => new Promise((done) => server.close(done).closeAllConnections()),
      })
    );
  });
}

/** The file for a path. All paths of the app itself (/course/1/...) get the same page, so that reloading works. */
async function fileFor(pathname) {
  const file = join(DIST, normalize(pathname));
  const found = await stat(file).catch(() => null);
  return found?.isFile() ? file : join(DIST, 'index.html');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const portal = process.env.STUB_URL ?? 'http://127.0.0.1:8765';
  const {url} = await serve({port: Number(process.env.PORT ?? 5173), portal});
  console.log(`The app is at ${url}, and talks to ${portal}`);
}
