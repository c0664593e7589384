// Points the vendor's client at the stub server; needs `npm i @selfcommunity/api-services tslib`.
import { createRequire } from 'node:module';

// Node can only load the CommonJS build, which needs tslib but does not declare it.
export const client = createRequire(import.meta.url)('@selfcommunity/api-services');

client.http.setBasePortal(process.env.STUBSERVER_URL ?? 'http://127.0.0.1:8765');

/** Lets the client act as a persona of the stub (creator, manager, member, invited, requested, stranger, staff). */
export function as(persona) {
  const token = process.env[`STUBSERVER_TOKEN_${persona.toUpperCase()}`] ?? `stub-${persona}`;
  client.http.setAuthorizeToken(token);
  return client.CourseApiClient;
}
