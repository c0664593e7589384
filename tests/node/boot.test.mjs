// What a frontend requests besides courses: at startup, in its pickers and editors, and to sign in.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import {
  ABSENT,
  CategoryApiClient,
  DENIED,
  Endpoints,
  EventApiClient,
  FeatureApiClient,
  GroupApiClient,
  IncubatorApiClient,
  MULTIPART,
  MediaApiClient,
  NO_TOKEN,
  PreferenceApiClient,
  UserApiClient,
  anonymous,
  as,
  assertFields,
  form,
  http,
  ids,
  refusal,
  request,
} from './support/client.mjs';
import { lessonPath } from './support/content.mjs';
import { PNG } from './support/pictures.mjs';
import { world } from './support/server.mjs';

// Preferences and features without which the vendor's pages render nothing, or break.
const NEEDED_PREFERENCES = [
  'colors.navbarback',
  'configurations.content_availability',
  'configurations.courses_advanced_enabled',
  'configurations.courses_enabled',
  'configurations.courses_only_staff_enabled',
  'configurations.url_template_profile',
  'images.user_default_cover',
];

/** Sends a file in pieces of `size` bytes, like the vendor's uploader; resolves to the answer to the last piece. */
async function upload(content, size) {
  let progress;
  for (let start = 0; start < content.length; start += size) {
    const piece = content.slice(start, start + size);
    const fields = { image: new File([piece], 'sky.png', { type: 'image/png' }) };
    if (progress) fields.upload_id = progress.upload_id;
    const range = { 'Content-Range': `bytes ${start}-${start + piece.length - 1}/${content.length}` };
    const { url, method } = Endpoints.ComposerChunkUploadMedia;
    progress = await request(method, url({}), form(fields), { ...MULTIPART.headers, ...range });
  }
  return progress;
}

