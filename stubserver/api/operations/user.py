"""People: the caller, others, and what pages poll about them."""

from collections.abc import Sequence
from typing import Any

from stubserver.api.progress import matching_users
from stubserver.api.views import Listing, ordered
from stubserver.api.views.user import MeView
from stubserver.call import Call
from stubserver.worlds.table import Row


def get_me(call: Call) -> MeView:
    """The caller (R703)."""
    return MeView(call)


def search_users(call: Call) -> Listing:
    """People by a text in their names (R705)."""
    return _found(call, "user")


def autocomplete_users(call: Call) -> Listing:
    """As search_users, in short."""
    return _found(call, "search")


def list_hidden_user_ids(call: Call) -> Any:
    """Whom the caller hides, as the fixture says."""
    return call.user["hidden_users"] if call.user else []


def list_connection_statuses(call: Call) -> dict[str, Any]:
    """None (R707)."""
    return {"connection_statuses": {}}


def get_user(call: Call) -> Row:
    """Somebody."""
    return call.row("user")


def get_user_settings(call: Call) -> Any:
    """The documented defaults; nothing here changes them."""
    return call.operation.blank


def list_user_categories(call: Call) -> Sequence[Any]:
    """None (R707)."""
    return []


def list_user_groups(call: Call) -> Listing:
    """None (R707)."""
    return Listing([])


def list_user_events(call: Call) -> Listing:
    """None (R707)."""
    return Listing([])


def _found(call: Call, parameter: str) -> Listing:
    people = matching_users(call, (row for row in call.world.users if not row["deleted"]), parameter)
    return Listing(ordered(people, call.query["ordering"], ("username", "real_name", "location"), "username"))
