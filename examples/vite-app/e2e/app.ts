// The test of this project: its page is the application, whose community is the test's own world.
import { test as base } from 'course-stubserver/playwright';
import { COMMUNITY } from '../src/api';

export { expect } from 'course-stubserver/playwright';

export const test = base.extend({
  page: async ({ page, world }, use) => {
    await world.route(page, COMMUNITY);
    await use(page);
  },
});
