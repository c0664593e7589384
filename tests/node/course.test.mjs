// Courses: creating, reading, changing and deleting them, and the lists that show them.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  ABSENT,
  DENIED,
  MULTIPART,
  NO_TOKEN,
  SuggestionApiClient,
  anonymous,
  as,
  assertDeclared,
  assertFields,
  form,
  formatHttpError,
  http,
  ids,
  refusal,
} from './support/client.mjs';
import { newCourse } from './support/content.mjs';
import { PNG } from './support/pictures.mjs';
import { world } from './support/server.mjs';

// Courses of the default world, all made by the creator and joined by the member; the stranger is in none of them.
const [OPEN, PRIVATE, SECRET, DRAFT, HIDDEN_COUNT] = [1, 4, 7, 10, 13];
const COVER = new File([PNG], 'cover.png', { type: 'image/png' });

world('courses', () => {
  test('createCourse_makes_the_caller_its_creator', async () => {
    const sent = { name: 'Kites', description: 'Up!', type: 'scheduled', privacy: 'private', categories: [4, 1] };
    const course = await as('stranger').createCourse(sent);
    assertFields(course, { ...sent, slug: 'kites', join_status: 'creator', categories: course.categories });
    assert.deepEqual(ids(course.categories).sort(), [1, 4]);
    assert.equal(course.created_by.username, 'tobin-ashdale');
  });

  test('createCourse_takes_the_form_of_the_vendor_with_a_file', async () => {
    const fields = { name: 'Boats', description: 'Afloat', type: 'structured', privacy: 'secret' };
    const extras = { 'categories[0]': '1', 'categories[1]': '4', products: '[]', image_original: COVER };
    const course = await as('stranger').createCourse(form({ ...fields, ...extras }), MULTIPART);
    assertFields(course, fields);
    assert.deepEqual(ids(course.categories).sort(), [1, 4]);
  });

  test('createCourse_takes_a_form_that_the_client_turned_into_JSON', async () => {
    const course = await as('stranger').createCourse(form({ name: 'Rafts', type: 'structured' }));
    assertFields(course, { name: 'Rafts', type: 'structured', privacy: '' });
  });

  test('createCourse_with_a_taken_name_is_refused_as_not_unique', async () => {
    const { name } = await newCourse();
    const call = as('stranger').createCourse({ name, type: 'self-paced' });
    assert.deepEqual(await refusal(call), { status: 400, nameError: { error: 'unique' } });
    const message = await call.catch((error) => formatHttpError(error).nameError.error);
    assert.match(message, /already exists/);
  });

  test('createCourse_with_bad_fields_is_refused_for_each', async () => {
    const call = as('stranger').createCourse({ type: 'sometimes' });
    const codes = { nameError: { error: 'required' }, typeError: { error: 'invalid_choice' } };
    assert.deepEqual(await refusal(call), { status: 400, ...codes });
  });

  test('getSpecificCourseInfo_shows_a_member_the_course_with_progress', async () => {
    const course = await as('member').getSpecificCourseInfo(OPEN);
    const progress = { num_lessons: 5, num_lessons_completed: 2, user_completion_rate: 40 };
    assertFields(course, { join_status: 'joined', num_sections: 2, ...progress });
    assert.deepEqual(course.sections.map(lessonIds), [[1, 2, 3], [4, 5]]);
    for (const section of course.sections) assertDeclared('SCCourseSectionType', section);
  });

  test('getSpecificCourseInfo_shows_outsiders_what_the_privacy_allows', async () => {
    assertFields(await anonymous().getSpecificCourseInfo(OPEN), { join_status: null, num_lessons: 5 });
    assertFields(await as('stranger').getSpecificCourseInfo(PRIVATE), { description: undefined, sections: undefined });
    assertFields(await as('invited').getSpecificCourseInfo(SECRET), { join_status: 'invited', num_sections: 1 });
    assert.deepEqual(await refusal(as('stranger').getSpecificCourseInfo(SECRET)), ABSENT);
    assert.deepEqual(await refusal(as('member').getSpecificCourseInfo(DRAFT)), ABSENT);
  });

  test('getSpecificCourseInfo_has_a_view_to_edit_and_one_of_the_progress', async () => {
    const edit = await as('manager').getSpecificCourseInfo(OPEN, { view: 'edit' });
    assertFields(edit, { join_status: 'manager', num_sections: 3, num_lessons: 8 });
    assert.deepEqual(edit.sections.map(lessonIds), [[1, 2, 3], [4, 5, 6], [7, 8]]);
    for (const section of edit.sections) assertDeclared('SCCourseSectionType', section);
    const dashboard = await as('manager').getSpecificCourseInfo(OPEN, { view: 'dashboard' });
    assert.ok(dashboard.avg_completion_rate > 0);
  });

  test('getSpecificCourseInfo_shows_a_manager_the_progress_of_a_user', async () => {
    const course = await as('manager').getSpecificCourseInfo(OPEN, { user: 3 });
    assertFields(course, { join_status: 'joined', num_lessons_completed: 2 });
  });

  test('getSpecificCourseInfo_refuses_members_what_is_for_managers', async () => {
    for (const params of [{ view: 'edit' }, { view: 'dashboard' }, { user: 8 }]) {
      assert.deepEqual(await refusal(as('member').getSpecificCourseInfo(OPEN, params)), DENIED, JSON.stringify(params));
    }
    const unknown = as('member').getSpecificCourseInfo(OPEN, { view: 'cinema' });
    assert.deepEqual(await refusal(unknown), { status: 400, viewError: { error: 'invalid_choice' } });
  });

  test('updateCourse_changes_what_was_sent_and_keeps_the_rest', async () => {
    const { id, slug } = await newCourse({ categories: [1] });
    const sent = { name: 'Renamed', type: 'structured', description: 'New', hide_member_count: true };
    const course = await as('creator').updateCourse(id, sent);
    assertFields(course, { id, slug, privacy: 'open', ...sent });
    assert.deepEqual(ids(course.categories), [1]);
    assertFields(await as('creator').getSpecificCourseInfo(id), sent);
  });

  test('updateCourse_needs_name_and_type', async () => {
    const call = as('creator').updateCourse(OPEN, { description: 'New' });
    const codes = { nameError: { error: 'required' }, typeError: { error: 'required' } };
    assert.deepEqual(await refusal(call), { status: 400, ...codes });
  });

  test('patchCourse_changes_options_and_ignores_the_id_that_the_vendor_sends', async () => {
    const { id, name } = await newCourse();
    const course = await as('creator').patchCourse(id, { id: 999, enforce_lessons_order: true, categories: [] });
    assertFields(course, { id, name, enforce_lessons_order: true, categories: [] });
  });

  test('patchCourse_takes_a_form', async () => {
    const { id } = await newCourse();
    const course = await as('creator').patchCourse(id, form({ description: 'From a form', 'categories[0]': '4' }));
    assertFields(course, { id, description: 'From a form' });
    assert.deepEqual(ids(course.categories), [4]);
  });

  test('patchCourse_never_leads_back_to_a_draft', async () => {
    const { id } = await newCourse({ privacy: 'secret' });
    const call = as('creator').patchCourse(id, { privacy: '' });
    assert.deepEqual(await refusal(call), { status: 400, privacyError: { error: 'invalid' } });
  });

  test('patchCourse_is_for_creator_and_managers', async () => {
    assert.deepEqual(await refusal(as('member').patchCourse(OPEN, { name: 'Mine' })), DENIED);
    assert.deepEqual(await refusal(as('stranger').patchCourse(SECRET, { name: 'Mine' })), ABSENT);
    assert.deepEqual(await refusal(anonymous().patchCourse(OPEN, { name: 'Mine' })), NO_TOKEN);
  });

  test('changeCourseCover_takes_a_file', async () => {
    const before = await newCourse();
    const course = await as('creator').changeCourseCover(before.id, form({ image_original: COVER }), MULTIPART);
    assert.notEqual(course.image_big, before.image_big);
  });

  test('deleteCourse_leaves_nothing', async () => {
    const { id } = await newCourse();
    assert.deepEqual(await refusal(as('stranger').deleteCourse(id)), DENIED);
    assert.equal(await as('creator').deleteCourse(id), '');
    assert.deepEqual(await refusal(as('creator').getSpecificCourseInfo(id)), ABSENT);
  });

  test('every_list_filters_by_statuses_in_the_spelling_the_client_gives_it', async () => {
    await as('staff').joinOrAcceptInviteToCourse(OPEN);
    await as('staff').joinOrAcceptInviteToCourse(PRIVATE);
    const own = await as('staff').createCourse({ name: 'Of the staff', type: 'self-paced' });

    const me = as('staff');
    assert.deepEqual(ids(await me.getJoinedCourses()), [OPEN]);
    assert.deepEqual(ids(await me.getJoinedCourses({ statuses: 'creator' })), [own.id]);
    assert.deepEqual(ids(await me.getJoinedCourses({ statuses: ['joined', 'requested'] })), [OPEN, PRIVATE]);
    assert.deepEqual(ids(await me.searchCourses({ statuses: ['joined', 'requested'] })), [PRIVATE, OPEN]);
    assert.deepEqual(ids(await me.searchCourses({ statuses: '["creator","requested"]' })), [own.id, PRIVATE]);
    assert.deepEqual(ids(await me.getUserJoinedCourses(7, { statuses: ['joined', 'requested'] })), [OPEN, PRIVATE]);
  });

  test('getJoinedCourses_filters_by_author', async () => {
    const all = ['creator', 'manager', 'joined'];
    const { id } = await as('requested').createCourse({ name: 'Knots', type: 'self-paced' });
    await as('requested').joinOrAcceptInviteToCourse(OPEN);
    assert.deepEqual(ids(await as('requested').getJoinedCourses({ statuses: all, created_by: 5 })), [id]);
    assert.deepEqual(ids(await as('requested').getJoinedCourses({ statuses: all, created_by: 1 })), [OPEN]);
  });

  test('getJoinedCourses_refuses_the_undefined_that_the_client_writes', async () => {
    const call = as('member').getJoinedCourses({ statuses: undefined });
    assert.deepEqual(await refusal(call), { status: 400, statusesError: { error: 'invalid_choice' } });
  });

  test('searchCourses_filters_by_categories_and_text', async () => {
    assert.deepEqual(ids(await anonymous().searchCourses({ categories: [2, 3] })), [15, 13, 3, 2]);
    assert.deepEqual(ids(await anonymous().searchCourses({ categories: '[2,3]', search: 'HERB' })), [15]);
  });

  test('searchCourses_has_pages_whose_links_the_client_can_follow', async () => {
    const first = await as('member').searchCourses({ statuses: ['joined'], ordering: 'id', limit: 2 });
    assert.deepEqual([first.previous, ids(first)], [null, [1, 2]]);
    const { data: second } = await http.get(first.next);
    assert.deepEqual([second.count, ids(second)], [first.count, [3, 4]]);
    assert.deepEqual(ids((await http.get(second.previous)).data), [1, 2]);
  });

  test('getUserJoinedCourses_tells_anybody_the_visible_courses_of_a_user', async () => {
    const { results } = await anonymous().getUserJoinedCourses(3);
    assert.deepEqual(ids(results), [1, 2, 3, 4, 5, 6, HIDDEN_COUNT, 14]);
    const { member_count } = results.find(({ id }) => id === HIDDEN_COUNT);
    assert.equal(member_count, null);
    assert.ok(results[0].member_count >= 9);
  });

  test('getCourseSuggestion_offers_what_the_caller_has_no_part_in', async () => {
    const suggested = ids(await as('stranger', SuggestionApiClient).getCourseSuggestion({ limit: 100 }));
    assert.ok(suggested.includes(OPEN) && suggested.includes(PRIVATE));
    assert.ok(!suggested.includes(SECRET) && !suggested.includes(DRAFT));
    await as('stranger').joinOrAcceptInviteToCourse(OPEN);
    assert.ok(!ids(await SuggestionApiClient.getCourseSuggestion({ limit: 100 })).includes(OPEN));
  });

  test('lists_and_creation_need_a_token_that_is_known', async () => {
    assert.deepEqual(await refusal(anonymous().getJoinedCourses()), NO_TOKEN);
    assert.deepEqual(await refusal(anonymous().createCourse({ name: 'No one', type: 'self-paced' })), NO_TOKEN);
    assert.deepEqual(await refusal(anonymous(SuggestionApiClient).getCourseSuggestion()), NO_TOKEN);
    const unknown = { status: 401, error: 'authentication_failed' };
    assert.deepEqual(await refusal(as('nobody').getSpecificCourseInfo(OPEN)), unknown);
  });
});

function lessonIds({ lessons }) {
  return ids(lessons);
}
