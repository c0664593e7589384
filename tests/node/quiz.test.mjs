// Quizzes: the documented operations that the client has no methods for, through its own HTTP instance.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ABSENT, DENIED, Endpoints, as, assertFields, ids, refusal, request } from './support/client.mjs';
import { lessonPath } from './support/content.mjs';
import { world } from './support/server.mjs';

const GREEN = {
  type: 'single_choice',
  text: 'What is green?',
  answers: [{ text: 'Grass', correct: true }, { text: 'Milk', correct: false }],
};
const WARM = {
  type: 'multi_choice',
  text: 'What is warm?',
  answers: [{ text: 'Sun', correct: true }, { text: 'Snow' }, { text: 'Soup', correct: true }],
};

/** The path of a lesson, or of something below it. */
const at = ([id, section_id, lesson_id], below = '') =>
  Endpoints.GetCourseLesson.url({ id, section_id, lesson_id }) + below;

/** Sends a request as a persona, through the client's HTTP instance. */
function by(persona, method, url, data) {
  as(persona);
  return request(method, url, data);
}

/** A quiz with both questions, in a course that the member has joined: its path, and its questions for the creator. */
async function quiz(fields) {
  const path = await lessonPath({ type: 'quiz', passing_grade: 100, ...fields });
  const questions = [];
  for (const question of [GREEN, WARM]) questions.push(await by('creator', 'post', at(path, 'question/'), question));
  await as('member').joinOrAcceptInviteToCourse(path[0]);
  return { path, questions };
}

/** Responses that choose, for each question, the answers with the given texts. */
const choose = (questions, ...texts) => ({
  responses: questions.map(({ id, answers }, index) => ({
    question_id: id,
    selected_options: ids(answers.filter(({ text }) => texts[index].includes(text))),
  })),
});

