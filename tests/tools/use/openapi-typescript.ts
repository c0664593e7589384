// How a project uses the types of openapi-typescript, with openapi-fetch.
import createClient from 'openapi-fetch';
import type { components, paths } from './api';

const client = createClient<paths>({ baseUrl: 'http://127.0.0.1:8765' });

export async function use(all: components['schemas']['CourseWrite']): Promise<number> {
  const { data: course } = await client.POST('/api/v2/course/', { body: { ...all, name: 'Knots', type: 'self-paced' } });
  const params = { path: { id: course?.id ?? 7 } };
  await client.PATCH('/api/v2/course/{id}/', { params, body: { name: 'Knots and splices' } });
  await client.PUT('/api/v2/course/{id}/', { params, body: { name: 'Knots', type: 'self-paced' } });
  // @ts-expect-error a name is text
  await client.PATCH('/api/v2/course/{id}/', { params, body: { name: 1 } });
  const path = { id: 7, section_id: 16, lesson_id: 29 };
  const lesson = await client.GET('/api/v2/course/{id}/section/{section_id}/lesson/{lesson_id}/', { params: { path } });
  const attempts: number | undefined = lesson.data?.last_attempt?.quiz_attempt.num_attempts;
  const title: unknown = lesson.data?.medias[0]?.embed?.metadata.title;
  let seen = 0;
  for (let more = true; more; ) {
    const { data: page } = await client.GET('/api/v2/course/search/', { params: { query: { offset: seen } } });
    seen += page?.results.length ?? 0;
    more = Boolean(page?.next);
  }
  return title ? seen : (attempts ?? 0);
}
