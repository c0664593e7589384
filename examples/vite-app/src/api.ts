// The API of the community, with the types of its contract. Nothing here knows that there is a stub server.
import createClient from 'openapi-fetch';
import type { components, paths } from 'course-stubserver/api';

export const COMMUNITY = 'https://community.example';
export const api = createClient<paths>({ baseUrl: COMMUNITY, credentials: 'include' });

type Schemas = components['schemas'];
export type CourseSummary = Schemas['CourseMinimal'];

/** A refusal of the API, or what kept it from answering. */
export class Refused extends Error {}

interface Answer<Data> {
  data?: Data;
  error?: Schemas['ErrorResponse'];
  response: Response;
}

/** Waits for an answer. Throws Refused with what the API says. */
export async function done<Data>(asked: Promise<Answer<Data>>): Promise<Data | undefined> {
  const { data, error, response } = await asked.catch(() => {
    throw new Refused('The community cannot be reached.');
  });
  if (response.ok) return data;
  if (response.status === 503) throw new Refused('The community is busy. Please try again.');
  throw new Refused(messagesOf(error) || `The community answered with ${response.status}.`);
}

/** The data of an answer that has some. Throws Refused. */
export async function dataOf<Data>(asked: Promise<Answer<Data>>): Promise<Data> {
  const data = await done(asked);
  if (data === undefined) throw new Refused('The community answered with nothing.');
  return data;
}

function messagesOf(refusal: Schemas['ErrorResponse'] | undefined): string {
  const entries = refusal?.errors ?? [];
  return entries.flatMap((entry) => ('messages' in entry ? entry.messages : [entry])).map(({ message }) => message).join(' ');
}
