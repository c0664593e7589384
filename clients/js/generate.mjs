// Writes the types of both contracts into src/generated/. `npm run generate` runs it; a test fails when they are stale.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const into = process.argv[2] ?? join(here, 'src', 'generated');
const stubserver = process.env.STUBSERVER_BIN ?? 'stubserver';
const folder = mkdtempSync(join(tmpdir(), 'stubserver-types-'));

mkdirSync(into, { recursive: true });
for (const [name, options] of [['api', []], ['control', ['--control']]]) {
  const document = join(folder, `${name}.json`);
  const text = execFileSync(stubserver, ['spec', ...options], { maxBuffer: 2 ** 26 });
  writeFileSync(document, text);
  // A field with a default may be left out of what is sent, which is where our schemas have defaults.
  const made = join(into, `${name}.ts`);
  const flags = ['--default-non-nullable=false', '--output', made];
  const generator = join(here, 'node_modules', 'openapi-typescript', 'bin', 'cli.js');
  execFileSync(process.execPath, [generator, document, ...flags], { stdio: ['ignore', 'ignore', 'inherit'] });
  const digest = createHash('sha256').update(text).digest('hex');
  writeFileSync(made, `// Types of a document with the SHA-256 ${digest}.\n${readFileSync(made, 'utf8')}`);
}
rmSync(folder, { recursive: true });
