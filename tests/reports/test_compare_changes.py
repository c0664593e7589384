"""The list of changes."""

import pytest

from stubserver.reports.compare_changes import Change, Changes, Unusable


def test_changes_belong_to_their_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = Changes(operation="GET /a")
    changes.add("info", "x", "text")
    assert changes.all == [Change("x", "info", "GET /a", "text")]
    monkeypatch.setattr("stubserver.reports.compare_changes._MOST", 1)
    with pytest.raises(Unusable, match="more than 1 changes"):
        changes.add("info", "x", "text")
