import { expect, test } from './app';

const PICTURE = {
  name: 'cover.png',
  mimeType: 'image/png',
  buffer: Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
};

test.beforeEach(async ({ page, world }) => {
  await world.signIn(page, 'creator');
  await page.goto('/#/course/1');
  await page.getByRole('link', { name: 'Edit' }).click();
});

test('the creator changes the name and the picture', async ({ page, world }) => {
  await page.getByLabel('Name').fill('Watercolour for Everybody');
  await page.getByLabel('Picture').setInputFiles(PICTURE);
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('heading', { name: 'Watercolour for Everybody' })).toBeVisible();
  await expect(page.getByRole('img', { name: 'Cover' })).toHaveJSProperty('naturalWidth', 1);

  const contains = { name: 'Watercolour for Everybody' };
  await world.verify({ operation: 'patch_course', persona: 'creator', contains, times: 1 });
  const [saved] = await world.journal.requests({ operation: 'patch_course' });
  expect(saved?.request.body).toMatchObject({ image_original: { name: 'cover.png', size: PICTURE.buffer.length } });
});

test('a file that is no picture is refused, and the form stays', async ({ page, world }) => {
  await page.getByLabel('Picture').setInputFiles({ ...PICTURE, buffer: Buffer.from('no picture') });
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(page.getByLabel('Name')).toHaveValue('Watercolour for Absolute Beginners');
  await world.verify({ operation: 'patch_course', status: 400, times: 1 });
});

test('no name is refused, and a snapshot brings back what was there', async ({ page, world }) => {
  await world.snapshot('before');
  await page.getByLabel('Name').fill('');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('alert')).toBeVisible();
  await page.getByLabel('Name').fill('Another name');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('heading', { name: 'Another name' })).toBeVisible();
  await world.restore('before');
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Watercolour for Absolute Beginners' })).toBeVisible();
});
