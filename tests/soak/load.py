"""The load of a soak: many clients at once, each in a thread or process of its own, until it ends."""

import http.client
import subprocess
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Self

import httpx

from stubserver.contract.load import load_contract
from stubserver.fixtures.fixture import load
from stubserver.testing import StubError
from tests.fuzz.gate import HERE, TARGETS, base_command, environment
from tests.soak.client import Client
from tests.soak.rough import ROUGH
from tests.soak.steady import STEADY
from tests.support.default import NOW

CROWD = 2
"""How many of each kind of rough client there are."""
LISTS = ("list_worlds", "list_snapshots")
"""From these, Schemathesis would learn the names of what others use, and delete it. Other clients ask for them."""
ROUND = 60
"""Seconds after which Schemathesis begins anew, with another seed."""
LAST = 120.0
"""Seconds that clients may take to end their last turn."""
_ROUGH_ENDS = (OSError, http.client.HTTPException, httpx.TransportError, StubError)
"""How the turn of a rough client may end: its connection breaks, or somebody else has changed its world."""
Turn = Callable[[Client], None]


class Load:
    """Clients of a server. As a context manager, they run from beginning to end."""

    def __init__(self, url: str, seed: int) -> None:
        self._url = url
        self._seed = seed
        self._contract = load_contract()
        self._fixture = load("default", self._contract, NOW)
        self._stopping = threading.Event()
        self.clients: list[Client] = []
        self.failures: list[str] = []
        """What went wrong for steady clients."""
        self._threads = [self._thread(f"{name}-0", turn, ()) for name, turn in STEADY.items()]
        for number in range(CROWD):
            self._threads += [self._thread(f"{name}-{number}", turn, _ROUGH_ENDS) for name, turn in ROUGH.items()]
        self._threads.append(threading.Thread(target=self._fuzz, name="fuzzer", daemon=True))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(LAST)
            if thread.is_alive():
                self.failures.append(f"{thread.name} got no end of its last turn within {LAST:g} s")
        for client in self.clients:
            client.stub.close()

    def _thread(self, name: str, turn: Turn, ends: Sequence[type[Exception]]) -> threading.Thread:
        client = Client(name, self._url, self._contract, self._fixture, self._seed, self._stopping)
        self.clients.append(client)
        return threading.Thread(target=self._run, args=(client, turn, tuple(ends)), name=name, daemon=True)

    def _run(self, client: Client, turn: Turn, ends: tuple[type[Exception], ...]) -> None:
        """Let a client take its turns; one that fails stops."""
        while not self._stopping.is_set():
            try:
                turn(client)
            except ends:
                client.pause(0.01)
            except Exception as error:
                self.failures.append(f"{client.name} in turn {client.turns}: {type(error).__name__}: {error}")
                return
            client.turns += 1

    def _fuzz(self) -> None:
        """Have Schemathesis ask one contract after the other. What it thinks of the answers does not count here: it
        knows nothing of faults, and nothing of others who change the same worlds."""
        turn = 0
        while not self._stopping.is_set():
            target = TARGETS[turn % len(TARGETS)]
            command = [
                *base_command(target, self._url),
                *("--header", "X-Stub-World:fuzzed", "--seed", str(self._seed + turn), "--max-time", str(ROUND)),
                *("--checks", "not_a_server_error", "--warnings", "off"),
                *(part for name in LISTS for part in ("--exclude-operation-id", name)),
            ]
            self._follow(command)
            turn += 1

    def _follow(self, command: Sequence[str]) -> None:
        start = partial(subprocess.Popen, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with start(command, cwd=HERE, env=environment()) as process:
            while process.poll() is None:
                if self._stopping.wait(0.2):
                    process.terminate()
