"""Checks on bodies: unknown ids, and refusals that report all problems at once."""

import pytest

from stubserver.api.body_checks import refuse, unknown_ids
from stubserver.errors import Problem, Refusal


@pytest.mark.parametrize("body", [{}, {"categories": []}, {"categories": [2, 1, 2]}], ids=["absent", "empty", "known"])
def test_ids_that_are_known_are_no_problem(body: dict[str, list[int]]) -> None:
    assert unknown_ids(body, "categories", {1, 2}, "category") == []


def test_the_first_unknown_id_is_named_once() -> None:
    """Only the first: the field shows where to look, however many ids are unknown."""
    (problem,) = unknown_ids({"categories": [1, 8, 9]}, "categories", {1, 2}, "category")
    assert problem == Problem("does_not_exist", "No such category: 8.", "categories")


def test_all_problems_are_refused_together() -> None:
    problems = [Problem("does_not_exist", "No such category: 8.", "categories"), Problem("unique", "Taken.", "slug")]
    with pytest.raises(Refusal) as caught:
        refuse(iter(problems))
    assert (caught.value.status, caught.value.problems) == (400, problems)
    refuse([])
