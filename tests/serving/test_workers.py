"""Several processes behind one socket: how the parent starts, replaces, restarts and ends them.

The workers here are trivial, so that they start at once and do as they are told; `test_server_workers.py` has the real
server in them.
"""

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stubserver.serving import workers
from tests.sources import ROOT
from tests.support.commands import CLEAN, PATIENCE, until
from tests.support.terminals import running

pytestmark = pytest.mark.slow

SCRIPT = """
import os, select, signal, socket, sys
from stubserver.serving import workers

def say(line):
    try:
        os.write(2, f"{line}\\n".encode())
    except OSError:  # a terminal that has been closed
        pass

def serve(place, pipe):
    signal.signal(signal.SIGTERM, lambda *_: None)
    listener.setblocking(False)
    say(f"started {place} {os.getpid()}")
    pipes, asked, client = [pipe], 0, None
    while asked < 2 and (client or not asked):
        ready = select.select([*pipes, client or listener], [], [])[0]
        if pipe in ready:
            pipes = [pipe] if os.read(pipe, 1) else []
            asked += 1
            listener.close()
            say(f"asked {place} {os.getpid()}")
        elif client:
            client = client.close()
        else:
            try:
                client = listener.accept()[0]
            except BlockingIOError:
                continue
            client.sendall(f"{os.getpid()}\\n".encode())
    say(f"ended {place} {os.getpid()}")

serve_one = serve
CHANGES
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
workers.run(serve_one, listener, int(sys.argv[1]), say)
"""
"""A parent whose workers have one client at a time, whom they tell their process. They end when it has gone."""


def command(number: int, changes: str = "") -> list[str]:
    """The command that runs a parent; `changes` are Python that is inserted into it."""
    return [sys.executable, "-c", SCRIPT.replace("CHANGES", changes), str(number)]


