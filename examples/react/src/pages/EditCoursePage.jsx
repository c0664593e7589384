// The editor of a course; the open tab is part of the path, so it survives a reload.
import {useNavigate, useParams} from 'react-router';
import {SCRoutes, useSCRouting} from '@selfcommunity/react-core';
import {EditCourse} from '@selfcommunity/react-ui';
import {CourseGate} from './gates';

export default function EditCoursePage() {
  const {id, tab} = useParams();
  const navigate = useNavigate();
  const {url} = useSCRouting();
  const pathOf = (course, tab) => url(SCRoutes.COURSE_EDIT_ROUTE_NAME, {...course, tab});
  return (
    <CourseGate key={id} id={id} view="edit">
      {(course) => (
        <EditCourse
          course={course}
          tab={tab}
          onTabChange={(next) => navigate(pathOf(course, next), {replace: true})}
        />
      )}
    </CourseGate>
  );
}
