/** Where the Python command `stubserver` is on this machine. */

import { readFileSync, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { StubError } from './errors.js';

const IS_WINDOWS = process.platform === 'win32';
const COMMAND = 'stubserver';
const ENVIRONMENTS = ['.venv', 'venv'];
const BIN = IS_WINDOWS ? 'Scripts' : 'bin';

/** The version of this package, which is that of the server. */
export const VERSION: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

/**
 * The words that start `stubserver`: STUBSERVER_BIN, the command on the PATH, in a virtual environment of the project or
 * of a folder above, or else, only if STUBSERVER_FROM names a wheel, a checkout or a URL, `uvx` or `pipx run`, which fetch
 * it from there. Throws StubError if there is none.
 */
export function findCommand(environment: NodeJS.ProcessEnv = process.env, folder = process.cwd()): string[] {
  const named = environment['STUBSERVER_BIN'];
  if (named) {
    const found = named.includes('/') || named.includes('\\') ? onDisk(resolve(folder, named)) : onPath(named, environment);
    if (found) return [found];
    throw new StubError(`STUBSERVER_BIN names ${named}, which does not exist; unset it, or name the command ${COMMAND}.`);
  }
  const installed = onPath(COMMAND, environment) ?? inProject(folder);
  return installed ? [installed] : fetching(environment);
}

/** The words that fetch the command from where the user says; nothing is fetched by a name that anybody may register. */
function fetching(environment: NodeJS.ProcessEnv): string[] {
  const from = environment['STUBSERVER_FROM'];
  if (!from) {
    throw new StubError(
      `${NOWHERE}. Run: ${install('SOURCE')}, where SOURCE is a wheel or a checkout of the server; or set STUBSERVER_FROM ` +
        'to it, and uvx or pipx fetches it from there.',
    );
  }
  const uvx = onPath('uvx', environment);
  if (uvx) return [uvx, '--from', from, COMMAND];
  const pipx = onPath('pipx', environment);
  if (pipx) return [pipx, 'run', '--spec', from, COMMAND];
  throw new StubError(`${NOWHERE}, and neither uvx nor pipx is there to fetch it. Run: ${install(`"${from}"`)}`);
}

const NOWHERE = `There is no command ${COMMAND}: not on the PATH, and not in .venv/ or venv/ of this project`;

const install = (source: string): string => `python3 -m venv .venv && .venv/bin/pip install ${source}`;

/** The command in a virtual environment of the folder, or of the nearest folder above that has one. */
function inProject(folder: string): string | undefined {
  for (let here = resolve(folder); ; here = dirname(here)) {
    const found = ENVIRONMENTS.map((name) => onDisk(join(here, name, BIN, COMMAND))).find(Boolean);
    if (found || here === dirname(here)) return found;
  }
}

function onPath(name: string, environment: NodeJS.ProcessEnv): string | undefined {
  const folders = (environment['PATH'] ?? environment['Path'] ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => onDisk(join(folder, name))).find(Boolean);
}

/** The file, if there is one, with the ending that Windows gives programs. */
function onDisk(file: string): string | undefined {
  const names = IS_WINDOWS ? [`${file}.exe`, file] : [file];
  return names.find((name) => statSync(name, { throwIfNoEntry: false })?.isFile());
}
