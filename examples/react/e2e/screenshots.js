// Screenshots of the pages worth seeing, which every run takes and stores in screenshots/.
import {rm} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';

const FOLDER = fileURLToPath(new URL('../screenshots/', import.meta.url));

/** Deletes the screenshots of the last run. */
export default function globalSetup() {
  return rm(FOLDER, {recursive: true, force: true});
}

/** Takes the whole page, or only the visible part if a dialog is open, because its backdrop covers no more. */
export async function shot(page, name) {
  const fullPage = (await page.getByRole('dialog').count()) === 0;
  await page.evaluate(() => window.scrollTo(0, 0));
  await page.screenshot({path: `${FOLDER}${name}.png`, fullPage, animations: 'disabled'});
}
