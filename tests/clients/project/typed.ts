// The types of the contract with openapi-fetch, as a persona of a world; no cast anywhere.
import assert from 'node:assert/strict';
import createClient from 'openapi-fetch';
import { startServer } from 'course-stubserver';
import type { paths } from 'course-stubserver/api';

const server = await startServer();
const world = await server.world();
const creator = createClient<paths>({ baseUrl: world.url, fetch: world.as('creator') });

const { data: made } = await creator.POST('/api/v2/course/', { body: { name: 'Knots', type: 'self-paced' } });
assert.equal(made?.name, 'Knots');
const params = { path: { id: made.id } };
const { data: changed } = await creator.PATCH('/api/v2/course/{id}/', { params, body: { name: 'Splices' } });
assert.equal(changed?.name, 'Splices');
// @ts-expect-error a name is text
await creator.PATCH('/api/v2/course/{id}/', { params, body: { name: 1 } });
await server.stop();
console.log('done');
