// Finding courses: the list, its search, and its filters by category and by status.
import {CREATOR, MEMBER, expect, shot, test} from './scenario.js';

const names = (page) => page.locator('.SCCourse-preview-name');

test('an anonymous visitor browses the courses', async ({visit}) => {
  const page = await visit('/');

  await expect(page).toHaveURL(/\/courses\/$/);
  await expect(names(page).first()).toHaveText('A Herb Garden on the Windowsill');
  await expect(page.getByRole('button', {name: 'Create Course'})).toHaveCount(0);
  await shot(page, '01-courses-anonymous');

  await page.getByRole('link', {name: 'Bicycle Repair Evenings', exact: true}).click();
  await expect(page.getByText('We mend our own bicycles together')).toBeVisible();
  await expect(page.getByText('Punctures and tyres')).toBeVisible();
  await shot(page, '02-course-anonymous');
});

test('scrolling down loads the rest of the courses', async ({visit}) => {
  const page = await visit('/courses/', CREATOR);

  await expect(names(page)).toHaveCount(8);
  await names(page).last().scrollIntoViewIfNeeded();
  await page.mouse.wheel(0, 5000);
  await expect(names(page)).toHaveCount(15);
  await expect(page.getByText('There is no other content.')).toBeVisible();
  await shot(page, '03-courses-creator');
});

test('searching and filtering narrow the list down', async ({visit}) => {
  const page = await visit('/courses/', MEMBER);
  await expect(names(page)).toHaveCount(8);

  await page.getByLabel('Search Course').fill('repair');
  await page.getByLabel('Search Course').press('Enter');
  await expect(names(page)).toHaveText(['Bicycle Repair Evenings']);
  await shot(page, '04-courses-searched');

  await page.getByLabel('Search Course').fill('');
  await page.getByRole('combobox', {name: 'Category'}).click();
  await page.getByRole('option', {name: 'Photography and Outdoors'}).click();
  await expect(names(page)).toHaveText([
    'Beekeeping on the Allotment',
    'The Night Sky with the Naked Eye',
    'Portraits by Window Light',
  ]);
  await shot(page, '05-courses-of-a-category');
});

test('the filters by status show the courses that one has joined or manages', async ({visit}) => {
  const page = await visit('/courses/', MEMBER);
  await page.getByText('My Courses').click();
  await expect(page.getByText('You have joined')).toHaveCount(7);
  await shot(page, '06-courses-joined');

  await page.getByText('My Courses').click();
  await page.getByText('Managed by me').click();
  await expect(names(page)).toHaveCount(0);
});
