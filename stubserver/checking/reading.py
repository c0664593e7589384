"""Checking a target with nothing but GET requests: shapes, pages and visibility of what is there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stubserver.checking.catalogue import NOBODY
from stubserver.checking.comparison import Difference, of_contract, of_page
from stubserver.checking.curl import curl
from stubserver.checking.findings import Finding, Report
from stubserver.checking.presence import Presence
from stubserver.checking.shapes import Shapes
from stubserver.checking.sides import Answer, Request, Side
from stubserver.checking.stage import KINDS
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation

_COURSES, _ROWS = 5, 2
"""How many courses are read, and how many rows of each kind in each of them."""
_LIMITS = (1, 2, 100)
"""Lengths of pages that are tried."""
_PAGES = 10
"""How many pages of each length are read at most."""


class Reader:
    """Reads what there is, as each persona and as nobody."""

    def __init__(self, contract: Contract, target: Side, tokens: Mapping[str, str], report: Report) -> None:
        self._contract = contract
        self._shapes = Shapes(contract)
        self._target = target
        self._tokens: Mapping[str, str | None] = {**tokens, NOBODY: None}
        self._report = report
        self.presence = Presence()
        self._reads = [operation for operation in contract.operations.values() if operation.method == "get"]

    def read(self) -> None:
        """Read everything. Raises Stopped."""
        for who in self._tokens:
            for path in self._paths(who):
                for operation in self._reads:
                    if {KINDS.get(kind, kind) for kind in operation.loads.values()} == path.keys():
                        self._one(operation, path, who)

    def _paths(self, who: str) -> Iterator[Mapping[str, int]]:
        """What there is to read: kind of row -> id, from the community down to lessons."""
        yield {}
        if (me := self._body("get_me", {}, who)) is not None:
            yield {"user": me["id"]}
        for course in self._rows("search_courses", {}, who)[:_COURSES]:
            yield {"course": course}
            shown = self._body("get_course", {"course": course}, who)
            for section in (shown or {}).get("sections", ())[:_ROWS]:
                yield {"course": course, "section": section["id"]}
                for lesson in section.get("lessons", ())[:_ROWS]:
                    yield {"course": course, "section": section["id"], "lesson": lesson["id"]}

    def _one(self, operation: Operation, path: Mapping[str, int], who: str) -> None:
        answer = self._asked(operation, path, who, {})
        is_list = isinstance(answer.body, dict) and "results" in answer.body
        if is_list and {"limit", "offset"} <= operation.parameter_names:
            for limit in _LIMITS:
                self._page_through(operation, path, who, limit)
        if operation.id == "search_courses":
            for course in self._rows(operation.id, path, who)[:_COURSES]:
                self._must_show(operation, course, who)

    def _page_through(self, operation: Operation, path: Mapping[str, int], who: str, limit: int) -> None:
        """Each row of a list has to come once, and there have to be as many as its count says."""
        seen: list[Any] = []
        count = None
        for page in range(_PAGES):
            query = {"limit": limit, "offset": limit * page}
            answer = self._asked(operation, path, who, query)
            if answer.status != 200 or not isinstance(answer.body, dict):
                return
            request = self._request(operation, path, who, query)
            for difference in of_page(query, request.target, answer.body):
                self._add(request, difference)
            seen += [row.get("id") for row in answer.body.get("results", ()) if isinstance(row, dict)]
            count = answer.body.get("count")
            if answer.body.get("next") is None:
                break
        else:
            return
        request = self._request(operation, path, who, {"limit": limit})
        if len({*seen}) < len(seen):
            self._add(request, Difference("/results", "page", "each row once", "some rows on several pages"))
        elif isinstance(count, int) and count != len(seen):
            self._add(request, Difference("/count", "page", f"{len(seen)}, as all pages show", str(count)))

    def _must_show(self, listing: Operation, course: int, who: str) -> None:
        """Whoever finds a course may see it."""
        operation = self._contract.operations["get_course"]
        request = self._request(operation, {"course": course}, who, {})
        answer = self._target.ask(request)
        if answer.status != 200 and not answer.failure:
            expected = f"200, as {listing.id} lists it"
            self._add(request, Difference("status", "status", expected, str(answer.status)))

    def _asked(self, operation: Operation, path: Mapping[str, int], who: str, query: Mapping[str, Any]) -> Answer:
        """The answer to a request, after it was held against the contract."""
        request = self._request(operation, path, who, query)
        answer = self._target.ask(request)
        if answer.failure:
            self._add(request, Difference("answer", "transport", "an answer", answer.failure))
        if not path:  # what is about no row is never not found
            self.presence.note(operation, Answer(operation.status), answer)
        for difference in of_contract(operation, answer):
            self._add(request, difference)
        return answer

    def _request(self, operation: Operation, path: Mapping[str, int], who: str, query: Mapping[str, Any]) -> Request:
        ids = {parameter: path[KINDS.get(kind, kind)] for parameter, kind in operation.loads.items()}
        return Request(operation, ids, query, token=self._tokens[who])

    def _body(self, operation: str, path: Mapping[str, int], who: str) -> Any:
        answer = self._asked(self._contract.operations[operation], path, who, {})
        return answer.body if answer.status == 200 and isinstance(answer.body, dict) else None

    def _rows(self, operation: str, path: Mapping[str, int], who: str) -> Sequence[int]:
        body = self._body(operation, path, who) or {}
        return [row["id"] for row in body.get("results", ()) if isinstance(row, dict) and "id" in row]

    def _add(self, request: Request, difference: Difference) -> None:
        self._report.add(Finding(request.operation, difference, (), "reading", "what is there", (), [curl(request)]))
