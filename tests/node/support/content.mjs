// Courses, sections and lessons for a single test, made by the creator.
import { Endpoints, as, request } from './client.mjs';

let names = 0;
const newName = (kind) => `${kind} ${(names += 1)}`;

export function newCourse(fields) {
  return as('creator').createCourse({ name: newName('Course'), type: 'self-paced', privacy: 'open', ...fields });
}

export function newSection(course_id, fields) {
  return as('creator').createCourseSection(course_id, { name: newName('Section'), ...fields });
}

/** Posts to the correct path, like the vendor's pages; the client's own createCourseLesson gets it wrong. */
export function newLesson(course_id, section_id, fields) {
  as('creator');
  const url = Endpoints.CreateCourseLesson.url({ id: course_id, section_id });
  return request('post', url, { name: newName('Lesson'), type: 'lesson', status: 'published', ...fields });
}

/** Makes a published lesson in its own section and course; resolves to the three ids in its path. */
export async function lessonPath(fields) {
  const course = await newCourse();
  const section = await newSection(course.id);
  const lesson = await newLesson(course.id, section.id, fields);
  return [course.id, section.id, lesson.id];
}
