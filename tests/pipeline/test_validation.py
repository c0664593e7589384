"""Validation: what Connexion is given to validate with, after everything else has been asked."""

import pytest

from tests.support.client import Api


@pytest.mark.parametrize(
    ("persona", "path", "status"),
    [
        ("creator", "/course/99/users/?limit=0", 404),
        ("stranger", "/course/1/users/?limit=0", 403),
        ("creator", "/course/1/users/?limit=0", 400),
        ("stranger", "/course/1/?user=x", 403),
        ("stranger", "/course/7/?view=x", 404),
    ],
)
def test_parameters_are_checked_last(api: Api, persona: str, path: str, status: int) -> None:
    assert api.as_(persona).get(path).status_code == status
