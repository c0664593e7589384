/** Pages in the system's own headless Chromium, in four workers, which share one server. */
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: '.',
  testMatch: '*.spec.mjs',
  outputDir: '../test-results',
  globalSetup: '../dist/setup.js',
  workers: 4,
  fullyParallel: true,
  forbidOnly: true,
  timeout: 60_000, // generous, so that a machine under load fails nothing
  expect: { timeout: 30_000 },
  reporter: 'list',
  use: {
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu'],
    },
  },
});