class Parent:
    """A parent with so many workers, in a process group of its own."""

    def __init__(self, folder: Path, number: int, changes: str = "") -> None:
        self._err = folder / "err"
        with self._err.open("w") as err:
            self.process = subprocess.Popen(
                command(number, changes), cwd=ROOT, env=CLEAN, stdout=subprocess.PIPE, stderr=err, process_group=0
            )
        assert self.process.stdout is not None
        self._out = self.process.stdout
        self._port = int(self._out.readline())
        self._clients = contextlib.ExitStack()

    @property
    def lines(self) -> list[str]:
        return self._err.read_text().split("\n")[:-1]

    def of_workers(self, word: str) -> list[int]:
        """The processes that have said this word, in their order."""
        return [int(line.split()[2]) for line in self.lines if line.startswith(f"{word} ")]

    @property
    def said(self) -> list[str]:
        """What the parent has logged."""
        return [line for line in self.lines if line.split()[0] not in ("started", "asked", "ended")]

    def wait_for(self, condition: Callable[[], object]) -> None:
        until(condition, lambda: self.lines)

    def started(self, number: int) -> list[int]:
        """The processes of all workers so far, once there have been so many."""
        self.wait_for(lambda: len(self.of_workers("started")) >= number)
        return self.of_workers("started")

    def connect(self) -> tuple[int, socket.socket]:
        """The process of an idle worker, and a connection to it."""
        client = self._clients.enter_context(socket.create_connection(("127.0.0.1", self._port), PATIENCE))
        with client.makefile() as said:
            return int(said.readline()), client

    def listens(self) -> bool:
        """Whether anything does."""
        try:
            socket.create_connection(("127.0.0.1", self._port), PATIENCE).close()
        except ConnectionRefusedError:
            return False
        return True

    def end(self) -> int:
        """Wait until the parent and all workers have ended: until then, somebody may write to their output."""
        assert select.select([self._out], [], [], PATIENCE)[0], self.lines
        assert self._out.read() == b""
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End all that is left, in no particular way."""
        self._clients.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._out.close()


@contextlib.contextmanager
def parent(folder: Path, number: int, changes: str = "") -> Iterator[Parent]:
    made = Parent(folder, number, changes)
    try:
        yield made
    finally:
        made.kill()


def fields(pid: int, name: str) -> list[str]:
    """What the system says about a process."""
    return [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if name in line]


# Starting


def test_there_are_as_many_as_wanted(tmp_path: Path) -> None:
    """All are children of one parent, and each has a number of its own."""
    with parent(tmp_path, 3) as three:
        found = three.started(3)
        assert sorted(line.split()[1] for line in three.lines) == ["0", "1", "2"]
        children = Path(f"/proc/{three.process.pid}/task/{three.process.pid}/children").read_text().split()
        assert sorted(map(int, children)) == sorted(found)


def test_the_parent_sleeps_while_they_work(tmp_path: Path) -> None:
    """It does not wake up once, however many clients there are."""
    with parent(tmp_path, 2) as two:
        two.started(2)

        def sleeps() -> bool:
            before = fields(two.process.pid, "ctxt_switches")
            for _ in range(50):
                two.connect()[1].close()
            return fields(two.process.pid, "ctxt_switches") == before != []

        two.wait_for(sleeps)  # once it has done its part of the start


def test_other_children_of_the_parent_are_not_its_business(tmp_path: Path) -> None:
    """A shell may have started them before it became the server."""
    other = "os.fork() or os._exit(3)"
    with parent(tmp_path, 1, other) as one:
        (worker,) = one.started(1)
        os.kill(worker, signal.SIGKILL)
        one.started(2)
        assert len(one.said) == 1


# Ending


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 0)])
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["parent", "group"])
def test_a_signal_ends_all_gracefully(
    tmp_path: Path, number: signal.Signals, status: int, send: Callable[[int, int], None]
) -> None:
    """Each finishes what it has begun; new clients are refused. A terminal sends Ctrl-C to the whole group."""
    with parent(tmp_path, 2) as two:
        two.started(2)
        clients = dict(two.connect() for _ in range(2))
        send(two.process.pid, number)
        two.wait_for(lambda: sorted(two.of_workers("asked")) == sorted(clients))
        assert not two.listens()
        assert two.process.poll() is None
        for client in clients.values():
            client.close()
        assert two.end() == status
        assert two.said == []


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("second", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 0)])
def test_a_second_signal_ends_all_at_once(
    tmp_path: Path, first: signal.Signals, second: signal.Signals, status: int
) -> None:
    with parent(tmp_path, 2) as two:
        two.started(2)
        clients = [two.connect()[1] for _ in range(2)]
        two.process.send_signal(first)
        two.wait_for(lambda: len(two.of_workers("asked")) == 2)
        two.process.send_signal(second)
        assert two.end() == status
        assert [client.recv(1) for client in clients] == [b"", b""]
        assert (len(two.of_workers("asked")), two.said) == (4, [])


def test_a_worker_may_have_died_at_the_end(tmp_path: Path) -> None:
    """The parent, which is stopped in the meantime, learns of the end first."""
    with parent(tmp_path, 2) as two:
        first, _ = two.started(2)
        two.process.send_signal(signal.SIGSTOP)
        os.kill(first, signal.SIGKILL)
        two.wait_for(lambda: "Z" in fields(first, "State:")[0])
        two.process.send_signal(signal.SIGTERM)
        two.process.send_signal(signal.SIGCONT)
        assert two.end() == -signal.SIGTERM
        assert two.said == []


HANGS = """
def serve_one(place, pipe):
    say(f"started {place} {os.getpid()}")
    os.read(pipe, 1)
    say(f"asked {place} {os.getpid()}")
    signal.pause()
