"""Takes connections from a socket that several processes share, so that each of them gets about as many.

Left alone, whichever event loop wakes up first takes all that waits: of 64 clients that connected at once, one of two
workers got up to 62, and one of four more than twice its share. One connection for each turn of the loop was no better.
A socket for each worker (SO_REUSEPORT) was: the fullest of four had 1.6 times its share of 16 connections, 1.25 times
of 64. But it spreads on Linux only, and makes clients wait for a worker that hangs or has ended. Instead, the workers
tell each other how many connections they have: 1.2 and 1.04 times.
"""

import asyncio
import logging
import mmap
import socket
from collections.abc import Callable, Set

TURN = 0.002
"""Seconds that a worker leaves to those with fewer connections; then it takes one anyway, because they may hang."""
_REST = 1.0
"""Seconds without accepting after an error, such as too many open files."""


class Counts:
    """How many connections each of some processes has. All that are forked later share them."""

    def __init__(self, number: int) -> None:
        self._numbers = memoryview(mmap.mmap(-1, 4 * number)).cast("I")

    def __setitem__(self, place: int, number: int) -> None:
        self._numbers[place] = number

    def least(self) -> int:
        """The smallest of them."""
        return min(self._numbers)


class Acceptor:
    """Takes connections for one process."""

    def __init__(self, listener: socket.socket, counts: Counts, place: int) -> None:
        """The number of its connections is at `place` in `counts`."""
        self._listener, self._counts, self._place = listener, counts, place
        self._opening: dict[asyncio.Protocol, asyncio.Task[None]] = {}
        self._rest: asyncio.TimerHandle | None = None

    def start(self, protocol: Callable[[], asyncio.Protocol], connections: Set[object]) -> None:
        """Have the running event loop serve each connection with a new `protocol`, which is in `connections` as long as
        the connection is open."""
        self._loop, self._protocol, self._connections = asyncio.get_running_loop(), protocol, connections
        self._listener.setblocking(False)
        self.count()
        self._loop.add_reader(self._listener, self._accept)

    async def stop(self) -> None:
        """Take no more; afterwards, those that have been taken are among the connections."""
        self._loop.remove_reader(self._listener)
        if self._rest is not None:
            self._rest.cancel()
        await asyncio.gather(*self._opening.values())

    def count(self) -> int:
        """Tell the others how many connections this process has."""
        number = len(self._connections) + len(self._opening.keys() - self._connections)
        self._counts[self._place] = number
        return number

    def _accept(self, least: int = 0) -> None:
        """Take what waits, until another process has fewer connections; but at least so many, if they wait."""
        try:
            while least > 0 or self.count() <= self._counts.least():
                self._take()
                least -= 1
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            logging.getLogger(__name__).warning("Cannot accept connections: %s", error.strerror)
            self._leave(_REST)
        else:
            self._leave(TURN)

    def _leave(self, seconds: float) -> None:
        """Leave what waits to the others for a while."""
        self._loop.remove_reader(self._listener)
        self._rest = self._loop.call_later(seconds, self._return)

    def _return(self) -> None:
        self._loop.add_reader(self._listener, self._accept)
        self._accept(1)

    def _take(self) -> None:
        client, _ = self._listener.accept()
        client.setblocking(False)
        protocol = self._protocol()
        self._opening[protocol] = self._loop.create_task(self._open(client, protocol))

    async def _open(self, client: socket.socket, protocol: asyncio.Protocol) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: protocol, client)
        except OSError:  # the client has gone already
            client.close()
        finally:
            del self._opening[protocol]
