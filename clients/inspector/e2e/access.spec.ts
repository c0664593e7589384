// Every view, in light, dark and narrow: axe finds nothing, and a picture of it is kept in screenshots/.
import {fileURLToPath} from 'node:url';
import {checkAccess, expect, open, test} from './inspector';

const FOLDER = fileURLToPath(new URL('../screenshots/', import.meta.url));
const VIEWS = {
  requests: '',
  request: 'requests/NAME-3',
  refused: 'requests/NAME-2',
  state: 'state/courses',
  row: 'state/courses/1',
  clock: 'clock',
  faults: 'faults',
  variants: 'variants',
  varied: 'requests/NAME-9',
  coverage: 'coverage',
  personas: 'personas',
  asked: 'personas/%2Fapi%2Fv2%2Fcourse%2F7%2F',
  worlds: 'worlds',
};
const LOOKS = {
  light: {viewport: {width: 1280, height: 800}, colorScheme: 'light'},
  dark: {viewport: {width: 1280, height: 800}, colorScheme: 'dark'},
  narrow: {viewport: {width: 390, height: 780}, colorScheme: 'light'},
} as const;

for (const [look, options] of Object.entries(LOOKS)) {
  test.describe(look, () => {
    test.use(options);
    test('every view can be used by everybody', async ({page, world, refusals}) => {
      refusals.push(/status of 40[134] .*\/api\/v2\/course\/7\//);
      await world.use();
      await world.control('POST', '/variants', {kind: 'null', operation: 'get_course', place: '/created_by/avatar'});
      await world.control('POST', '/variants', {kind: 'enum', choice: 'private'});
      await world.api('GET', '/course/1/', 'member');
      for (const [name, view] of Object.entries(VIEWS)) {
        await open(page, world, view.replace('NAME', world.name));
        await expect(page.getByText(/^(Loading|Asking) …$/)).toHaveCount(0);
        await expect(page.locator('.pending')).toHaveCount(0);
        await checkAccess(page);
        await page.screenshot({path: `${FOLDER}${look}-${name}.png`, animations: 'disabled'});
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(wide, `${name} scrolls sideways`).toBe(0);
      }
    });
  });
}
