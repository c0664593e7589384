// Pictures of the pages worth seeing, in screenshots/, made anew by every run.
import {rm} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';

const FOLDER = fileURLToPath(new URL('../screenshots/', import.meta.url));

/** Before a run: the pictures of the last run go. */
export default function globalSetup() {
  return rm(FOLDER, {recursive: true, force: true});
}

/** The whole page from its top, or with a dialog before it just what one sees, as the shade ends there. */
export async function shot(page, name) {
  const fullPage = (await page.getByRole('dialog').count()) === 0;
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.screenshot({path: `${FOLDER}${name}.png`, fullPage, animations: 'disabled'});
}
