"""The community at a frontend's start: its preferences, its features, and the incubators that it has not."""

from stubserver.api.views import Listing, ordered
from stubserver.call import Call
from stubserver.worlds.table import Row

_HERE = "/upfiles/"
"""How the addresses of this server's own pictures begin."""


def list_preferences(call: Call) -> Listing:
    """The preferences in force, by their ids (R701, R702)."""
    rows = [_preference(call, number, key) for number, key in enumerate(sorted(call.world.preferences), start=1)]
    wanted = call.query.get("section") or None
    rows = [row for row in rows if wanted in (None, row["section"])]
    rows = [row for row in rows if call.searches(row["section"], row["name"])]
    return Listing(ordered(rows, call.query["ordering"], ("id", "section", "name"), "id"))


def list_features(call: Call) -> Listing:
    """What is switched on (R701)."""
    rows: list[Row] = [{"id": n, "name": name, "enabled": True} for n, name in enumerate(call.world.features, start=1)]
    wanted = call.query.get("name") or None
    return Listing([row for row in rows if wanted in (None, row["name"]) and call.searches(row["name"])])


def list_incubators(call: Call) -> Listing:
    """None (R707)."""
    return Listing([])


def _preference(call: Call, number: int, key: str) -> Row:
    """Pictures of this server have absolute addresses, because a page is of another origin."""
    section, _, name = key.partition(".")
    value = call.world.preferences[key]
    if str(value).startswith(_HERE):
        value = call.base_url + value
    return {"id": number, "section": section, "name": name, "value": value}
