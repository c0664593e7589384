// Bundles the app into dist/ with esbuild; takes a few seconds.
import {copyFile, mkdir, rm} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

await rm(here('dist'), {recursive: true, force: true});
await build({
  entryPoints: {app: here('src/main.jsx')},
  outdir: here('dist'),
  bundle: true,
  minify: true,
  sourcemap: 'linked',
  // An ES module, because the vendor's PDF preview needs import.meta.url.
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  loader: {'.eot': 'file', '.woff': 'file', '.woff2': 'file', '.ttf': 'file', '.svg': 'file'},
  define: {'process.env.NODE_ENV': '"production"'},
  logLevel: 'warning',
}).catch(() => process.exit(1)); // esbuild has printed why
await copyFile(here('index.html'), here('dist/index.html'));

// The vendor's PDF preview looks for its worker next to the bundle.
await mkdir(here('dist/pdfjs-dist/build'), {recursive: true});
const worker = 'pdfjs-dist/build/pdf.worker.min.js';
await copyFile(here(`node_modules/${worker}`), here(`dist/${worker}`));
