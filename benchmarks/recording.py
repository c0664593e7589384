"""Records the answers of our own server, so that the peers can give the same ones."""

from dataclasses import dataclass

import httpx

from benchmarks.workloads import BROWSE, GET, PAGE, PUTS, Request


@dataclass(frozen=True)
class Answer:
    """A recorded answer."""

    request: Request
    status: int
    text: str


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


def answer_to(request: Request, recording: Recording) -> Answer:
    """The recorded answer to a request."""
    return next(answer for answer in recording if answer.request == request)


def _recorded(request: Request, answer: httpx.Response) -> Answer:
    if not answer.is_success:
        raise WrongAnswer(f"{request.method} {request.path} was answered with {answer.status_code}: {answer.text}")
    return Answer(request, answer.status_code, answer.text)
