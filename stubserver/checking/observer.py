"""An observer of exchanges between an application and a server: judges them, counts them, and keeps a journal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import orjson

from stubserver.call import Call
from stubserver.checking.comparison import Difference
from stubserver.checking.curl import curl
from stubserver.checking.findings import Finding
from stubserver.checking.hiding import Hidden, redacted
from stubserver.checking.judging import of_answer, of_request, read_answer
from stubserver.checking.observed import ANSWER, REQUEST, Exchange, Observed
from stubserver.checking.sides import Answer, Request
from stubserver.contract.contract import Contract
from stubserver.control.request_view import RequestView
from stubserver.errors import Refusal
from stubserver.fixtures.fixture import load
from stubserver.records import journal
from stubserver.records.coverage import Coverage
from stubserver.settings import Settings
from stubserver.worlds.world import World

_NAMED = 10
"""How many requests to undocumented paths, and how many kinds of failures, the notes name."""
_MOST = 500
"""How many findings are kept."""


class Observer:
    """Judges exchanges, and reports on them."""

    def __init__(self, contract: Contract, target: str, settings: Settings | None = None) -> None:
        """`target` is the URL of the server. The settings bound the journal and the bodies that are judged."""
        self._settings = settings or Settings()
        self._contract = contract
        self._origin = str(httpx.URL(target).copy_with(raw_path=b"/")).rstrip("/").encode()
        self._world = World("proxy", load("empty", contract), self._settings)  # requests are read for a world
        self._journal = journal.Journal(self._settings)
        self._coverage = Coverage(contract, {})
        self._report = Observed(target, 0, [])
        self._undocumented: dict[str, int] = {}
        self._failures: dict[str, int] = {}
        self._unread = self._links = self._left_out = 0

    def note(self, exchange: Exchange) -> int:
        """Note an exchange that is over; returns how much in it the contract does not allow."""
        self._report.sent += 1
        if exchange.failure:
            _count(self._failures, exchange.failure)
        call = self._call(exchange)
        if call.routed is None:
            if exchange.method != "OPTIONS":
                _count(self._undocumented, f"{exchange.method} {exchange.path[:100]}")
            return 0
        self._report.documented += 1
        return self._judge(call, exchange)

    def _judge(self, call: Call, exchange: Exchange) -> int:
        most = self._settings.max_body
        wrong = [(REQUEST, one) for one in of_request(call, exchange, most)]
        answer = read_answer(exchange, self._contract, most)
        wrong += [(ANSWER, one) for one in of_answer(call, exchange, answer)]
        self._unread += (exchange.body is None) + (exchange.answer is None)
        self._links += self._leads_past(exchange)
        if wrong:
            self._add(call, exchange, answer, wrong)
        self._keep(call, exchange, answer)
        return len(wrong)

    def _call(self, exchange: Exchange) -> Call:
        media, semicolon, rest = exchange.headers.get("content-type", "").partition(";")
        return Call(
            self._world,
            exchange.method,
            exchange.path,
            "",
            at=self._world.clock.now(),
            id=f"proxy-{self._report.sent}",
            raw_query=exchange.query,
            headers=exchange.headers,
            content_type=f"{media.strip().lower()}{semicolon}{rest}",
            routed=self._contract.find(exchange.method, exchange.path),
        )

    def _add(self, call: Call, exchange: Exchange, answer: Answer, wrong: Sequence[tuple[str, Difference]]) -> None:
        """Add findings, without credentials."""
        secrets = self._contract.secrets
        answered = answer.body if answer.status < 400 else None  # the `code` in a refusal is no credential
        hidden = Hidden(secrets, exchange.headers, _queried(call), _sent(call), answered)
        title = hidden.text(f"{exchange.method} {exchange.path}, answered with {exchange.status or 'nothing'}")
        line = hidden.text(curl(_request(call, exchange, secrets)))
        for source, one in wrong:
            if len(self._report.findings) == _MOST:
                self._left_out += 1
            else:
                self._report.add(Finding(call.operation, hidden.difference(one), (), source, title, (), [line]))

    def _leads_past(self, exchange: Exchange) -> bool:
        """Whether the answer has a link to the server itself."""
        places = [value for name, value in exchange.answer_headers if name == b"location"]
        return any(self._origin in text for text in (*places, exchange.answer or b""))

    def _keep(self, call: Call, exchange: Exchange, answer: Answer) -> None:
        self._coverage.note(call, exchange.status)
        body = exchange.answer or b""
        if body and not answer.is_json:
            body = b'"(%d bytes)"' % len(body)
        self._journal.add(call, journal.Answer(exchange.status, exchange.answer_headers, body, exchange.seconds))

    def report(self, seconds: float) -> Observed:
        """All that was seen so far; `seconds` is how long that took."""
        report = self._report
        report.seconds = seconds
        report.findings.sort(key=lambda finding: finding.source == ANSWER)
        report.coverage = self._coverage.report()
        entries = self._journal.entries(self._world)
        report.journal = [self._shown(entry) for entry in entries]
        report.forgotten = self._journal.forgotten
        report.notes = [*self._notes()]
        return report

    def _shown(self, entry: journal.Entry) -> Mapping[str, Any]:
        """An entry of the journal, without credentials."""
        view = RequestView(self._contract, entry).as_dict()
        sent = entry.form if entry.form is not None else _parsed(entry.raw_body)
        answered = _parsed(entry.answer) if entry.status < 400 else None
        hidden = Hidden(self._contract.secrets, entry.headers, entry.query, sent, answered)
        shown: Mapping[str, Any] = hidden.value({**view, "time": view["time"].isoformat()})
        return shown

    def _notes(self) -> Iterator[str]:
        if not self._report.documented:
            yield "no request of a documented operation came through, so nothing was checked"
        for failure, times in self._failures.items():
            yield f"{_counted(times, 'request')} without a whole answer: {failure}"
        if self._undocumented:
            yield f"passed on, though the contract does not have them: {', '.join(self._undocumented)}"
        if self._unread:
            yield f"passed on unchecked, being too large or in an unknown coding: {_counted(self._unread, 'body')}"
        if self._links:
            many, where = _counted(self._links, "answer"), self._origin.decode()
            yield f"{many} with links to {where}, left as they came: who follows them bypasses the proxy"
        if self._left_out:
            yield f"left out: {_counted(self._left_out, 'more violation')}"
        if self._journal.forgotten:
            yield f"left out of the journal: {_counted(self._journal.forgotten, 'older request')}"


def _count(counts: dict[str, int], name: str) -> None:
    """Count something, as long as there are few different names."""
    name = name if name in counts or len(counts) < _NAMED else "others"
    counts[name] = counts.get(name, 0) + 1


def _counted(number: int, what: str) -> str:
    many = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{number:,} {what if number == 1 else many}"


def _queried(call: Call) -> dict[str, Any]:
    """The query as it was sent; empty if it cannot be read."""
    try:
        return dict(call.query_texts)
    except Refusal:
        return {}


def _sent(call: Call) -> Any:
    """The fields of the body as they were sent; its size if it cannot be read."""
    return dict(call.form) if call.form is not None else _parsed(call.raw_body)


def _parsed(body: bytes) -> Any:
    """What its JSON says; its size if it is none."""
    try:
        return orjson.loads(body) if body else None
    except orjson.JSONDecodeError:
        return f"({len(body)} bytes)"


def _request(call: Call, exchange: Exchange, secrets: frozenset[str]) -> Request:
    """The request as a report shows it, without the fields that hold credentials."""
    operation = call.operation
    parts = zip(operation.path.split("/"), exchange.path.split("/"), strict=True)
    return Request(
        operation,
        {name[1:-1]: value for name, value in parts if name.startswith("{")},  # type: ignore[misc]
        redacted(_queried(call), secrets),
        redacted(_sent(call), secrets),
        call.content_type.partition(";")[0],
        {name: (file.name, b"", "") for name, file in call.files.items()},
        "" if "authorization" in exchange.headers else None,
    )
