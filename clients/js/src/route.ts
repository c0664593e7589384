/** Sends what pages ask of an origin to a world, so that an application needs no wiring. */

import type { BrowserContext, Page, Request, Route } from '@playwright/test';
import { type Channel, send } from './channel.js';
import { StubError, checkOptions, shown } from './errors.js';
import { prepare } from './in-page.js';

export interface RouteOptions {
  /** Only paths that begin with one of these, such as `/api/`, if the application itself has the same origin. */
  paths?: readonly string[];
}

/** Where requests go, and as whom. */
export interface Destination {
  readonly channel: Channel;
  /** The base URL of the world. */
  readonly url: string;
  /** Whether the world takes no more requests. */
  isClosed(): boolean;
  /** The token of a request that has none, if its page is signed in. */
  tokenFor(page: Page | undefined): string | undefined;
}

const NOT_SENT = /^(:|sec-|proxy-)|^(host|connection|content-length|accept-encoding|origin|referer)$/;
const NOT_PASSED_ON = /^(content-encoding|content-length|transfer-encoding|connection|keep-alive|set-cookie|vary)$|^access-control-/;
const TEXT = /^(text\/|application\/(json|problem\+json|javascript|xml|x-www-form-urlencoded))/;
const MOST_REDIRECTS = 10;

/** Routes what all pages of a browser context ask of an origin. Throws StubError if that is not an origin. */
export async function routeOrigin(
  context: BrowserContext,
  origin: string,
  options: RouteOptions,
  to: Destination,
): Promise<void> {
  checkOptions('route', options, ['paths']);
  checkOrigin(origin);
  const paths = options.paths ?? ['/'];
  const wrong = paths.find((path) => !path.startsWith('/'));
  if (wrong !== undefined || paths.length === 0) {
    throw new StubError(`route: a path begins with a slash, such as '/api/', not ${shown(wrong)}.`);
  }
  const rewrite = await rewriting(origin, to);
  const matches = (url: URL): boolean => url.origin === origin && paths.some((path) => url.pathname.startsWith(path));
  await context.route(matches, (route) => answer(route, origin, to, rewrite));
  await context.addInitScript(prepare, { origin, paths });
  await Promise.all(context.pages().map((page) => page.evaluate(prepare, { origin, paths })));
}

async function answer(route: Route, origin: string, to: Destination, rewrite: (text: string) => string): Promise<void> {
  const request = route.request();
  if (to.isClosed()) return route.abort();
  const headers = await request.allHeaders();
  const allowed = cors(headers, origin);
  if (request.method() === 'OPTIONS' && headers['access-control-request-method'] !== undefined) {
    return route.fulfill({ status: 204, headers: allowed });
  }
  const target = request.url().slice(origin.length);
  let found: Response;
  let body: Buffer;
  try {
    found = await ask(`${to.url}${target}`, request, sent(headers, to.tokenFor(pageOf(request))), to.url);
    body = Buffer.from(await found.arrayBuffer());
  } catch {
    await to.channel.recognize(); // throws, which fails the test, if there is no server
    return route.abort('connectionreset'); // as a fault wants it
  }
  const passed = { ...Object.fromEntries([...found.headers].filter(([name]) => !NOT_PASSED_ON.test(name))), ...allowed };
  const location = found.headers.get('location');
  if (location !== null && found.status >= 300 && found.status < 400) {
    const next = rewrite(new URL(location, found.url || to.url).href);
    // A browser follows a redirect without asking the route, so the page does what the redirect would.
    if (request.isNavigationRequest()) return route.fulfill({ contentType: 'text/html', body: leading(next) });
    passed['location'] = next;
  }
  const cookies = found.headers.getSetCookie();
  if (cookies.length > 0) passed['set-cookie'] = cookies.join('\n');
  const exposed = [...found.headers.keys()].join(', ');
  await route.fulfill({
    status: found.status,
    headers: { ...passed, 'access-control-expose-headers': exposed },
    body: TEXT.test(found.headers.get('content-type') ?? '') ? rewrite(body.toString()) : body,
  });
}

/** Asks the world, and follows redirects within it: a browser would not ask the route again. */
async function ask(url: string, request: Request, headers: Headers, world: string): Promise<Response> {
  const body = request.postDataBuffer();
  let found = await send(url, { method: request.method(), headers, body: body && new Uint8Array(body), redirect: 'manual' });
  for (let followed = 0; followed < MOST_REDIRECTS && !request.isNavigationRequest(); followed++) {
    const location = found.headers.get('location');
    const next = location === null || found.status < 300 || found.status >= 400 ? '' : new URL(location, found.url).href;
    if (!next.startsWith(`${world}/`)) break;
    const isSame = found.status === 307 || found.status === 308;
    const again = isSame ? { method: request.method(), body: body && new Uint8Array(body) } : {};
    found = await send(next, { headers, redirect: 'manual', ...again });
  }
  return found;
}

/** The page that a request is from; a service worker's request is from none. */
function pageOf(request: Request): Page | undefined {
  try {
    return request.frame().page();
  } catch {
    return undefined;
  }
}

function sent(headers: Record<string, string>, token: string | undefined): Headers {
  const kept = new Headers(Object.entries(headers).filter(([name]) => !NOT_SENT.test(name)));
  if (token !== undefined && !kept.has('authorization')) kept.set('authorization', `Bearer ${token}`);
  return kept;
}

/** Every page may read the answers: whether the real server allows its origin is not what a stub can tell. */
function cors(headers: Record<string, string>, origin: string): Record<string, string> {
  const page = headers['origin'];
  if (page === undefined || page === origin) return {};
  return {
    'access-control-allow-origin': page,
    'access-control-allow-credentials': 'true',
    'access-control-allow-methods': headers['access-control-request-method'] ?? 'GET',
    'access-control-allow-headers': headers['access-control-request-headers'] ?? '*',
    vary: 'Origin',
  };
}

/** Puts the origin in the place of the addresses under which the server knows the world. */
async function rewriting(origin: string, to: Destination): Promise<(text: string) => string> {
  const { docs } = await to.channel.call<{ docs: string }>('GET', '/');
  const known = docs.slice(0, docs.indexOf('/__stub/'));
  const path = to.url.slice(to.channel.url.length);
  const addresses = [to.channel.url, known].flatMap((root) => [`${root}${path}`, root]);
  const any = addresses.map((address) => address.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
  const pattern = new RegExp(`(?:${any})(?![\\w.:~-])(?!/~)`, 'g');
  return (text) => text.replace(pattern, origin);
}

function leading(url: string): string {
  return `<!doctype html><title>Redirect</title><script>location.replace(${JSON.stringify(url).replace(/</g, '\\u003c')})</script>`;
}

function checkOrigin(origin: string): void {
  const url = typeof origin === 'string' && URL.canParse(origin) ? new URL(origin) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new StubError(`route: ${shown(origin)} is not an origin, such as 'https://community.example'.`);
  }
  if (url.origin !== origin) {
    const paths = url.pathname === '/' ? '' : `, and the option paths: ['${url.pathname}']`;
    throw new StubError(`route: ${shown(origin)} is more than an origin: use '${url.origin}'${paths}.`);
  }
}
