import { defineConfig } from '@playwright/test';
import type { WorldFixtures, WorldWorkerFixtures } from 'course-stubserver/playwright';

export default defineConfig<WorldFixtures, WorldWorkerFixtures>({
  testMatch: '*.spec.ts',
  globalSetup: 'course-stubserver/setup',
  workers: 2,
  fullyParallel: true,
  reporter: [['json', { outputFile: 'report.json' }]],
  use: {
    worldOptions: { strict: true },
    launchOptions: {
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu'],
    },
  },
});
