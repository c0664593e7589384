// Load what a page is about before the page, and say so where the portal refuses: the vendor's pages just stay empty.
import {Alert, AlertTitle, Button, CircularProgress} from '@mui/material';
import {CacheStrategies} from '@selfcommunity/utils';
import {Link, SCRoutes, useSCFetchCourse, useSCFetchLesson, useSCRouting, useSCUser} from '@selfcommunity/react-core';
import {signInPath} from '../stub/conf';

/** Calls its child with the course in one of its views (user, edit, dashboard), and with the means to reload it. */
export function CourseGate({id, view, children}) {
  // Not from the cache: the views differ, but share one place in it.
  const {scCourse, error, refreshCourse} = useSCFetchCourse({
    id: Number(id),
    params: {view},
    cacheStrategy: CacheStrategies.NETWORK_ONLY,
  });
  return <Gate what="course" refused={error} loaded={scCourse} children={() => children(scCourse, refreshCourse)} />;
}

/**
 * Shows its child once the lesson is in the vendor's cache, where the template finds it. Were it to start without, it
 * would take the lesson's files for none, and saving the lesson would lose them.
 */
export function LessonGate({courseId, sectionId, lessonId, children}) {
  const {scLesson, error} = useSCFetchLesson({id: lessonId, courseId, sectionId});
  return <Gate what="lesson" refused={error} loaded={scLesson} children={() => children} />;
}

function Gate({what, refused, loaded, children}) {
  if (refused) {
    return <Refused what={what} />;
  }
  return loaded ? children() : <CircularProgress aria-label={`Loading the ${what}`} />;
}

function Refused({what}) {
  const {user} = useSCUser();
  const {url} = useSCRouting();
  return (
    <Alert
      severity="info"
      action={
        <Button color="inherit" component={Link} to={user ? url(SCRoutes.COURSES_ROUTE_NAME, {}) : signInPath()}>
          {user ? 'All courses' : 'Sign in'}
        </Button>
      }>
      <AlertTitle>You cannot see this {what}</AlertTitle>
      It does not exist, or it is not open to you{user ? ' yet' : ' without signing in'}.
    </Alert>
  );
}
