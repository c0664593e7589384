/** The control plane of a server, as the handles call it: the right server at the right URL, or a reason in one line. */

import { StubError, shown } from './errors.js';

const PRODUCT = 'course-stubserver';
const CONTROL = '/__stub';
const PATIENCE = 30_000;
const RIGHT = 'http://127.0.0.1:8765';

// Tests replace these (MSW, fake timers); the handles keep what was there when this module was loaded.
const { fetch: ask, setTimeout: later, clearTimeout: forget } = globalThis;

/**
 * `fetch`, as it was when this module was loaded, with a connection for each request: before Node.js 24 uses one again,
 * it waits for a timer, and tests may have replaced those.
 */
export function send(input: string | Request, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('connection', 'close');
  return ask(input, { ...init, headers });
}

/** What a call may have besides its method and path. */
export interface Call {
  readonly query?: object | undefined;
  readonly body?: object | undefined;
  /** The name of the world that the call is about, if it is about one. */
  readonly world?: string | undefined;
}

export class Channel {
  /** The base URL, without a slash at its end. */
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws StubError if `url` is not that of a server, or no header can carry the token. */
  constructor(url: string, token?: string) {
    this.url = root(url);
    if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
      throw new StubError('A token consists of printable ASCII characters without blanks; this one does not.');
    }
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** Calls the control plane; resolves to the parsed JSON answer, undefined if it is empty. Throws StubError. */
  async call<Answer>(method: string, path: string, { query, body, world }: Call = {}): Promise<Answer> {
    const url = `${this.url}${CONTROL}${path}${search(query)}`;
    const headers: Record<string, string> = { ...this.#headers };
    if (world !== undefined) headers['x-stub-world'] = world;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const text = body === undefined ? null : JSON.stringify(body);
    const { status, answer } = await this.#ask(url, { method, headers, body: text });
    if (status >= 400) {
      throw new StubError(`${method} ${path}: ${reason(answer) ?? `status ${status}`}`, status);
    }
    return parsed(answer) as Answer;
  }

  /** Throws StubError unless a stub server answers, if only to ask for its token; resolves to its version. */
  async recognize(): Promise<string> {
    const { status, answer } = await this.#ask(`${this.url}${CONTROL}/version`, { headers: this.#headers });
    const said = parsed(answer);
    if (typeof said === 'object' && said !== null && 'name' in said && said.name === PRODUCT && 'version' in said) {
      return String(said.version);
    }
    const why = (status === 401 || status === 403) && reason(answer);
    throw new StubError(
      why
        ? `${this.url}: ${why}`
        : `${this.url} is not a stub server: GET ${CONTROL}/version was answered with status ${status}. ` +
          '`npx course-stubserver serve` starts one and prints its URL.',
    );
  }

  async #ask(url: string, init: RequestInit): Promise<{ status: number; answer: string }> {
    try {
      const answer = await inTime(send(url, init));
      return { status: answer.status, answer: await inTime(answer.text()) };
    } catch (error) {
      throw new StubError(`no stub server answers at ${this.url}: ${why(error)}`);
    }
  }
}

/** Why there was no answer, in a few words. */
function why(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof AggregateError && 'code' in cause) return String(cause.code);
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}

interface Refusal {
  readonly field?: unknown;
  readonly message?: unknown;
  readonly messages?: readonly Refusal[];
}

const NO_FIELD = 'non_field_errors';

/** The message of a refusal, if the answer has the form of the server's refusals. */
function reason(answer: string): string | undefined {
  const said = parsed(answer);
  if (typeof said !== 'object' || said === null || !('errors' in said) || !Array.isArray(said.errors)) return undefined;
  const entries: Refusal[] = said.errors;
  return entries.flatMap(({ field, messages, message }) => (messages ?? [{ message }]).map((one) => about(field, one))).join(' ');
}

/** A message, with the field that it is about, unless it says that itself. */
function about(field: unknown, { message }: Refusal): string {
  const text = String(message);
  return typeof field !== 'string' || field === NO_FIELD || text.includes(field) ? text : `${field}: ${text}`;
}

/** The JSON in a text; undefined if there is none. */
function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function search(query: object = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return given.length > 0 ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : '';
}

/** Rejects if the promise takes too long. */
async function inTime<Value>(promise: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = later(() => reject(new Error(`no answer within ${PATIENCE / 1000} seconds`)), PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    forget(timer);
  }
}

/** The URL without a slash at its end. Throws StubError unless it is that of a server. */
function root(url: string): string {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.hostname === '') {
    const right = typeof url === 'string' && /^[\w.-]+(:\d{1,5})?$/.test(url) ? `http://${url}` : RIGHT;
    throw new StubError(`${shown(url)} is not the URL of a server, such as ${right}.`);
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new StubError(`The URL of a server has no user or password: use ${parsed.origin}, and the option token.`);
  }
  if (parsed.pathname !== '/' || parsed.search !== '' || parsed.hash !== '') {
    throw new StubError(
      `${shown(url)} is more than the URL of a server: use ${parsed.origin}, and open(NAME) for a world of it.`,
    );
  }
  return parsed.origin;
}
