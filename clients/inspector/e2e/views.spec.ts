// State, clock, faults, coverage, personas and worlds: what each shows, and what it does.
import {World, copied, expect, open, test} from './inspector';

test('the state marks what differs from the fixture', async ({page, world}) => {
  await world.use();
  await open(page, world, 'state/courses');
  await expect(page.getByRole('link', {name: /^courses/})).toContainText('2 differ 16');
  await page.getByLabel('Only what differs').check();
  const rows = page.getByRole('list', {name: 'Rows of courses'}).getByRole('listitem');
  await expect(rows).toHaveCount(2);
  await expect(rows.first()).toContainText('Knots and Bends');
  await expect(rows.first()).toContainText('changed');
  await expect(rows.last()).toContainText('added');
  await page.getByRole('link', {name: /^comments/}).click();
  await page.getByLabel('Only what differs').check();
  await page.getByRole('link', {name: /^1 .*deleted$/}).click();
  await expect(page.getByRole('article')).toContainText('deleted');
});

test('a row is opened with what belongs to it', async ({page, world, refusals}) => {
  refusals.push(/status of 404/);
  await open(page, world, 'state/courses/1');
  await expect(page.getByRole('article')).toContainText('as in the fixture');
  await expect(page.getByRole('heading', {name: 'memberships 11 rows'})).toBeVisible();
  await page.getByRole('link', {name: '2', exact: true}).click();
  await expect(page).toHaveURL(/#state\/sections\/2$/);
  await page.getByRole('link', {name: 'course_id 1'}).click();
  await expect(page).toHaveURL(/#state\/courses\/1$/);
  await page.getByLabel('Key').fill('99');
  await page.getByRole('button', {name: 'Go'}).click();
  await expect(page.getByRole('alert')).toHaveText(/^The table courses of world .* has no row '99', nor its fixture\.$/);
});

test('an open row follows what an app does to it', async ({page, world}) => {
  await open(page, world, 'state/courses/1');
  await expect(page.getByRole('article')).toContainText('as in the fixture');
  await world.api('PATCH', '/course/1/', 'creator', {name: 'Knots'});
  await expect(page.getByRole('article').locator('ins')).toHaveText('Knots');
});

test('each persona sees the same address in their own way', async ({page, world, refusals}) => {
  refusals.push(/status of 40[134]/);
  await open(page, world, 'state/courses/7');
  await page.getByRole('link', {name: 'Who sees it?'}).click();
  const answers = page.locator('.side article');
  await expect(answers.filter({hasText: 'stub-creator'})).toContainText('"join_status": "creator"');
  await expect(answers.filter({hasText: 'stub-stranger'})).toContainText('404');
  await expect(answers.filter({hasText: 'anonymous'})).toBeVisible();
  await page.getByRole('link', {name: 'Open the API as dilys_pruett'}).click();
  await expect(answers).toHaveCount(1);
  await expect(answers).toContainText('"join_status": "joined"');
  await expect(answers).toContainText(`/~${world.name}/upfiles/`);
  const {requests} = await world.control<{requests: number}>('GET', `/worlds/${world.name}`);
  expect(requests).toBe(0); // a copy was asked, which is gone
  const {results} = await world.control<{results: {name: string}[]}>('GET', '/worlds?limit=100');
  expect(results.filter(({name}) => name.startsWith('inspector-'))).toEqual([]);
});

test('a token is copied', async ({page, world}) => {
  await open(page, world, 'personas');
  await page.getByRole('button', {name: 'Copy the token stub-member'}).click();
  await expect(page.getByRole('status')).toHaveText('Copied the token stub-member.');
  expect(await copied(page)).toBe('stub-member');
});

test('the clock is moved, and says what comes next', async ({page, world}) => {
  await world.control('POST', '/clock/release');
  await open(page, world, 'clock');
  await expect(page.getByText('running')).toBeVisible();
  await page.getByRole('button', {name: 'Freeze'}).click();
  await expect(page.getByText('frozen', {exact: true})).toBeVisible();
  const clock = () => world.control<{now: string; frozen: boolean}>('GET', '/clock');
  const before = Date.parse((await clock()).now);
  await page.getByRole('button', {name: '+ 1 week'}).click();
  await expect(page.getByRole('status')).toHaveText('One week later.');
  expect(Date.parse((await clock()).now) - before).toBe(7 * 86_400_000);
  await page.getByLabel('Set to (UTC)').fill('2030-05-06T07:08:09');
  await page.getByRole('button', {name: 'Set', exact: true}).click();
  await expect(page.getByRole('heading', {name: '6 May 2030, 07:08:09 UTC'})).toBeVisible();
  await page.getByRole('button', {name: 'Return to real time'}).click();
  await expect(page.getByText('It shows real time.')).toBeVisible();
  const next = page.getByRole('list', {name: 'Moments'}).getByRole('listitem');
  const {count} = await world.control<{count: number}>('GET', '/clock/next');
  await expect(next).toHaveCount(count);
  await next.first().getByRole('button', {name: 'Go there'}).click();
  await expect(next).toHaveCount(count - 1);
});

test('a save is broken for a demo, and mended', async ({page, world}) => {
  await open(page, world, 'faults');
  await expect(page.getByText('Nothing goes wrong in this world.')).toBeVisible();
  await page.getByRole('button', {name: 'Break every save'}).click();
  await expect(page.getByRole('listitem')).toHaveCount(4);
  expect((await world.api('PATCH', '/course/1/', 'creator', {name: 'Knots'})).status).toBe(503);
  expect((await world.api('GET', '/course/1/', 'creator')).status).toBe(200);
  await expect(page.getByRole('listitem').filter({hasText: 'PATCH'})).toContainText('Fired 1 time');
  await page.getByRole('button', {name: 'Remove all'}).click();
  expect((await world.api('PATCH', '/course/1/', 'creator', {name: 'Knots'})).status).toBe(200);
});

test('a fault is added with what its kind has, and removed', async ({page, world, refusals}) => {
  refusals.push(/status of 400/);
  await open(page, world, 'faults');
  await page.getByLabel('Kind').selectOption('latency');
  await page.getByLabel('Seconds').fill('0.01');
  await page.getByLabel('Operation').selectOption('get_course');
  await page.getByLabel('Times').fill('2');
  await page.getByRole('button', {name: 'Add', exact: true}).click();
  await expect(page.getByRole('listitem')).toContainText('latency 0.01 s for get_course');
  await expect(page.getByRole('listitem')).toContainText('Fired 0 times of 2');
  await page.getByLabel('Path').fill('/nowhere/');
  await page.getByRole('button', {name: 'Add', exact: true}).click();
  await expect(page.getByRole('status')).toContainText("can have the path '/api/v2/nowhere/'");
  await page.getByRole('button', {name: 'Remove fault 1'}).click();
  await expect(page.getByText('Nothing goes wrong in this world.')).toBeVisible();
});

test('coverage is counted as the server counts it', async ({page, world}) => {
  await world.use();
  await open(page, world, 'coverage');
  const {percent, covered} = await world.control<{percent: number; covered: number}>('GET', '/coverage');
  expect(covered).toBeGreaterThan(0);
  await expect(page.locator('.total')).not.toHaveText('0.0 %');
  expect(percent).toBeGreaterThan(0);
  const operation = page.locator('details').filter({has: page.getByText('patch_course', {exact: true})});
  await operation.locator('summary').click();
  await expect(operation).toContainText('name ×');
});

test('a world is made, forked, handed on and deleted', async ({page, startServer}) => {
  const server = await startServer(); // with so few worlds that the list shows all of them
  const world = new World(server.url, 'mine');
  await world.use();
  await open(page, world, 'worlds');
  const mine = page.getByRole('listitem').filter({hasText: world.name}).first();
  await page.getByRole('button', {name: `Copy the address of ${world.name}`}).click();
  await expect(page.getByRole('status')).toHaveText(`Copied the address of ${world.name}.`);
  expect(await copied(page)).toBe(world.url);
  await page.getByRole('button', {name: `Copy the header of ${world.name}`}).click();
  await expect(page.getByRole('status')).toHaveText(`Copied the header of ${world.name}.`);
  expect(await copied(page)).toBe(`X-Stub-World: ${world.name}`);
  await mine.getByRole('button', {name: `Fork ${world.name}`}).click();
  await page.waitForURL(/~world-\d+\/$/);
  await expect(page.getByRole('banner')).toContainText('9 changed rows');

  const name = `${world.name}-made`;
  await page.goto(`${world.url}/#worlds`);
  await page.getByLabel('New world').fill(name);
  await page.getByLabel('From').selectOption('fixture empty');
  await page.getByRole('button', {name: 'Make and open'}).click();
  await page.waitForURL(new RegExp(`~${name}/$`));
  await expect(page.getByRole('banner')).toContainText('fixture empty');
  await page.goto(`${world.url}/#worlds`);
  page.once('dialog', (dialog) => dialog.accept());
  await page.getByRole('button', {name: `Delete ${name}`}).click();
  await expect(page.getByRole('status')).toHaveText(`World ${name} is deleted.`);
  await expect(page.getByRole('link', {name, exact: true})).toHaveCount(0);
});

test('a mistake in a name is told, and nothing is made', async ({page, world, refusals}) => {
  refusals.push(/status of 400/);
  await open(page, world, 'worlds');
  await page.getByLabel('New world').fill('no blanks');
  await page.getByRole('button', {name: 'Make and open'}).click();
  await expect(page.getByRole('status')).toContainText('name');
  await expect(page).toHaveURL(/#worlds$/);
});

test('a snapshot is taken and restored', async ({page, world}) => {
  const name = `${world.name}-before`;
  await open(page, world, 'worlds');
  await page.getByLabel(`Take one of ${world.name}, as`).fill(name);
  await page.getByRole('button', {name: 'Take'}).click();
  await expect(page.getByRole('status')).toHaveText(`The snapshot ${name} is taken.`);
  await world.api('PATCH', '/course/1/', 'creator', {name: 'Knots'});
  await expect(page.getByRole('banner')).toContainText('1 changed row');
  page.once('dialog', (dialog) => dialog.accept());
  await page.getByRole('button', {name: `Restore here: ${world.name} from ${name}`}).click();
  await expect(page.getByRole('banner')).toContainText('0 changed rows');
});

test('a link gives a colleague a copy of the world, once they ask for it', async ({page, world, context}) => {
  await world.use();
  await open(page, world);
  await page.getByRole('button', {name: 'Copy a link to a copy of this world'}).click();
  await expect(page.getByRole('status')).toHaveText('Copied a link to a copy of this world.');
  const count = async () => (await world.control<{count: number}>('GET', '/worlds')).count;
  const link = await copied(page);
  const colleague = await context.newPage();
  await colleague.goto(link);
  const before = await count();
  await colleague.getByLabel('Name of your copy').fill(`${world.name}-copy`);
  expect(await count()).toBe(before);
  await colleague.getByRole('button', {name: 'Make my copy'}).click();
  await colleague.waitForURL(new RegExp(`~${world.name}-copy/$`));
  await expect(colleague.getByRole('banner')).toContainText('9 changed rows');
  await expect(colleague.getByRole('banner')).toContainText('6 May 2030, 07:08:09 (frozen)');
});

test('an address makes a world from a fixture of choice', async ({page, server}) => {
  await page.goto(`${server.url}/~designed/?fixture=empty`);
  await page.getByRole('button', {name: 'Make the world'}).click();
  await page.waitForURL(/~designed\/$/);
  await expect(page.getByRole('banner')).toContainText('fixture empty');
  await page.goto(`${server.url}/~designed/?fixture=empty`);
  await page.waitForURL(/~designed\/$/); // whoever follows the link later finds it made
  await page.goto(`${server.url}/~designed/?fixture=default`);
  await expect(page.getByRole('button', {name: 'Make the world'})).toBeDisabled();
});

test('a narrow window shows the way to every view', async ({page, world}) => {
  await page.setViewportSize({width: 390, height: 780});
  await open(page, world);
  for (const link of await page.getByRole('navigation', {name: 'Views'}).getByRole('link').all()) {
    await expect(link).toBeInViewport({ratio: 1});
  }
});

test('Swagger is one click away', async ({page, world}) => {
  await open(page, world);
  await page.getByRole('link', {name: 'API docs'}).click();
  await expect(page).toHaveURL(`${world.url}/docs/`);
  await expect(page.getByText('Course').first()).toBeVisible();
});
