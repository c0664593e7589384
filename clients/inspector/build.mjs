// Bundles the inspector into the Python package, where it is committed: the server serves it without Node.js.
// The same sources give the same bytes. With a folder as its argument, it writes there instead.
import {mkdir} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = process.argv[2] ?? here('../../stubserver/pages/inspector');

await mkdir(folder, {recursive: true});
await build({
  absWorkingDir: here('.'),
  entryPoints: {inspector: 'src/main.tsx'},
  outdir: folder,
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  banner: {
    js: '/* Built from clients/inspector; do not edit. Contains Preact, (c) Jason Miller, MIT License. */',
    css: '/* Built from clients/inspector; do not edit. */',
  },
  logLevel: 'warning',
}).catch(() => process.exit(1)); // esbuild has printed why
