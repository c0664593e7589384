// What orval makes of the document in the current folder: functions with MSW handlers, and zod schemas.
const input = { target: './api.json' };

export default {
  fetch: { input, output: { target: './api.ts', client: 'fetch', mock: true, mode: 'split' } },
  zod: { input, output: { target: './zod.ts', client: 'zod' } },
};
