"""Fixtures: what worlds can start from."""

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control.server_parts import ServerParts
from stubserver.errors import invalid
from stubserver.fixtures.mistakes import FixtureError


def list_fixtures(_: Call, parts: ServerParts) -> Listing:
    """The fixtures that worlds can start from, by name. Raises a 400 refusal if their folder has become unusable."""
    first = parts.worlds.fixture.name
    try:
        names = list(parts.worlds.fixture_names())
    except FixtureError as error:
        raise invalid("fixture", "invalid", error.brief) from None
    return Listing(names, lambda name: {"name": name, "first": name == first})
