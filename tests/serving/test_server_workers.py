"""The server with several workers: what clients, logs and signals find, whichever of them answers."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stubserver.serving import server, workers
from tests.sources import ROOT
from tests.support.commands import PATIENCE, Served, until

pytestmark = pytest.mark.slow

SCRIPT = """
import stubserver.cli
from stubserver.serving import server, workers
stubserver.cli.check_workers = lambda *_: None  # each worker may have worlds of its own here
server.GRACE, workers.PATIENCE = 3600, 7200
CHANGES
stubserver.cli.main()
"""
LISTED = re.compile(r"GET    /api/v2/category/ 200 [0-9.]+ ms anonymous default-[0-9]+")

ESTABLISHED = "01"


class Several(Served):
    """A server with several workers, in a process group of its own."""

    def __init__(self, folder: Path, *arguments: str, number: int = 2, changes: str = "", **environment: str) -> None:
        script = f"import os\nos.setpgid(0, 0){SCRIPT.replace('CHANGES', changes)}"
        super().__init__(
            folder,
            "--workers",
            str(number),
            *arguments,
            command=(sys.executable, "-c", script, "serve"),
            PYTHONWARNINGS="ignore",
            **environment,
        )
        self.wait_for(lambda: len(self.workers) == number)

    @property
    def workers(self) -> list[int]:
        pid = self.process.pid
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def has_replaced(self, pid: int) -> bool:
        """Whether a worker has a successor."""
        return pid not in self.workers and len(self.workers) == 2

    @property
    def threads(self) -> int:
        """How many threads the parent has."""
        return len([*Path(f"/proc/{self.process.pid}/task").iterdir()])

    @property
    def told(self) -> list[str]:
        """The lines in the log that are not about requests."""
        return [line for line in self.log if not LISTED.fullmatch(line)]

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=PATIENCE)

    def listens(self) -> bool:
        address = urlsplit(self.url)
        try:
            socket.create_connection((str(address.hostname), address.port or 0), PATIENCE).close()
        except ConnectionRefusedError:
            return False
        return True

    def connections(self, pid: int) -> int:
        """How many connections a worker has."""
        port = f":{urlsplit(self.url).port:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        sockets = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(port) and row[3] == ESTABLISHED}
        return sum(str(file.readlink()) in sockets for file in Path(f"/proc/{pid}/fd").iterdir())

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def several(folder: Path, *arguments: str, number: int = 2, changes: str = "", **environment: str) -> Iterator[Several]:
    made = Several(folder, *arguments, number=number, changes=changes, **environment)
    try:
        yield made
    finally:
        made.end()


class Begun:
    """A request of which the server has read the head, and waits for the body."""

    def __init__(self, served: Several) -> None:
        self._connection = served.connect()
        self._connection.putrequest("POST", "/oauth/token/")
        for name, value in (("Content-Length", "2"), ("Content-Type", "application/json"), ("Expect", "100-continue")):
            self._connection.putheader(name, value)
        self._connection.endheaders()
        assert self._connection.sock.recv(1000).startswith(b"HTTP/1.1 100 ")

    def finish(self) -> int:
        """Send the body; returns the status of the answer, or 0 if the connection has been dropped."""
        try:
            self._connection.send(b"{}")
            return self._connection.getresponse().status
        except (ConnectionError, http.client.HTTPException):
            return 0
        finally:
            self._connection.close()


def ask(connection: http.client.HTTPConnection, query: str = "") -> int:
    connection.request("GET", f"/api/v2/category/{query}")
    with connection.getresponse() as answer:
        answer.read()
        return answer.status


def state(pid: int) -> str:
    """The state of a process: S if it sleeps, Z if it has ended and nobody has asked for its status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


# Serving


def test_they_are_one_server(tmp_path: Path) -> None:
    """One banner, one address, a line in the log for each request, and nothing more."""
    with several(tmp_path, number=3) as served:
        for _ in range(20):
            served.ask("GET", "/api/v2/category/")
        assert served.banner.count("API    ") == 1
        assert [bool(LISTED.fullmatch(line)) for line in served.log] == [True] * 20