workers.PATIENCE = workers.MOMENT = 3600
"""


@pytest.mark.parametrize(("soon", "signals"), [("PATIENCE", 1), ("MOMENT", 2)])
def test_a_worker_that_hangs_is_killed(tmp_path: Path, soon: str, signals: int) -> None:
    """After a while, or a moment after the second signal."""
    with parent(tmp_path, 1, f"{HANGS}workers.{soon} = 0") as one:
        (worker,) = one.started(1)
        one.process.send_signal(signal.SIGTERM)
        if signals == 2:
            one.wait_for(lambda: one.of_workers("asked"))
            one.process.send_signal(signal.SIGTERM)
        assert one.end() == -signal.SIGTERM
        assert one.said == [f"worker 1 (process {worker}) did not end in time, so it was killed"]


def test_nothing_is_left_of_a_parent_that_is_killed(tmp_path: Path) -> None:
    """Its workers finish what they have begun, and end."""
    with parent(tmp_path, 3) as three:
        three.started(3)
        pid, client = three.connect()
        three.process.kill()
        three.wait_for(lambda: len(three.of_workers("asked")) == 3)
        assert pid in three.of_workers("asked")
        client.close()
        assert three.end() == -signal.SIGKILL
        assert not three.listens()


# Replacing


ALL_LATE = "workers.EARLY = 0"
ALL_EARLY = "workers.EARLY = 3600"


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with parent(tmp_path, 2, ALL_LATE) as two:
        dead = two.started(2)[0]
        place = two.lines[0].split()[1]
        os.kill(dead, signal.SIGKILL)
        new = two.started(3)[2]
        number = int(place) + 1
        assert two.said == [f"worker {number} (process {dead}) was ended by SIGKILL: another one takes its place"]
        assert f"started {place} {new}" in two.lines
        assert new in [two.connect()[0] for _ in range(2)]


@pytest.mark.parametrize(
    ("ends", "how", "printed"),
    [
        ("sys.exit()", "ended with status 0", ""),
        ("sys.exit(3)", "ended with status 3", ""),
        ("sys.exit('a reason')", "ended with status 1", "a reason"),
        ("None", "ended with status 0", ""),
        ("1 / 0", "ended with status 1", "ZeroDivisionError: division by zero"),
        ("os.kill(os.getpid(), signal.SIGABRT)", "was ended by SIGABRT", ""),
        ("os.kill(os.getpid(), 40)", "was ended by signal 40", ""),
    ],
)
def test_the_log_says_how_a_worker_has_ended(tmp_path: Path, ends: str, how: str, printed: str) -> None:
    with parent(tmp_path, 1, f"serve_one = lambda *_: {ends}\nworkers.TRIES = 1\n{ALL_EARLY}") as one:
        assert one.end() == 1
        *before, last = one.said
        assert f" {how}: " in last
        assert before[-1:] == ([printed] if printed else [])


def test_workers_that_cannot_start_are_tried_ever_less_and_then_given_up(tmp_path: Path) -> None:
    with parent(tmp_path, 1, f"serve_one = lambda *_: sys.exit(7)\n{ALL_EARLY}") as one:
        assert one.end() == 1
        *tried, last = [line.partition(" ended with status 7: ")[2] for line in one.said]
        assert tried == [f"another one takes its place in {pause} seconds" for pause in (0.1, 0.2, 0.4, 0.8)]
        assert last == "the server gives up, because each worker has failed to start 5 times in a row"
        assert not one.listens()


def test_one_worker_that_works_is_enough(tmp_path: Path) -> None:
    """The other one is tried again and again."""
    changes = f"serve_one = lambda place, pipe: sys.exit(7) if place else serve(place, pipe)\n{ALL_EARLY}"
    with parent(tmp_path, 2, f"{changes}\nworkers._FIRST_PAUSE = workers._MOST_PAUSE = 0.01") as two:
        two.wait_for(lambda: len(two.said) > workers.TRIES + 2)
        pid, client = two.connect()
        assert [pid] == two.of_workers("started")
        client.close()
        assert {line.partition(": ")[2] for line in two.said} == {"another one takes its place in 0.0 seconds"}
        two.process.send_signal(signal.SIGINT)
        assert two.end() == 0


def test_a_worker_that_runs_is_enough_whatever_has_been(tmp_path: Path) -> None:
    """Each has failed as often as it may, but not all at a time."""
    with parent(tmp_path, 2, f"{ALL_EARLY}\nworkers.TRIES, workers._FIRST_PAUSE = 1, 0.01") as two:
        first, second = two.started(2)
        os.kill(first, signal.SIGKILL)
        two.started(3)
        os.kill(second, signal.SIGKILL)
        assert set(two.started(4)[2:]) == {two.connect()[0] for _ in range(2)}


def test_nobody_waits_for_the_next_attempt_at_the_end(tmp_path: Path) -> None:
    changes = f"serve_one = lambda *_: sys.exit(7)\n{ALL_EARLY}\nworkers._FIRST_PAUSE = workers._MOST_PAUSE = 3600"
    with parent(tmp_path, 2, changes) as two:
        two.wait_for(lambda: len(two.said) == 2)
        two.process.send_signal(signal.SIGINT)
        assert two.end() == 0


def test_only_failures_in_a_row_count(tmp_path: Path) -> None:
    """What has worked for a while was no failure, so nobody waits for its replacement."""
    toggle = """
