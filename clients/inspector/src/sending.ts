// A request of the journal once more: sent again, or as text for a terminal or a test.
import {API, addressOf, pathOf} from './api';
import type {Entry} from './types';

const REDACTED = '[redacted]';
/** Headers that make a difference. */
const KEPT = ['content-type', 'prefer'];

interface Parts {
  method: string;
  /** Path and query. */
  target: string;
  headers: Record<string, string>;
  token: string | null;
  kind: 'none' | 'json' | 'urlencoded' | 'multipart' | 'text';
  fields: [string, string][];
}

/** Why a request cannot be sent again; empty if it can. */
export function obstacle(entry: Entry, tokens: string[]): string {
  const sent = JSON.stringify([entry.request.body, entry.request.query]);
  if (entry.persona !== 'anonymous' && !tokens.includes(entry.persona)) {
    return `The token of ${entry.persona} is not in the journal.`;
  }
  if (sent.includes(REDACTED)) {
    return 'It had credentials, which are not in the journal.';
  }
  if (/"digest":/.test(sent) && partsOf(entry).kind === 'multipart') {
    return 'It had a file, which is not in the journal.';
  }
  return typeof entry.request.body === 'string' && /^\(\d+ bytes\)$/.test(entry.request.body)
    ? 'Its body is too large for the journal.'
    : '';
}

function partsOf({request, persona}: Entry): Parts {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query)) {
    [value].flat().forEach((one) => query.append(name, one));
  }
  const headers = Object.fromEntries(KEPT.flatMap((name) => (request.headers[name] ? [[name, request.headers[name]]] : [])));
  const type = headers['content-type'] ?? '';
  const isForm = typeof request.body === 'object' && request.body !== null && !type.includes('json') && type !== '';
  const fields = isForm
    ? Object.entries(request.body as Record<string, unknown>).flatMap(([name, value]) =>
        [value].flat().map((one): [string, string] => [name, typeof one === 'string' ? one : JSON.stringify(one)])
      )
    : [];
  const kind =
    request.body === null
      ? 'none'
      : isForm
        ? type.includes('multipart')
          ? 'multipart'
          : 'urlencoded'
        : typeof request.body === 'string' && !type.includes('json')
          ? 'text'
          : 'json';
  if (kind === 'multipart' || kind === 'none') {
    delete headers['content-type'];
  }
  const target = request.path + (query.size ? `?${query}` : '');
  return {method: request.method, target, headers, token: persona === 'anonymous' ? null : persona, kind, fields};
}

/** Sends a request again, to the same world; the result is the id of the new entry. */
export async function sendAgain(entry: Entry): Promise<string | null> {
  const {method, target, headers, token, kind, fields} = partsOf(entry);
  let body: BodyInit | null = null;
  if (kind === 'json') {
    body = JSON.stringify(entry.request.body);
    headers['content-type'] ??= 'application/json';
  } else if (kind === 'text') {
    body = String(entry.request.body);
  } else if (kind === 'urlencoded') {
    body = new URLSearchParams(fields);
  } else if (kind === 'multipart') {
    body = new FormData();
    fields.forEach(([name, value]) => (body as FormData).append(name, value));
  }
  if (token !== null) {
    headers['authorization'] = `Bearer ${token}`;
  }
  const answer = await fetch(pathOf() + target, {method, headers, body, redirect: 'manual'});
  return answer.headers.get('x-stub-request');
}

const quoted = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** The request as a command. */
export function asCurl(entry: Entry): string {
  const {method, target, headers, token, kind, fields} = partsOf(entry);
  const words = ['curl'];
  if (method === 'HEAD') {
    words.push('--head');
  } else if (method !== 'GET') {
    words.push('-X', method);
  }
  words.push(quoted(addressOf() + target));
  if (token !== null) {
    words.push('-H', quoted(`Authorization: Bearer ${token}`));
  }
  if (kind === 'json') {
    headers['content-type'] ??= 'application/json';
  }
  for (const [name, value] of Object.entries(headers)) {
    words.push('-H', quoted(`${name}: ${value}`));
  }
  if (kind === 'json') {
    words.push('--data-raw', quoted(JSON.stringify(entry.request.body)));
  } else if (kind === 'text') {
    words.push('--data-raw', quoted(String(entry.request.body)));
  }
  fields.forEach(([name, value]) =>
    words.push(kind === 'multipart' ? '--form-string' : '--data-urlencode', quoted(`${name}=${value}`))
  );
  return words.join(' ');
}

