"""What random sequences on the content of courses draw: callers, texts, flaws, orders."""

from typing import Any

from hypothesis import strategies as st

from tests.models.machine import GONE
from tests.models.model import BAD

NOBODY = 9999
"""The id of nothing at all."""

# Who calls: mostly a user who may.
WRITERS = st.sampled_from((*[1, 2] * 6, 3, 6, None))
LEARNERS = st.sampled_from((*[3, 4] * 6, 1, 2, 2, 5, 6, None, BAD))
READERS = st.sampled_from((1, 1, 2, 2, 3, 3, 4, 4, 5, 6, None, BAD))
TALKERS = st.sampled_from((1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 6, None))
# Which of the existing things to use, and which part of the path is wrong.
PICKS = st.integers(0, 11)
SLIPS = st.sampled_from((*[None] * 24, "course", "section", "lesson", "item", "item"))
FIRMLY = None
"""Nothing in the path is wrong."""

TEXTS = ("", "<p>All about flour</p>", "Öl auf Leinwand ☃ <b>&amp;")
NAMES = st.sampled_from(("Bread", "Knots & ropes", "Öl & Farbe", "日本の料理"))
DATES = (None, None, -30, 5, 24, 100)
"""Hours from now at which a section opens."""
DELAYS = (0, 0, 1, 2, 7)
SECTION = {"name": NAMES, "dripped_at": st.sampled_from(DATES), "drip_delay": st.sampled_from(DELAYS)}
STATES = st.sampled_from(("published", "published", "published", "draft"))
KINDS = st.sampled_from(("lesson", "quiz", "quiz"))
LESSON = {"name": NAMES, "type": KINDS}
LESSON_PARTS = {
    "status": STATES,
    "comments_enabled": st.sampled_from((True, True, False)),
    "text": st.sampled_from(TEXTS),
    "passing_grade": st.sampled_from((0, 33, 34, 50, 60, 67, 100)),
    "medias": st.just([]),
    "created_by": st.just(6),  # what must be ignored (R011)
}
WORDS = st.sampled_from(("Which one is cold?", "Öl?", "2 + 2"))


@st.composite
def _answers(draw: st.DrawFn, kind: str) -> list[dict[str, Any]]:
    """Mostly with a valid number of correct answers (R402)."""
    count = draw(st.integers(1, 4))
    correct = {draw(st.integers(0, count - 1))}
    if kind == "multi_choice" or draw(st.sampled_from((*[False] * 7, True))):
        correct ^= draw(st.sets(st.integers(0, count - 1), max_size=2))
    answers: list[dict[str, Any]] = [{"text": f"Answer {place}"} for place in range(count)]
    for place, answer in enumerate(answers):
        if place in correct or count % 2:  # otherwise left out, which means false (R403)
            answer["correct"] = place in correct
    return answers


QUESTION = st.sampled_from(("single_choice", "multi_choice")).flatmap(
    lambda kind: st.fixed_dictionaries(
        {"type": st.just(kind), "text": WORDS, "answers": _answers(kind)},
        optional={"image": st.sampled_from((None, "https://pictures.example/日.png"))},
    )
)
GOOD_QUESTION = {"type": "single_choice", "text": "Which?", "answers": [{"text": "a", "correct": True}, {"text": "b"}]}
FIELDS_OF_QUESTION = st.sets(st.sampled_from(("type", "text", "answers", "image")))

SECTION_FLAWS = st.sampled_from(
    (
        *[("", GONE)] * 20,
        ("name", GONE),
        ("name", " \t"),
        ("drip_delay", -1),
        ("dripped_at", "soon"),
        ("lessons_order", [NOBODY]),
    )
)
LESSON_FLAWS = st.sampled_from(
    (
        *[("", GONE)] * 20,
        ("name", GONE),
        ("name", ""),
        ("type", GONE),
        ("type", "video"),
        ("status", "hidden"),
        ("passing_grade", 101),
        ("passing_grade", -1),
        ("medias", [NOBODY]),
        ("questions_order", [NOBODY]),
    )
)
QUESTION_FLAWS = st.sampled_from(
    (
        *[("", GONE)] * 20,
        ("type", GONE),
        ("type", "free_text"),
        ("text", " "),
        ("answers", GONE),
        ("answers", []),
        ("answers", [{"correct": True}]),
    )
)
ORDERS = st.tuples(st.permutations(range(6)), st.integers(0, 6), st.sampled_from((*[False] * 7, True)))
"""The places to list first, how many of them to send, and whether to add a foreign id."""
CONDUCTS = st.sampled_from(
    (
        *["right"] * 6,
        *["mixed"] * 6,
        *["wrong"] * 3,
        "none",
        "incomplete",
        "twice",
        "unknown question",
        "unknown option",
        "no option",
        "all options",
    )
)
PAGES = st.sampled_from(({}, {}, {"limit": 1}, {"limit": 2, "offset": 1}))
HOURS = (1, 5, 24, 30, 72, 200)
PEOPLE = st.sampled_from((2, 3, 4, 4, 5, 6))
