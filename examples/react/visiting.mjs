// Looks at the vendor's pages, against the server in STUBSERVER_URL, for `stubserver variants`: fails if a page throws or
// stays blank. With SHOTS=FOLDER, it leaves a screenshot of each page there. Run `node build.mjs` first.
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
const problems = [];

const app = await serve({port: 0, portal: process.env.STUBSERVER_URL});
const browser = await chromium.launch(config.use.launchOptions);
if (shots) {
  await mkdir(shots, {recursive: true});
}
for (const [username, ...paths] of VISITS) {
  const context = await browser.newContext({...config.use, baseURL: app.url});
  const page = await context.newPage();
  let path = '/signin/';
  page.on('pageerror', (error) => {
    // A page that believes what it was sent may ask for what the server then refuses; that is no failure of the page.
    if (!/Request failed with status code 4/.test(error.message)) {
      problems.push(`${path} as ${username}: ${(error.stack ?? String(error)).slice(0, 1500)}`);
    }
  });
  page.on('crash', () => problems.push(`${path} as ${username}: the page crashed`));
  try {
    await page.goto(path);
    await page.getByLabel('Username').fill(username);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('main').getByRole('button', {name: 'Sign in'}).click();
    await page.waitForURL((url) => !url.pathname.startsWith('/signin/'), {timeout: 30_000});
    for (path of paths) {
      await page.goto(path);
      await page.waitForLoadState('networkidle', {timeout: 5_000}).catch(() => {});
      if ((await page.locator('#root > *').count()) === 0) {
        problems.push(`${path} as ${username}: the page is blank`);
      }
      if (shots) {
        await page.screenshot({path: `${shots}/${username}-${paths.indexOf(path)}.png`});
      }
    }
  } catch (error) {
    problems.push(`${path} as ${username}: ${error.message}`);
    if (shots) {
      await page.screenshot({path: `${shots}/${username}-failed.png`}).catch(() => {});
    }
  }
  await context.close();
}
await browser.close();
await app.close();
if (problems.length) {
  console.error([...new Set(problems)].join('\n'));
  process.exit(1);
}
