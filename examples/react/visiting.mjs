// Looks at the vendor's pages, against the server in STUBSERVER_URL, for `stubserver variants`: fails at the first page
// that throws or stays blank. With SHOTS=FOLDER, it leaves a screenshot of each page there. Run `node build.mjs` first.
import {mkdir} from 'node:fs/promises';
import {chromium} from '@playwright/test';
import config from './e2e/playwright.config.js';
import {CREATOR, MEMBER, PASSWORD} from './e2e/scenario.js';
import {serve} from './serve.mjs';

const LESSON = '/course/1/watercolour-for-absolute-beginners/section/1/lesson/1';
const VISITS = [
  [MEMBER, '/courses/', '/course/14/reading-music-step-by-step/', `${LESSON}/comments`],
  [
    CREATOR,
    '/course/1/watercolour-for-absolute-beginners/dashboard',
    '/course/1/watercolour-for-absolute-beginners/edit/lessons',
  ],
];
const shots = process.env.SHOTS;

/** Signs in, looks at the pages one after the other, and rejects at the first that throws or stays blank. */
async function visit(page, [username, ...paths], fails) {
  let path = '/signin/';
  const problem = new Promise((_, reject) => {
    fails((what) => reject(new Error(`${path} as ${username}: ${what}`)));
  });
  const look = async () => {
    await page.goto(path);
    await page.waitForLoadState('networkidle', {timeout: 5_000}).catch(() => {});
    const shown = page.locator('#root > *').first().waitFor({state: 'attached', timeout: 15_000});
    await shown.catch(() => {
      throw new Error(`${path} as ${username}: the page is blank`);
    });
  };
  const all = async () => {
    await look();
    await page.getByLabel('Username').fill(username);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('main').getByRole('button', {name: 'Sign in'}).click();
    await page.waitForURL((url) => !url.pathname.startsWith('/signin/'), {timeout: 30_000});
    for (path of paths) {
      await look();
      await shoot(page, `${username}-${paths.indexOf(path)}`);
    }
  };
  await Promise.race([problem, all()]);
}

async function shoot(page, name) {
  if (shots) {
    await page.screenshot({path: `${shots}/${name}.png`}).catch(() => {});
  }
}

if (shots) {
  await mkdir(shots, {recursive: true});
}
const app = await serve({port: 0, portal: process.env.STUBSERVER_URL});
const browser = await chromium.launch(config.use.launchOptions);
try {
  for (const who of VISITS) {
    const context = await browser.newContext({...config.use, baseURL: app.url});
    const page = await context.newPage();
    const fails = (fail) => {
      page.on('crash', () => fail('the page crashed'));
      page.on('pageerror', (error) => {
        // A page that believes what it was sent may ask for what the server then refuses. It has not failed then.
        if (!/Request failed with status code 4/.test(error.message)) {
          fail((error.stack ?? String(error)).slice(0, 1500));
        }
      });
    };
    await visit(page, who, fails).catch(async (error) => {
      await page.waitForTimeout(500); // until a page that threw has become blank
      await shoot(page, `${who[0]}-failed`);
      throw error;
    });
    await context.close();
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
await browser.close();
await app.close();
