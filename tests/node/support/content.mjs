// Courses, sections and lessons that only one test knows, made by the creator.
import { Endpoints, as, request } from './client.mjs';

let names = 0;
const newName = (kind) => `${kind} ${(names += 1)}`;

export function newCourse(fields) {
  return as('creator').createCourse({ name: newName('Course'), type: 'self-paced', privacy: 'open', ...fields });
}

export function newSection(course_id, fields) {
  return as('creator').createCourseSection(course_id, { name: newName('Section'), ...fields });
}

/** Posts to the path that the client's own createCourseLesson misses, as the vendor's pages do. */
export function newLesson(course_id, section_id, fields) {
  as('creator');
  const url = Endpoints.CreateCourseLesson.url({ id: course_id, section_id });
  return request('post', url, { name: newName('Lesson'), type: 'lesson', status: 'published', ...fields });
}

/** A published lesson in a section and a course of its own, as the three ids of its path. */
export async function lessonPath(fields) {
  const course = await newCourse();
  const section = await newSection(course.id);
  const lesson = await newLesson(course.id, section.id, fields);
  return [course.id, section.id, lesson.id];
}
