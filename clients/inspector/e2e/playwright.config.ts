// How the inspector is driven: in the system's own headless Chromium, two tests at a time.
import {defineConfig} from '@playwright/test';

export default defineConfig({
  testDir: '.',
  outputDir: '../test-results',
  workers: 2, // each with a server of its own
  fullyParallel: true,
  retries: 0,
  forbidOnly: true,
  // Generous, so that a machine under load fails nothing; a test that passes never waits this long.
  timeout: 300_000,
  expect: {timeout: 60_000},
  reporter: 'list',
  use: {
    viewport: {width: 1280, height: 800},
    // Dates are shown in UTC, wherever the browser is.
    timezoneId: 'Asia/Tokyo',
    locale: 'de-DE',
    permissions: ['clipboard-read', 'clipboard-write'],
    actionTimeout: 60_000,
    navigationTimeout: 60_000,
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
    },
  },
});
