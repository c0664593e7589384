/** A world: one isolated copy of the whole API, with its clients, clock, faults, variants and journal. */

import { type Channel, send } from './channel.js';
import type {
  Case,
  Expectation,
  Persona,
  PersonaFacts,
  Snapshot,
  Verdict,
  WorldFacts,
  WorldOptions,
} from './contract.js';
import { StubError, VerificationError, checkOptions, shown, unknown } from './errors.js';
import { Clock, type Control, Faults, Journal, Variants } from './parts.js';

const API = '/api/v2';
const SERVED = ['/api/', '/oauth/', '/upfiles/'];
const PREFIX = 'stub-';

/** What `fetch` takes in a world, beside what it takes anywhere. */
export interface WorldRequest extends RequestInit {
  /** The persona that asks; nobody without it. */
  as?: Persona;
  /** A value to send as JSON. */
  json?: unknown;
}

/** A world of a server, from `server.world()` or `server.open(NAME)`. */
export class World {
  readonly name: string;
  /** The base URL for an application, which then works in this world. */
  readonly url: string;
  /** The URL of the API in this world. */
  readonly apiUrl: string;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly variants: Variants;
  readonly journal: Journal;
  readonly #channel: Channel;
  readonly #personas: readonly PersonaFacts[];
  readonly #isOwn: boolean;
  #isClosed = false;

  /** @internal Use `server.world()`. */
  constructor(channel: Channel, name: string, personas: readonly PersonaFacts[], isOwn: boolean) {
    this.name = name;
    this.url = `${channel.url}/~${name}`;
    this.apiUrl = `${this.url}${API}`;
    this.#channel = channel;
    this.#personas = personas;
    this.#isOwn = isOwn;
    const control: Control = (method, path, options) => this.#control(method, path, options);
    this.clock = new Clock(control);
    this.faults = new Faults(control);
    this.variants = new Variants(control);
    this.journal = new Journal(control);
  }

  /** The names of the personas, such as `member`. */
  get personas(): string[] {
    return this.#personas.map(({ token }) => token.slice(PREFIX.length));
  }

  /** The token of a persona, for the header `Authorization: Bearer TOKEN`. Throws StubError if there is none. */
  token(persona: Persona): string {
    return this.#persona(persona).token;
  }

