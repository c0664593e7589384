// Variants: offered as the contract allows them, sent, counted, shown with the request, and removed.
import {copied, expect, open, test} from './inspector';

interface Course {
  created_by: {avatar: string | null};
  privacy: string;
}

test('a variant is added where the contract allows it, and counted while an app meets it', async ({page, world}) => {
  await open(page, world, 'variants');
  await expect(page.getByText('All answers are as the rows of this world say.')).toBeVisible();
  await page.getByLabel('Operation').selectOption('get_course');
  await expect(page.getByText(/What may be null is null\. The contract allows it at \d+ places of get_course\./)).toBeVisible();
  await page.getByLabel('Place').selectOption('/created_by/avatar');
  await page.getByRole('button', {name: 'Add', exact: true}).click();
  const items = page.getByRole('listitem');
  await expect(items).toContainText('null at /created_by/avatar in answers of get_course');
  await expect(items).toContainText('Sent 0 times');
  await expect(page.getByRole('link', {name: 'Variants 1'})).toBeVisible();
  const course = (await (await world.api('GET', '/course/1/', 'member')).json()) as Course;
  expect(course.created_by.avatar).toBeNull();
  await expect(items).toContainText('Sent 1 time');
  await page.getByRole('button', {name: 'Remove variant 1'}).click();
  await expect(page.getByText('All answers are as the rows of this world say.')).toBeVisible();
  await expect(page.getByRole('link', {name: 'Variants', exact: true})).toBeVisible();
});

test('what others do to the variants is shown at once', async ({page, world}) => {
  await open(page, world, 'variants');
  await world.control('POST', '/variants', {kind: 'time', choice: 'past'});
  await expect(page.getByRole('listitem')).toContainText('time=past everywhere in answers of every operation');
  await world.control('DELETE', '/variants');
  await expect(page.getByRole('listitem')).toHaveCount(0);
});

test('the kinds are those of the contract, and what is offered is what the server offers', async ({page, world}) => {
  await open(page, world, 'variants');
  const {components} = await world.control<{components: {schemas: {VariantKind: {enum: string[]}}}}>('GET', '/openapi.json');
  expect(await page.getByLabel('Kind').locator('option').allTextContents()).toEqual(components.schemas.VariantKind.enum);
  await page.getByLabel('Kind').selectOption('long'); // takes several pages of what is offered
  const {count} = await world.control<{count: number}>('GET', '/variants/offered?kind=long');
  expect(count).toBeGreaterThan(100);
  await expect(page.getByText(new RegExp(`The contract allows it at ${count} places of \\d+ operations\\.`))).toBeVisible();
  await page.getByLabel('Kind').selectOption('last-page');
  await page.getByLabel('Operation').selectOption('get_course');
  await expect(page.getByText('No answer of get_course can have that.')).toBeVisible();
  await expect(page.getByRole('button', {name: 'Add', exact: true})).toBeDisabled();
  await page.getByLabel('Operation').selectOption('list_joined_courses');
  await expect(page.getByRole('button', {name: 'Add', exact: true})).toBeEnabled();
  await page.getByLabel('Kind').selectOption('order');
  await page.getByLabel('Place').selectOption('The whole answer');
  await page.getByRole('button', {name: 'Add', exact: true}).click();
  await expect(page.getByRole('listitem')).toContainText('order at the whole answer in answers of list_joined_courses');
  const {results} = await world.control<{results: unknown[]}>('GET', '/variants');
  expect(results).toEqual([{kind: 'order', operation: 'list_joined_courses', place: '', id: 1, sent: 0}]);
});

