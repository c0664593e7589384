// A course as its teachers see it: the students with their progress, and the latest comments.
import {useParams} from 'react-router';
import {Course} from '@selfcommunity/react-templates';
import {CourseGate} from './gates';

export default function DashboardPage() {
  const {id} = useParams();
  return (
    <CourseGate key={id} id={id} view="dashboard">
      {(course) => <Course course={course} viewDashboard />}
    </CourseGate>
  );
}