/** A value as Python writes it. */
export function python(value: unknown): string {
  if (value === null) {
    return 'None';
  }
  if (typeof value === 'boolean') {
    return value ? 'True' : 'False';
  }
  if (Array.isArray(value)) {
    return `[${value.map(python).join(', ')}]`;
  }
  if (typeof value === 'object') {
    return `{${Object.entries(value).map(([name, part]) => `${python(name)}: ${python(part)}`).join(', ')}}`;
  }
  return JSON.stringify(value);
}

/** The request as a test for pytest, with the plugin's fixture. */
export function asPytest(entry: Entry): string {
  const {method, target, headers, token, kind, fields} = partsOf(entry);
  const caller = token === null ? '' : python(token.replace(/^stub-/, ''));
  const path = target.startsWith(API) ? python(target.slice(API.length)) : `course_world.base_url + ${python(target)}`;
  const words = [python(method), path];
  const others = Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'content-type'));
  if (kind === 'json') {
    words.push(`json=${python(entry.request.body)}`);
  } else if (kind === 'text') {
    words.push(`content=${python(String(entry.request.body))}`);
    Object.assign(others, {'content-type': headers['content-type'] ?? 'text/plain'});
  } else if (kind === 'urlencoded') {
    words.push(`data=${python(gathered(fields))}`);
  } else if (kind === 'multipart') {
    words.push(`files=[${fields.map(([name, value]) => `(${python(name)}, (None, ${python(value)}))`).join(', ')}]`);
  }
  if (Object.keys(others).length) {
    words.push(`headers=${python(others)}`);
  }
  return [
    `def test_${entry.operation ?? 'request'}(course_world):`,
    `    answer = course_world.client(${caller}).request(${words.join(', ')})`,
    `    assert answer.status_code == ${entry.status ?? 0}, answer.text`,
    '',
  ].join('\n');
}

function gathered(fields: [string, string][]): Record<string, string | string[]> {
  const found: Record<string, string | string[]> = {};
  for (const [name, value] of fields) {
    const before = found[name];
    found[name] = before === undefined ? value : [before, value].flat();
  }
  return found;
}

/** The request as a test for Playwright. */
export function asPlaywright(entry: Entry): string {
  const {method, target, headers, token, kind, fields} = partsOf(entry);
  if (token !== null) {
    headers['authorization'] = `Bearer ${token}`;
  }
  const options = [`method: ${JSON.stringify(method)}`];
  if (Object.keys(headers).length) {
    options.push(`headers: ${JSON.stringify(headers)}`);
  }
  if (kind === 'json') {
    options.push(`data: ${JSON.stringify(entry.request.body)}`);
  } else if (kind === 'text') {
    options.push(`data: ${JSON.stringify(String(entry.request.body))}`);
  } else if (kind === 'urlencoded') {
    options.push(`data: ${JSON.stringify(new URLSearchParams(fields).toString())}`);
  } else if (kind === 'multipart') {
    options.push(`multipart: ${JSON.stringify(Object.fromEntries(fields))}`);
  }
  return [
    "import {expect, test} from '@playwright/test';",
    '',
    `test(${JSON.stringify(entry.operation ?? 'request')}, async ({request}) => {`,
    `  const answer = await request.fetch(${JSON.stringify(addressOf() + target)}, {`,
    ...options.map((option) => `    ${option},`),
    '  });',
    `  expect(answer.status()).toBe(${entry.status ?? 0});`,
    '});',
    '',
  ].join('\n');
}
