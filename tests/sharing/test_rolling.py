"""Two replicas behind nginx are replaced one after the other, as operators do it, and no client notices."""

import signal
import threading
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from stubserver.testing import Stub
from tests.sharing.cluster import SHARED, serving_at
from tests.support.commands import PATIENCE, until
from tests.support.engines import free_port, nginx, trying_the_next

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

CLIENTS = 4


class Load:
    """Clients that create sections and read them, until they are told to stop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(CLIENTS)]
        self.made: list[int] = []
        self.wrong: list[str] = []
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        with httpx.Client(base_url=f"{self._url}/api/v2", timeout=PATIENCE) as client:
            client.headers["Authorization"] = "Bearer stub-creator"
            while not self._stopping.is_set():
                try:
                    answer = client.post("/course/1/section/", json={"name": "Rolling"})
                    answer.raise_for_status()
                    self.made.append(answer.json()["id"])
                    client.get(f"/course/1/section/{self.made[-1]}/").raise_for_status()
                except httpx.HTTPError as error:
                    self.wrong.append(repr(error))

    def stop(self) -> None:
        """Stop all clients, after their current requests."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize("store", SHARED)
def test_replicas_are_replaced_without_a_failed_request(store: str, tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    with serving_at(store, tmp_path, ports) as replicas, nginx(*trying_the_next(ports)) as url:
        load = Load(url)
        try:
            for number in range(len(ports)):
                before = len(load.made)
                until(lambda: len(load.made) > before + 20, lambda: load.wrong)  # noqa: B023 (called at once)
                replicas.stop(number, signal.SIGTERM)
                replicas.begin(number)
            before = len(load.made)
            until(lambda: len(load.made) > before + 20, lambda: load.wrong)
        finally:
            load.stop()
        assert load.wrong == []
        assert len({*load.made}) == len(load.made)
        with closing(Stub(url)) as stub, stub.world("default").client("creator") as client:
            found = client.get("/course/1/section/").json()
            assert {*load.made} <= {section["id"] for section in found}
            assert sum(section["name"] == "Rolling" for section in found) == len(load.made)
