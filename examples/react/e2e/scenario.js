// The `test` of all scenarios: each gets its own world, users who visit it, and a guard over all their pages.
import {expect, test as base} from '@playwright/test';
import {Guard} from './guard.js';
import {shot} from './screenshots.js';
import {startWorld} from './world.js';

export {expect, shot};

export const CREATOR = 'wren_hollis';
export const MEMBER = 'dilys_pruett';
export const STRANGER = 'tobin-ashdale';
export const INVITED = 'zebedee-fenn';
export const PASSWORD = 'stub-password';

export const test = base.extend({
  /** Hands out worlds; the next one starts while a scenario is using the last. */
  worlds: [
    async ({}, use) => {
      let next;
      const startNext = () => {
        next = startWorld();
        // The scenario that takes it will see a failure; if none does, the failure does not matter.
        next.catch(() => {});
      };
      startNext();
      await use(() => {
        const world = next;
        startNext();
        return world;
      });
      await next.then((world) => world.close());
    },
    {scope: 'worker'},
  ],

  world: async ({worlds}, use, info) => {
    const world = await worlds();
    await use(world);
    await world.close();
    if (info.status !== info.expectedStatus) {
      await info.attach('stub server', {body: world.log.join('\n'), contentType: 'text/plain'});
    }
  },

  guard: [
    async ({world}, use) => {
      const guard = new Guard([world.app, world.portal]);
      await use(guard);
      expect(guard.problems(), 'what went wrong unannounced').toEqual([]);
    },
    {auto: true},
  ],

  /** Opens a path in a separate browser context: `visit('/')` is anonymous, `visit('/', CREATOR)` is signed in. */
  visit: async ({browser, world, guard}, use) => {
    const contexts = [];
    await use(async (path, username) => {
      const context = await browser.newContext({baseURL: world.app});
      contexts.push(context);
      await guard.watch(context);
      const page = await context.newPage();
      if (username) {
        await page.goto(`/signin/?next=${encodeURIComponent(path)}`);
        await signIn(page, username);
      } else {
        await page.goto(path);
      }
      return page;
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
});

/** Fills in the sign-in form, and waits until it leads to another page. */
export async function signIn(page, username) {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('main').getByRole('button', {name: 'Sign in'}).click();
  await expect(page).not.toHaveURL(/\/signin\//);
}

/** A button with only one of the vendor's icons, whose name is in its text, but not in its accessible name. */
export function iconButton(page, icon) {
  return page.getByRole('button').filter({hasText: new RegExp(`^${icon}$`)});
}
