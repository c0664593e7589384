import { type CourseSummary, api, dataOf, done } from './api';
import { useLoaded } from './useLoaded';

/** A course as its page shows it; of a private one, a stranger sees no more than the summary. */
interface Course extends CourseSummary {
  description?: string;
  sections?: { id: number; name: string; lessons: { id: number; name: string; locked?: boolean }[] }[];
}

export function loadCourse(id: number): Promise<Course> {
  return dataOf<Course>(api.GET('/api/v2/course/{id}/', { params: { path: { id }, query: { view: 'user' } } }));
}

export function CoursePage({ id }: { id: number }) {
  const { data: course, problem, act } = useLoaded(() => loadCourse(id));
  const params = { path: { id } };
  const join = () => dataOf<Course>(api.POST('/api/v2/course/{id}/join/', { params }));
  const leave = async () => {
    await done(api.DELETE('/api/v2/course/{id}/join/', { params }));
    return loadCourse(id);
  };
  return (
    <>
      <a href="#/">All courses</a>
      {problem && <p role="alert">{problem}</p>}
      {course && (
        <article>
          <h1>{course.name}</h1>
          <img src={course.image_medium} alt="Cover" width="240" />
          <p>{course.description}</p>
          {course.join_status === null && <button onClick={() => act(join)}>Join</button>}
          {course.join_status === 'joined' && <button onClick={() => act(leave)}>Leave</button>}
          {course.join_status === 'creator' && <a href={`#/course/${id}/edit`}>Edit</a>}
          {course.sections?.map((section) => (
            <section key={section.id} aria-label={section.name}>
              <h2>{section.name}</h2>
              <ul>
                {section.lessons.map((lesson) => (
                  <li key={lesson.id}>
                    {lesson.name} {lesson.locked && '(locked)'}
                  </li>
                ))}
              </ul>
            </section>
          ))}
        </article>
      )}
    </>
  );
}
