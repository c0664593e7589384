import { expect, it, test } from 'course-stubserver/vitest';

test.for(['one', 'another'])('%s test has a world of its own', async (_, { world }) => {
  expect(await world.journal.count()).toBe(0);
  await world.fetch('/course/1/join/', { method: 'POST', as: 'stranger' });
  await world.verify({ operation: 'join_course', times: 1 });
});

it('has a readable name', ({ world }) => {
  expect(world.name).toMatch(/^has-a-readable-name-[0-9a-f]{8}$/);
});

const emptyTest = test.extend<{ worldOptions: { fixture: string } }>({ worldOptions: { fixture: 'empty' } });

emptyTest('can start from another fixture', async ({ world }) => {
  expect((await world.facts()).fixture).toBe('empty');
});

test('knows no misspelt persona', ({ world }) => {
  expect(() => world.token('membr')).toThrow('Did you mean member?');
});
