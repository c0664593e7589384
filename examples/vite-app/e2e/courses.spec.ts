import { expect, test } from './app';

test('a visitor pages through the courses', async ({ page, world }) => {
  await page.goto('/');
  await expect(page.getByRole('listitem')).toHaveCount(5);
  await page.getByRole('button', { name: 'More' }).click();
  await expect(page.getByRole('listitem')).toHaveCount(9);
  await expect(page.getByRole('button', { name: 'More' })).toHaveCount(0);
  await world.verify({ operation: 'search_courses', query: { offset: '5' }, persona: 'anonymous', times: 1 });
});

test('a stranger joins a course and leaves it again', async ({ page, world }) => {
  await world.signIn(page, 'stranger');
  await page.goto('/#/course/1');
  await page.getByRole('button', { name: 'Join' }).click();
  await expect(page.getByRole('button', { name: 'Leave' })).toBeVisible();
  await world.verify({ operation: 'join_course', persona: 'stranger', times: 1 });
  await page.getByRole('button', { name: 'Leave' }).click();
  await expect(page.getByRole('button', { name: 'Join' })).toBeVisible();
});

test('what another test does, this one does not see', async ({ page, world }) => {
  await world.signIn(page, 'stranger');
  await page.goto('/#/course/1');
  await expect(page.getByRole('button', { name: 'Join' })).toBeVisible();
  expect(await world.journal.count({ operation: 'join_course' })).toBe(0);
});

test('a section opens a week after joining', async ({ page, world }) => {
  await world.signIn(page, 'stranger');
  await page.goto('/#/course/2');
  await page.getByRole('button', { name: 'Join' }).click();
  const locked = page.getByText('(locked)');
  await expect(locked.first()).toBeVisible();
  const before = await locked.count();
  await world.clock.advance({ days: 7 });
  await page.reload();
  await expect(page.getByRole('button', { name: 'Leave' })).toBeVisible();
  expect(await locked.count()).toBeLessThan(before);
});

test('a community that is busy once can be asked again', async ({ page, world }) => {
  await world.signIn(page, 'stranger');
  await world.faults.add({ kind: 'error', status: 503, operation: 'join_course', times: 1 });
  await page.goto('/#/course/1');
  await page.getByRole('button', { name: 'Join' }).click();
  await expect(page.getByRole('alert')).toHaveText('The community is busy. Please try again.');
  await page.getByRole('button', { name: 'Join' }).click();
  await expect(page.getByRole('button', { name: 'Leave' })).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('a connection that drops is told', async ({ page, world }) => {
  await world.faults.add({ kind: 'reset', operation: 'get_course' });
  await page.goto('/#/course/1');
  await expect(page.getByRole('alert')).toHaveText('The community cannot be reached.');
});

test('any answer of the contract can be preferred', async ({ page }) => {
  await page.setExtraHTTPHeaders({ Prefer: 'code=404' });
  await page.goto('/#/course/1');
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByRole('heading')).toHaveCount(0);
});