tell, workers.EARLY = say, 3600
def say(line):
    tell(line)
    if "SIGKILL" in line:
        workers.EARLY = 3600 - workers.EARLY
"""
    with parent(tmp_path, 1, toggle) as one:
        for number in range(1, 5):
            os.kill(one.started(number)[-1], signal.SIGKILL)
        one.started(5)
        pauses = [line.partition("takes its place")[2] for line in one.said]
        assert pauses == [" in 0.1 seconds", "", " in 0.1 seconds", ""]


def test_a_system_without_room_for_processes_is_told(tmp_path: Path) -> None:
    changes = "def fork(): raise BlockingIOError(11, 'Resource temporarily unavailable')\nos.fork = fork"
    with parent(tmp_path, 2, f"{changes}\nworkers.TRIES = 1") as two:
        assert two.end() == 1
        first, last = two.said
        reason = "cannot start: Resource temporarily unavailable"
        assert first == f"worker 1 {reason}: another one takes its place in 0.1 seconds"
        assert last.startswith(f"worker 2 {reason}: the server gives up")


def test_workers_that_come_and_go_leave_nothing_open(tmp_path: Path) -> None:
    with parent(tmp_path, 1, ALL_LATE) as one:
        folder = Path(f"/proc/{one.process.pid}/fd")
        one.started(1)
        before = sorted(file.name for file in folder.iterdir())
        for number in range(1, 11):
            os.kill(one.started(number)[-1], signal.SIGKILL)
        one.started(11)
        assert sorted(file.name for file in folder.iterdir()) == before


# Restarting


@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["parent", "group"])
def test_all_are_restarted_one_after_the_other(tmp_path: Path, send: Callable[[int, int], None]) -> None:
    """Each has a successor before it ends, and the next one's turn comes when it has ended."""
    with parent(tmp_path, 2) as two:
        two.started(2)
        old = dict(two.connect() for _ in range(2))
        send(two.process.pid, signal.SIGHUP)
        two.started(3)
        two.wait_for(lambda: two.of_workers("asked"))
        (first,) = two.of_workers("asked")
        (second,) = old.keys() - {first}
        old[first].close()
        two.started(4)
        two.wait_for(lambda: two.of_workers("asked") == [first, second])
        old[second].close()
        assert {two.connect()[0] for _ in range(2)} == set(two.started(4)[2:])
        assert [line.partition(" (")[2] for line in two.said] == [
            f"process {pid}) ends, because of SIGHUP: another one takes its place" for pid in (first, second)
        ]


