// A lesson with its comments and its course's menu, or its editor, or the teacher's preview of it.
import {useState} from 'react';
import {useNavigate, useParams} from 'react-router';
import {Box} from '@mui/material';
import {SCRoutes, useSCRouting} from '@selfcommunity/react-core';
import {Lesson} from '@selfcommunity/react-templates';
import {LessonGate} from './gates';

const ROUTES = {
  view: SCRoutes.COURSE_LESSON_ROUTE_NAME,
  preview: SCRoutes.COURSE_LESSON_PREVIEW_ROUTE_NAME,
  edit: SCRoutes.COURSE_LESSON_EDIT_ROUTE_NAME,
};

/** `mode` is view, preview or edit; `firstPanel` is the panel that is open initially: comments, lessons or settings. */
export default function LessonPage({mode = 'view', firstPanel = null}) {
  const {id, slug, section_id, lesson_id} = useParams();
  const navigate = useNavigate();
  const {url} = useSCRouting();
  const [panel, setPanel] = useState(firstPanel);

  const toCourse = () =>
    navigate(
      mode === 'view'
        ? url(SCRoutes.COURSE_ROUTE_NAME, {id, slug})
        : url(SCRoutes.COURSE_EDIT_ROUTE_NAME, {id, slug, tab: 'lessons'})
    );
  const toLesson = (lesson, section) =>
    navigate(url(ROUTES[mode], {id, slug, section_id: section, lesson_id: lesson}));

  const ids = {courseId: Number(id), sectionId: Number(section_id), lessonId: Number(lesson_id)};
  return (
    // The padding at the top is for the lesson's own app bar, which has a fixed position.
    <Box component="main" sx={{padding: 3, paddingTop: 11}}>
      {/* The template sticks to its first ids, so another lesson needs a new instance; the open panel carries over. */}
      <LessonGate key={lesson_id} {...ids}>
        <Lesson
          {...ids}
          editMode={mode === 'edit'}
          previewMode={mode === 'preview'}
          lessonAction={panel}
          onActivePanelChange={(next) => setPanel((current) => (current === next ? null : next))}
          onLessonChange={toLesson}
          onEditModeClose={mode === 'edit' ? toCourse : undefined}
          LessonAppbarProps={{onArrowBackClick: toCourse}}
        />
      </LessonGate>
    </Box>
  );
}
