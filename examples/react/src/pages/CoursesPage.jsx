// The list of courses, with the vendor's search and filters, and the button for creating one.
import {Stack, Typography} from '@mui/material';
import {useNavigate} from 'react-router';
import {SCRoutes, useSCRouting} from '@selfcommunity/react-core';
import {Courses, CreateCourseButton} from '@selfcommunity/react-ui';

export default function CoursesPage() {
  const navigate = useNavigate();
  const {url} = useSCRouting();
  const createButton = {
    CourseFormDialogComponentProps: {
      CourseFormComponentProps: {
        hidePaywalls: true,
        onSuccess: (course) => navigate(url(SCRoutes.COURSE_EDIT_ROUTE_NAME, {...course, tab: 'lessons'})),
      },
    },
  };
  return (
    <>
      <Stack direction="row" justifyContent="space-between" alignItems="center" sx={{marginBottom: 2}}>
        <Typography variant="h4" component="h1">
          Courses
        </Typography>
        <CreateCourseButton {...createButton} />
      </Stack>
      <Courses CreateCourseButtonComponentProps={createButton} />
    </>
  );
}
