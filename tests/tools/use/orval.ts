// How a project uses the functions, the MSW handlers and the zod schemas of orval.
import { createCourse, getCourseLesson, patchCourse, searchCourses, updateCourse } from './api';
import { getPatchCourseMockHandler } from './api.msw';
import { PatchCourseBody } from './zod';

export const handler = getPatchCourseMockHandler();

export async function use(): Promise<number> {
  const course = await createCourse({ name: 'Knots', type: 'self-paced' });
  const id = course.status === 201 ? course.data.id : 7;
  await patchCourse(id, { name: 'Knots and splices' });
  await patchCourse(id, PatchCourseBody.parse({ name: 'Knots and splices' }));
  await updateCourse(id, { name: 'Knots', type: 'self-paced' });
  // @ts-expect-error a name is text
  await patchCourse(id, { name: 1 });
  const lesson = await getCourseLesson(7, 16, 29);
  const attempts: number | undefined = lesson.status === 200 ? lesson.data.last_attempt?.quiz_attempt.num_attempts : undefined;
  const title: unknown = lesson.status === 200 ? lesson.data.medias[0]?.embed?.metadata.title : undefined;
  let seen = 0;
  for (let more = true; more; ) {
    const page = await searchCourses({ offset: seen });
    seen += page.status === 200 ? page.data.results.length : 0;
    more = page.status === 200 && Boolean(page.data.next);
  }
  return title ? seen : (attempts ?? 0);
}
