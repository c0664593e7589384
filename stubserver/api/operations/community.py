"""What a frontend loads first: the community's preferences and features, and an empty list of incubators."""

from stubserver.api.views import Listing, ordered
from stubserver.call import Call
from stubserver.worlds.base import Row

_UPLOADS = "/upfiles/"
"""How the paths of this server's own images begin."""


def list_preferences(call: Call) -> Listing:
    """The preferences in force, by id unless the caller orders otherwise (R701, R702)."""
    rows = [_preference(call, number, key) for number, key in enumerate(sorted(call.world.preferences), start=1)]
    wanted = call.query.get("section") or None
    rows = [row for row in rows if wanted in (None, row["section"])]
    rows = [row for row in rows if call.searches(row["section"], row["name"])]
    return Listing(ordered(rows, call.query["ordering"], ("id", "section", "name"), "id"))


def list_features(call: Call) -> Listing:
    """The features that are switched on (R701)."""
    rows: list[Row] = [{"id": n, "name": name, "enabled": True} for n, name in enumerate(call.world.features, start=1)]
    wanted = call.query.get("name") or None
    return Listing([row for row in rows if wanted in (None, row["name"]) and call.searches(row["name"])])


def list_incubators(call: Call) -> Listing:
    """Always empty here (R707)."""
    return Listing([])


def _preference(call: Call, number: int, key: str) -> Row:
    """A preference as a row; paths of this server's images become absolute, because pages have another origin."""
    section, _, name = key.partition(".")
    value = call.world.preferences[key]
    if str(value).startswith(_UPLOADS):
        value = call.base_url + value
    return {"id": number, "section": section, "name": name, "value": value}
