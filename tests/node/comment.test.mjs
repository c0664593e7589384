// Comments: conversations below lessons, and the list of all comments in a course.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ABSENT, DENIED, as, assertFields, ids, refusal } from './support/client.mjs';
import { lessonPath } from './support/content.mjs';
import { world } from './support/server.mjs';

/** Makes a lesson in a course that the member has joined; resolves to the three ids in its path. */
async function memberPath(fields) {
  const path = await lessonPath(fields);
  await as('member').joinOrAcceptInviteToCourse(path[0]);
  return path;
}

const say = (path, text, fields) => as('member').createCourseComment(...path, { text, ...fields });

world('comments', () => {
  test('createCourseComment_answers_the_html_and_the_media', async () => {
    const comment = await say(await memberPath(), '<p>Hello</p>', { medias: [5] });
    assertFields(comment, { html: '<p>Hello</p>', parent: null, in_reply_to: null, latest_reply: null });
    assert.equal(comment.created_by.username, 'dilys_pruett');
    assert.equal(comment.medias[0].title, 'My first wash');
  });

  test('createCourseComment_replies_to_a_comment_and_to_a_reply', async () => {
    const path = await memberPath();
    const parent = await say(path, 'First');
    const reply = await say(path, 'Second', { parent: parent.id });
    const answer = await say(path, 'Third', { parent: parent.id, in_reply_to: reply.id });
    assertFields(answer, { parent: parent.id, in_reply_to: reply.id });
    const read = await as('creator').getCourseLessonComment(...path, parent.id);
    assertFields(read.latest_reply, { id: answer.id, html: 'Third' });
  });

  test('createCourseComment_refuses_a_reply_without_its_parent', async () => {
    const path = await memberPath();
    const { id } = await say(path, 'First');
    const orphan = { status: 400, inReplyToError: { error: 'invalid' } };
    assert.deepEqual(await refusal(say(path, 'Second', { in_reply_to: id })), orphan);
    const unknown = { status: 400, parentError: { error: 'does_not_exist' } };
    assert.deepEqual(await refusal(say(path, 'Second', { parent: 4040 })), unknown);
  });

  test('getCourseLessonComments_takes_the_order_of_the_vendor_and_pages', async () => {
    const path = await memberPath();
    const [one, two, three] = [await say(path, '1'), await say(path, '2'), await say(path, '3')].map(({ id }) => id);
    const list = (params) => as('member').getCourseLessonComments(...path, params).then(ids);
    assert.deepEqual(await list({ limit: 15, ordering: 'added_at' }), [one, two, three]);
    assert.deepEqual(await list({ ordering: '-created_at' }), [three, two, one]);
    assert.deepEqual(await list({ limit: 1, offset: 1 }), [two]);
  });

  test('getCourseLessonComments_lists_the_replies_to_a_parent', async () => {
    const path = await memberPath();
    const parent = await say(path, 'First');
    const reply = await say(path, 'Second', { parent: parent.id });
    assert.deepEqual(ids(await as('member').getCourseLessonComments(...path)), [parent.id]);
    assert.deepEqual(ids(await as('member').getCourseLessonComments(...path, { parent: parent.id })), [reply.id]);
  });

  test('getCourseComments_shows_a_manager_all_replies_and_where_they_are', async () => {
    const path = await memberPath();
    const parent = await say(path, 'First');
    const reply = await say(path, 'Second', { parent: parent.id });
    const { count, results } = await as('creator').getCourseComments(path[0], { limit: 3, offset: 0 });
    assert.deepEqual([count, ids(results), ids(results[0].replies)], [1, [parent.id], [reply.id]]);
    const { course, section, lesson } = results[0].extras;
    assert.deepEqual([course.id, section.id, lesson.id], path);
    assert.ok(course.slug && section.name && lesson.name);
  });

  test('updateCourseComment_and_patchCourseComment_change_the_html', async () => {
    const path = await memberPath();
    const { id } = await say(path, 'First', { medias: [5] });
    const updated = await as('member').updateCourseComment(...path, id, { text: 'Second', medias: [] });
    assertFields(updated, { id, html: 'Second', medias: [] });
    assertFields(await as('creator').patchCourseComment(...path, id, { text: 'Third' }), { id, html: 'Third' });
  });

  test('deleteCourseComment_takes_the_replies_along', async () => {
    const path = await memberPath();
    const parent = await say(path, 'First');
    const reply = await say(path, 'Second', { parent: parent.id });
    assert.equal(await as('member').deleteCourseComment(...path, parent.id), '');
    assert.deepEqual(await refusal(as('creator').getCourseLessonComment(...path, reply.id)), ABSENT);
    assert.equal((await as('creator').getCourseComments(path[0])).count, 0);
  });

  test('a_lesson_without_comments_takes_none_and_shows_none', async () => {
    const path = await memberPath({ comments_enabled: false });
    assert.deepEqual(await refusal(say(path, 'First')), DENIED);
    assert.deepEqual(await refusal(as('creator').createCourseComment(...path, { text: 'First' })), DENIED);
    assert.deepEqual(ids(await as('creator').getCourseLessonComments(...path)), []);
  });

  test('comments_are_for_those_inside_and_changes_for_their_author', async () => {
    const path = await memberPath();
    const { id } = await say(path, 'First');
    await as('staff').joinOrAcceptInviteToCourse(path[0]);
    const calls = [
      ['stranger', 'getCourseLessonComments', path],
      ['stranger', 'createCourseComment', path, { text: 'Mine' }],
      ['staff', 'updateCourseComment', path, id, { text: 'Mine' }],
      ['staff', 'patchCourseComment', path, id, { text: 'Mine' }],
      ['staff', 'deleteCourseComment', path, id],
      ['staff', 'getCourseComments', [path[0]]],
      ['member', 'getCourseLessonComment', path, id],
    ];
    for (const [persona, method, path, ...args] of calls) {
      assert.deepEqual(await refusal(as(persona)[method](...path, ...args)), DENIED, method);
    }
  });
});