def test_clients_are_spread_over_all(tmp_path: Path) -> None:
    with several(tmp_path) as served, contextlib.ExitStack() as clients:
        for _ in range(64):
            assert ask(clients.enter_context(contextlib.closing(served.connect()))) == 200
            if all(map(served.connections, served.workers)):
                break
        else:
            pytest.fail(str([served.connections(pid) for pid in served.workers]))


def test_lines_of_several_do_not_get_into_each_other(tmp_path: Path) -> None:
    """Also if nobody reads them in time, so that the pipe is often full."""
    with several(tmp_path) as served:
        threads = [threading.Thread(target=_ask_much, args=(served, f"?{letter * 150}")) for letter in "xy"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        served.wait_for(lambda: len(served.log) >= 400)
        assert [line for line in served.log if not re.search(r"\?(x{150}|y{150}) 200 ", line)] == []


def _ask_much(served: Several, query: str) -> None:
    with contextlib.closing(served.connect()) as connection:
        for _ in range(200):
            ask(connection, query)


def test_the_parent_has_no_thread(tmp_path: Path) -> None:
    """A fork would lose it; not even after it has logged something."""
    with several(tmp_path, changes="workers.EARLY = 0") as served:
        first, second = served.workers
        os.kill(first, signal.SIGKILL)
        served.wait_for(lambda: bool(served.told))
        served.wait_for(lambda: served.has_replaced(first))
        assert served.threads == 1
        assert served.told[0].endswith(f"(process {first}) was ended by SIGKILL: another one takes its place")
        assert second in served.workers


def test_the_parent_logs_as_the_workers_do(tmp_path: Path) -> None:
    with several(tmp_path, "--log-format", "json", changes="workers.EARLY = 0") as served:
        os.kill(served.workers[0], signal.SIGKILL)
        served.wait_for(lambda: len(served.log) > 1)
        _, line = map(json.loads, served.log)
        assert (line["level"], line["message"].partition(" was ")[2][:16]) == ("warning", "ended by SIGKILL")


def test_a_log_that_nobody_reads_holds_up_nobody(tmp_path: Path) -> None:
    """Neither the workers nor their parent: a pipe takes 64 KiB, and then whoever writes to it waits for ever."""
    fill = "os.dup2(os.open(os.environ['FULL'], os.O_RDWR), 2)\nos.set_blocking(2, False)\n"
    fill += "while True:\n    try: os.write(2, b'x' * 512)\n    except BlockingIOError: break\nos.set_blocking(2, True)"
    os.mkfifo(tmp_path / "full")
    with several(tmp_path, changes=f"workers.EARLY = 0\n{fill}", FULL=str(tmp_path / "full")) as served:
        for _ in range(3):
            pid = served.workers[0]
            os.kill(pid, signal.SIGKILL)
            until(partial(served.has_replaced, pid))
        assert served.threads == 2  # one has tried to write, the others have not
        with contextlib.closing(served.connect()) as connection:
            assert [ask(connection) for _ in range(3)] == [200] * 3
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(PATIENCE) == -signal.SIGTERM


# Ending


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 0)])
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["parent", "group"])
def test_requests_that_have_begun_are_finished(
    tmp_path: Path, number: signal.Signals, status: int, send: Callable[[int, int], None]
) -> None:
    """Also if the whole group gets the signal, so that the workers learn of it twice."""
    with several(tmp_path) as served:
        requests = [Begun(served) for _ in range(4)]
        send(served.process.pid, number)
        served.wait_for(lambda: not served.listens())
        assert [request.finish() for request in requests] == [400] * 4
        assert served.process.wait(PATIENCE) == status
        assert [line for line in served.log if " 400 " not in line] == []


@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["parent", "group"])
def test_a_second_signal_drops_requests(tmp_path: Path, send: Callable[[int, int], None]) -> None:
    with several(tmp_path) as served:
        requests = [Begun(served) for _ in range(4)]
        send(served.process.pid, signal.SIGTERM)
        served.wait_for(lambda: not served.listens())
        send(served.process.pid, signal.SIGTERM)
        assert served.process.wait(PATIENCE) == -signal.SIGTERM
        assert [request.finish() for request in requests] == [0] * 4
        assert [line for line in served.log if "exceeded" in line or "Traceback" in line or "killed" in line] == []


