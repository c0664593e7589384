// Membership: joining and leaving, invitations, requests and roles, and the lists of a course's people.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ABSENT, DENIED, NO_TOKEN, anonymous, as, assertFields, ids, refusal } from './support/client.mjs';
import { newCourse } from './support/content.mjs';
import { world } from './support/server.mjs';

// Courses of the default world; in each, the creator and the manager are members, and the invited one is invited.
const [OPEN, PRIVATE, SECRET, DRAFT, HIDDEN_COUNT] = [1, 4, 7, 10, 13];
const [CREATOR, MANAGER, MEMBER, INVITED, REQUESTED, STRANGER, STAFF] = [1, 2, 3, 4, 5, 6, 7];

/** The status of a persona in a course. */
const statusOf = async (persona, course) => (await as(persona).getCourseStatus(course)).status;

world('membership', () => {
  test('joinOrAcceptInviteToCourse_joins_an_open_course_at_once', async () => {
    const course = await as('stranger').joinOrAcceptInviteToCourse(OPEN);
    assertFields(course, { id: OPEN, join_status: 'joined', num_lessons: 5, num_lessons_completed: 0 });
    assert.equal(await statusOf('stranger', OPEN), 'joined');
  });

  test('joinOrAcceptInviteToCourse_asks_to_join_a_private_course', async () => {
    const course = await as('stranger').joinOrAcceptInviteToCourse(PRIVATE);
    assertFields(course, { join_status: 'requested', sections: [] });
    assert.ok(ids(await as('manager').getCourseWaitingApproval(PRIVATE)).includes(STRANGER));
  });

  test('joinOrAcceptInviteToCourse_accepts_an_invitation_to_a_secret_course', async () => {
    assertFields(await as('invited').joinOrAcceptInviteToCourse(SECRET), { join_status: 'joined' });
    assert.ok(!ids(await as('manager').getCourseInvitedUsers(SECRET)).includes(INVITED));
  });

  test('joinOrAcceptInviteToCourse_finds_no_secret_course_or_draft', async () => {
    assert.deepEqual(await refusal(as('staff').joinOrAcceptInviteToCourse(SECRET)), ABSENT);
    assert.deepEqual(await refusal(as('invited').joinOrAcceptInviteToCourse(DRAFT)), ABSENT);
    assert.deepEqual(await refusal(anonymous().joinOrAcceptInviteToCourse(OPEN)), NO_TOKEN);
  });

  test('leaveOrRemoveCourseRequest_ends_a_membership_with_an_empty_answer', async () => {
    const { id } = await newCourse();
    await as('stranger').joinOrAcceptInviteToCourse(id);
    assert.equal(await as('stranger').leaveOrRemoveCourseRequest(id), '');
    assert.equal(await statusOf('stranger', id), null);
    assert.deepEqual(await refusal(as('stranger').leaveOrRemoveCourseRequest(id)), ABSENT);
  });

  test('leaveOrRemoveCourseRequest_withdraws_a_request_and_declines_an_invitation', async () => {
    assert.equal(await as('requested').leaveOrRemoveCourseRequest(5), '');
    assert.equal(await statusOf('requested', 5), null);
    assert.equal(await as('invited').leaveOrRemoveCourseRequest(5), '');
    assert.equal(await statusOf('invited', 5), null);
  });

  test('leaveOrRemoveCourseRequest_lets_a_manager_remove_a_user_named_in_the_query', async () => {
    const { id } = await newCourse();
    await as('stranger').joinOrAcceptInviteToCourse(id);
    assert.deepEqual(await refusal(as('stranger').leaveOrRemoveCourseRequest(id, { user: CREATOR })), DENIED);
    assert.equal(await as('creator').leaveOrRemoveCourseRequest(id, { user: STRANGER }), '');
    assert.deepEqual(ids(await as('creator').getCourseJoinedUsers(id)), []);
  });

  test('leaveOrRemoveCourseRequest_never_removes_the_creator', async () => {
    assert.deepEqual(await refusal(as('creator').leaveOrRemoveCourseRequest(OPEN)), DENIED);
    assert.deepEqual(await refusal(as('manager').leaveOrRemoveCourseRequest(OPEN, { user: CREATOR })), DENIED);
  });

  test('inviteOrAcceptUsersToCourse_invites_and_accepts', async () => {
    const { id } = await newCourse({ privacy: 'private' });
    await as('stranger').joinOrAcceptInviteToCourse(id);
    assert.equal(await as('creator').inviteOrAcceptUsersToCourse(id, { users: [MEMBER, STRANGER] }), '');
    assert.deepEqual(ids(await as('creator').getCourseInvitedUsers(id)), [MEMBER]);
    assert.deepEqual(ids(await as('creator').getCourseJoinedUsers(id)), [STRANGER]);
    assert.deepEqual(ids(await as('creator').getCourseWaitingApproval(id)), []);
  });

  test('inviteOrAcceptUsersToCourse_refuses_unknown_users', async () => {
    const call = as('creator').inviteOrAcceptUsersToCourse(OPEN, { users: [4040] });
    assert.deepEqual(await refusal(call), { status: 400, usersError: { error: 'does_not_exist' } });
  });

  test('removeInvitationToCourse_takes_the_users_from_the_body_of_the_DELETE', async () => {
    const { id } = await newCourse();
    await as('creator').inviteOrAcceptUsersToCourse(id, { users: [MEMBER, STRANGER] });
    assert.equal(await as('creator').removeInvitationToCourse(id, { users: [MEMBER] }), '');
    assert.deepEqual(ids(await as('creator').getCourseInvitedUsers(id)), [STRANGER]);
    assert.equal(await statusOf('member', id), null);
  });

  test('changeCourseUserRole_promotes_adds_and_removes', async () => {
    const { id } = await newCourse();
    await as('creator').changeCourseUserRole(id, { joined: [MEMBER, STAFF] });
    const change = { managers: [MEMBER], joined: [STRANGER], unjoined: [STAFF] };
    assert.equal(await as('creator').changeCourseUserRole(id, change), '');
    const people = as('creator');
    assert.deepEqual(ids(await people.getCourseJoinedUsers(id)), [MEMBER, STRANGER]);
    assert.deepEqual(ids(await people.getCourseJoinedUsers(id, { statuses: 'manager' })), [MEMBER]);
    assert.deepEqual(ids(await people.getCourseJoinedUsers(id, { statuses: ['joined'] })), [STRANGER]);
    assert.equal(await statusOf('member', id), 'manager');
    assert.equal(await statusOf('staff', id), null);
  });

  test('changeCourseUserRole_refuses_the_creator_and_an_empty_change', async () => {
    const creator = as('manager').changeCourseUserRole(OPEN, { managers: [CREATOR] });
    assert.deepEqual(await refusal(creator), { status: 400, managersError: { error: 'invalid' } });
    const nothing = await refusal(as('manager').changeCourseUserRole(OPEN, {}));
    assert.deepEqual(nothing, { status: 400, nonFieldErrorsError: { error: 'required' } });
  });

  test('getCourseJoinedUsers_splits_the_statuses_at_their_comma', async () => {
    const shown = (params) => as('member').getCourseJoinedUsers(3, params).then(ids);
    assert.deepEqual(await shown(), [MANAGER, MEMBER, 9, 13]);
    assert.deepEqual(await shown({ statuses: ['creator', 'manager'] }), [CREATOR, MANAGER]);
    assert.deepEqual(await shown({ statuses: '["creator","joined"]' }), [CREATOR, MEMBER, 9, 13]);
    assert.deepEqual(await shown({ limit: 2, offset: 1 }), [MEMBER, 9]);
  });

  test('getCourseJoinedUsers_is_hidden_with_the_count', async () => {
    assert.deepEqual(await refusal(as('member').getCourseJoinedUsers(HIDDEN_COUNT)), DENIED);
    assert.ok((await as('manager').getCourseJoinedUsers(HIDDEN_COUNT)).count >= 5);
  });

  test('getCourseWaitingApproval_shows_people_in_full_and_finds_them_by_name', async () => {
    const waiting = await as('manager').getCourseWaitingApproval(PRIVATE, { search: 'carys' });
    assert.deepEqual(ids(waiting), [REQUESTED]);
    const [person] = waiting.results;
    assertFields(person, { username: 'carys_lund', location: 'Kirkwall', gender: 'Unspecified', tags: [] });
    assert.ok(Date.parse(person.date_joined));
  });

  test('getCourseSuggestedUsers_offers_people_without_a_part_and_drops_the_search', async () => {
    const suggested = await as('manager').getCourseSuggestedUsers(OPEN, 'isla');
    assert.deepEqual(ids(suggested).includes(STAFF) && suggested.count > 1, true);
    assert.ok(!ids(suggested).includes(MEMBER) && !ids(suggested).includes(INVITED));
  });

  test('getCourseDashboardUsers_shows_progress_and_filters_by_statuses', async () => {
    const all = await as('manager').getCourseDashboardUsers(14, { ordering: 'joined_at' });
    assert.deepEqual(ids(all), [MANAGER, MEMBER, 9, 11]);
    assertFields(all.results[1], { join_status: 'joined', user_completion_rate: 50 });
    assert.ok(Date.parse(all.results[1].joined_at) < Date.parse(all.results[1].last_active_at));
    const some = await as('manager').getCourseDashboardUsers(14, { statuses: ['manager', 'creator'] });
    assert.deepEqual(ids(some).sort(), [CREATOR, MANAGER]);
    assert.deepEqual(ids(await as('manager').getCourseDashboardUsers(14, { search: 'yara' })), [9]);
  });

  test('getCourseStatus_is_absent_with_the_course', async () => {
    assert.deepEqual(await as('requested').getCourseStatus(PRIVATE), { status: 'requested' });
    assert.deepEqual(await refusal(as('requested').getCourseStatus(SECRET)), ABSENT);
    assert.deepEqual(await refusal(anonymous().getCourseStatus(OPEN)), NO_TOKEN);
  });

  test('what_managers_do_is_denied_to_a_stranger', async () => {
    const stranger = as('stranger');
    const calls = {
      changeCourseUserRole: [{ joined: [STRANGER] }],
      getCourseDashboardUsers: [],
      getCourseInvitedUsers: [],
      getCourseSuggestedUsers: [''],
      getCourseWaitingApproval: [],
      inviteOrAcceptUsersToCourse: [{ users: [STRANGER] }],
      removeInvitationToCourse: [{ users: [INVITED] }],
    };
    for (const [method, args] of Object.entries(calls)) {
      assert.deepEqual(await refusal(stranger[method](2, ...args)), DENIED, method);
    }
  });
});
