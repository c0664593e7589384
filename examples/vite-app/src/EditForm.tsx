import type { FormEvent } from 'react';
import { api, done } from './api';
import { loadCourse } from './CoursePage';
import { useLoaded } from './useLoaded';

export function EditForm({ id }: { id: number }) {
  const { data: course, problem, act } = useLoaded(() => loadCourse(id));
  const save = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const picture = form.get('image_original');
    if (picture instanceof File && picture.size === 0) form.delete('image_original');
    const saved = await act(async () => {
      const body = { name: String(form.get('name')) };
      const params = { path: { id } };
      await done(api.PATCH('/api/v2/course/{id}/', { params, body, bodySerializer: () => form }));
      return loadCourse(id);
    });
    if (saved) location.hash = `#/course/${id}`;
  };
  return (
    <>
      <a href={`#/course/${id}`}>Back</a>
      <h1>Edit</h1>
      {problem && <p role="alert">{problem}</p>}
      {course && (
        <form onSubmit={save}>
          <label>
            Name <input name="name" defaultValue={course.name} />
          </label>
          <label>
            Picture <input name="image_original" type="file" accept="image/*" />
          </label>
          <button>Save</button>
        </form>
      )}
    </>
  );
}
