"""What all clients of a soak have in common: the server, a source of random draws, and raw connections."""

import contextlib
import random
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from stubserver.contract.contract import Contract
from stubserver.testing import CourseWorld, Stub
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.world import World

PATIENCE = 20.0
"""Seconds that one step of a rough client may take."""
_PIECE = 65536


@dataclass
class Client:
    """A client with a name of its own."""

    name: str
    url: str
    contract: Contract
    fixture: Fixture
    """The fixture from which the worlds of the server start."""
    seed: int
    stopping: threading.Event
    """Set when the load ends."""
    turns: int = 0
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed} {self.name}")  # noqa: S311
        self.stub = Stub(self.url)

    @property
    def at_first(self) -> World:
        """A world as it starts, not part of any server. Its rows exist in the worlds of the server, too, until somebody
        deletes them."""
        return World(self.name, self.fixture)

    def new_world(self) -> CourseWorld:
        """A world that nobody else uses, for this turn."""
        return self.stub.world(f"{self.name}-{self.turns}")

    def pause(self, seconds: float) -> None:
        """Wait, unless the load ends."""
        self.stopping.wait(seconds)

    @contextlib.contextmanager
    def connection(self, room: int = 0) -> Iterator[socket.socket]:
        """A connection; with `room`, the kernel takes about so many bytes of answers that nobody reads."""
        address = urlsplit(self.url)
        with socket.socket() as opened:
            opened.settimeout(PATIENCE)
            if room:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
            opened.connect((address.hostname, address.port))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield opened


def heard(connection: socket.socket, count: int) -> bytes:
    """What comes back, until there are so many answers, or the server closes the connection or says nothing more."""
    found = b""
    connection.settimeout(2)
    with contextlib.suppress(TimeoutError):
        while found.count(b"HTTP/1.1 ") < count and (more := connection.recv(_PIECE)):
            found += more
    connection.settimeout(PATIENCE)
    return found


def cut(text: bytes, places: Sequence[int]) -> Iterator[bytes]:
    """The text in pieces."""
    for start, end in zip((0, *places), (*places, len(text)), strict=True):
        yield text[start:end]


def reset(connection: socket.socket) -> None:
    """Close a connection without a farewell."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
