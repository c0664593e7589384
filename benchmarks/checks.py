"""Checks before a server is measured: are its answers right, and what does it really do with a request?"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from benchmarks.recording import Answer, WrongAnswer, ask
from benchmarks.workloads import CHANGES, GET, Request

_OTHER_NAME = "Watercolour for Quite Absolute Beginners"


@dataclass(frozen=True)
class Habits:
    """How a server was seen to behave."""

    invalid_body: int
    """Status of its answer to an invalid body."""
    no_token: int
    """Status of its answer to a request without a token."""
    remembers: bool
    """Whether a change is still there afterwards."""
    tells_apart: bool
    """Whether it shows which of the two measured bodies was sent last."""


def check(client: httpx.Client, request: Request, expected: Answer) -> None:
    """Raises WrongAnswer if the status differs from the recorded one, or the size by more than about half."""
    answer = ask(client, request)
    if answer.status_code != expected.status:
        raise WrongAnswer(f"{request.method} {request.path} was answered with {answer.status_code}")
    if not 0.5 <= (_size(answer.text) + 1) / (_size(expected.text) + 1) <= 1.6:
        raise WrongAnswer(f"{request.method} {request.path} was answered with {_size(answer.text)} bytes")


def habits(client: httpx.Client, puts: Sequence[Request]) -> Habits:
    """Try an invalid body, a request without a token, and whether a change is still there afterwards."""
    put = puts[0]
    token = {"Authorization": f"Bearer {put.token}"}
    invalid = client.request(put.method, put.path, headers=token, json={**CHANGES, "type": "unheard-of"})
    stranger = client.request(put.method, put.path, json=CHANGES)
    client.request(put.method, put.path, headers=token, json={**CHANGES, "name": _OTHER_NAME})
    remembers = _OTHER_NAME in ask(client, GET).text
    return Habits(invalid.status_code, stranger.status_code, remembers, all(_shows(client, one) for one in puts))


def _shows(client: httpx.Client, put: Request) -> bool:
    """Whether the course has the description that was sent."""
    ask(client, put)
    return put.body is not None and put.body["description"] in ask(client, GET).text


def _size(text: str) -> int:
    """Size in bytes, without the indentation that some servers add."""
    return len(json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)) if text else 0
