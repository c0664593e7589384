"""Fills whatever the server bounds, before the load begins: what still grows after that is not bounded."""

import http.client
import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from stubserver.lane.head import MAX_ROUTES
from tests.soak.client import PATIENCE

WORLDS = 12
ROWS = 30
"""Large rows of each world; together they take more than the worlds of a soak may, and their requests more than its
journals."""
LARGE = "x" * 30_000
HOSTS = 400
"""Each has its own addresses of pictures, of all public courses."""
_ME = {"Authorization": "Bearer stub-creator", "Content-Type": "application/json"}
_Request = tuple[str, str, Mapping[str, str], str | None]
"""Method, path, headers and body."""


def fill(url: str) -> None:
    """Fill worlds, journals, and the caches of heads, routes and addresses."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    for method, path, headers, body in _requests():
        connection.request(method, path, body, headers)
        connection.getresponse().read()
    connection.close()


def _requests() -> Iterator[_Request]:
    for number in range(WORLDS * ROWS):
        row = json.dumps({"name": f"Large {number}", "type": "self-paced", "description": LARGE})
        yield "POST", f"/~filled-{number % WORLDS}/api/v2/course/", _ME, row
    for number in range(HOSTS):
        yield "GET", "/api/v2/course/search/?limit=100", {"Host": f"h{number}.test"}, None
    for number in range(MAX_ROUTES):
        yield "GET", f"/api/v2/user/{number}/", _ME, None
