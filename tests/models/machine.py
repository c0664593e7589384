"""What the random sequences share: sending requests, judging answers, and reading pages."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import httpx
from hypothesis import Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from stubserver.api.images import png
from stubserver.app import StubServer
from tests.models.model import BAD, Caller, Refused
from tests.support.answers import codes
from tests.support.client import Api
from tests.support.default import PERSONAS
from tests.support.forms import pairs, urlencoded

EXAMPLES = os.environ.get("MODEL_EXAMPLES")
TOKENS: dict[Caller, str | None] = {**dict(enumerate(PERSONAS, 1)), None: None, BAD: "nobody"}
GONE = object()
"""Stands for the value of a field that is left out."""
WIRES = st.sampled_from(
    ("json", "json", "form repeated", "form brackets", "form indexed", "multipart repeated", "multipart indexed")
)

Query = list[tuple[str, str]]


def encoded(wire: str, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options that send `body`, and the part of it that a form can express."""
    kind, _, spelling = wire.partition(" ")
    if kind == "json" or (kind == "multipart" and not body):
        return {"json": body}, body
    body = {name: value for name, value in body.items() if value not in (None, [])}
    array = {"repeated": "{}", "brackets": "{}[]", "indexed": "{}[{}]"}[spelling]
    if kind == "form":
        return urlencoded(array)(body), body
    files = [
        (name, ("cover.png", png(8, text), "image/png") if name == "image_original" else (None, text))
        for name, text in pairs(body, array)
    ]
    return ({"files": files} if files else {"json": {}}), body


class Machine(RuleBasedStateMachine):
    """Every rule sends one request and compares the answer with what the model says."""

    server: ClassVar[StubServer]
    """Shared by all sequences; each starts with a world of its own."""
    api: ClassVar[Api]
    now: datetime

    def pass_time(self, by: timedelta) -> None:
        self.api.world.clock.advance(by)
        self.now += by

    def send(self, caller: Caller, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self.api.as_(TOKENS[caller]).request(method, path, **options)
        note(f"{TOKENS[caller] or 'anonymous'}: {method} {path} {options or ''} -> {answer.status_code}")
        return answer

    @staticmethod
    def flawed(body: dict[str, Any], flaw: tuple[str, Any]) -> dict[str, Any]:
        """The body with one field made invalid or left out."""
        name, value = flaw
        body = {field: given for field, given in body.items() if field != name}
        return body if value is GONE else {**body, name: value}

    @contextmanager
    def judged(self, answer: httpx.Response, status: int) -> Iterator[None]:
        """The block performs the request in the model; server and model must agree on success or refusal."""
        expected: Refused | None = None
        try:
            if answer.status_code < 300:
                assert answer.status_code == status
                assert bool(answer.content) == (status != 204)
            yield
        except Refused as refused:
            expected = refused
        assert answer.status_code == (expected.status if expected else status), answer.text
        assert expected is None or codes(answer) in expected.accepted

    def page(
        self,
        caller: Caller,
        path: str,
        query: Query,
        page: dict[str, int],
        flaw: tuple[str, str, str] | None,
        found: Callable[[], list[Any]],
    ) -> list[tuple[dict[str, Any], Any]]:
        """The rows of a page, each with its counterpart in the model; everything around them is checked (R014-R016)."""
        paging = {**page, **({flaw[0]: flaw[1]} if flaw else {})}
        answer = self.send(caller, "GET", path, params=[*query, *paging.items()])
        with self.judged(answer, 200):
            rows = found()
            if flaw:
                raise Refused(400, {flaw[0]: flaw[2]})
            limit, offset = page.get("limit", 20), page.get("offset", 0)
            body = answer.json()
            assert set(body) == {"count", "next", "previous", "results"}
            assert body["count"] == len(rows)
            expected = rows[offset : offset + limit]
            assert [shown["id"] for shown in body["results"]] == [row["id"] for row in expected]
            for name, there, to in (
                ("next", offset + limit < len(rows), offset + limit),
                ("previous", offset > 0, max(0, offset - limit)),
            ):
                assert (body[name] is not None) == there
                if there:
                    link = urlsplit(body[name])
                    assert link.path == f"/api/v2{path}"
                    sent = sorted([*query, ("limit", str(limit)), *([("offset", str(to))] if to else [])])
                    assert sorted(parse_qsl(link.query, keep_blank_values=True)) == sent
            return list(zip(body["results"], expected, strict=True))
        return []


def extent(examples: int) -> settings:
    """This many sequences of forty steps."""
    return settings(
        max_examples=int(EXAMPLES or examples),
        stateful_step_count=40,
        derandomize=not EXAMPLES,
        phases=[Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
        database=None,
        report_multiple_bugs=False,
        deadline=None,
    )
