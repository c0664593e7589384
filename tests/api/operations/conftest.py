"""Fixtures for the tests of operations."""

import pytest

from tests.support.client import Api


@pytest.fixture
def member(api: Api) -> Api:
    """The member of most courses."""
    return api.as_("member")
