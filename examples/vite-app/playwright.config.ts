// Four workers share one server; each test has a world of its own. The browser is the system's own Chromium.
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'e2e',
  globalSetup: 'course-stubserver/setup',
  workers: 4,
  fullyParallel: true,
  forbidOnly: true,
  timeout: 120_000, // generous, so that a machine under load fails nothing
  expect: { timeout: 30_000 },
  reporter: 'list',
  webServer: { command: 'npx vite preview --port 4173 --strictPort', url: 'http://localhost:4173' },
  use: {
    baseURL: 'http://localhost:4173',
    launchOptions: {
      executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu'],
    },
  },
});
