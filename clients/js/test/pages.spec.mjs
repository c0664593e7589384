/** What pages of an application without any wiring ask of the real origin reaches the test's own world. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { expect, test as base } from 'course-stubserver/playwright';

const COMMUNITY = 'https://community.example';
const APP = 'https://app.example';
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const HTML = { contentType: 'text/html', body: '<!doctype html><title>App</title><input type="file">' };

const test = base.extend({
  /** A page of the application; the community is somewhere else. */
  app: async ({ page, world }, use) => {
    await page.context().route((url) => url.origin === APP, (route) => route.fulfill(HTML));
    await world.route(page, COMMUNITY);
    await page.goto(APP);
    await use(page);
  },
});

/** Asks from within the page; resolves to what the page can read. */
const ask = (page, path, init = {}) =>
  page.evaluate(
    async ([url, init]) => {
      const answer = await fetch(url, init);
      const text = await answer.text();
      const headers = Object.fromEntries(answer.headers);
      return { status: answer.status, headers, body: headers['content-type']?.includes('json') ? JSON.parse(text) : text };
    },
    [`${COMMUNITY}${path}`, init],
  );
const JSON_AS_STRANGER = { authorization: 'Bearer stub-stranger', 'content-type': 'application/json' };

test('answers, refusals, headers and preflights', async ({ app, world }) => {
  const joined = await ask(app, '/api/v2/course/1/join/', { method: 'POST', headers: JSON_AS_STRANGER });
  expect(joined).toMatchObject({ status: 200, body: { join_status: 'joined' } });
  await world.verify({ operation: 'join_course', persona: 'stranger', times: 1 });
  const refused = await ask(app, '/api/v2/course/1/', { method: 'PUT', headers: JSON_AS_STRANGER, body: '{}' });
  expect(refused.status).toBe(403);
  const [entry] = await world.journal.requests({ limit: 1 });
  expect(refused.headers['x-stub-request']).toBe(entry?.id);
  expect(await ask(app, '/api/v2/user/me/')).toMatchObject({ status: 401 });
  const deleted = await ask(app, '/api/v2/course/1/join/', { method: 'DELETE', headers: JSON_AS_STRANGER });
  expect(deleted).toMatchObject({ status: 204, body: '' });
});

