"""Views: what a caller sees of a row."""

import pytest

from tests.support.client import Api


def test_a_field_that_cannot_be_derived_is_never_taken_from_the_row(api: Api) -> None:
    """R405: a view that fails must not show the stored field of the same name."""
    from stubserver.api.views.lesson import AnswerView

    with pytest.raises(AttributeError, match=r"AnswerView\.correct could not be derived"):
        _ = AnswerView(None, {"correct": True}).correct  # type: ignore[arg-type]
    with pytest.raises(AttributeError, match="AnswerView has no field 'colour'"):
        _ = AnswerView(None, {"correct": True}).colour  # type: ignore[arg-type]
