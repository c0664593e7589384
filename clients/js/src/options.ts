/** The options of `startServer`: those of `stubserver serve`, in camel case. */

import { StubError, checkOptions, shown } from './errors.js';

/** Options of `stubserver serve`; docs/commands.md explains them. */
export interface ServeOptions {
  /** A name, or a YAML or JSON file. */
  fixture?: string;
  fixtureDir?: string;
  /** By default, a free one is picked. */
  port?: number;
  host?: string;
  watch?: boolean;
  store?: string;
  workers?: number;
  seed?: number;
  /** The time at which the clocks of all worlds stand still, such as `2031-05-01T09:00:00Z`. */
  freezeAt?: string | Date;
  strict?: boolean;
  import?: string;
  exportOnExit?: string;
  jwtSecret?: string;
  corsOrigin?: string | readonly string[];
  controlToken?: string;
  controlOrigin?: string | readonly string[];
  metricsToken?: string;
  allowedHost?: string | readonly string[];
  publicUrl?: string;
  forwardedAllowIps?: string;
  maxWorlds?: number;
  maxRows?: number;
  maxWorld?: number;
  maxMemory?: number;
  maxRequests?: number;
  maxJournal?: number;
  maxBody?: number;
  noFastPath?: boolean;
}

/** Option -> what its value may be. `--log-format` and `--quiet` are not here: this package reads the log. */
const KINDS = {
  ...{ fixture: 'text', fixtureDir: 'text', port: 'number', host: 'text', watch: 'flag', store: 'text' },
  ...{ workers: 'number', seed: 'number', freezeAt: 'time', strict: 'flag', import: 'text', exportOnExit: 'text' },
  ...{ jwtSecret: 'text', corsOrigin: 'texts', controlToken: 'text', controlOrigin: 'texts', metricsToken: 'text' },
  ...{ allowedHost: 'texts', publicUrl: 'text', forwardedAllowIps: 'text', maxWorlds: 'number', maxRows: 'number' },
  ...{ maxWorld: 'number', maxMemory: 'number', maxRequests: 'number', maxJournal: 'number', maxBody: 'number' },
  ...{ noFastPath: 'flag' },
} as const satisfies Record<keyof ServeOptions, 'text' | 'texts' | 'number' | 'flag' | 'time'>;

const IS_RIGHT: Record<(typeof KINDS)[keyof ServeOptions], (value: unknown) => boolean> = {
  text: (value) => typeof value === 'string',
  texts: (value) => [value].flat().every((one) => typeof one === 'string'),
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  flag: (value) => typeof value === 'boolean',
  time: (value) => typeof value === 'string' || (value instanceof Date && !Number.isNaN(value.getTime())),
};
const SAID = {
  text: 'text',
  texts: 'text or a list of texts',
  number: 'a number',
  flag: 'true or false',
  time: "a time, such as '2031-05-01T09:00:00Z'",
};

/** The names of all options. */
export const SERVE_OPTIONS: readonly string[] = Object.keys(KINDS);

/** The words of the command line. Throws StubError for an option that there is not, or whose value cannot be right. */
export function argumentsOf(options: ServeOptions): string[] {
  checkOptions('startServer', options, SERVE_OPTIONS);
  const given: ServeOptions = { port: 0, ...options };
  return Object.entries(KINDS).flatMap(([name, kind]) => {
    const value: unknown = Reflect.get(given, name);
    if (value === undefined) return [];
    if (!IS_RIGHT[kind](value)) {
      throw new StubError(`startServer: the option ${name} is ${SAID[kind]}, not ${shown(value)}.`);
    }
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (kind === 'flag') return value === true ? [flag] : [];
    return [value].flat().map((one) => `${flag}=${one instanceof Date ? one.toISOString() : String(one)}`);
  });
}
