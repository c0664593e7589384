// A course as its students see it: what it is about, their progress, its lessons, and how to join or leave.
import {Alert} from '@mui/material';
import {useParams} from 'react-router';
import {CourseJoinButton} from '@selfcommunity/react-ui';
import {Course} from '@selfcommunity/react-templates';
import {CourseGate} from './gates';

export default function CoursePage() {
  const {id} = useParams();
  return (
    <CourseGate key={id} id={id} view="user">
      {(course, reload) => (
        <>
          {/* The template has no button for invited users. */}
          {course.join_status === 'invited' && (
            <Alert severity="info" sx={{marginBottom: 2}} action={<CourseJoinButton course={course} onJoin={reload} />}>
              You are invited to this course.
            </Alert>
          )}
          <Course course={course} />
        </>
      )}
    </CourseGate>
  );
}
