"""Users: the caller, others, and what pages poll about them."""

from collections.abc import Sequence
from typing import Any

from stubserver.api.progress import matching_users
from stubserver.api.views import Listing, UserView, ordered
from stubserver.api.views.user import MeView, ProfileView
from stubserver.call import Call


def get_me(call: Call) -> MeView:
    """The caller's own profile (R703)."""
    return MeView(call)


def search_users(call: Call) -> Listing:
    """Users whose username or real name contains a text (R705)."""
    return _search(call, "user")


def autocomplete_users(call: Call) -> Listing:
    """The same as search_users, with fewer fields for each user."""
    return _search(call, "search")


def list_hidden_user_ids(call: Call) -> Any:
    """Ids of the users whom the caller hides, as set in the fixture."""
    return call.user["hidden_users"] if call.user else []


def list_connection_statuses(call: Call) -> dict[str, Any]:
    """Always empty here (R707)."""
    return {"connection_statuses": {}}


def get_user(call: Call) -> ProfileView:
    """The public profile of a user, deleted or not (R705)."""
    return ProfileView(call, call.row("user"))


def get_user_settings(call: Call) -> Any:
    """The documented defaults; no operation changes them."""
    return call.operation.blank


def list_user_categories(call: Call) -> Sequence[Any]:
    """Always empty here (R707)."""
    return []


def list_user_groups(call: Call) -> Listing:
    """Always empty here (R707)."""
    return Listing([])


def list_user_events(call: Call) -> Listing:
    """Always empty here (R707)."""
    return Listing([])


def _search(call: Call, parameter: str) -> Listing:
    people = matching_users(call, (row for row in call.world.users if not row["deleted"]), parameter)
    people = ordered(people, call.query["ordering"], ("username", "real_name", "location"), "username")
    return Listing(people, lambda row: UserView(call, row))
