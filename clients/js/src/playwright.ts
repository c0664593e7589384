/** Playwright: a `test` with a world of its own for each test that asks for one, and routes from pages to it. */

import {
  type BrowserContext,
  type Page,
  type TestInfo,
  type TestType,
  type PlaywrightTestArgs,
  type PlaywrightTestOptions,
  type PlaywrightWorkerArgs,
  type PlaywrightWorkerOptions,
  test as base,
} from '@playwright/test';
import type { Persona, WorldOptions } from './contract.js';
import { StubError, shown } from './errors.js';
import { type Destination, type RouteOptions, routeOrigin } from './route.js';
import { type StubserverOptions, serverFor, worldName } from './running.js';
import type { Server } from './server.js';
import { World } from './world.js';

const MOST_ENTRIES = 100;
const MOST_BYTES = 2 ** 20;

/** A world that pages can be connected with. */
export class PageWorld extends World {
  readonly #signedIn = new WeakMap<Page | BrowserContext, string>();
  readonly #routed = new WeakSet<BrowserContext>();

  /** The same world, for pages. */
  static of(world: World): PageWorld {
    return world instanceof PageWorld ? world : new PageWorld(...World.partsOf(world));
  }

  /**
   * Sends what all pages of the browser context ask of an origin, such as `https://community.example`, to this world.
   * An application needs no wiring for that. Where the application itself has that origin, name the `paths` of the API.
   */
  async route(where: Page | BrowserContext, origin: string, options: RouteOptions = {}): Promise<void> {
    this.checkOpen();
    const context = contextOf(where);
    await routeOrigin(context, origin, options, this.#destination());
    this.#routed.add(context);
  }

  /**
   * From now on, a page (or each page of a browser context) is a persona: what it asks of the routed origin carries that
   * persona's token, unless it carries one already. With null, it is nobody again.
   */
  async signIn(where: Page | BrowserContext, persona: Persona | null): Promise<void> {
    this.checkOpen();
    if (!this.#routed.has(contextOf(where))) {
      throw new StubError("signIn: no origin is routed for this page; call world.route(page, 'https://...') first.");
    }
    if (persona === null) this.#signedIn.delete(where);
    else this.#signedIn.set(where, this.token(persona));
  }

  override async fork(name?: string): Promise<PageWorld> {
    return PageWorld.of(await super.fork(name));
  }

  #destination(): Destination {
    const [channel] = World.partsOf(this);
    return {
      channel,
      url: this.url,
      isClosed: () => this.isClosed,
      tokenFor: (page) => page && (this.#signedIn.get(page) ?? this.#signedIn.get(page.context())),
    };
  }
}

export interface WorldFixtures {
  /** A fresh world, which is deleted after the test. If the test fails, its journal is attached. */
  world: PageWorld;
  /** What the world starts from. */
  worldOptions: Omit<WorldOptions, 'name'>;
}

export interface WorldWorkerFixtures {
  /** The server: its `url`, or options of one that each worker starts. By default, the one at STUBSERVER_URL. */
  stubserver: StubserverOptions;
  stubServer: Server;
}

type Test = TestType<
  PlaywrightTestArgs & PlaywrightTestOptions & WorldFixtures,
  PlaywrightWorkerArgs & PlaywrightWorkerOptions & WorldWorkerFixtures
>;

export const test: Test = base.extend<WorldFixtures, WorldWorkerFixtures>({
  stubserver: [{}, { scope: 'worker', option: true }],
  stubServer: [
    async ({ stubserver }, use) => {
      const { server, stop } = await serverFor(stubserver);
      await use(server);
      await stop();
    },
    { scope: 'worker' },
  ],
  worldOptions: [{}, { option: true }],
  world: async ({ stubServer, worldOptions }, use, info) => {
    const world = PageWorld.of(await stubServer.world({ ...worldOptions, name: worldName(info.title) }));
    await use(world);
    if (info.status !== info.expectedStatus) await attachJournal(world, info);
    await world.close();
  },
});

export { expect } from '@playwright/test';

/** Attaches the last requests of the world, the newest first, as JSON. */
async function attachJournal(world: World, info: TestInfo): Promise<void> {
  const entries = await world.journal.requests({ limit: MOST_ENTRIES });
  while (entries.length > 0 && JSON.stringify(entries).length > MOST_BYTES) entries.splice(entries.length / 2);
  const body = JSON.stringify(entries, undefined, 2);
  await info.attach(`journal of the world ${world.name}`, { body, contentType: 'application/json' });
}

function contextOf(where: Page | BrowserContext): BrowserContext {
  if (typeof where !== 'object' || where === null || !('route' in where)) {
    throw new StubError(`route: the first argument is a page or a browser context of Playwright, not ${shown(where)}.`);
  }
  return 'context' in where ? where.context() : where;
}
