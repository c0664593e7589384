"""A server whose worlds are in memory and servers whose worlds are in one store: what they answer must be the same."""

from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any

import httpx

from tests.support.client import Api


class Twins(Api):
    """Servers that are all asked the same, as a persona. Those with a store take turns."""

    def __init__(
        self, memory: Api, *stored: Api, persona: str | None = None, turns: Iterator[Api] | None = None
    ) -> None:
        super().__init__(memory.app, memory._runner, persona)
        self._memory = memory
        self._stored = stored
        self._turns = turns or cycle(stored)

    def as_(self, persona: str | None) -> "Twins":
        return Twins(self._memory, *self._stored, persona=persona, turns=self._turns)

    def _send(self, method: str, url: str, headers: dict[str, str], options: dict[str, Any]) -> httpx.Response:
        """The answer, which must be the same but for its date."""
        if "files" in options:
            headers = {**headers, "Content-Type": "multipart/form-data; boundary=boundary"}
        theirs, ours = (api._send(method, url, headers, options) for api in (self._memory, next(self._turns)))
        assert told(ours) == told(theirs), f"{method} {url}\nin a store: {told(ours)}\nin memory:  {told(theirs)}"
        return ours


def told(response: httpx.Response) -> tuple[int, Mapping[str, list[str]], bytes]:
    """All that an answer says, except for its date."""
    headers: dict[str, list[str]] = {}
    for name, value in response.headers.multi_items():
        if name != "date":
            headers.setdefault(name, []).append(value)
    return response.status_code, headers, response.content
