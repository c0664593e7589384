// The journal: live, filtered, explained, and sent again.
import {copied, expect, open, test} from './inspector';

test('requests appear while an app sends them', async ({page, world}) => {
  await open(page, world);
  await expect(page).toHaveTitle(`Inspector of ${world.name}: requests`);
  await expect(page.getByText('Nothing has been asked yet')).toBeVisible();
  await world.api('GET', '/course/1/', 'member');
  await expect(page.getByRole('link', {name: 'GET /api/v2/course/1/'})).toBeVisible();
  await world.api('PATCH', '/course/1/', 'creator', {name: 'Knots'});
  const items = page.getByRole('list', {name: 'Requests'}).getByRole('listitem');
  await expect(items).toHaveCount(2);
  await expect(items.first()).toContainText('PATCH /api/v2/course/1/');
  await expect(items.first()).toContainText('1 change');
  await expect(page.getByRole('banner')).toContainText('2 requests, 1 changed row');
});

test('filters leave those that fit', async ({page, world}) => {
  await world.use();
  await open(page, world);
  const count = page.locator('.count');
  await expect(count).toHaveText('8 requests');
  await page.getByLabel('Operation').selectOption('create_course');
  await expect(count).toHaveText('2 requests');
  await page.getByLabel('Status').selectOption('503');
  await expect(count).toHaveText('1 request');
  await page.getByLabel('Persona').selectOption('stub-member');
  await expect(page.getByText('No request is like that.')).toBeVisible();
  await page.getByLabel('Operation').selectOption('');
  await page.getByLabel('Status').selectOption('');
  await expect(count).toHaveText('3 requests');
});

test('a refusal is explained with its rules and their sources', async ({page, world}) => {
  await world.use();
  await open(page, world);
  await page.getByRole('link', {name: /403 PATCH/}).click();
  const story = page.getByRole('article');
  await expect(story).toContainText('Only the creator or a manager of the course may do this. permission_denied');
  await expect(story.locator('.rules li').first()).toContainText(/R003 .* Answers 403\. Sure: high\. Source: ui/);
  await expect(story).toContainText("Open to: The course's creator or one of its managers");
});

test('a change is shown before and after', async ({page, world}) => {
  await world.use();
  await open(page, world, `requests/${world.name}-3`);
  const row = page.getByRole('article').getByRole('row', {name: /^name/});
  await expect(row.locator('del')).toHaveText('Watercolour for Absolute Beginners');
  await expect(row.locator('ins')).toHaveText('Knots and Bends');
  await expect(page.getByRole('rowheader')).toHaveCount(2);
  await page.getByRole('button', {name: 'All 20 fields'}).click();
  await expect(page.getByRole('rowheader')).toHaveCount(20);
  await page.getByRole('link', {name: 'courses 1'}).click();
  await expect(page).toHaveURL(/#state\/courses\/1$/);
});

test('a request is sent again, as it was', async ({page, world, refusals}) => {
  refusals.push(/status of 403/);
  await world.use();
  await open(page, world, `requests/${world.name}-2`);
  await page.getByRole('button', {name: 'Send again'}).click();
  await expect(page).toHaveURL(new RegExp(`#requests/${world.name}-9$`));
  const [first, again] = await Promise.all(
    ['2', '9'].map((number) => world.control<{request: {body: unknown}; status: number}>('GET', `/requests/${world.name}-${number}`))
  );
  expect(again?.request.body).toEqual(first?.request.body);
  expect(again?.status).toBe(403);
});

test('a form is sent again, one with credentials is not', async ({page, world, refusals}) => {
  refusals.push(/status of 400/); // there is a course of this name now
  const form = (fields: Record<string, string>) => ({method: 'POST', body: new URLSearchParams(fields)});
  const headers = {Authorization: 'Bearer stub-creator'};
  await fetch(`${world.url}/api/v2/course/`, {...form({name: 'Splicing', type: 'self-paced'}), headers});
  await fetch(`${world.url}/oauth/token/`, form({grant_type: 'password', username: 'wren_hollis', password: 'stub-password', client_id: 'stub-app'}));
  await open(page, world, `requests/${world.name}-2`);
  await expect(page.getByRole('button', {name: 'Send again'})).toBeDisabled();
  await expect(page.getByText('It had credentials, which are not in the journal.')).toBeVisible();
  await page.goto(`${world.url}/#requests/${world.name}-1`);
  await page.getByRole('button', {name: 'Send again'}).click();
  await expect(page).toHaveURL(new RegExp(`#requests/${world.name}-3$`));
  await expect(page.getByRole('article')).toContainText('Splicing');
});

test('a request is copied as a command and as tests', async ({page, world}) => {
  await world.api('PATCH', '/course/1/', 'creator', {name: "It's <b>rope</b>", hide_member_count: true});
  await open(page, world, `requests/${world.name}-1`);
  await page.getByRole('button', {name: 'Copy the request as curl'}).click();
  await expect(page.getByRole('status')).toHaveText('Copied the request as curl.');
  expect(await copied(page)).toBe(
    `curl -X PATCH '${world.url}/api/v2/course/1/' -H 'Authorization: Bearer stub-creator' ` +
      `-H 'content-type: application/json' --data-raw '{"name":"It'\\''s <b>rope</b>","hide_member_count":true}'`
  );
  await page.getByRole('button', {name: 'Copy the request as a pytest test'}).click();
  await expect(page.getByRole('status')).toHaveText('Copied the request as a pytest test.');
  expect(await copied(page)).toBe(
    [
      'def test_patch_course(course_world):',
      '    answer = course_world.client("creator").request("PATCH", "/course/1/", ' +
        'json={"name": "It\'s <b>rope</b>", "hide_member_count": True})',
      '    assert answer.status_code == 200, answer.text',
      '',
    ].join('\n')
  );
  await page.getByRole('button', {name: 'Copy the request as a Playwright test'}).click();
  await expect(page.getByRole('status')).toHaveText('Copied the request as a Playwright test.');
  expect(await copied(page)).toContain(`const answer = await request.fetch("${world.url}/api/v2/course/1/", {`);
});

test('hostile text is shown as text', async ({page, world}) => {
  const name = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  await world.api('PATCH', '/course/1/', 'creator', {name});
  await world.api('GET', `/course/${encodeURIComponent('<svg onload=alert(1)>')}/`, null);
  for (const view of ['', `requests/${world.name}-1`, `requests/${world.name}-2`, 'state/courses', 'state/courses/1', 'clock']) {
    await open(page, world, view);
    await expect(page.locator('main img, main script, main svg[onload]')).toHaveCount(0);
    await expect(page).toHaveTitle(/^Inspector of/);
  }
  await open(page, world, `requests/${world.name}-1`);
  await expect(page.getByRole('article').locator('ins')).toHaveText(name);
});

test('arrow keys lead through the list, Enter opens', async ({page, world}) => {
  await world.use();
  await open(page, world);
  await page.getByRole('link', {name: /503 POST/}).focus();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('link', {name: /404 GET/})).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`#requests/${world.name}-8$`));
  await expect(page.getByText('Fault 1 (error) fired.')).toBeVisible();
});

test('the journal is cleared, once that is confirmed', async ({page, world}) => {
  await world.use();
  await open(page, world);
  page.once('dialog', (dialog) => dialog.dismiss());
  await page.getByRole('button', {name: 'Clear'}).click();
  await expect(page.locator('.count')).toHaveText('8 requests');
  page.once('dialog', (dialog) => dialog.accept());
  await page.getByRole('button', {name: 'Clear'}).click();
  await expect(page.getByText('Nothing has been asked yet')).toBeVisible();
});

