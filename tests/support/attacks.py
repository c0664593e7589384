"""What other sites can make a browser send to the control plane, and everything that it could change."""

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

from stubserver.app import StubServer
from stubserver.contract.operation import Operation
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.control import CONTROL
from tests.support.default import CONTROL_TOKEN, NOW
from tests.support.forms import JSON
from tests.support.worlds import forget, make, named

READS = [operation.id for operation in CONTROL.operations.values() if operation.method == "get"]
WRITES = [operation.id for operation in CONTROL.operations.values() if operation.method != "get"]
OPEN = ["get_health", "get_live", "get_ready", "get_version"]
"""The operations that need no token, wherever the server listens."""
NAMES = {"{world}": "w", "{snapshot}": "kept", "{id}": "1", "{request}": "w-1", "{table}": "courses", "{row}": "1"}
BODIES: dict[str, Any] = {
    "create_world": {"name": "made"},
    "patch_world": {"strict": True},
    "create_snapshot": {"name": "made"},
    "freeze_clock": {},
    "set_clock": {"at": "2031-05-01T09:00:00Z"},
    "advance_clock": {"days": 3},
    "create_fault": {"kind": "error"},
    "create_variant": {"kind": "null"},
    "verify_requests": {"operation": "get_course"},
}
EVIL = "http://evil.example"
ATTACKS: dict[str, dict[str, str]] = {
    "a page of another origin": {"Origin": EVIL},
    "a page of another origin that says so": {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"},
    "a page of no origin": {"Origin": "null"},
    "a page of another scheme": {"Origin": "https://localhost"},
    "a page on another port": {"Origin": "http://localhost:3000"},
    "a page of another name of this machine": {"Origin": "http://127.0.0.1"},
    "a page whose name begins like ours": {"Origin": "http://localhost.evil.example"},
    "a page of an origin that is empty": {"Origin": ""},
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "another server of the same site": {"Sec-Fetch-Site": "same-site"},
    "something new of another site": {"Sec-Fetch-Site": "worse"},
    "another host": {"Host": "evil.example"},
    "a host on our port": {"Host": "evil.example:8765"},
    "a name resolved to this machine": {"Host": "evil.example", "Origin": EVIL, "Sec-Fetch-Site": "same-origin"},
    "a host that begins like ours": {"Host": "localhost.evil.example"},
    "a host that ends like ours": {"Host": "evil-localhost"},
    "a host with a user": {"Host": "localhost@evil.example"},
    "a host like an address": {"Host": "127.0.0.1.evil.example"},
    "another address": {"Host": "10.0.0.7:8765"},
    "all addresses": {"Host": "0.0.0.0:8765"},
    "no host": {"Host": ""},
}
"""Headers that a foreign page can make a browser send."""
SIMPLE = {
    "text/plain": {"Content-Type": "text/plain"},
    "text/plain in UTF-8": {"Content-Type": "text/plain;charset=UTF-8"},
    "urlencoded": {"Content-Type": "application/x-www-form-urlencoded"},
    "multipart": {"Content-Type": "multipart/form-data; boundary=b"},
    "no media type": {"Content-Type": ""},
    "a kind of JSON": {"Content-Type": "text/json"},
    "JSON behind a comma": {"Content-Type": "text/plain, application/json"},
    "JSON as a parameter": {"Content-Type": "text/plain; x=application/json"},
}
"""Media types that a form can send, or that look like a forbidden one."""


def prepared(api: Api, headers: Mapping[str, str] = {}) -> Api:
    """Give world w rows, a frozen clock, a fault and a journal; add coverage and a snapshot, "kept"."""
    forget(api.app)
    api.app.coverage.clear()
    make(api, "Course", "w")
    headers = {**headers, **named("w")}
    ok(api.post("/__stub/clock/freeze", params={"at": NOW.isoformat()}, headers=headers))
    ok(api.post("/__stub/snapshots", json={"name": "kept"}, headers=headers), 201)
    ok(api.post("/__stub/faults", json={"kind": "error", "path": "/user/999/"}, headers=headers), 201)
    ok(api.post("/__stub/variants", json={"kind": "big-id", "operation": "get_user"}, headers=headers), 201)
    make(api, "Later", "w")
    return api


def state(app: StubServer) -> Any:
    """Everything that requests can change in a server."""
    worlds = {
        world.name: (
            world.fixture.name,
            {name: (dict(changes.rows), changes.next_id) for name, changes in world.snapshot().changes.items()},
            (world.clock.now() if world.clock.frozen else None, world.clock.ahead),
            {number: fault.fired for number, fault in world.faults.items()},
            {number: variant.sent for number, variant in world.variants.items()},
            (world.faulted, len(world.journal or ()), world.asked, world.strict),
        )
        for world in app.worlds
    }
    kept = {name: id(taken) for name, taken in app.worlds.snapshots.items()}
    return worlds, kept, app.worlds.evicted, app.coverage.report()["covered"]


def path_of(operation: Operation) -> str:
    query = "?at=2031-05-01T09:00:00Z" if operation.id == "freeze_clock" else ""
    return re.sub(r"\{\w+\}", lambda name: NAMES[name[0]], operation.path) + query


def call(api: Api, name: str, world: str = "w", method: str | None = None, **headers: Any) -> httpx.Response:
    """Call an operation as a tool would, with `headers` in place of its own."""
    operation = CONTROL.operations[name]
    options: dict[str, Any] = {}
    if operation.bodies:
        body = file_of(api) if name == "load_snapshot" else BODIES[name]
        options["content"] = json.dumps(body).encode()
        headers = {**JSON, **headers}
    headers = {**named(world), **headers}
    return api.request(method or operation.method.upper(), path_of(operation), headers=headers, **options)


def file_of(api: Api) -> Any:
    return ok(api.get("/__stub/snapshots/kept", headers={"Authorization": f"Bearer {CONTROL_TOKEN}"}))


def assert_no_cors(response: httpx.Response) -> None:
    assert not [name for name in response.headers if name.startswith("access-control")]
