// What the page asks for: nothing while nobody looks, little while much happens, and the token once.
import type {Page} from '@playwright/test';
import {mkdtemp, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {World, expect, open, test} from './inspector';

/** Has the page believe that its tab is hidden, or seen again. */
const look = (page: Page, state: 'hidden' | 'visible') =>
  page.evaluate((now) => {
    Object.defineProperty(document, 'visibilityState', {value: now, configurable: true});
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);

test('a hidden tab closes its stream and asks for nothing, until it is seen again', async ({page, world}) => {
  await open(page, world);
  const closed = page.waitForEvent('requestfailed', (request) => request.url().includes('/events'));
  await look(page, 'hidden');
  await closed;
  await expect(page.getByText('paused')).toBeVisible();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await world.api('GET', '/course/1/', 'member');
  await page.waitForTimeout(1500);
  expect(asked).toEqual([]);
  await look(page, 'visible');
  await expect(page.getByText('live', {exact: true})).toBeVisible();
  await expect(page.getByRole('link', {name: 'GET /api/v2/course/1/'})).toBeVisible();
});

test('a list that has changed before it arrives in a hidden tab is asked for when the tab is seen', async ({page, world}) => {
  await open(page, world);
  await expect(page.locator('.count')).toHaveText('0 requests');
  const held: (() => Promise<void>)[] = [];
  await page.route('**/journal?*', (route) => void held.push(() => route.continue()));
  await world.api('GET', '/course/1/', 'member');
  await expect.poll(() => held.length).toBe(1);
  await world.api('GET', '/course/2/', 'member');
  await page.waitForTimeout(1000); // the page is told, and would ask again
  await look(page, 'hidden');
  await expect(page.getByText('paused')).toBeVisible();
  const arrived = page.waitForEvent('requestfinished', (request) => request.url().includes('/journal'));
  await held[0]?.();
  await arrived;
  await page.waitForTimeout(500);
  expect(held.length).toBe(1);
  await page.unroute('**/journal?*');
  await look(page, 'visible');
  await expect(page.locator('.count')).toHaveText('2 requests');
});

test('while nothing happens, nothing is asked for', async ({page, world}) => {
  await world.use();
  let lists = 0;
  page.on('requestfinished', (request) => void (lists += Number(request.url().includes('/journal?'))));
  await open(page, world);
  await expect(page.locator('.count')).toHaveText('8 requests');
  await expect.poll(() => lists).toBe(2); // at once, and when the world has been told
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.waitForTimeout(3000);
  expect(asked).toEqual([]);
});

test('a server that has gone is told, and found again', async ({page, refusals, startServer}) => {
  refusals.push(/ERR_|status of/);
  const first = await startServer();
  const port = new URL(first.url).port;
  await page.goto(first.url);
  await expect(page.getByText('live', {exact: true})).toBeVisible();
  await first.stop();
  await expect(page.getByText('The server cannot be reached.')).toBeVisible();
  await startServer('--port', port);
  await expect(page.getByText('live', {exact: true})).toBeVisible();
  await expect(page.getByText('The server cannot be reached.')).toHaveCount(0);
});

test('the control token is asked for once, and kept as long as the tab', async ({page, refusals, startServer}) => {
  refusals.push(/status of 401/);
  const server = await startServer('--control-token', 'a-token');
  const token = page.locator('input[type=password]');
  await page.goto(server.url);
  await token.fill('wrong');
  await page.getByRole('button', {name: 'Use it'}).click();
  await expect(token).toHaveValue('');
  await token.fill('a-token');
  await page.getByRole('button', {name: 'Use it'}).click();
  await expect(page.getByText('live', {exact: true})).toBeVisible();
  await page.reload();
  await expect(page.getByText('live', {exact: true})).toBeVisible();
  await expect(token).toHaveCount(0);
  expect(await page.evaluate(() => localStorage.length)).toBe(0);
});

test('5,000 requests are a list of a few rows', async ({page, startServer}) => {
  const server = await startServer('--max-requests', '6000');
  const world = new World(server.url, 'busy');
  for (let sent = 0; sent < 5000; sent += 50) {
    await Promise.all(Array.from({length: 50}, () => world.api('GET', '/category/', 'member')));
  }
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await open(page, world);
  const list = page.getByRole('list', {name: 'Requests'});
  await expect(page.locator('.count')).toHaveText('5,000 requests');
  await expect(list.locator('a').first()).toBeVisible();
  expect(await list.getByRole('listitem').count()).toBeLessThan(50);
  expect(asked.filter((url) => url.includes('/journal')).length).toBeLessThan(4);
  await page.locator('.scroll').evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await expect(list.locator('[aria-posinset="5000"] a')).toHaveAttribute('href', '#requests/busy-1');
  expect(await list.getByRole('listitem').count()).toBeLessThan(50);
  expect(asked.filter((url) => url.includes('/journal')).length).toBeLessThan(8);
});

test('100,000 rows are a list of a few rows', async ({page, startServer}) => {
  const folder = await mkdtemp(join(tmpdir(), 'inspector-'));
  const file = join(folder, 'large.json');
  const categories = Array.from({length: 100_000}, (_, index) => ({
    id: index + 1,
    name: `Category ${index + 1}`,
    slug: `category-${index + 1}`,
    lastmod_datetime: '2026-01-01T00:00:00Z',
  }));
  await writeFile(file, JSON.stringify({extends: 'empty', categories}));
  const server = await startServer('--fixture', file);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await open(page, new World(server.url, 'large'), 'state/categories');
  const list = page.getByRole('list', {name: 'Rows of categories'});
  await expect(page.locator('.count')).toHaveText('100,000 rows');
  await expect(list.locator('a').first()).toContainText('Category 1');
  await page.locator('.scroll').evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await expect(list.locator('[aria-posinset="100000"] a')).toContainText('Category 100000');
  expect(await list.getByRole('listitem').count()).toBeLessThan(60);
  expect(asked.filter((url) => url.includes('/tables/categories')).length).toBeLessThan(8);
});
