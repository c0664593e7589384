"""Records the answers of our own server, so that the peers can give the same ones."""

from dataclasses import dataclass, replace

import httpx

from benchmarks.workloads import BROWSE, GET, PAGE, PUTS, Request


@dataclass(frozen=True)
class Answer:
    """A recorded answer."""

    request: Request
    status: int
    text: str


@dataclass(frozen=True)
class Scripted:
    """An answer that belongs to a state of a scenario; without a name, it belongs to all of them."""

    answer: Answer
    scenario: str = ""
    state: str = ""
    sent: str = ""
    """The text in the body of a request that leads to the state; empty for a request that does not change it."""


_STATES = ("Started", "Changed")
"""The first is that in which all scenarios of WireMock and MockServer begin."""
_WORDS = {"course": ("little patience", "little devotion"), "comment": ("first wash, and I", "first wash, but I")}
"""Scenario -> the words that its two bodies differ in."""
Recording = list[Answer]
"""An answer for each request of the workloads."""


class WrongAnswer(Exception):
    """A server's answer is not the one that is to be measured."""


def ask(client: httpx.Client, request: Request) -> httpx.Response:
    """Send a request as its persona."""
    headers = {"Authorization": f"Bearer {request.token}", "Accept-Encoding": "identity"}
    return client.request(request.method, request.path, headers=headers, json=request.body)


def record(url: str) -> Recording:
    """Send every request to our server once; writes come first, so that all answers show the same course.

    Raises WrongAnswer if a request is refused.
    """
    with httpx.Client(base_url=url) as client:
        return [_recorded(request, ask(client, request)) for request in (*PUTS, GET, PAGE, *BROWSE)]


def by_path(recording: Recording) -> list[Answer]:
    """One answer for each method and path, for peers that cannot tell tokens apart."""
    return list({(answer.request.method, answer.request.path): answer for answer in reversed(recording)}.values())


def scripted(recording: Recording) -> list[Scripted]:
    """What a peer needs to remember which of the two bodies of a row was sent last, and to show it in every answer:
    one answer for each state. Bodies and answers differ in one word, so those of the other state are made from these.
    """
    found = []
    for answer in by_path(recording):
        scenario = next((name for name, words in _WORDS.items() if any(word in answer.text for word in words)), "")
        if not scenario:
            found.append(Scripted(answer))
            continue
        for state, word in zip(_STATES, _WORDS[scenario], strict=True):
            text = answer.text
            for other in _WORDS[scenario]:
                text = text.replace(other, word)
            sent = word if answer.request.body else ""
            found.append(Scripted(replace(answer, text=text), scenario, state, sent))
    return found


def answer_to(request: Request, recording: Recording) -> Answer:
    """The recorded answer to a request."""
    return next(answer for answer in recording if answer.request == request)


def _recorded(request: Request, answer: httpx.Response) -> Answer:
    if not answer.is_success:
        raise WrongAnswer(f"{request.method} {request.path} was answered with {answer.status_code}: {answer.text}")
    return Answer(request, answer.status_code, answer.text)
