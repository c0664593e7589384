"""A server that knows only half of the operations: courses, members and what a frontend needs to start, but nothing of
what a course contains.

    python -m tests.checking.half_server [PORT]
"""

import re
import sys

from tests.checking.bugs import Bug, Exchange
from tests.checking.faulty_server import serve

_KNOWN = re.compile(
    r"/api/v2/(course/|course/search/|course/\d+/(?!section/|comment/|quiz/|users/).*|user/.*|category/.*"
    r"|dynamic_preference/|feature/)"
)


def _unknown(one: Exchange) -> None:
    """Answer as frameworks do if there is no such path."""
    if not _KNOWN.fullmatch(one.path):
        one.status, one.answer = 404, {"detail": "Not Found"}
        one.answer_headers["content-type"] = "application/json"


HALF = Bug(before=_unknown)

if __name__ == "__main__":
    serve(HALF, port=int(sys.argv[1] if sys.argv[1:] else 8767))