test('addresses in answers are those of the community', async ({ app, world }) => {
  const found = await ask(app, '/api/v2/course/search/?limit=1');
  expect(found.body.next).toMatch(/^https:\/\/community\.example\/api\/v2\/course\/search\/\?/);
  const next = await ask(app, found.body.next.slice(COMMUNITY.length));
  expect(next.body.previous).toMatch(/^https:\/\/community\.example\/api\//);
  expect(JSON.stringify(next.body)).not.toContain(world.name);
  const [course] = found.body.results;
  const size = await app.evaluate(async (src) => {
    const picture = Object.assign(new Image(), { src });
    await picture.decode();
    return picture.naturalWidth;
  }, course.image_small);
  expect(size).toBeGreaterThan(0);
});

test('a page is a persona; a token of its own counts more', async ({ app, world }) => {
  await world.signIn(app, 'member');
  const me = async (page, headers = {}) => (await ask(page, '/api/v2/user/me/', { headers })).body.username;
  expect(await me(app)).toBe(world.user('member').username);
  expect(await me(app, { authorization: 'Bearer stub-creator' })).toBe(world.user('creator').username);
  const other = await app.context().newPage();
  await other.goto(APP);
  expect(await me(other)).toBeUndefined();
  await world.signIn(app.context(), 'staff');
  expect([await me(other), await me(app)]).toEqual([world.user('staff').username, world.user('member').username]);
  await world.signIn(app, null);
  await world.signIn(app.context(), null);
  expect(await me(app)).toBeUndefined();
});

for (const how of ['fetch', 'fetch with a Request', 'XMLHttpRequest']) {
  for (const from of ['memory', 'disk']) {
    test(`a picture from ${from} is uploaded by ${how}`, async ({ app, world }, info) => {
      const file = info.outputPath('cover.png');
      writeFileSync(file, PNG);
      const input = from === 'disk' ? file : { name: 'cover.png', mimeType: 'image/png', buffer: PNG };
      await app.setInputFiles('input', input);
      const course = await app.evaluate(
        async ([url, how]) => {
          const body = new FormData();
          body.append('name', 'Ünter');
          body.append('image_original', document.querySelector('input').files[0]);
          const init = { method: 'PATCH', headers: { authorization: 'Bearer stub-creator' }, body };
          if (how === 'fetch') return (await fetch(url, init)).json();
          if (how !== 'XMLHttpRequest') return (await fetch(new Request(url, init))).json();
          return new Promise((resolve, reject) => {
            const request = new XMLHttpRequest();
            request.open('PATCH', url);
            request.setRequestHeader('authorization', 'Bearer stub-creator');
            request.onload = () => resolve(JSON.parse(request.responseText));
            request.onerror = () => reject(new Error('failed'));
            request.send(body);
          });
        },
        [`${COMMUNITY}/api/v2/course/1/`, how],
      );
      expect(course.name).toBe('Ünter');
      expect(course.image_small).toMatch(/^https:\/\/community\.example\//);
      const [{ request }] = await world.journal.requests({ operation: 'patch_course' });
      expect(request.body.image_original).toMatchObject({ name: 'cover.png', size: PNG.length });

      const bytes = (url) => fetch(url).then(async (answer) => [...new Uint8Array(await answer.arrayBuffer())]);
      expect(Buffer.from(await app.evaluate(bytes, course.image_small))).toEqual(PNG);
    });
  }
}

test('an application on the same origin keeps its own paths, and a download is one', async ({ page, world }) => {
  await page.context().route(`${COMMUNITY}/**`, (route) => route.fulfill(HTML));
  await world.route(page, COMMUNITY, { paths: ['/api/', '/upfiles/'] });
  await page.goto(`${COMMUNITY}/courses/`);
  await expect(page).toHaveTitle('App');
  const { image_small: href } = (await ask(page, '/api/v2/course/1/', { headers: JSON_AS_STRANGER })).body;
  const file = await (await world.fetch(new URL(href).pathname)).arrayBuffer();
  for (const isClicked of [true, false]) {
    const clicks = async ([href, isClicked]) => {
      const link = Object.assign(document.createElement('a'), { href, download: 'x.png', textContent: 'Save' });
      if (isClicked) document.body.append(link);
      else link.click();
    };
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.evaluate(clicks, [href, isClicked]).then(() => isClicked && page.getByRole('link', { name: 'Save' }).click()),
    ]);
    expect(download.suggestedFilename()).toBe('x.png');
    expect(readFileSync(await download.path())).toEqual(Buffer.from(file));
  }
});

test('an application signs in by OAuth, and comes back', async ({ page, world }) => {
  const app = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(HTML.body));
  await new Promise((ready) => app.listen(0, 'localhost', ready));
  const home = `http://localhost:${app.address().port}`;
  await world.route(page, COMMUNITY);
  await page.goto(home);
  const query = new URLSearchParams({ client_id: 'stub-app', response_type: 'code', redirect_uri: `${home}/back`, state: 'x' });
  await page.evaluate((url) => location.assign(url), `${COMMUNITY}/oauth/authorize/?${query}`);
  await expect(page).toHaveTitle('Who are you?');
  await page.getByRole('link', { name: 'Dilys' }).click();
  await page.waitForURL(`${home}/back?*`);
  const fields = { grant_type: 'authorization_code', client_id: 'stub-app', redirect_uri: `${home}/back` };
  const body = String(new URLSearchParams({ ...fields, code: new URL(page.url()).searchParams.get('code') }));
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const token = (await ask(page, '/oauth/token/', { method: 'POST', body, headers })).body.access_token;
  const me = await ask(page, '/api/v2/user/me/', { headers: { authorization: `Bearer ${token}` } });
  expect(me.body.username).toBe(world.user('member').username);
  app.close();
});

