// What an application reads with the vendor's client, at the server in STUBSERVER_URL, for `stubserver variants`: it
// fails if the client throws. With DECLARED=1, also if an answer is not what the client declares in TypeScript.
import { createRequire } from 'node:module';

const client = process.env.DECLARED
  ? await import('./support/client.mjs')
  : createRequire(import.meta.url)('@selfcommunity/api-services');
const { CategoryApiClient, CourseApiClient, FeatureApiClient, PreferenceApiClient, UserApiClient, http } = client;

http.setBasePortal(process.env.STUBSERVER_URL);
const failures = [];

/** Calls a method; what it throws fails the program at its end, so that one run tells all. */
async function call(api, method, ...args) {
  try {
    return await api[method](...args);
  } catch (error) {
    failures.push(`${method}: ${error.stack}`);
  }
}

http.setAuthorizeToken('stub-member');
await call(PreferenceApiClient, 'getAllPreferences');
await call(FeatureApiClient, 'getAllFeatures');
await call(UserApiClient, 'getCurrentUser');
await call(UserApiClient, 'getSpecificUser', 1);
await call(CategoryApiClient, 'getAllCategories');
await call(CategoryApiClient, 'getSpecificCategory', 1);
await call(CourseApiClient, 'searchCourses', { limit: 5 });
await call(CourseApiClient, 'getJoinedCourses', { limit: 5 });
await call(CourseApiClient, 'getSpecificCourseInfo', 1);
await call(CourseApiClient, 'getCourseStatus', 1);
await call(CourseApiClient, 'getCourseLesson', 1, 1, 1);
await call(CourseApiClient, 'getCourseLessonComments', 1, 1, 1);

http.setAuthorizeToken('stub-creator');
await call(CourseApiClient, 'getCourseSections', 1);
await call(CourseApiClient, 'getCourseSection', 1, 1);
await call(CourseApiClient, 'getCourseLessons', 1, 1);
await call(CourseApiClient, 'getCourseComments', 1);
await call(CourseApiClient, 'getCourseDashboardUsers', 1);
await call(CourseApiClient, 'getCourseJoinedUsers', 1);
await call(CourseApiClient, 'getCourseInvitedUsers', 1);
await call(CourseApiClient, 'getCourseWaitingApproval', 4);
await call(CourseApiClient, 'getCourseSuggestedUsers', 1);

if (failures.length) {
  console.error(failures.join('\n'));
  process.exit(1);
}
