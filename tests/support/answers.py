"""Checks of answers: their status, their shape, and their contents."""

from typing import Any

import httpx

GENERAL = ""
"""Stands for the field of an entry that has none."""


def codes(response: httpx.Response) -> dict[str, str]:
    """Field (or "" for a general entry) -> the last code that a refusal gives for it; also checks the shape."""
    body = response.json()
    assert list(body) == ["errors"]
    assert body["errors"]
    found = {}
    for entry in body["errors"]:
        if "field" in entry:
            assert set(entry) == {"field", "messages"}
            assert entry["messages"]
            for message in entry["messages"]:
                assert set(message) == {"message", "code"}
                assert message["message"]
                found[entry["field"]] = message["code"]
        else:
            assert set(entry) == {"message", "code"}
            assert entry["message"]
            found[""] = entry["code"]
    return found


def ok(response: httpx.Response, status: int = 200) -> Any:
    """The JSON body of an answer, which must have the status."""
    assert response.status_code == status, response.text
    return response.json()


def done(response: httpx.Response) -> None:
    """R023: 204 without a body."""
    assert (response.status_code, response.content) == (204, b""), response.text


def refused(response: httpx.Response, status: int) -> dict[str, str]:
    """The codes of a refusal, which must have the status."""
    assert response.status_code == status, response.text
    return codes(response)


def ids(response: httpx.Response) -> list[int]:
    """The ids in a list, which must fit on one page."""
    page = ok(response)
    assert page["next"] is None
    assert page["count"] == len(page["results"])
    return [row["id"] for row in page["results"]]
