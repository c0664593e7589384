// How a project uses the SDK and the zod schemas of @hey-api/openapi-ts.
import { createCourse, getCourseLesson, patchCourse, searchCourses, updateCourse } from './sdk.gen';
import { zCoursePatch } from './zod.gen';

export async function use(): Promise<number> {
  const { data: course } = await createCourse({ body: { name: 'Knots', type: 'self-paced' } });
  const path = { id: course?.id ?? 7 };
  await patchCourse({ path, body: { name: 'Knots and splices' } });
  await patchCourse({ path, body: zCoursePatch.parse({ name: 'Knots and splices' }) });
  await updateCourse({ path, body: { name: 'Knots', type: 'self-paced' } });
  // @ts-expect-error a name is text
  await patchCourse({ path, body: { name: 1 } });
  const { data: lesson } = await getCourseLesson({ path: { id: 7, section_id: 16, lesson_id: 29 } });
  const attempts: number | undefined = lesson?.last_attempt?.quiz_attempt.num_attempts;
  const title: unknown = lesson?.medias[0]?.embed?.metadata.title;
  let seen = 0;
  for (let more = true; more; ) {
    const { data: page } = await searchCourses({ query: { offset: seen } });
    seen += page?.results.length ?? 0;
    more = Boolean(page?.next);
  }
  return title ? seen : (attempts ?? 0);
}