def test_a_restart_may_be_wanted_again_before_it_is_over(tmp_path: Path) -> None:
    """Then all that are there are restarted; whoever has died in the meantime has been replaced already."""
    with parent(tmp_path, 3, ALL_LATE) as three:
        three.started(3)
        old = dict(three.connect() for _ in range(3))
        three.process.send_signal(signal.SIGHUP)
        three.wait_for(lambda: three.of_workers("asked"))
        (first,) = three.of_workers("asked")
        dead, last = old.keys() - {first}
        three.process.send_signal(signal.SIGHUP)
        os.kill(dead, signal.SIGKILL)
        renewed = three.started(5)[3]
        for pid in (first, last):
            old[pid].close()
        three.started(7)
        three.wait_for(lambda: len(three.of_workers("asked")) == 3)
        assert set(three.of_workers("asked")) == {first, last, renewed}
        turns = [line.split()[-1] for line in three.lines if line.startswith("ended") or "SIGHUP" in line]
        assert turns[:4] == ["place", str(first), "place", turns[3]]


def test_a_worker_without_successor_stays(tmp_path: Path) -> None:
    changes = """
fork, left = os.fork, [1]
def forked():
    if left.pop():
        left.append(0)
        return fork()
    raise BlockingIOError(11, "Resource temporarily unavailable")
os.fork = forked
"""
    with parent(tmp_path, 1, changes) as one:
        (only,) = one.started(1)
        open_files = len([*Path(f"/proc/{one.process.pid}/fd").iterdir()])
        one.process.send_signal(signal.SIGHUP)
        one.wait_for(lambda: one.said)
        assert len([*Path(f"/proc/{one.process.pid}/fd").iterdir()]) == open_files
        reason = "another one cannot start: Resource temporarily unavailable"
        assert one.said == [f"worker 1 (process {only}) stays, because {reason}"]
        assert one.connect()[0] == only
        assert one.of_workers("asked") == []


def test_a_restart_does_not_stop_the_end(tmp_path: Path) -> None:
    with parent(tmp_path, 2) as two:
        two.started(2)
        two.connect()[1].close()
        two.process.send_signal(signal.SIGHUP)
        two.process.send_signal(signal.SIGINT)
        two.process.send_signal(signal.SIGHUP)
        assert two.end() == 0


# Terminals


def read(terminal: int, *, starts: int) -> list[str]:
    """What is said on a terminal until so many workers have started."""
    said = b""
    while len(re.findall(rb"started .*\n", said)) < starts:
        assert select.select([terminal], [], [], PATIENCE)[0], said
        said += os.read(terminal, 1000)
    return said.decode().split()


def close(terminal: int) -> None:
    """Close a terminal whose descriptor somebody else will close, too."""
    with Path(os.devnull).open() as nowhere:
        os.dup2(nowhere.fileno(), terminal)


def test_a_closed_terminal_ends_all() -> None:
    """It sends SIGHUP, which means to restart as long as the terminal is there."""
    with running(*command(2), cwd=ROOT) as (process, terminal):
        read(terminal, starts=2)
        process.send_signal(signal.SIGHUP)
        read(terminal, starts=2)
        close(terminal)
        assert process.wait(PATIENCE) == -signal.SIGHUP


def test_a_closed_terminal_does_not_end_what_nohup_has_started() -> None:
    with running(*command(1), cwd=ROOT, ignored=signal.SIGHUP) as (process, terminal):
        port, _, _, worker = read(terminal, starts=1)
        close(terminal)
        until(lambda: ask(int(port)) != worker)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == -signal.SIGTERM


def ask(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client, client.makefile() as said:
        return said.readline().strip()


def test_a_terminal_sends_ctrl_c_to_all() -> None:
    """Which ends them once."""
    with running(*command(2), cwd=ROOT) as (process, terminal):
        read(terminal, starts=2)
        os.write(terminal, b"\x03")
        assert process.wait(PATIENCE) == 0
