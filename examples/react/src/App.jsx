// The pages of the app, at the paths that the vendor's components link to (SCRoutes).
import {useState} from 'react';
import {Navigate, Outlet, Route, Routes} from 'react-router';
import {CssBaseline, Container} from '@mui/material';
import {SCContextProvider} from '@selfcommunity/react-core';
import {makeConf} from './stub/conf';
import SessionGate from './SessionGate';
import TopBar from './TopBar';
import CoursesPage from './pages/CoursesPage';
import CoursePage from './pages/CoursePage';
import DashboardPage from './pages/DashboardPage';
import EditCoursePage from './pages/EditCoursePage';
import LessonPage from './pages/LessonPage';
import SignInPage from './pages/SignInPage';
import UserPage from './pages/UserPage';

const LESSON = '/course/:id/:slug/section/:section_id/lesson/:lesson_id';

export default function App({portal}) {
  const [conf] = useState(() => makeConf(portal));
  return (
    <SCContextProvider conf={conf}>
      <CssBaseline />
      <SessionGate>
        <Routes>
          <Route element={<Framed />}>
            <Route path="/courses/" element={<CoursesPage />} />
            <Route path="/course/:id/:slug/" element={<CoursePage />} />
            <Route path="/course/:id/:slug/dashboard" element={<DashboardPage />} />
            <Route path="/course/:id/:slug/edit/:tab" element={<EditCoursePage />} />
            <Route path="/user/:id/" element={<UserPage />} />
            <Route path="/signin/" element={<SignInPage portal={portal} />} />
          </Route>
          {/* Lessons have their own app bar. */}
          <Route path={LESSON} element={<LessonPage />} />
          <Route path={`${LESSON}/comments`} element={<LessonPage firstPanel="comments" />} />
          <Route path={`${LESSON}/preview`} element={<LessonPage mode="preview" />} />
          <Route path={`${LESSON}/edit`} element={<LessonPage mode="edit" firstPanel="settings" />} />
          <Route path="*" element={<Navigate to="/courses/" replace />} />
        </Routes>
      </SessionGate>
    </SCContextProvider>
  );
}

function Framed() {
  return (
    <>
      <TopBar />
      <Container component="main" maxWidth="lg" sx={{paddingY: 3}}>
        <Outlet />
      </Container>
    </>
  );
}
