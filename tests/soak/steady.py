"""Clients that do nothing unusual: whatever goes wrong for them is the server's fault. Each call is one turn."""

from tests.edges.clients import CLIENTS
from tests.edges.exchanges import exchanges
from tests.soak.client import Client
from tests.support.answers import done
from tests.support.client import Mirror, SharedApi
from tests.support.default import NOW
from tests.support.worlds import busy, found, make, named

BUSY = "curl node java byte".split()
"""What the names of clients begin with that start a process for each request, or take seconds for it."""
REFUSALS = {404, 405, 413, 415}
"""How some of the exchanges are meant to end."""
_CLIENTS = {name: ask for name, ask in CLIENTS.items() if name.split()[0] not in BUSY}


def journey(client: Client) -> None:
    """In a world of its own, create a course with all that it can have, and delete it."""
    world = client.new_world()
    api = SharedApi(world, Mirror(world, client.fixture))
    course = busy(api, world.name)["course"]
    done(api.as_("creator").delete(f"/course/{course['id']}/", headers=named(world.name)))
    world.delete()


def exchange(client: Client) -> None:
    """Send every method with every kind of body, by one of many HTTP clients."""
    world = client.new_world()
    name = client.chance.choice(list(_CLIENTS))
    headers = {"Authorization": "Bearer stub-creator", **named(world.name)}
    answers = _CLIENTS[name](client.url, [*exchanges()], headers)
    statuses = [status for status, _ in answers]
    assert {status for status in statuses if status >= 300} <= REFUSALS, (name, statuses)
    world.delete()


def worlds(client: Client) -> None:
    """Make, fork, reset and delete worlds; take snapshots, save, load and restore them; turn the clock."""
    world, kept = client.new_world(), f"{client.name}-kept"
    api = SharedApi(world, Mirror(world, client.fixture))
    make(api, "Knots", world.name)
    world.clock.freeze(NOW)
    fork = world.fork(f"{world.name}-fork")
    fork.clock.advance(days=client.chance.randint(1, 9))
    make(api, "Bends", fork.name)
    fork.snapshot(kept)
    file = client.stub.control("GET", f"/snapshots/{kept}")
    client.stub.control("PUT", f"/snapshots/{kept}-loaded", json=file)
    world.restore(f"{kept}-loaded")
    names = found(api, world.name)
    # Others may have made so many worlds meanwhile that this one was evicted; then it says what it has forgotten.
    assert {"Knots", "Bends"} <= names or client.stub.control("GET", f"/worlds/{world.name}")["forgotten"], names
    assert world.journal.count() >= 1
    assert client.stub.control("GET", "/worlds")["count"] >= 2
    assert client.stub.control("GET", "/snapshots")["count"] >= 2
    fork.reset(client.chance.choice(("default", "empty")))
    for name in (kept, f"{kept}-loaded"):
        client.stub.control("DELETE", f"/snapshots/{name}")
    fork.delete()
    if client.turns % 4:
        world.delete()  # some stay, so that worlds are evicted


STEADY = {"journey": journey, "exchange": exchange, "worlds": worlds}
"""Name -> what a client does in a turn."""
