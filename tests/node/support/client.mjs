// The vendor's client, unchanged but observed: every answer is checked against the client's own declarations, and every
// call is recorded, so that the suite can report at its end what was never called.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import { declarationCheck } from './schema.mjs';

// The CommonJS build is the one that Node can load.
const client = createRequire(import.meta.url)('@selfcommunity/api-services');
export const { http, Endpoints, formatHttpError, formatHttpErrorCode } = client;

// The client logs a warning for every refusal, and refusals are part of what is tested.
console.warn = () => {};

/** Calls that were answered, as 'CourseApiClient.getCourseStatus'. */
export const answered = new Set();
/** Requests that were answered, as 'GET /api/v2/course/1/status/'. */
export const requested = new Set();

http.getClientInstance().interceptors.response.use(note, explain);

function note(response) {
  const { method, url, baseURL } = response.config;
  requested.add(`${method.toUpperCase()} ${new URL(url, baseURL).pathname}`);
  return response;
}

/** Makes the error for an unexpected refusal show request and answer in one line, not axios's internals in many. */
function explain(error) {
  const { config, response } = error;
  const answer = response ? `${response.status} ${JSON.stringify(response.data)}` : error.message;
  error.message = `${config.method.toUpperCase()} ${config.url} was answered: ${answer}`;
  for (const detail of ['config', 'request', 'response']) Object.defineProperty(error, detail, { enumerable: false });
  throw error;
}

const CLASSES = [
  'CategoryApiClient',
  'CourseApiClient',
  'EventApiClient',
  'FeatureApiClient',
  'GroupApiClient',
  'IncubatorApiClient',
  'MediaApiClient',
  'PreferenceApiClient',
  'SuggestionApiClient',
  'UserApiClient',
];
/** Asserts that a value is what the client declares for a type, or for the answer of a method. */
export const assertDeclared = declarationCheck(CLASSES);

/** The class with every static method wrapped, to record the call and check the answer. */
function witnessed(name) {
  return new Proxy(client[name], {
    get: (target, method) =>
      typeof target[method] !== 'function'
        ? target[method]
        : async (...args) => {
            const answer = await target[method](...args);
            answered.add(`${name}.${method}`);
            assertDeclared(`${name}.${method}`, answer);
            return answer;
          },
  });
}

export const {
  CategoryApiClient,
  CourseApiClient,
  EventApiClient,
  FeatureApiClient,
  GroupApiClient,
  IncubatorApiClient,
  MediaApiClient,
  PreferenceApiClient,
  SuggestionApiClient,
  UserApiClient,
} = Object.fromEntries(CLASSES.map((name) => [name, witnessed(name)]));

/** The client as used by a persona: as('member') sends the token stub-member. */
export function as(persona, api = CourseApiClient) {
  http.setAuthorizeToken(`stub-${persona}`);
  return api;
}

/** The client as used by a visitor without a token. */
export function anonymous(api = CourseApiClient) {
  http.setAuthorizeToken(null);
  return api;
}

/** Sends a request for which the client has no method, through its own HTTP instance. */
export async function request(method, url, data, headers) {
  return (await http.request({ method, url, data, headers })).data;
}

/** A refusal as the client sees it: its status, and what formatHttpErrorCode finds in it. */
export async function refusal(call) {
  const error = await call.then(
    (answer) => assert.fail(`expected a refusal, got the answer ${JSON.stringify(answer)?.slice(0, 300)}`),
    (reason) => reason,
  );
  if (!error.response) throw error;
  return { status: error.response.status, ...formatHttpErrorCode(error) };
}

export const NO_TOKEN = { status: 401, error: 'not_authenticated' };
export const DENIED = { status: 403, error: 'permission_denied' };
export const ABSENT = { status: 404, error: 'not_found' };

/** Asserts the values of some fields of an object. */
export function assertFields(actual, expected) {
  const found = Object.fromEntries(Object.keys(expected).map((field) => [field, actual[field]]));
  assert.deepEqual(found, expected);
}

/** The ids of a page or of a plain list. */
export const ids = (list) => (list.results ?? list).map(({ id }) => id);

/** A form as the vendor's pages fill it. */
export function form(fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

/** The options with which the vendor's pages send a form. */
export const MULTIPART = { headers: { 'Content-Type': 'multipart/form-data' } };
