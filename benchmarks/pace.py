"""Requests at a steady rate: how long an answer takes while the server is below its limit.

The usual tools send all requests of a second, or of a millisecond, at once, so that they wait for each other.
"""

import json
import select
import socket
import statistics
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.load import CONNECTIONS, BadSample
from benchmarks.process import CORES
from benchmarks.workloads import Request

_PATIENCE = 30.0
_POLL_MS = 0 if CORES else 1  # on a core of its own, this process never sleeps


@dataclass(frozen=True)
class Paced:
    """Latencies, counted from the time at which a request was due."""

    per_second: float
    p50_ms: float
    p99_ms: float


class _Connection:
    """One keep-alive connection, with at most one request in flight."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self.socket = socket.create_connection((address.hostname, address.port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.due = 0.0
        self._received = b""

    def send(self, message: bytes, due: float) -> None:
        self.due = due
        self._received = b""
        self.socket.sendall(message)

    def receive(self) -> bool:
        """Read what has arrived; returns whether the answer is complete. Raises BadSample unless it is a success."""
        data = self.socket.recv(65536)
        self._received += data
        if not data or not self._received.startswith(b"HTTP/1.1 2"):
            raise BadSample(f"{self._received[:40].decode('latin-1')!r} at a steady rate")
        return _complete(self._received)


def at_rate(url: str, requests: Sequence[Request], rate: float, seconds: float) -> Paced:
    """Send `rate` requests per second, in a cycle, as evenly as the machine allows. Raises BadSample."""
    connections = [_Connection(url) for _ in range(CONNECTIONS)]
    try:
        times = _run(connections, [_message(url, request) for request in requests], rate, max(1, round(rate * seconds)))
    except OSError as error:
        raise BadSample(f"{error} at a steady rate") from error
    finally:
        for connection in connections:
            connection.socket.close()
    cuts = statistics.quantiles(times, n=100) if len(times) > 1 else times * 99
    return Paced(rate, statistics.median(times) * 1000, cuts[98] * 1000)


def _run(connections: list[_Connection], messages: Sequence[bytes], rate: float, wanted: int) -> list[float]:
    """The latency of each answer in seconds. It includes the time that a request waits for a free connection."""
    poll, found = select.poll(), {connection.socket.fileno(): connection for connection in connections}
    for number in found:
        poll.register(number, select.POLLIN)
    idle, sent = deque(connections), 0
    times: list[float] = []
    begun = time.perf_counter()
    deadline = begun + wanted / rate + _PATIENCE
    while len(times) < wanted:
        now = time.perf_counter()
        while idle and sent < wanted and (due := begun + sent / rate) <= now:
            idle.popleft().send(messages[sent % len(messages)], due)
            sent += 1
        for number, _ in poll.poll(_POLL_MS):
            connection = found[number]
            if connection.receive():
                times.append(time.perf_counter() - connection.due)
                idle.append(connection)
        if now > deadline:
            raise BadSample(f"only {len(times)} of {wanted} answers came at a steady rate")
    return times


def _complete(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    lower = head.lower()
    if b"content-length:" in lower:
        return len(body) >= int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
    return body.endswith(b"0\r\n\r\n")


def _message(url: str, request: Request) -> bytes:
    body = b"" if request.body is None else json.dumps(request.body).encode()
    head = f"{request.method} {request.path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n"
    head += f"Authorization: Bearer {request.token}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
