// What all tests share: a server for each worker, a world for each test, and a page that must not misbehave.
import {test as base, expect} from '@playwright/test';
import type {Page} from '@playwright/test';
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createRequire} from 'node:module';
import {createInterface} from 'node:readline';

export {expect};

const COMMAND = process.env['STUBSERVER'] ?? 'stubserver';
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

export interface Server {
  url: string;
  stop(): Promise<void>;
}

/** A server on a free port. */
async function startServer(...options: string[]): Promise<Server> {
  const server = spawn(COMMAND, ['serve', '--port', '0', ...options], {stdio: ['ignore', 'pipe', 'pipe']});
  const log: string[] = [];
  server.once('error', (error) => log.push(`cannot start ${COMMAND}: ${error.message}`));
  createInterface({input: server.stderr}).on('line', (line) => log.push(line));
  for await (const line of createInterface({input: server.stdout})) {
    const url = /\bAPI\s+(http\S+)\/api\/v2\//.exec(line)?.[1];
    if (url !== undefined) {
      server.stdout.resume();
      return {
        url,
        async stop() {
          if (server.exitCode === null && server.signalCode === null && server.kill()) {
            await once(server, 'exit');
          }
        },
      };
    }
  }
  throw new Error(`The stub server did not start.\n${log.join('\n')}`);
}

/** A world, as an app and a test use it. */
export class World {
  constructor(
    readonly server: string,
    readonly name: string
  ) {}

  get url(): string {
    return `${this.server}/~${this.name}`;
  }

  /** A request of an app. */
  async api(method: string, path: string, persona: string | null, body?: unknown): Promise<Response> {
    return fetch(`${this.url}/api/v2${path}`, {
      method,
      headers: {
        ...(persona === null ? {} : {Authorization: `Bearer stub-${persona}`}),
        ...(body === undefined ? {} : {'Content-Type': 'application/json'}),
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
  }

  async control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.url}/__stub${path}`, {
      method,
      headers: method === 'GET' ? {} : {'Content-Type': 'application/json'},
      body: body === undefined ? null : JSON.stringify(body),
    });
    expect(answer.ok, `${method} ${path}: ${answer.status}`).toBe(true);
    return (answer.status === 204 ? undefined : await answer.json()) as T;
  }

  /** A little of everything: reads, changes, refusals, a fault. */
  async use(): Promise<void> {
    await this.api('GET', '/course/search/?limit=3', 'member');
    await this.api('PATCH', '/course/1/', 'member', {name: 'Mine'});
    await this.api('PATCH', '/course/1/', 'creator', {name: 'Knots and Bends', description: 'All about rope.'});
    await this.api('POST', '/course/1/section/1/lesson/2/complete/', 'member');
    await this.api('POST', '/course/', 'creator', {name: 'Splicing', type: 'self-paced'});
    await this.api('DELETE', '/course/1/section/1/lesson/1/comment/1/', 'creator');
    await this.api('GET', '/nowhere/', null);
    await this.control('POST', '/faults', {kind: 'error', status: 503, operation: 'create_course', times: 1});
    await this.api('POST', '/course/', 'creator', {name: 'Whipping', type: 'self-paced'});
  }
}

interface Fixtures {
  world: World;
  /** Starts servers of a test's own, which end with it. */
  startServer(...options: string[]): Promise<Server>;
  /** Refusals that the test provokes; the console of the browser shows them as errors. */
  refusals: RegExp[];
}

let made = 0;

export const test = base.extend<Fixtures, {server: Server}>({
  server: [
    async ({}, use) => {
      const server = await startServer();
      await use(server);
      await server.stop();
    },
    {scope: 'worker'},
  ],

  world: async ({server}, use, info) => {
    const world = new World(server.url, `w-${info.workerIndex}-${++made}`);
    await world.control('POST', '/worlds', {name: world.name});
    await world.control('POST', '/clock/freeze', {at: '2030-05-06T07:08:09Z'});
    await use(world);
  },

  startServer: async ({}, use) => {
    const started: Server[] = [];
    await use(async (...options) => {
      const server = await startServer(...options);
      started.push(server);
      return server;
    });
    await Promise.all(started.map((server) => server.stop()));
  },

  refusals: async ({}, use) => use([]),

  // Every page is watched: it asks no other host, and says no error that was not announced.
  page: async ({page, refusals, startServer: _}, use) => {
    const problems: string[] = [];
    let own = '';
    page.on('framenavigated', (frame) => (own ||= new URL(frame.url()).host));
    page.on('request', (request) => {
      const {host, protocol} = new URL(request.url());
      if (protocol.startsWith('http') && own !== '' && host !== own) {
        problems.push(`asks another host: ${request.url()}`);
      }
    });
    page.on('pageerror', (error) => problems.push(`uncaught: ${error.stack}`));
    page.on('console', (message) => {
      const text = `${message.text()} ${message.location().url}`;
      if (message.type() === 'error' && !refusals.some((pattern) => pattern.test(text))) {
        problems.push(`console: ${text}`);
      }
    });
    await use(page);
    expect(problems, 'what the page did wrong').toEqual([]);
  },
});

/** Opens a view of the inspector, and waits until it is live. */
export async function open(page: Page, world: World, view = ''): Promise<void> {
  await page.goto(`${world.url}/${view && `#${view}`}`);
  await expect(page.getByText('live', {exact: true})).toBeVisible();
}

interface Violation {
  id: string;
  nodes: {html: string; failureSummary: string}[];
}

/** Has axe look at the page, which must find nothing. */
export async function checkAccess(page: Page): Promise<void> {
  // Through the protocol of the browser's debugger, because the page's own policy lets in no script.
  const session = await page.context().newCDPSession(page);
  const {readFile} = await import('node:fs/promises');
  await session.send('Runtime.evaluate', {expression: await readFile(AXE, 'utf-8')});
  const {result} = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
      .then(({violations}) => JSON.stringify(violations))`,
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  const found = (JSON.parse(String(result.value)) as Violation[]).map(({id, nodes}) => [
    id,
    nodes.map(({html, failureSummary}) => `${html}: ${failureSummary}`),
  ]);
  expect(found, `what axe finds on ${page.url()}`).toEqual([]);
}

/** The text that was copied last. */
export const copied = (page: Page): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