test('faults and wishes reach the page as they would from a server', async ({ app, world }) => {
  const path = '/api/v2/course/1/';
  await world.faults.add({ kind: 'error', status: 503, retry_after: 7, times: 1 });
  expect(await ask(app, path)).toMatchObject({ status: 503, headers: { 'retry-after': '7' } });
  await world.faults.add({ kind: 'reset', times: 1 });
  await expect(ask(app, path)).rejects.toThrow('Failed to fetch');
  await world.faults.add({ kind: 'truncate', times: 1 });
  await expect(ask(app, path)).rejects.toThrow('Failed to fetch');
  expect(await ask(app, path, { headers: { prefer: 'code=404' } })).toMatchObject({ status: 404 });
  await world.faults.add({ kind: 'error', status: 500, switch: 'broken' });
  await app.context().addCookies([{ name: 'stub-fault', value: 'broken', url: COMMUNITY, sameSite: 'None', secure: true }]);
  expect(await ask(app, path, { credentials: 'include' })).toMatchObject({ status: 500 });
  expect(await ask(app, path)).toMatchObject({ status: 200 });
});

test('a redirect within the community is followed', async ({ app, world }) => {
  expect((await world.fetch(`${world.url}/docs`, { redirect: 'manual' })).status).toBe(307);
  expect(await ask(app, '/docs')).toMatchObject({ status: 200, body: expect.stringContaining('swagger') });
});

test('requests of other tests are not seen here, and those of this test after its world has closed are dropped', async ({ app, world }) => {
  await ask(app, '/api/v2/course/1/');
  expect(await world.journal.count()).toBe(1);
  await world.close();
  await expect(ask(app, '/api/v2/course/1/')).rejects.toThrow('Failed to fetch');
});

test('a fork can be routed, too', async ({ app, world }) => {
  const fork = await world.fork();
  await fork.route(app, 'https://fork.example');
  await fork.signIn(app, 'member');
  await app.evaluate(() => fetch('https://fork.example/api/v2/user/me/'));
  expect([await fork.journal.count({ persona: 'member' }), await world.journal.count()]).toEqual([1, 0]);
  await fork.close();
});

test.describe('another fixture', () => {
  test.use({ worldOptions: { fixture: 'empty', strict: true } });
  test('is what a world can start from', async ({ world }) => {
    expect(await world.facts()).toMatchObject({ fixture: 'empty', strict: true });
    expect(world.name).toMatch(/^is-what-a-world-can-start-from-[0-9a-f]{8}$/);
  });
});

const WRONG = [
  ['no scheme', (world, page) => world.route(page, 'community.example'), "route: 'community.example' is not an origin, such as 'https://community.example'."],
  ['a path', (world, page) => world.route(page, `${COMMUNITY}/api/`), `route: '${COMMUNITY}/api/' is more than an origin: use '${COMMUNITY}', and the option paths: ['/api/'].`],
  ['a slash', (world, page) => world.route(page, `${COMMUNITY}/`), `route: '${COMMUNITY}/' is more than an origin: use '${COMMUNITY}'.`],
  ['an option', (world, page) => world.route(page, COMMUNITY, { path: '/api/' }), "route: There is no option 'path'. Did you mean paths?"],
  ['a path without a slash', (world, page) => world.route(page, COMMUNITY, { paths: ['api'] }), "route: a path begins with a slash, such as '/api/', not 'api'."],
  ['no path', (world, page) => world.route(page, COMMUNITY, { paths: [] }), "route: a path begins with a slash, such as '/api/', not undefined."],
  ['no page', (world) => world.route(COMMUNITY), "route: the first argument is a page or a browser context of Playwright, not 'https://community.example'."],
  ['signed in before routed', (world, page) => world.signIn(page, 'member'), "signIn: no origin is routed for this page; call world.route(page, 'https://...') first."],
  ['no such persona', async (world, page) => { await world.route(page, COMMUNITY); await world.signIn(page, 'membr'); }, "There is no persona 'membr'. Did you mean member?"],
  ['a closed world', async (world, page) => { await world.close(); await world.route(page, COMMUNITY); }, /^The world \S+ is closed; /],
];
for (const [name, action, says] of WRONG) {
  test(`a wrong use: ${name}`, async ({ world, page }) => {
    const said = await action(world, page).then(() => 'nothing', (error) => error.message);
    if (says instanceof RegExp) expect(said).toMatch(says);
    else expect(said).toBe(says);
  });
}
