"""What the journal of a world has recorded."""

from typing import Any

from tests.support.answers import ok
from tests.support.client import Api

REQUESTS = "/__stub/requests"


def requests(api: Api, query: str = "", world: str | None = None) -> list[Any]:
    """The journal of a world (that of the test, unless another is named), newest first, all on one page."""
    page = ok(api.get(f"{REQUESTS}?limit=100{query}", headers=_named(world)))
    assert page["count"] == len(page["results"])
    return list(page["results"])


def newest(api: Api, world: str | None = None) -> Any:
    """The newest entry of that journal."""
    return ok(api.get(f"{REQUESTS}?limit=1", headers=_named(world)))["results"][0]


def _named(world: str | None) -> dict[str, str]:
    return {"X-Stub-World": world} if world else {}
