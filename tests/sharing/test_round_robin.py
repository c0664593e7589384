"""Behind a proxy that sends each request to another process, tests in parallel cannot tell that there are several."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path

import httpx
import pytest

from stubserver.testing import CourseWorld, Stub, StubError
from tests.sharing.cluster import PROCESSES, STORES, sharing
from tests.support.answers import ok
from tests.support.commands import PATIENCE
from tests.support.default import NOW
from tests.support.engines import round_robin
from tests.support.worlds import named

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

JOBS = 30
EACH = max(PROCESSES.values())
"""So many requests in a row reach every process, unless other jobs come in between."""
FIRST = 16
"""The id of the first course that is created in a world."""


@pytest.mark.parametrize("store", STORES)
def test_parallel_jobs_pass(store: str, tmp_path: Path) -> None:
    with sharing(store, tmp_path) as cluster, round_robin(cluster.ports) as url:
        with ThreadPoolExecutor(JOBS) as pool:
            jobs = [pool.submit(job, url, f"job-{number}", NOW + timedelta(days=number)) for number in range(JOBS)]
        failed = [f"job {number}: {job.exception()!r}" for number, job in enumerate(jobs) if job.exception()]
        assert failed == []
        with closing(Stub(url)) as stub:
            assert [world["name"] for world in stub.control("GET", "/worlds")["results"]] in ([], ["default"])
            assert stub.control("GET", "/snapshots")["count"] == 0


def job(url: str, name: str, at: datetime) -> None:
    """What one CI job does, in a world of its own, which it calls by its header and by its path in turn. Raises
    AssertionError or StubError if another job or another process comes in between."""
    headers = {"Authorization": "Bearer stub-creator", **named(name)}
    with closing(Stub(url)) as stub, httpx.Client(base_url=f"{url}/api/v2", headers=headers, timeout=PATIENCE) as other:
        world = stub.world(name)
        clients = cycle((world.client("creator"), other))
        steer_the_clock(world, at)
        create_and_change(world, clients, at)
        meet_a_fault(world, clients)
        go_back(world, clients, at)


def steer_the_clock(world: CourseWorld, at: datetime) -> None:
    world.clock.freeze(at)
    assert {world.clock.now for _ in range(EACH)} == {at}


def create_and_change(world: CourseWorld, clients: Iterator[httpx.Client], at: datetime) -> None:
    """Each process shows what another one did, its journal included."""
    made = ok(next(clients).post("/course/", json={"name": world.name, "type": "self-paced"}), 201)
    assert (made["id"], datetime.fromisoformat(made["created_at"])) == (FIRST, at)
    assert names(clients) == {world.name}
    ok(next(clients).patch(f"/course/{FIRST}/", json={"name": "Knots"}))
    assert names(clients) == {"Knots"}
    listed = [ok(next(clients).get("/course/?statuses=creator&limit=100")) for _ in range(EACH)]
    assert {page["count"] for page in listed} == {FIRST}
    assert all("Knots" in [course["name"] for course in page["results"]] for page in listed)
    for _ in range(EACH):
        world.assert_called("create_course", contains={"name": world.name}, persona="stub-creator", times=1)
        world.assert_called("get_course", path=f"/course/{FIRST}/", status=200, times=2 * EACH)
        world.assert_called("patch_course", times=1)
    ids = [entry["id"] for entry in world.journal.requests()]
    assert ids == [f"{world.name}-{number}" for number in range(2 + 3 * EACH, 0, -1)]


def names(clients: Iterator[httpx.Client]) -> set[str]:
    """The names that the processes show of the course."""
    return {ok(next(clients).get(f"/course/{FIRST}/"))["name"] for _ in range(EACH)}


def meet_a_fault(world: CourseWorld, clients: Iterator[httpx.Client]) -> None:
    """It fires once, wherever; not once in each process."""
    world.faults.add("error", status=503, operation="get_course", times=1)
    statuses = [next(clients).get(f"/course/{FIRST}/").status_code for _ in range(2 * EACH)]
    assert sorted(statuses) == [200] * (2 * EACH - 1) + [503]
    assert [fault["fired"] for _ in range(EACH) for fault in world.faults.list()] == [1] * EACH


def go_back(world: CourseWorld, clients: Iterator[httpx.Client], at: datetime) -> None:
    """To a snapshot, to the fixture, and to where the world did not exist."""
    world.snapshot(f"{world.name}-kept")
    world.clock.advance(days=1)
    ok(next(clients).patch(f"/course/{FIRST}/", json={"name": "Bends"}))
    world.restore(f"{world.name}-kept")
    assert names(clients) == {"Knots"}
    assert {world.clock.now for _ in range(EACH)} == {at}
    assert world.faults.list() == []
    world.reset()
    assert {next(clients).get(f"/course/{FIRST}/").status_code for _ in range(EACH)} == {404}
    assert {world.journal.count() for _ in range(EACH)} == {EACH}
    world.stub.control("DELETE", f"/snapshots/{world.name}-kept")
    world.delete()
    for _ in range(EACH):
        with pytest.raises(StubError) as caught:
            world.stub.control("GET", f"/worlds/{world.name}")
        assert caught.value.status == 404
