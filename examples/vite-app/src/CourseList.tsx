import { type CourseSummary, api, dataOf } from './api';
import { useLoaded } from './useLoaded';

const PAGE = 5;

const load = async (known: CourseSummary[]) => {
  const query = { limit: PAGE, offset: known.length };
  const { count, results } = await dataOf(api.GET('/api/v2/course/search/', { params: { query } }));
  return { count, courses: [...known, ...results] };
};

export function CourseList() {
  const { data, problem, act } = useLoaded(() => load([]));
  return (
    <>
      <h1>Courses</h1>
      {problem && <p role="alert">{problem}</p>}
      {data && (
        <>
          <p>
            {data.courses.length} of {data.count}
          </p>
          <ul>
            {data.courses.map(({ id, name, image_small, join_status }) => (
              <li key={id}>
                <img src={image_small} alt="" width="48" height="48" />
                <a href={`#/course/${id}`}>{name}</a> {join_status}
              </li>
            ))}
          </ul>
          {data.courses.length < data.count && <button onClick={() => act(() => load(data.courses))}>More</button>}
        </>
      )}
    </>
  );
}
