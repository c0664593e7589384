"""What the tests of memberships share."""

from collections.abc import Callable

import httpx

from tests.support.client import Api


def _role(name: str) -> Callable[[Api, int, int], httpx.Response]:
    return lambda api, course, user: api.post(f"/course/{course}/role/", json={name: [user]})


ACTIONS: dict[str, Callable[[Api, int, int], httpx.Response]] = {
    "leave": lambda api, course, user: api.delete(f"/course/{course}/join/", params={"user": user}),
    "invite": lambda api, course, user: api.post(f"/course/{course}/invite/", json={"users": [user]}),
    "uninvite": lambda api, course, user: api.request("DELETE", f"/course/{course}/invite/", json={"users": [user]}),
    **{name: _role(name) for name in ("managers", "joined", "unjoined")},
}
"""What a manager does to a user."""
