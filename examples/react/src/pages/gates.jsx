// Gates load a page's subject before the page, and show it if the portal refuses; the vendor's pages just stay empty.
import {Alert, AlertTitle, Button, CircularProgress} from '@mui/material';
import {CacheStrategies} from '@selfcommunity/utils';
import {Link, SCRoutes, useSCFetchCourse, useSCFetchLesson, useSCRouting, useSCUser} from '@selfcommunity/react-core';
import {signInPath} from '../stub/conf';

/** Calls its child with the course in one of its views (user, edit, dashboard) and a function that reloads it. */
export function CourseGate({id, view, children}) {
  // Bypasses the cache, in which the different views share one key.
  const {scCourse, error, refreshCourse} = useSCFetchCourse({
    id: Number(id),
    params: {view},
    cacheStrategy: CacheStrategies.NETWORK_ONLY,
  });
  return <Gate what="course" refused={error} loaded={scCourse} children={() => children(scCourse, refreshCourse)} />;
}

/**
 * Shows its child once the lesson is in the vendor's cache, where the template looks for it. Without the cached lesson,
 * the template would assume that the lesson has no files, and saving the lesson would lose them.
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
