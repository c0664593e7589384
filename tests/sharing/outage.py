"""What an outage of a store looks like to clients: refusals in the API's error shape, until the store is back."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx

from tests.sharing.wire import DEADLINE
from tests.support.answers import ok, refused
from tests.support.commands import PATIENCE


class State(NamedTuple):
    """What a request may change, as it is shown."""

    name: str
    description: str
    sections: tuple[str, ...]


class Author:
    """Somebody with a course in a world of their own, at one process, all of whose requests end within the deadline."""

    def __init__(self, url: str, world: str) -> None:
        """Creates the course, as soon as the service has returned from earlier outages."""
        self.url = url
        caller = {"Authorization": "Bearer stub-creator"}
        self._client = httpx.Client(base_url=f"{url}/~{world}/api/v2", headers=caller, timeout=DEADLINE)
        body = {"name": "first", "description": "first", "type": "self-paced"}
        try:
            made = ok(until_answered(lambda: self._client.post("/course/", json=body)), 201)
        except BaseException:
            self.close()
            raise
        self._path = f"/course/{made['id']}/"

    def close(self) -> None:
        self._client.close()

    def rename(self, text: str) -> httpx.Response:
        """Ask to change name and description together."""
        return self._client.patch(self._path, json={"name": text, "description": text})

    def append(self, name: str) -> httpx.Response:
        """Ask to add a section, which changes more than one table."""
        return self._client.post(f"{self._path}section/", json={"name": name})

    def read(self) -> httpx.Response:
        """Ask for the course as its editors see it."""
        return self._client.get(self._path, params={"view": "edit"})

    def state(self) -> State:
        """The course, as soon as it can be read."""
        return shown(until_answered(self.read))


def shown(response: httpx.Response) -> State:
    """The course in an answer; its parts must agree."""
    course = ok(response)
    assert course["sections_order"] == [section["id"] for section in course["sections"]]
    return State(course["name"], course["description"], tuple(section["name"] for section in course["sections"]))


def is_refused(author: Author, word: str) -> None:
    """All changes are refused, with the word, and reading is, too, or shows the course as it was: the journal of
    requests is in the store as well. What needs no store still answers."""
    unavailable(author.rename("second"), word)
    unavailable(author.append("one"), word)
    read = author.read()
    if read.status_code == 503:
        unavailable(read, word)
    else:
        assert shown(read) == ("first", "first", ())
    tells_about_itself(author.url, word)


def unavailable(response: httpx.Response, word: str) -> None:
    """The answer is a refusal of a store that does not work, whose message has the word."""
    assert set(refused(response, 503)) == {""}
    assert word.lower() in response.text.lower()


def tells_about_itself(url: str, word: str) -> None:
    """What needs no store still answers, and the health says what is wrong, unless the store can still be read."""
    told: Any = ok(httpx.get(f"{url}/__stub/version", timeout=DEADLINE))
    assert told
    health = httpx.get(f"{url}/__stub/health", timeout=DEADLINE)
    if health.status_code != 200:
        unavailable(health, word)


def until_answered(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The first answer that is no 503; the service must come back by itself."""
    deadline = time.monotonic() + PATIENCE
    while (response := ask()).status_code == 503:
        assert time.monotonic() < deadline, response.text
        time.sleep(0.05)
    return response
