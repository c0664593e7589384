"""The two servers of a check: how a request is sent to one of them, and what came back."""

import contextlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from stubserver.contract.operation import Operation

TIMEOUT = 10.0
"""Seconds that a target may take for one answer."""
_LONGEST = 30.0
"""Seconds after which an answer is not read any further, though some of it comes again and again."""
_PATIENCE = 3
"""Requests in a row without an answer, after which there is nobody to ask."""
_MOST = 20 * 1024 * 1024
"""Size of an answer, in bytes, beyond which it is not read any further."""
_LONGEST_WAIT = 60.0
"""Seconds that a Retry-After may ask for; beyond that, the answer is taken as it is."""
_JSON, _FORM, _MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"


@dataclass
class Request:
    """A request as it is sent to one side."""

    operation: Operation
    path: Mapping[str, int] = field(default_factory=dict)
    """Path parameter -> id."""
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    media: str = _JSON
    files: Mapping[str, tuple[str, bytes, str]] = field(default_factory=dict)
    """Field of a multipart form -> name, content and type of a file."""
    token: str | None = None
    """A credential, or none."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers that replace the usual ones."""

    @property
    def target(self) -> str:
        """Its path, without the prefix that all paths have."""
        values = {name: quote(str(value), safe="") for name, value in self.path.items()}
        return self.operation.path.format(**values)


@dataclass
class Answer:
    """An answer, or why there is none."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    """What its JSON says; None if it has none."""
    text: str = ""
    """The beginning of its body."""
    is_json: bool = False
    failure: str = ""
    """Why there is no answer."""
    seconds: float = 0.0


class Stopped(Exception):
    """There is no time for further requests."""


class Gone(Stopped):
    """There have been no answers for a while."""


class Side:
    """A server, and the requests that go to it."""

    def __init__(self, client: httpx.Client, *, rate: float = 0.0, end: float = float("inf")) -> None:
        """At most `rate` requests a second, if it is not 0, and none after `end`, by the monotonic clock."""
        self._client = client
        self._pause = 1 / rate if rate else 0.0
        self._next = 0.0
        self.end = end
        self.patience: float = _PATIENCE
        """How many requests in a row may stay without an answer."""
        self._unanswered = 0
        self.sent = 0
        """How many requests it was sent."""
        self.watch: Callable[[Request, Answer], None] = lambda _request, _answer: None
        """Called with each answer."""

    def ask(self, request: Request) -> Answer:
        """Send a request. Waits as long as the rate and Retry-After ask for. Raises Stopped, and Gone."""
        for _ in range(3):
            self._wait_for_turn()
            answer = self._answer(request)
            wait = _retry_after(answer)
            if wait is None or time.monotonic() + wait > self.end:
                break
            time.sleep(wait)
        self._note(request, answer)
        return answer

    def ask_at_once(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """Send requests at the same time, after as long as the rate asks for each of them. Raises Stopped, and Gone."""
        for _ in requests:
            self._wait_for_turn()
        with ThreadPoolExecutor(len(requests)) as pool:
            answers = [*pool.map(self._answer, requests)]
        for request, answer in zip(requests, answers, strict=True):
            self._note(request, answer)
        pairs = zip(requests, answers, strict=True)
        return [answer if _retry_after(answer) is None else self.ask(request) for request, answer in pairs]

    def _note(self, request: Request, answer: Answer) -> None:
        self.watch(request, answer)
        self._unanswered = self._unanswered + 1 if answer.failure else 0
        if self._unanswered >= self.patience:
            raise Gone

    def _wait_for_turn(self) -> None:
        now = time.monotonic()
        if max(now, self._next) > self.end:
            raise Stopped
        time.sleep(max(0.0, self._next - now))
        self._next = max(now, self._next) + self._pause
        self.sent += 1

    def _answer(self, request: Request) -> Answer:
        begun = time.monotonic()
        try:
            answer = _read(self._client.send(self._build(request), stream=True), begun + _LONGEST)
        except httpx.HTTPError as error:
            answer = Answer(failure=str(error) or type(error).__name__)
        answer.seconds = time.monotonic() - begun
        return answer

    def _build(self, request: Request) -> httpx.Request:
        headers = {"Authorization": f"Bearer {request.token}"} if request.token is not None else {}
        options: dict[str, Any] = {}
        if request.media == _MULTIPART:
            options = {"files": [*_parts(request)]}
        elif request.media == _FORM and request.body is not None:
            options = {"data": {name: _texts(value) for name, value in request.body.items()}}
        elif request.body is not None:
            headers["Content-Type"] = request.media
            options = {"content": json.dumps(request.body).encode()}
        headers |= request.headers
        query = {name: _texts(value) for name, value in request.query.items() if value is not None}
        base = str(self._client.base_url).rstrip("/")
        method = request.operation.method.upper()
        return self._client.build_request(method, f"{base}{request.target}", headers=headers, params=query, **options)


def _parts(request: Request) -> Sequence[tuple[str, Any]]:
    """The parts of a multipart form."""
    fields = [
        (name, (None, text))
        for name, value in (request.body or {}).items()
        for text in ([_texts(value)] if not isinstance(value, list) else _texts(value))
    ]
    return [*fields, *request.files.items()]


def _texts(value: Any) -> Any:
    """A value of a query or form as text, or several texts."""
    if isinstance(value, list):
        return [_texts(one) for one in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict) else "" if value is None else str(value)


def _read(response: httpx.Response, end: float) -> Answer:
    """An answer whose body is read until `end`, by the monotonic clock. Raises httpx.HTTPError."""
    content = bytearray()
    with contextlib.closing(response):
        for part in response.iter_bytes():
            content += part
            if len(content) > _MOST:
                return Answer(response.status_code, response.headers, failure=f"more than {_MOST:,} bytes")
            if time.monotonic() > end:
                return Answer(response.status_code, response.headers, failure=f"no end within {_LONGEST:.0f} seconds")
    answer = Answer(response.status_code, response.headers, text=content[:4000].decode("utf-8", "replace")[:1000])
    try:
        answer.body = json.loads(content)
        answer.is_json = True
    except ValueError:
        pass
    return answer


def _retry_after(answer: Answer) -> float | None:
    """How long the server asks to be left alone, in seconds; None if it does not."""
    if answer.status not in (429, 503):
        return None
    try:
        seconds = float(answer.headers.get("Retry-After", ""))
    except ValueError:
        return 1.0 if answer.status == 429 else None
    return max(0.0, seconds) if seconds <= _LONGEST_WAIT else None
