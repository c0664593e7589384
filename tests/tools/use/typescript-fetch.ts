// How a project uses the client that openapi-generator makes for typescript-fetch.
import { Configuration, CourseApi, LessonApi } from './index';

const configuration = new Configuration({ basePath: 'http://127.0.0.1:8765', accessToken: 'stub-creator' });
const courses = new CourseApi(configuration);

export async function use(): Promise<number> {
  const { id } = await courses.createCourse({ courseWrite: { name: 'Knots', type: 'self-paced' } });
  await courses.patchCourse({ id, coursePatch: { name: 'Knots and splices' } });
  await courses.updateCourse({ id, courseUpdate: { name: 'Knots', type: 'self-paced' } });
  // @ts-expect-error a name is text
  await courses.patchCourse({ id, coursePatch: { name: 1 } });
  const lesson = await new LessonApi(configuration).getCourseLesson({ id: 7, sectionId: 16, lessonId: 29 });
  const attempts: number | undefined = lesson.lastAttempt?.quizAttempt.numAttempts;
  const title: unknown = lesson.medias[0]?.embed?.metadata['title'];
  let seen = 0;
  for (let more = true; more; ) {
    const page = await courses.searchCourses({ offset: seen });
    seen += page.results.length;
    more = Boolean(page.next);
  }
  return title ? seen : (attempts ?? 0);
}
