// Sections and lessons: managing them, when they open, and completing them.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ABSENT, DENIED, as, assertFields, ids, refusal } from './support/client.mjs';
import { lessonPath, newCourse, newLesson, newSection } from './support/content.mjs';
import { world } from './support/server.mjs';

const DAY = 24 * 60 * 60 * 1000;
const inDays = (days) => new Date(Date.now() + days * DAY).toISOString();

world('sections and lessons', () => {
  test('createCourseSection_appends_a_section_and_ignores_the_type_that_the_vendor_sends', async () => {
    const { id } = await newCourse();
    const first = await as('creator').createCourseSection(id, { name: 'One', type: 'lesson' });
    assertFields(first, { name: 'One', dripped_at: null, drip_delay: 0, lessons_order: [] });
    const second = await newSection(id);
    assert.deepEqual(ids(await as('creator').getCourseSections(id)), [first.id, second.id]);
    assertFields(await as('creator').getCourseSection(id, first.id), first);
  });

  test('patchCourse_sorts_the_sections', async () => {
    const { id } = await newCourse();
    const [one, two] = [await newSection(id), await newSection(id)];
    const { sections_order } = await as('creator').patchCourse(id, { sections_order: [two.id, one.id] });
    assert.deepEqual(sections_order, [two.id, one.id]);
    assert.deepEqual(ids(await as('creator').getCourseSections(id)), sections_order);
  });

  test('updateCourseSection_renames_and_patchCourseSection_keeps_the_name', async () => {
    const { id } = await newCourse();
    const section = await newSection(id);
    assertFields(await as('creator').updateCourseSection(id, section.id, { name: 'New' }), { name: 'New' });
    const patched = await as('creator').patchCourseSection(id, section.id, { drip_delay: 3 });
    assertFields(patched, { name: 'New', drip_delay: 3 });
    const nameless = as('creator').updateCourseSection(id, section.id, {});
    assert.deepEqual(await refusal(nameless), { status: 400, nameError: { error: 'required' } });
  });

  test('patchCourseSection_sorts_the_lessons', async () => {
    const { id } = await newCourse();
    const section = await newSection(id);
    const [one, two] = [await newLesson(id, section.id), await newLesson(id, section.id)];
    const patched = await as('creator').patchCourseSection(id, section.id, { lessons_order: [two.id, one.id] });
    assert.deepEqual(patched.lessons_order, [two.id, one.id]);
    assert.deepEqual(ids(await as('creator').getCourseLessons(id, section.id)), [two.id, one.id]);
  });

  test('patchCourseSection_sets_and_clears_the_date_on_which_it_opens', async () => {
    const { id } = await newCourse({ type: 'scheduled' });
    const section = await newSection(id);
    const lesson = await newLesson(id, section.id);
    await as('member').joinOrAcceptInviteToCourse(id);

    await as('creator').patchCourseSection(id, section.id, { dripped_at: inDays(2) });
    const locked = (await as('member').getSpecificCourseInfo(id)).sections[0];
    assert.deepEqual([locked.locked, locked.lessons[0].locked], [true, true]);
    assert.equal(Date.parse(locked.available_date), Date.parse(locked.dripped_at));
    assert.deepEqual(await refusal(as('member').getCourseLesson(id, section.id, lesson.id)), DENIED);

    const cleared = await as('creator').patchCourseSection(id, section.id, { dripped_at: null });
    assert.equal(cleared.dripped_at, null);
    assertFields(await as('member').getCourseLesson(id, section.id, lesson.id), { id: lesson.id });
  });

  test('patchCourseSection_sets_the_days_after_which_it_opens', async () => {
    const { id } = await newCourse({ type: 'structured' });
    const section = await newSection(id, { drip_delay: 7 });
    const lesson = await newLesson(id, section.id);
    await as('member').joinOrAcceptInviteToCourse(id);
    assert.deepEqual(await refusal(as('member').getCourseLesson(id, section.id, lesson.id)), DENIED);

    const [shown] = (await as('member').getSpecificCourseInfo(id)).sections;
    assert.ok(shown.locked && Date.parse(shown.available_date) > Date.now() + 6 * DAY);
    await as('creator').patchCourseSection(id, section.id, { drip_delay: 0 });
    assertFields(await as('member').getCourseLesson(id, section.id, lesson.id), { id: lesson.id });
  });

  test('deleteCourseSection_takes_its_lessons_along', async () => {
    const path = await lessonPath();
    const [id, section] = path;
    assert.equal(await as('creator').deleteCourseSection(id, section), '');
    assert.deepEqual(await refusal(as('creator').getCourseSection(id, section)), ABSENT);
    assert.deepEqual(await refusal(as('creator').getCourseLesson(...path)), ABSENT);
  });

  test('createCourseLesson_has_no_ids_in_its_path_and_is_refused', async () => {
    const call = as('creator').createCourseLesson({ name: 'Nowhere', type: 'lesson' });
    assert.deepEqual(await refusal(call), ABSENT);
  });

  test('a_lesson_posted_by_hand_is_read_as_html_with_its_media', async () => {
    const text = '<p>Round and <strong>flat</strong>.</p>';
    const path = await lessonPath({ text, medias: [2, 1] });
    const lesson = await as('creator').getCourseLesson(...path);
    assert.deepEqual([lesson.course_id, lesson.section_id, lesson.id], path);
    assertFields(lesson, { html: text, text: undefined, comments_enabled: true });
    assert.deepEqual(lesson.medias.map(({ title }) => title), ['One brush, three strokes', 'All you need today']);
  });

  test('getCourseLessons_lists_drafts_too_for_managers_only', async () => {
    assert.deepEqual((await as('manager').getCourseLessons(1, 2)).map(({ status }) => status), [
      'published',
      'published',
      'draft',
    ]);
    assert.deepEqual(await refusal(as('member').getCourseLessons(1, 2)), DENIED);
    assert.deepEqual(await refusal(as('member').getCourseSections(1)), DENIED);
    assert.deepEqual(await refusal(as('member').getCourseSection(1, 2)), DENIED);
  });

  test('updateCourseLesson_changes_what_the_editor_sends', async () => {
    const path = await lessonPath({ text: '<p>Old</p>', medias: [1] });
    const sent = { name: 'New', type: 'lesson', status: 'published', comments_enabled: false };
    const lesson = await as('creator').updateCourseLesson(...path, { ...sent, text: '<p>New</p>', medias: [] });
    assertFields(lesson, { ...sent, html: '<p>New</p>', medias: [] });
  });

  test('patchCourseLesson_takes_a_lesson_back_to_draft', async () => {
    const path = await lessonPath();
    await as('member').joinOrAcceptInviteToCourse(path[0]);
    assertFields(await as('creator').patchCourseLesson(...path, { status: 'draft' }), { status: 'draft' });
    assert.deepEqual(await refusal(as('member').getCourseLesson(...path)), DENIED);
    assertFields(await as('member').getSpecificCourseInfo(path[0]), { num_lessons: 0, sections: [] });
  });

  test('patchCourseLesson_refuses_unknown_media', async () => {
    const call = as('creator').patchCourseLesson(...(await lessonPath()), { medias: [4040] });
    assert.deepEqual(await refusal(call), { status: 400, mediasError: { error: 'does_not_exist' } });
  });

  test('deleteCourseLesson_takes_it_out_of_the_order', async () => {
    const path = await lessonPath();
    assert.equal(await as('creator').deleteCourseLesson(...path), '');
    assert.deepEqual((await as('creator').getCourseSection(path[0], path[1])).lessons_order, []);
    assert.deepEqual(await refusal(as('creator').getCourseLesson(...path)), ABSENT);
  });

  test('markLessonComplete_and_markLessonIncomplete_need_no_body_and_count_in_the_progress', async () => {
    const path = await lessonPath();
    await as('member').joinOrAcceptInviteToCourse(path[0]);
    assert.equal(await as('member').markLessonComplete(...path), '');
    const done = await as('member').getSpecificCourseInfo(path[0]);
    assertFields(done, { num_lessons: 1, num_lessons_completed: 1, user_completion_rate: 100 });
    assertFields(await as('member').getCourseLesson(...path), { completion_status: 'completed' });

    assert.equal(await as('member').markLessonIncomplete(...path), '');
    const undone = await as('member').getSpecificCourseInfo(path[0]);
    assertFields(undone, { num_lessons_completed: 0, user_completion_rate: 0 });
    assertFields(undone.sections[0].lessons[0], { completion_status: 'uncompleted' });
  });

  test('markLessonComplete_opens_the_next_lesson_where_the_order_is_fixed', async () => {
    const { id } = await newCourse({ enforce_lessons_order: true });
    const section = await newSection(id);
    const [one, two] = [await newLesson(id, section.id), await newLesson(id, section.id)];
    await as('member').joinOrAcceptInviteToCourse(id);
    assert.deepEqual(await refusal(as('member').markLessonComplete(id, section.id, two.id)), DENIED);
    await as('member').markLessonComplete(id, section.id, one.id);
    assert.equal(await as('member').markLessonComplete(id, section.id, two.id), '');
  });

  test('lessons_are_for_those_inside', async () => {
    const path = await lessonPath();
    for (const method of ['getCourseLesson', 'markLessonComplete', 'markLessonIncomplete']) {
      assert.deepEqual(await refusal(as('stranger')[method](...path)), DENIED, method);
    }
    for (const method of ['updateCourseLesson', 'patchCourseLesson']) {
      assert.deepEqual(await refusal(as('stranger')[method](...path, { name: 'Mine', type: 'quiz' })), DENIED, method);
    }
    assert.deepEqual(await refusal(as('stranger').deleteCourseLesson(...path)), DENIED);
    assert.deepEqual(await refusal(as('stranger').createCourseSection(path[0], { name: 'Mine' })), DENIED);
    assert.deepEqual(await refusal(as('stranger').deleteCourseSection(path[0], path[1])), DENIED);
  });

  test('a_lesson_is_absent_from_the_sections_of_others', async () => {
    const [course, , lesson] = await lessonPath();
    assert.deepEqual(await refusal(as('creator').getCourseLesson(course, 1, lesson)), ABSENT);
  });
});
