"""The journal of a world: every request with its answer, and whether it was the one that was expected."""

from collections.abc import Mapping
from typing import Any

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control import verify
from stubserver.control.request_view import RequestView
from stubserver.control.server_parts import ServerParts
from stubserver.errors import refusal
from stubserver.records import journal


def list_requests(call: Call, parts: ServerParts) -> Listing:
    """The newest first, filtered."""
    found = [RequestView(parts.contract, entry) for entry in reversed(journal.entries(call.world))]
    wanted = {name: call.query[name] for name in verify.FILTERS if name in call.query}
    found = [view for view in found if not any(verify.differences(wanted, view))]
    if "violations" in call.query:
        found = [view for view in found if bool(view.violations) == call.query["violations"]]
    return Listing(found)


def clear_requests(call: Call, parts: ServerParts) -> None:
    """Forget what was asked."""
    parts.journal.clear(call.world)


def get_request(call: Call, parts: ServerParts) -> RequestView:
    """One request; its id names the world."""
    number = call.ids["request"]
    for entry in journal.entries(parts.worlds.peek(number.rpartition("-")[0])):
        if entry.id == number:
            return RequestView(parts.contract, entry)
    raise refusal(404, f"The journal has no request {number}, or has it no more.")


def verify_requests(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Whether there were the requests that were expected."""
    return verify.verdict(call.body, [RequestView(parts.contract, entry) for entry in journal.entries(call.world)])