world('boot', () => {
  test('getAllPreferences_has_everything_that_pages_need_in_one_page', async () => {
    const { next, results } = await anonymous(PreferenceApiClient).getAllPreferences();
    const values = new Map(results.map(({ section, name, value }) => [`${section}.${name}`, value]));
    assert.equal(next, null);
    assert.deepEqual(NEEDED_PREFERENCES.filter((name) => !values.has(name)), []);
    assert.strictEqual(values.get('configurations.courses_enabled'), true);
  });

  test('searchPreferences_filters_by_section', async () => {
    const { results } = await anonymous(PreferenceApiClient).searchPreferences('navbar', 'colors');
    assert.deepEqual(results.map(({ name }) => name), ['navbarback']);
  });

  test('getAllFeatures_has_courses_and_no_payments', async () => {
    const { results } = await anonymous(FeatureApiClient).getAllFeatures();
    const enabled = results.filter((feature) => feature.enabled).map(({ name }) => name);
    assert.ok(enabled.includes('course') && !enabled.includes('payments') && !enabled.includes('reaction'));
  });

  test('getCurrentUser_tells_who_the_token_is_and_may_do', async () => {
    const me = await as('staff', UserApiClient).getCurrentUser();
    assertFields(me, { id: 7, username: 'isla_quill', role: 'admin', location: 'Leeds' });
    assert.strictEqual(me.permission.create_course, true);
    assert.deepEqual(await refusal(anonymous(UserApiClient).getCurrentUser()), NO_TOKEN);
  });

  test('userSettings_are_shown_to_their_owner_only', async () => {
    assertFields(await as('member', UserApiClient).userSettings(3), { qa_frequency: 0, show_toast_notifications: 1 });
    assert.deepEqual(await refusal(UserApiClient.userSettings(1)), DENIED);
  });

  test('getHiddenUsersId_is_a_plain_list', async () => {
    assert.deepEqual(await as('member', UserApiClient).getHiddenUsersId(), []);
  });

  test('getSpecificUser_shows_a_profile_to_anybody', async () => {
    const user = await anonymous(UserApiClient).getSpecificUser(14);
    assertFields(user, { username: 'hamish_orrell', ext_id: 'learner-0014', location: 'Kelso' });
    assert.deepEqual(await refusal(UserApiClient.getSpecificUser(4040)), ABSENT);
  });

  test('userSearch_and_userAutocomplete_find_people_by_name', async () => {
    assert.deepEqual(ids(await as('member', UserApiClient).userSearch({ user: 'WREN' })), [1]);
    assert.deepEqual(ids(await UserApiClient.userAutocomplete({ search: 'marsh' })), [2]);
  });

  test('getAllCategories_come_in_order_with_links_to_the_end', async () => {
    const first = await anonymous(CategoryApiClient).getAllCategories({ active: true, limit: 3 });
    assert.deepEqual([first.count, ids(first)], [4, [1, 3, 2]]);
    assert.deepEqual(ids((await http.get(first.next)).data), [4]);
  });

  test('getSpecificCategory_shows_one', async () => {
    assertFields(await anonymous(CategoryApiClient).getSpecificCategory(2), { name: 'Kitchen and Garden', order: 3 });
    assert.deepEqual(await refusal(CategoryApiClient.getSpecificCategory(4040)), ABSENT);
  });

  test('what_pages_poll_is_there_and_empty', async () => {
    assert.deepEqual(await as('member', UserApiClient).getUserFollowedCategories(3), []);
    const { connection_statuses } = await UserApiClient.getUserConnectionStatuses([1, 2]);
    assert.deepEqual(connection_statuses, {});
    assert.deepEqual(ids(await GroupApiClient.getUserSubscribedGroups(3)), []);
    assert.deepEqual(ids(await EventApiClient.getUserSubscribedEvents(3)), []);
    assert.deepEqual(ids(await IncubatorApiClient.getAllIncubators()), []);
  });

  test('an_upload_in_pieces_becomes_a_media_that_a_lesson_can_show', async () => {
    as('creator');
    const content = PNG;
    const { upload_id, offset } = await upload(content, 12);
    assert.equal(Number(offset), content.length);

    const md5 = createHash('md5').update(content).digest('hex');
    const media = await MediaApiClient.chunkUploadMediaComplete({ upload_id, md5, type: 'image' });
    assertFields(media, { type: 'image', title: 'sky.png' });
    const lesson = await as('creator').getCourseLesson(...(await lessonPath({ medias: [media.id] })));
    assert.deepEqual(lesson.medias, [media]);
  });

  test('chunkUploadMedia_sends_JSON_whatever_it_is_given_and_is_refused', async () => {
    const pieces = form({ image: new Blob(['sky'], { type: 'image/png' }) });
    const call = as('creator', MediaApiClient).chunkUploadMedia(pieces, 0, 2, 3);
    assert.deepEqual(await refusal(call), { status: 415, error: 'unsupported_media_type' });
  });

  test('createMedia_makes_a_link_with_a_title', async () => {
    const link = { type: 'url', url: 'https://community.example/the-sky' };
    const media = await as('member', MediaApiClient).createMedia(link);
    assertFields(media, link);
    assert.equal(media.embed.metadata.title, 'the sky');
    const noAddress = { status: 400, urlError: { error: 'required' } };
    assert.deepEqual(await refusal(MediaApiClient.createMedia({ type: 'url' })), noAddress);
  });

  test('clickMedia_answers_nothing', async () => {
    assert.equal(await anonymous(MediaApiClient).clickMedia(4), '');
  });

  test('tokens_are_granted_refreshed_verified_and_revoked', async () => {
    const app = { client_id: 'stub-app' };
    const { url, method } = Endpoints.OAuthToken;
    const grant = (fields) => request(method, url(), { ...app, ...fields });
    http.setAuthorizeToken(null);
    const first = await grant({ grant_type: 'password', username: 'dilys_pruett', password: 'stub-password' });
    const second = await grant({ grant_type: 'refresh_token', refresh_token: first.refresh_token });
    assertFields(second, { token_type: 'Bearer', expires_in: 36000 });

    const verify = () => request('post', '/api/v2/jwt/verify_token/', { token: second.access_token });
    await verify();
    http.setAuthorizeToken(second.access_token);
    assertFields(await UserApiClient.getCurrentUser(), { username: 'dilys_pruett' });
    await request('post', '/oauth/revoke_token/', { ...app, token: second.access_token });
    assert.equal((await refusal(UserApiClient.getCurrentUser())).status, 401);
    http.setAuthorizeToken(null);
    assert.equal((await refusal(verify())).status, 401);
    const wrong = grant({ grant_type: 'password', username: 'dilys_pruett', password: 'guessed' });
    assert.deepEqual(await refusal(wrong), { status: 400, error: 'invalid_grant' });
  });
});
