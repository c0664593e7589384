/** Vitest: a `test` with a world of its own for each test that asks for one. */

import { type TestAPI, test as base } from 'vitest';
import type { WorldOptions } from './contract.js';
import { serverFor, worldName } from './running.js';
import type { Server } from './server.js';
import type { World } from './world.js';

export interface WorldContext {
  /** A fresh world, which is deleted after the test. */
  world: World;
  /** What the world starts from; `test.extend({worldOptions: {fixture: 'empty'}})` changes it. */
  worldOptions: Omit<WorldOptions, 'name'>;
}

let shared: Promise<Server> | undefined;

/** The server at STUBSERVER_URL, or one for this worker, which ends with it. */
function sharedServer(): Promise<Server> {
  shared ??= serverFor({}).then(({ server }) => server);
  return shared;
}

export const test: TestAPI<WorldContext> = base.extend<WorldContext>({
  worldOptions: {},
  world: async ({ task, worldOptions }, use) => {
    const world = await (await sharedServer()).world({ ...worldOptions, name: worldName(task.name) });
    await use(world);
    await world.close();
  },
});

export const it: TestAPI<WorldContext> = test;
export { expect } from 'vitest';
