"""The shapes that a generated fixture may have: how many courses, and how much in each."""

from dataclasses import dataclass

Range = tuple[int, int]
"""The least and the most that may be drawn, both included."""


@dataclass(frozen=True)
class Shape:
    """How much there is of everything."""

    courses: int | None = None
    """How many courses there are unless somebody asks for another number; None if somebody has to."""
    most: int = 1_000_000
    """How many somebody may ask for."""
    people: int = 14
    """How many users there are at least, those that the tokens stand for included."""
    sections: Range = (1, 2)
    """Per course."""
    lessons: Range = (2, 4)
    """Per section."""
    members: Range = (2, 4)
    """Per course, besides those that the tokens stand for."""
    threads: Range = (0, 1)
    """Conversations per lesson."""
    replies: Range = (0, 2)
    """Per conversation."""
    sentences: Range = (1, 3)
    """Per lesson, besides a list."""
    long: bool = False
    """Whether names and descriptions are longer than a page expects."""


PLAIN = Shape()
PRESETS = {
    "empty": Shape(courses=0, most=0),
    "one-course": Shape(
        courses=1, most=1, people=30, sections=(4, 4), lessons=(4, 6), members=(9, 12), threads=(1, 3), replies=(0, 5)
    ),
    "busy": Shape(
        courses=24,
        most=1000,
        people=160,
        sections=(4, 7),
        lessons=(4, 8),
        members=(25, 70),
        threads=(1, 5),
        replies=(0, 9),
        sentences=(3, 9),
    ),
    "long-texts": Shape(
        courses=14, most=1000, people=30, members=(2, 9), threads=(0, 2), sentences=(30, 90), long=True
    ),
}
"""Shapes that somebody may ask for by name."""
