// Fails for what the other tests left out. suite.mjs runs it after all of them, in the same process.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CourseApiClient, Endpoints, answered, http, requested } from './support/client.mjs';
import { stale } from './support/schema.mjs';
import { world } from './support/server.mjs';

// The client's path for it has no ids, so it can never be answered.
const UNANSWERABLE = ['createCourseLesson'];

/** Whether any request with a matching path was answered. */
const wasRequested = (method, pattern) => {
  const wanted = new RegExp(`^${method.toUpperCase()} ${pattern}$`);
  return [...requested].some((request) => wanted.test(request));
};

world('coverage', () => {
  test('every_method_of_the_course_client_was_answered', () => {
    const names = Object.getOwnPropertyNames(CourseApiClient);
    const methods = names.filter((name) => typeof CourseApiClient[name] === 'function');
    assert.ok(methods.length > 40, `the client shows only ${methods}`);
    assert.deepEqual(methods.filter((name) => !answered.has(`CourseApiClient.${name}`)), UNANSWERABLE);
  });

  test('every_course_endpoint_of_the_client_was_requested', () => {
    const anyIds = new Proxy({}, { get: () => '\\d+' });
    const missing = Object.entries(Endpoints)
      .map(([name, { method, url }]) => [name, method, url(anyIds)])
      .filter(([, , pattern]) => pattern.includes('/course'))
      .filter(([, method, pattern]) => !wasRequested(method, pattern));
    assert.deepEqual(missing, []);
  });

  test('every_operation_of_the_contract_was_requested', async () => {
    const { data: contract } = await http.get('/openapi.json');
    const missing = Object.entries(contract.paths).flatMap(([path, operations]) => {
      const pattern = path.replace(/{\w+}/g, '\\d+');
      const unseen = Object.entries(operations).filter(([method]) => !wasRequested(method, pattern));
      return unseen.map(([, { operationId }]) => operationId).filter(Boolean);
    });
    assert.deepEqual(missing, []);
  });

  test('every_known_deviation_from_the_declarations_was_met', () => {
    assert.deepEqual([...stale], []);
  });
});
