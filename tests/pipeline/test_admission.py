"""Admission: the order in which a request is refused."""

from typing import Any

import pytest

from tests.support.client import Api
from tests.support.forms import sent
from tests.support.tokens import bearer


@pytest.mark.parametrize(
    ("persona", "path", "options", "status"),
    [
        (None, "/course/99/", bearer("stub-nobody"), 401),
        (None, "/course/10/", bearer("stub-nobody"), 401),
        (None, "/course/99/", sent(b"<a/>", "application/xml"), 401),
        ("stranger", "/course/99/", sent(b"<a/>", "application/xml"), 404),
        ("stranger", "/course/10/", sent(b"{"), 404),
        ("stranger", "/course/1/", sent(b"<a/>", "application/xml"), 403),
        ("stranger", "/course/1/", sent(b"{"), 403),
        ("creator", "/course/1/", sent(b"{", "application/xml"), 415),
        ("creator", "/course/1/", sent(b"{"), 400),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_checks_come_in_order(
    api: Api, method: str, persona: str | None, path: str, options: dict[str, Any], status: int
) -> None:
    """Token, course, role, and only then media type and body."""
    assert api.as_(persona).request(method, path, **options).status_code == status
