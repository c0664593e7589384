// How the scenarios run: in the system's own headless Chromium, two scenarios at a time.
import {defineConfig} from '@playwright/test';

export default defineConfig({
  testDir: '.',
  outputDir: '../test-results',
  globalSetup: './screenshots.js',
  workers: 2, // each with servers of its own
  fullyParallel: true,
  retries: 0,
  forbidOnly: true,
  // Generous, so that a machine under load fails nothing; a scenario that passes never waits this long.
  timeout: 300_000,
  expect: {timeout: 60_000},
  reporter: 'list',
  use: {
    viewport: {width: 1280, height: 800},
    // The vendor shows dates in the browser's time zone.
    timezoneId: 'UTC',
    actionTimeout: 60_000,
    navigationTimeout: 60_000,
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
