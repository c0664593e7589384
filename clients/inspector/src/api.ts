// Calls of the server: of the control plane, with its token where it needs one, and of the API as one of the personas.
import type {Operation, Page} from './types';

const {prefix: given, world: named} = document.documentElement.dataset;
/** What stands in front of every path, if a proxy makes the server known below one. */
export const prefix = given ?? '';
/** The world that the page shows. */
export const worldName = named ?? 'default';

const TOKEN = 'course-stubserver control token';
export const API = '/api/v2';

/** The path of a world, which API, control plane and inspector of that world are below. */
export const pathOf = (world: string = worldName): string => `${prefix}/~${world}`;

/** The address of a world, as an application is given it. */
export const addressOf = (world: string = worldName): string => `${location.origin}${pathOf(world)}`;

/** A request that was not answered with success. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string
  ) {
    super(message);
  }
}

type Listener = () => void;
const listeners = new Set<Listener>();

/** Calls `listener` whenever the control plane asks for its token; the result ends that. */
export function onTokenNeeded(listener: Listener): Listener {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Keeps the token as long as this tab is open. */
export function keepToken(token: string): void {
  sessionStorage.setItem(TOKEN, token);
}

export function controlHeaders(): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN);
  return token ? {Authorization: `Bearer ${token}`} : {};
}

/** Why an answer is no success. */
export async function refusalOf(answer: Response): Promise<Refused> {
  if (answer.status === 401) {
    listeners.forEach((listener) => listener());
  }
  const text = await answer.text();
  try {
    const {errors} = JSON.parse(text) as {errors: {field?: string; message?: string; messages?: {message: string}[]}[]};
    const said = errors.map(({field, message, messages}) =>
      message ?? `${field}: ${(messages ?? []).map((one) => one.message).join(' ')}`
    );
    return new Refused(answer.status, said.join(' '));
  } catch {
    return new Refused(answer.status, text.slice(0, 300) || `The server answered ${answer.status}.`);
  }
}

/** Calls the control plane about the world of the page. Throws Refused, and TypeError if the server cannot be reached. */
export async function control<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers = {...controlHeaders(), ...(method === 'GET' ? {} : {'Content-Type': 'application/json'})};
  const answer = await fetch(`${pathOf()}/__stub${path}`, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
    signal: signal ?? null,
  });
  if (!answer.ok) {
    throw await refusalOf(answer);
  }
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** All rows of a list that is known to be short. */
export async function all<T>(path: string): Promise<T[]> {
  const {results} = await control<Page<T>>('GET', `${path}${path.includes('?') ? '&' : '?'}limit=100`);
  return results;
}

let known: Promise<Operation[]> | undefined;

/** The operations of the API, from its document. */
export function operations(): Promise<Operation[]> {
  known ??= fetch(`${pathOf()}/openapi.json`)
    .then((answer) => answer.json() as Promise<{paths: Record<string, Record<string, Record<string, string>>>}>)
    .then(({paths}) =>
      Object.entries(paths).flatMap(([path, methods]) =>
        Object.entries(methods)
          .filter(([, operation]) => operation['operationId'] !== undefined)
          .map(([method, operation]) => ({
            id: operation['operationId'] ?? '',
            method: method.toUpperCase(),
            path,
            summary: operation['summary'] ?? '',
          }))
      )
    )
    .then((found) => found.sort((one, other) => one.id.localeCompare(other.id)));
  known.catch(() => (known = undefined));
  return known;
}

export interface Answer {
  status: number;
  body: unknown;
}

/** What a GET of the API answers to a persona, or to nobody. */
export async function ask(world: string, path: string, token: string | null): Promise<Answer> {
  const answer = await fetch(`${pathOf(world)}${path}`, {headers: token ? {Authorization: `Bearer ${token}`} : {}});
  const text = (await answer.text()).replaceAll(`/~${world}/`, `/~${worldName}/`);
  try {
    return {status: answer.status, body: JSON.parse(text)};
  } catch {
    return {status: answer.status, body: text.slice(0, 2000)};
  }
}

/** What the same GET answers to each of several callers. They ask a copy of the world, so its journal has none of it. */
export async function askAll(path: string, tokens: (string | null)[]): Promise<Answer[]> {
  const name = `inspector-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`;
  const exists = await control('GET', `/worlds/${worldName}`).catch(() => null);
  await control('POST', '/worlds', exists ? {name, world: worldName} : {name});
  try {
    return await Promise.all(tokens.map((token) => ask(name, path, token)));
  } finally {
    await control('DELETE', `/worlds/${name}`).catch(() => undefined);
  }
}
