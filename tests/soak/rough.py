"""Clients that do what they should not: odd requests, attacks, slowness, dropped connections. Each call is one turn.

What comes back is not judged here. The server's log tells what it made of it.
"""

import contextlib
from collections.abc import Callable, Mapping

from stubserver.pipeline.faults import FAULT_KINDS
from tests.lane.oddities import Request
from tests.lane.requests import Requests, plain
from tests.soak.attacks import attacks
from tests.soak.client import Client, cut, heard, reset

STEPS = 20
"""Steps of one turn of a visitor, over one connection unless the server closes it."""


def visitor(client: Client) -> None:
    """Send random requests, odd ones among them, and change worlds from outside: with faults, resets, snapshots."""
    requests = Requests(client.contract, client.chance.randrange(10**9), lambda _: client.at_first)
    with client.connection() as connection:
        for _ in range(STEPS):
            step = requests.step()
            for piece in cut(b"".join(request.raw for request in step.requests), step.cuts):
                connection.sendall(piece)
            if not heard(connection, len(step.requests)) or client.stopping.is_set():
                return
        for request in requests.event():
            connection.sendall(request.raw)
            if not heard(connection, 1):
                return


def attacker(client: Client) -> None:
    """Send one thing that no client should, and read what comes back."""
    kinds = attacks()
    with client.connection() as connection:
        connection.sendall(client.chance.choice(kinds[client.chance.choice(list(kinds))]))
        heard(connection, 10**6)


def faulty(client: Client) -> None:
    """Have a world fail in every way, and ask it."""
    world = client.new_world()
    for kind in client.chance.sample(list(FAULT_KINDS), 3):
        wanted = {"status": client.chance.randint(500, 599), "seconds": 0.2} if kind != "stale" else {}
        world.faults.add(kind, probability=0.7, times=client.chance.randint(1, 9), **wanted)
    for number in range(10):
        with client.connection() as connection:
            connection.sendall(_some(client, world.name).raw)
            if number % 3:
                heard(connection, 1)
            elif number % 2:
                reset(connection)
    world.faults.clear()
    world.delete()


def slow(client: Client) -> None:
    """Be slow in one of many ways."""
    client.chance.choice((_drip, _read_nothing, _pipeline, _say_nothing, _leave_half))(client)


def dropper(client: Client) -> None:
    """Close connections at any point of a request, or of its answer."""
    for _ in range(10):
        text = _some(client, f"{client.name}-{client.turns % 5}").raw
        with client.connection() as connection:
            connection.sendall(text[: client.chance.randint(1, len(text))])
            if client.chance.random() < 0.2:
                connection.settimeout(0.2)
                with contextlib.suppress(TimeoutError):
                    connection.recv(client.chance.choice((1, 100, 10_000)))
            if client.chance.random() < 0.5:
                reset(connection)


def _drip(client: Client) -> None:
    """Send a request in small pieces."""
    text = _some(client, client.name).raw
    with client.connection() as connection:
        for start in range(0, len(text), 100):
            connection.sendall(text[start : start + 100])
            client.pause(0.02)
        heard(connection, 1)


def _read_nothing(client: Client) -> None:
    """Ask for much, one by one, and never read."""
    with client.connection(room=4096) as connection:
        for _ in range(20):
            connection.sendall(plain("GET", "/course/search/?limit=100", world=client.name).raw)
            client.pause(0.05)


def _pipeline(client: Client) -> None:
    """Ask for as much as the server takes without reading; then read some of it, or nothing."""
    texts = (
        b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n",
        plain("GET", "/course/1/", world=client.name).raw,
    )
    with client.connection(room=4096) as connection:
        connection.settimeout(1)
        try:
            for _ in range(50):
                connection.sendall(client.chance.choice(texts) * 20)
        except TimeoutError:
            client.pause(client.chance.choice((0, 1)))
        heard(connection, client.chance.choice((0, 30)))


def _say_nothing(client: Client) -> None:
    """Keep connections open, and ask for nothing."""
    with client.connection(), client.connection(), client.connection():
        client.pause(1)


def _leave_half(client: Client) -> None:
    """Send half a head or half a body, and wait."""
    text = _some(client, client.name).raw
    with client.connection() as connection:
        connection.sendall(text[: len(text) // 2])
        client.pause(2)


def _some(client: Client, world: str) -> Request:
    """A request like those that most clients send."""
    body = {"name": f"Course {client.chance.random()}", "description": "x" * client.chance.choice((10, 30_000))}
    kinds: tuple[Callable[[], Request], ...] = (
        lambda: plain("GET", "/course/search/?limit=50", "member", world),
        lambda: plain("PATCH", "/course/1/", "creator", world, body),
        lambda: plain("POST", "/course/", "creator", world, {**body, "type": "self-paced"}),
        lambda: plain("GET", "/course/1/", "member", world).with_("Prefer", "wait=0.3"),
    )
    return client.chance.choice(kinds)()


ROUGH: Mapping[str, Callable[[Client], None]] = {
    "visitor": visitor,
    "attacker": attacker,
    "faulty": faulty,
    "slow": slow,
    "dropper": dropper,
}
"""Name -> what a client does in a turn."""
