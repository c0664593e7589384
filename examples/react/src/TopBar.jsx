// The bar above every page: a link to the courses, and who is signed in.
import {useLocation} from 'react-router';
import {AppBar, Button, Toolbar} from '@mui/material';
import {Link, SCRoutes, useSCRouting, useSCUser} from '@selfcommunity/react-core';
import {signInPath} from './stub/conf';

export default function TopBar() {
  const {user, logout} = useSCUser();
  const {url} = useSCRouting();
  const {pathname} = useLocation();
  return (
    <AppBar position="static" color="inherit">
      <Toolbar sx={{gap: 1}}>
        <Button component={Link} to={url(SCRoutes.COURSES_ROUTE_NAME, {})} sx={{marginRight: 'auto'}}>
          Courses
        </Button>
        {user ? (
          <>
            <Button component={Link} to={url(SCRoutes.USER_PROFILE_ROUTE_NAME, user)}>
              {user.username}
            </Button>
            <Button size="small" variant="outlined" onClick={logout}>
              Sign out
            </Button>
          </>
        ) : (
          <Button size="small" variant="outlined" component={Link} to={signInPath(pathname)}>
            Sign in
          </Button>
        )}
      </Toolbar>
    </AppBar>
  );
}