world('quizzes', () => {
  test('the_story_of_a_quiz', async () => {
    // The teacher writes a quiz, still a draft, asks two questions and publishes it.
    const { path, questions } = await quiz({ status: 'draft', name: 'Colours' });
    assert.deepEqual(await refusal(by('member', 'get', at(path, 'question/'))), DENIED);
    await as('creator').patchCourseLesson(...path, { status: 'published' });

    // The student reads the questions, which do not give the answers away, and gets one right and one wrong.
    const read = await by('member', 'get', at(path, 'question/'));
    assert.deepEqual(ids(read), ids(questions));
    assert.ok(read.every(({ answers }) => answers.every((answer) => !('correct' in answer))));
    const wrong = await by('member', 'post', at(path, 'attempt/'), choose(read, ['Grass'], ['Sun', 'Snow']));
    assertFields(wrong.quiz_attempt, { grade: 50, result: 'failed', correct_responses: 1, num_attempts: 1 });
    assert.deepEqual(wrong.quiz_attempt.questions.map(({ correct }) => correct), [true, false]);
    assertFields(await as('member').getCourseLesson(...path), { completion_status: 'failed' });
    assertFields(await as('member').getSpecificCourseInfo(path[0]), { num_lessons_completed: 0 });

    // The second attempt is all correct, which completes the course.
    const right = await by('member', 'post', at(path, 'attempt/'), choose(read, ['Grass'], ['Sun', 'Soup']));
    assertFields(right.quiz_attempt, { grade: 100, result: 'completed', correct_responses: 2, num_attempts: 2 });
    const lesson = await as('member').getCourseLesson(...path);
    assertFields(lesson, { completion_status: 'completed' });
    assert.equal(lesson.last_attempt.id, right.id);
    assertFields(await as('member').getSpecificCourseInfo(path[0]), { user_completion_rate: 100 });

    // The teacher sees both attempts, and for the first one which answers were chosen and which were right.
    const dashboard = await by('creator', 'get', `/api/v2/course/${path[0]}/quiz/`);
    assert.deepEqual(ids(dashboard), [right.id, wrong.id]);
    assertFields(dashboard.results[1], { name: 'Colours', grade: 50, result: 'failed', lesson_id: path[2] });
    assert.equal(dashboard.results[1].user.username, 'dilys_pruett');
    const attempt = await by('creator', 'get', at(path, `attempt/${wrong.id}/`));
    const marks = attempt.quiz_attempt.questions[1].answers.map(({ selected, correct }) => [selected, correct]);
    assert.deepEqual(marks, [[true, true], [true, false], [false, true]]);
  });

  test('a_question_is_read_changed_and_deleted', async () => {
    const { path, questions } = await quiz();
    const url = at(path, `question/${questions[0].id}/`);
    assert.deepEqual(await by('creator', 'get', url), questions[0]);
    assertFields(await by('creator', 'patch', url, { text: 'What is green again?' }), {
      text: 'What is green again?',
      answers: questions[0].answers,
    });
    const replaced = await by('creator', 'put', url, { ...WARM, text: 'Warm or not?' });
    assertFields(replaced, { id: questions[0].id, type: 'multi_choice', text: 'Warm or not?' });
    assert.equal(await by('creator', 'delete', url), '');
    assert.deepEqual(await refusal(by('creator', 'get', url)), ABSENT);
    assert.deepEqual(ids((await as('creator').getCourseLesson(...path)).questions), [questions[1].id]);
  });

  test('a_question_may_be_posted_to_the_path_of_the_docs_too', async () => {
    const { path } = await quiz();
    const question = await by('creator', 'post', at(path), { ...GREEN, text: 'On the other path?' });
    const { questions } = await as('creator').getCourseLesson(...path);
    assert.deepEqual(questions[2], question);
  });

  test('patchCourseLesson_sorts_the_questions_and_deletes_those_left_out', async () => {
    const { path, questions } = await quiz();
    const [one, two] = ids(questions);
    const sorted = await as('creator').patchCourseLesson(...path, { questions_order: [two, one] });
    assert.deepEqual(ids(sorted.questions), [two, one]);
    const shortened = await as('creator').patchCourseLesson(...path, { questions_order: [two] });
    assert.deepEqual(ids(shortened.questions), [two]);
  });

  test('a_question_needs_as_many_right_answers_as_its_type_says', async () => {
    const { path } = await quiz();
    const call = by('creator', 'post', at(path, 'question/'), { ...WARM, type: 'single_choice' });
    assert.deepEqual(await refusal(call), { status: 400, answersError: { error: 'invalid' } });
  });

  test('an_attempt_answers_every_question', async () => {
    const { path, questions } = await quiz();
    const partial = { responses: choose(questions, ['Grass'], ['Sun']).responses.slice(1) };
    const invalid = { status: 400, responsesError: { error: 'invalid' } };
    assert.deepEqual(await refusal(by('member', 'post', at(path, 'attempt/'), partial)), invalid);
  });

  test('an_attempt_is_shown_to_its_owner_and_to_managers', async () => {
    const { path, questions } = await quiz();
    await as('staff').joinOrAcceptInviteToCourse(path[0]);
    const responses = choose(questions, ['Milk'], ['Snow']);
    const { id } = await by('member', 'post', at(path, 'attempt/'), responses);
    assertFields(await by('member', 'get', at(path, `attempt/${id}/`)), { id, lesson_id: path[2] });
    assert.deepEqual(await refusal(by('staff', 'get', at(path, `attempt/${id}/`))), DENIED);
    assert.deepEqual(await refusal(by('stranger', 'post', at(path, 'attempt/'), responses)), DENIED);
    assert.deepEqual(await refusal(by('member', 'get', `/api/v2/course/${path[0]}/quiz/`)), DENIED);
  });

  test('a_plain_lesson_has_no_questions', async () => {
    assert.deepEqual(await refusal(by('creator', 'get', at(await lessonPath(), 'question/'))), ABSENT);
  });
});