test('a choice goes with the place that offers it', async ({page, world}) => {
  await open(page, world, 'variants');
  await expect(page.getByLabel('Choice', {exact: true})).toHaveCount(0);
  await page.getByLabel('Kind').selectOption('enum');
  await page.getByLabel('Operation').selectOption('get_course');
  await page.getByLabel('Place').selectOption('/privacy');
  await page.getByLabel('Choice', {exact: true}).selectOption('private');
  await page.getByRole('button', {name: 'Copy the header with which one request asks for it'}).click();
  await expect(page.getByRole('status')).toHaveText('Copied the header with which one request asks for it.');
  expect(await copied(page)).toBe('Prefer: variant="enum=private:/privacy"');
  await page.getByRole('button', {name: 'Add', exact: true}).click();
  await expect(page.getByRole('listitem')).toContainText('enum=private at /privacy in answers of get_course');
  expect(((await (await world.api('GET', '/course/1/', 'member')).json()) as Course).privacy).toBe('private');
  await page.getByLabel('Choice', {exact: true}).selectOption('The empty text');
  await page.getByRole('button', {name: 'Copy the header with which one request asks for it'}).click();
  const [name = '', value = ''] = (await copied(page)).split(': ');
  expect([name, value]).toEqual(['Prefer', 'variant="enum=:/privacy"']);
  await page.getByRole('button', {name: 'Remove variant 1'}).click();
  await expect(page.getByRole('listitem')).toHaveCount(0);
  const answer = await fetch(`${world.url}/api/v2/course/1/`, {headers: {Authorization: 'Bearer stub-member', [name]: value}});
  expect(((await answer.json()) as Course).privacy).toBe('');
  await page.getByRole('button', {name: 'Add', exact: true}).click();
  await expect(page.getByRole('listitem')).toContainText('enum= at /privacy in answers of get_course');
  expect(((await (await world.api('GET', '/course/1/', 'member')).json()) as Course).privacy).toBe('');
  await page.getByLabel('Place').selectOption('/type');
  await expect(page.getByLabel('Choice', {exact: true}).locator('option', {hasText: 'private'})).toHaveCount(0);
  await expect(page.getByLabel('Choice', {exact: true})).toHaveValue('in turn');
});

test('every list is emptied for a demo, and filled again', async ({page, world}) => {
  const found = async () =>
    ((await (await world.api('GET', '/course/', 'member')).json()) as {results: unknown[]}).results.length;
  await open(page, world, 'variants');
  await expect(page.getByRole('button', {name: 'Remove all'})).toBeDisabled();
  await page.getByRole('button', {name: 'Empty every list'}).click();
  await expect(page.getByRole('listitem')).toContainText('empty everywhere in answers of every operation');
  expect(await found()).toBe(0);
  await page.getByRole('button', {name: 'Null wherever it may be'}).click();
  await expect(page.getByRole('listitem')).toHaveCount(2);
  await page.getByRole('button', {name: 'Remove all'}).click();
  await expect(page.getByRole('listitem')).toHaveCount(0);
  expect(await found()).toBeGreaterThan(0);
});

test('an opened request says what was varied, and who wanted it', async ({page, world}) => {
  await world.control('POST', '/variants', {kind: 'null', operation: 'get_course', place: '/created_by/avatar'});
  await world.control('POST', '/variants', {kind: 'markup', operation: 'get_course'});
  await fetch(`${world.url}/api/v2/course/1/`, {
    headers: {Authorization: 'Bearer stub-member', Prefer: 'variant="enum=private:/privacy"'},
  });
  await world.api('GET', '/category/', 'member');
  await open(page, world, `requests/${world.name}-1`);
  await expect(page.locator('.line').filter({hasText: '/course/1/'}).locator('mark')).toHaveText('varied');
  await expect(page.locator('.line').filter({hasText: '/category/'}).locator('mark')).toHaveCount(0);
  const notes = page.getByRole('article').locator('.notes li');
  await expect(notes).toHaveCount(3);
  await expect(notes.filter({hasText: 'Variant 1'})).toHaveText('Variant 1 null at /created_by/avatar');
  await expect(notes.filter({hasText: 'It asked for'})).toHaveText('It asked for enum=private at /privacy');
  const many = notes.filter({hasText: 'Variant 2'});
  await expect(many).toContainText('markup at /');
  await expect(many.locator('details')).toContainText('other place');
  await page.getByRole('button', {name: 'Copy the request as curl'}).click();
  await expect(page.getByRole('status')).toHaveText('Copied the request as curl.');
  expect(await copied(page)).toContain(`-H 'prefer: variant="enum=private:/privacy"'`);
  await page.getByRole('link', {name: 'Variant 1'}).click();
  await expect(page.getByRole('listitem').filter({hasText: 'null'})).toContainText('Sent 1 time');
});

test('one variant too many is refused with the reason', async ({page, world, refusals}) => {
  refusals.push(/status of 400/);
  for (let made = 0; made < 100; made++) {
    await world.control('POST', '/variants', {kind: 'zero'});
  }
  await open(page, world, 'variants');
  await expect(page.getByRole('listitem')).toHaveCount(100);
  await page.getByRole('button', {name: 'Empty every list'}).click();
  await expect(page.getByRole('status')).toContainText('already has 100 variants');
});