  /** Who a persona is: its user's id and name, its role. Throws StubError if there is no such persona. */
  user(persona: Persona): PersonaFacts {
    return { ...this.#persona(persona) };
  }

  /**
   * Asks the API, as a persona: `world.fetch('/course/1/', {as: 'member'})`. Otherwise it is the `fetch` that you know,
   * so it takes a URL or a Request in this world as well. Throws StubError for what is not in this world.
   */
  readonly fetch = async (input: string | URL | Request, init: WorldRequest = {}): Promise<Response> => {
    this.checkOpen();
    checkOptions('fetch', init, REQUEST_OPTIONS);
    const { as, json, ...rest } = init;
    const asked = input instanceof Request ? input : undefined;
    const url = this.#inWorld(asked ? asked.url : String(input));
    const headers = new Headers(rest.headers ?? asked?.headers);
    if (as !== undefined) headers.set('authorization', `Bearer ${this.token(as)}`);
    if ('json' in init) {
      if ('body' in init) throw new StubError('fetch takes json or body, not both.');
      headers.set('content-type', 'application/json');
      rest.body = JSON.stringify(json);
    }
    try {
      return await send(asked ?? url, { ...rest, headers });
    } catch (error) {
      await this.#channel.recognize(); // throws what is wrong, if no server is there
      throw error; // what fetch says of a connection that a fault dropped, or of a signal
    }
  };

  /** `fetch` as a persona, for clients that take one: `createClient<paths>({baseUrl: world.url, fetch: world.as('member')})`. */
  as(persona: Persona): (input: string | URL | Request, init?: RequestInit) => Promise<Response> {
    this.token(persona);
    return (input, init) => this.fetch(input, { ...init, as: persona });
  }

  /** What the world is now. */
  facts(): Promise<WorldFacts> {
    return this.#control('GET', this.#path);
  }

  /** Throws VerificationError, quoting the closest request, unless the world received the expected requests. */
  async verify(expected: Expectation): Promise<void> {
    const verdict = await this.#control<Verdict>('POST', '/verify', { body: expected });
    if (!verdict.verified) throw new VerificationError(verdict.message);
  }

  /** Takes a snapshot, which any world of the server can restore or start from. */
  snapshot(name: string): Promise<Snapshot> {
    return this.#control('POST', '/snapshots', { body: { name } });
  }

  /** Restores a snapshot; removes the faults and variants, and clears the journal. */
  restore(snapshot: string): Promise<WorldFacts> {
    return this.#control('POST', `/snapshots/${encodeURIComponent(snapshot)}/restore`);
  }

  /** A new world that starts as a copy of this one. */
  async fork(name?: string): Promise<World> {
    this.checkOpen();
    return makeWorld(this.#channel, name === undefined ? { world: this.name } : { name, world: this.name });
  }

  /** Discards everything that happened, and starts again from the world's fixture or another one. */
  async reset(options: { fixture?: string } = {}): Promise<WorldFacts> {
    checkOptions('reset', options, ['fixture']);
    return this.#control('POST', `${this.#path}/reset`, { query: options });
  }

  /** Refuses from now on what the contract's types do not allow, though the framework of the real API accepts it. */
  beStrict(strict = true): Promise<WorldFacts> {
    return this.#control('PATCH', this.#path, { body: { strict } });
  }

  /** All that it takes to repeat what happened, for `stubserver replay`. */
  case(): Promise<Case> {
    return this.#control('GET', '/case');
  }

  /** Whether `close()` has ended the use of this handle. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Ends the use of this handle, and deletes the world if `server.world()` or `fork()` made it. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    if (this.#isOwn) await this.#control<void>('DELETE', this.#path);
    this.#isClosed = true;
  }

  /** @internal The channel and the personas, for handles that can do more. */
  protected static partsOf(world: World): [Channel, string, readonly PersonaFacts[], boolean] {
    return [world.#channel, world.name, world.#personas, world.#isOwn];
  }

  get #path(): string {
    return `/worlds/${encodeURIComponent(this.name)}`;
  }

  async #control<Answer>(
    method: string,
    path: string,
    options: { query?: object | undefined; body?: object | undefined } = {},
  ): Promise<Answer> {
    this.checkOpen();
    const isAbout = path.startsWith('/worlds') ? {} : { world: this.name };
    return this.#channel.call<Answer>(method, path, { ...options, ...isAbout });
  }

  /** @internal Throws StubError if the world is closed. */
  protected checkOpen(): void {
    if (this.#isClosed) {
      throw new StubError(`The world ${this.name} is closed; make another one with server.world() before you use it.`);
    }
  }

  #persona(name: Persona): PersonaFacts {
    const found = this.#personas.find(({ token }) => token === name || token === `${PREFIX}${name}`);
    if (found === undefined) throw new StubError(unknown('persona', name, this.personas));
    return found;
  }

  /** The URL of a path, in full or relative to the API. */
  #inWorld(asked: string): string {
    if (asked.startsWith('/') && !asked.startsWith('//')) {
      return `${SERVED.some((path) => asked.startsWith(path)) ? this.url : this.apiUrl}${asked}`;
    }
    if (!asked.startsWith(`${this.url}/`)) {
      throw new StubError(`fetch asks the world ${this.name} only: use a path, such as '/course/1/', not ${shown(asked)}.`);
    }
    return asked;
  }
}

const REQUEST_OPTIONS = [
  ...['as', 'json', 'body', 'cache', 'credentials', 'dispatcher', 'duplex', 'headers', 'integrity', 'keepalive'],
  ...['method', 'mode', 'priority', 'redirect', 'referrer', 'referrerPolicy', 'signal', 'window'],
];

/** Makes a world. Throws StubError. */
export async function makeWorld(channel: Channel, options: WorldOptions): Promise<World> {
  const { name } = await channel.call<WorldFacts>('POST', '/worlds', { body: options });
  return new World(channel, name, await personas(channel, name), true);
}

/** A handle for a world that exists. Throws StubError if it does not. */
export async function openWorld(channel: Channel, name: string): Promise<World> {
  await channel.call<WorldFacts>('GET', `/worlds/${encodeURIComponent(name)}`);
  return new World(channel, name, await personas(channel, name), false);
}

async function personas(channel: Channel, world: string): Promise<PersonaFacts[]> {
  const found: PersonaFacts[] = [];
  for (;;) {
    const query = { limit: 100, offset: found.length };
    const page = await channel.call<{ next: string | null; results: PersonaFacts[] }>('GET', '/personas', { query, world });
    found.push(...page.results);
    if (page.next === null || page.results.length === 0) return found;
  }
}
