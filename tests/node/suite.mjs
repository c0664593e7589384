// Runs everything in one process, so that the last tests know what the others left out: node --test suite.mjs
import './course.test.mjs';
import './membership.test.mjs';
import './section_lesson.test.mjs';
import './comment.test.mjs';
import './quiz.test.mjs';
import './boot.test.mjs';
import './coverage.mjs';
