"""Paged lists: the envelope of count, next, previous and results (R014-R016)."""

from operator import itemgetter
from typing import Any
from urllib.parse import quote, urlencode

from stubserver.api.views import Listing
from stubserver.call import Call, urlencoded

MAX_LIMIT = 100
"""Maximum number of rows on a page; larger limits are reduced to it (R015)."""

PARAMETERS = ("limit", "offset")
"""The parameters that select a page."""


def envelope(call: Call, listing: Listing) -> dict[str, Any]:
    """The page of `listing` that limit and offset select; without a limit, everything from the offset on (R701)."""
    count, offset = len(listing.rows), call.query["offset"]
    limit = min(call.query["limit"], MAX_LIMIT) if "limit" in call.query else max(1, count)
    return {
        "count": count,
        "next": _link(call, limit, offset + limit) if offset + limit < count else None,
        "previous": _link(call, limit, max(0, offset - limit)) if offset > 0 else None,
        "results": listing.page(offset, limit),
        **listing.others,
    }


def _link(call: Call, limit: int, offset: int) -> str:
    """The URL of the same request at another offset, its parameters sorted by name; a link to the first page has no
    offset (R014)."""
    sent = urlencoded(call.raw_query.encode("latin-1"), "query string")
    query = [(name, text) for name, text in sent if name not in PARAMETERS]
    query += [("limit", str(limit)), *([("offset", str(offset))] if offset else [])]
    return f"{call.base_url}{quote(call.path)}?{urlencode(sorted(query, key=itemgetter(0)))}"
