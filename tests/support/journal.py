"""What the journal of a world has recorded."""

from typing import Any

from tests.support.answers import ok
from tests.support.client import Api

REQUESTS = "/__stub/requests"


def requests(api: Api, query: str = "", world: str = "default") -> list[Any]:
    """The journal, newest first, all on one page."""
    page = ok(api.get(f"{REQUESTS}?limit=100{query}", headers={"X-Stub-World": world}))
    assert page["count"] == len(page["results"])
    return list(page["results"])


def newest(api: Api, world: str = "default") -> Any:
    """The newest entry of the journal."""
    return ok(api.get(f"{REQUESTS}?limit=1", headers={"X-Stub-World": world}))["results"][0]
