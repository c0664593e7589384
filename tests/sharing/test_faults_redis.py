"""When Redis fails, requests are refused with the reason, nothing is half done, and the service returns by itself."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import pytest

from tests.sharing.check import violations
from tests.sharing.cluster import Cluster, redis_url, serving
from tests.sharing.history import Outcome
from tests.sharing.load import Load
from tests.sharing.outage import Author, is_refused, tells_about_itself, unavailable, until_answered
from tests.support.engines import Redis
from tests.support.relay import Direction, Relay

_NUMBERS = itertools.count(1)

pytestmark = [pytest.mark.slow, pytest.mark.untraced]


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with Redis() as redis:
        yield redis


@pytest.fixture(scope="module")
def relay(redis: Redis) -> Iterator[Relay]:
    with Relay(redis.port) as relay:
        yield relay


@pytest.fixture(scope="module")
def cluster(relay: Relay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with serving(tmp_path_factory.mktemp("logs"), 2, "--store", redis_url(relay.port)) as cluster:
        yield cluster


@pytest.fixture
def author(cluster: Cluster) -> Iterator[Author]:
    with contextlib.closing(Author(cluster.urls[0], f"outage-{next(_NUMBERS)}")) as author:
        yield author


class Outage(NamedTuple):
    begin: Callable[[Redis], object]
    end: Callable[[Redis], object]


OUTAGES = {
    "stopped": Outage(Redis.stop, Redis.start),
    "killed": Outage(Redis.kill, Redis.start),
    "paused": Outage(Redis.pause, Redis.resume),
}


@pytest.mark.parametrize("name", OUTAGES)
def test_an_outage_is_told_and_passes(redis: Redis, author: Author, name: str) -> None:
    """Reads are refused, too: nobody knows whether what the process remembers is still true."""
    assert author.append("before").status_code == 201
    OUTAGES[name].begin(redis)
    try:
        for response in (author.rename("second"), author.append("during"), author.read()):
            unavailable(response, "redis")
        tells_about_itself(author.url, "redis")
    finally:
        OUTAGES[name].end(redis)
    name_now, description, sections = author.state()
    assert name_now == description
    assert sections in (("before",), ("before", "during"))
    assert until_answered(lambda: author.rename("third")).status_code == 200
    assert author.state() == ("third", "third", sections)


def test_a_full_redis_is_told_and_passes(redis: Redis, author: Author) -> None:
    redis.ask("CONFIG SET maxmemory 1")
    try:
        is_refused(author, "redis")
    finally:
        redis.ask("CONFIG SET maxmemory 0")
    assert until_answered(lambda: author.rename("third")).status_code == 200
    assert author.state() == ("third", "third", ())


@pytest.mark.parametrize("of", ["commands", "replies"])
def test_a_connection_cut_anywhere_does_everything_or_nothing(relay: Relay, author: Author, of: Direction) -> None:
    """A request that is refused may have been carried out if its connection was cut, but never twice, and never by
    halves. One that is answered has been."""
    cuts = 0
    expected = author.state().sections
    for number, share in enumerate((0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98)):
        before = relay.passed[of]
        assert author.append(f"whole {number}").status_code == 201
        expected += (f"whole {number}",)
        relay.cut(of, after=int((relay.passed[of] - before) * share))
        response = author.append(f"cut {number}")
        cuts += relay.has_cut
        relay.let_pass()
        if response.status_code != 201:
            unavailable(response, "redis")
        found = author.state().sections
        assert found in [(*expected, f"cut {number}"), *([expected] if response.status_code == 503 else [])]
        expected = found
    assert cuts > 4


Events = dict[int, Callable[[], object]]
EVENTS: dict[str, Callable[[Redis, Relay], Events]] = {
    "restarted": lambda redis, _: {500: redis.restart, 1000: redis.restart},
    "killed": lambda redis, _: {500: redis.kill, 700: redis.start},
    "paused": lambda redis, _: {500: redis.pause, 501: redis.resume},
    "cut": lambda _, relay: dict.fromkeys(range(200, 1400, 100), relay.cut_all),
    "cut within": lambda _, relay: {count: partial(relay.cut, "replies", count % 97) for count in range(200, 1400, 60)},
}
"""What happens -> after how many requests of a load."""


@pytest.mark.parametrize("name", EVENTS)
def test_processes_behave_as_one_whatever_happens_to_redis(
    redis: Redis, relay: Relay, cluster: Cluster, name: str
) -> None:
    seed = [*EVENTS].index(name)
    assert violations(Load(cluster.urls, requests=1500, seed=seed, events=EVENTS[name](redis, relay)).run()) == []
    relay.let_pass()
    afterwards = Load(cluster.urls, requests=300, seed=seed + len(EVENTS))
    assert violations(afterwards.run()) == []
    assert Outcome.UNKNOWN not in {done.outcome for done in afterwards.done}