def test_requests_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    """Its workers end when they have been finished."""
    with several(tmp_path) as served:
        processes = served.workers
        requests = [Begun(served) for _ in range(4)]
        served.process.kill()
        served.process.wait()
        until(lambda: not served.listens())
        until(lambda: all(state(pid) in "SZ" for pid in processes * 5))  # they do not spin while they wait
        assert [request.finish() for request in requests] == [400] * 4
        until(lambda: all(state(pid) == "Z" for pid in processes))


def test_a_worker_has_longer_than_its_requests() -> None:
    assert workers.PATIENCE > server.GRACE + server.QUIET + workers.MOMENT


def test_the_docs_tell_how_long() -> None:
    page = (ROOT / "docs/commands.md").read_text(encoding="utf-8").split("## Several processes")[1].split("##")[0]
    assert f"killed {workers.PATIENCE:g} seconds after" in page
    assert (workers.MOMENT, workers.EARLY, workers.TRIES) == (1, 1, 5)
    assert all(words in page for words in ("or one second after", "within their first second", "five times in a row"))


# Metrics


def scraped(served: Several) -> dict[str, float]:
    """The metrics, by name and labels, as whichever worker answers tells them."""
    with contextlib.closing(served.connect()) as connection:
        connection.request("GET", "/metrics", headers={"Host": "localhost"})
        text = connection.getresponse().read().decode()
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {" ".join([sample.name, *sample.labels.values()]): sample.value for sample in samples}


def test_a_scrape_sees_all_workers(tmp_path: Path) -> None:
    """Whichever answers it: it adds up what each has counted, also those that have ended."""
    asked = "stubserver_requests_total list_categories 200"
    with several(tmp_path, changes="workers.EARLY = 0") as served:
        connections = [served.connect() for _ in range(4)]
        assert [ask(connection) for connection in connections for _ in range(5)] == [200] * 20
        assert all(served.connections(pid) for pid in served.workers)
        assert [scraped(served)[asked] for _ in range(6)] == [20] * 6
        known = scraped(served)
        assert {name for name in known if name.startswith("process_open_fds")} == {
            "process_open_fds 1",
            "process_open_fds 2",
        }
        for number in (signal.SIGKILL, signal.SIGTERM):
            pid = served.workers[0]
            for connection in connections:
                connection.close()
            os.kill(pid, number)
            served.wait_for(partial(served.has_replaced, pid))
        assert [scraped(served)[asked] for _ in range(4)] == [20] * 4
        with contextlib.closing(served.connect()) as connection:
            assert ask(connection) == 200
        assert [scraped(served)[asked] for _ in range(4)] == [21] * 4


# Single workers


def test_a_worker_may_be_ended_alone(tmp_path: Path) -> None:
    """It finishes what it has begun; then another one takes its place."""
    with several(tmp_path, changes="workers.EARLY = 0") as served:
        first, second = served.workers
        requests = list[Begun]()
        while not served.connections(first):
            requests.append(Begun(served))
        os.kill(first, signal.SIGTERM)
        assert [request.finish() for request in requests] == [400] * len(requests)
        served.wait_for(lambda: served.has_replaced(first))
        assert second in served.workers
        (line,) = [line for line in served.told if " 400 " not in line]
        assert line.endswith(f"(process {first}) was ended by SIGTERM: another one takes its place")


def test_a_restart_loses_no_request(tmp_path: Path) -> None:
    """Neither of clients that connect for each, nor of those that keep their connections."""
    with several(tmp_path, changes="server.QUIET = 3600") as served:
        old, results, over = served.workers, list[int](), threading.Event()
        clients = [threading.Thread(target=_ask_on, args=(served, results, over, keep)) for keep in (True, False)]
        for client in clients:
            client.start()
        served.process.send_signal(signal.SIGHUP)
        try:
            served.wait_for(lambda: not set(old) & set(served.workers) and len(served.workers) == 2)
        finally:
            over.set()
            for client in clients:
                client.join()
        assert set(results) == {200}
        assert [line.partition(") ")[2] for line in served.told] == [
            "ends, because of SIGHUP: another one takes its place"
        ] * 2


def _ask_on(served: Several, results: list[int], over: threading.Event, keep: bool) -> None:
    with contextlib.closing(served.connect()) as connection:
        while not over.is_set():
            try:
                results.append(ask(connection))
            except (ConnectionError, http.client.HTTPException):
                results.append(0)
            if not keep:
                connection.close()
