"""Paged lists: the envelope of count, next, previous and results (R014-R016)."""

import re
from typing import Any
from urllib.parse import quote, urlencode

from stubserver.api.views import Listing
from stubserver.call import Call

MAX_LIMIT = 100
"""Maximum number of rows on a page; larger limits are reduced to it (R015)."""

_SAFE = "%=+,:;@/?!$'()*~"
"""Characters of a query, as sent, that may appear in a URI unescaped."""
_PAGING = re.compile(r"(limit|offset)=", re.ASCII)


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
    """The URL of the same request at another offset; a link to the first page has no offset (R014)."""
    others = [part for part in call.raw_query.split("&") if part and not _PAGING.match(part)]
    paging = {"limit": limit, "offset": offset} if offset else {"limit": limit}
    query = "&".join([*(quote(part, safe=_SAFE) for part in others), urlencode(paging)])
    return f"{call.base_url}{quote(call.path)}?{query}"
