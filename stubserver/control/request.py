"""The journal of a world: every request with its response, and whether the expected requests were made."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from stubserver.api.views import Listing
from stubserver.call import Call
from stubserver.control import names, verify
from stubserver.control.explanation import explained, line
from stubserver.control.request_view import RequestView
from stubserver.control.server_parts import ServerParts
from stubserver.errors import refusal
from stubserver.records.journal import Entry

_LINE_FILTERS: Sequence[str] = ("operation", "persona", "status")
"""Parameters of `list_journal`."""


def list_requests(call: Call, parts: ServerParts) -> Listing:
    """The requests that match the filters, newest first, and how many the journal no longer has."""
    found = [RequestView(parts.contract, entry) for entry in reversed(parts.journal.entries(call.world))]
    wanted = {name: call.query[name] for name in verify.FILTERS if name in call.query}
    wanted = names.checked(wanted, parts.contract, call.world, any_path=True)
    found = [view for view in found if not any(verify.differences(wanted, view))]
    if "violations" in call.query:
        found = [view for view in found if bool(view.violations) == call.query["violations"]]
    return Listing(found, forgotten=sum(call.world.forgotten.values()))


def clear_requests(call: Call, parts: ServerParts) -> None:
    """Delete all journal entries of the world."""
    parts.journal.clear(call.world)
    call.world.start_over()


def get_request(call: Call, parts: ServerParts) -> RequestView:
    """A request by its id, which includes the name of the world. Raises a 404 refusal."""
    return RequestView(parts.contract, _entry(call, parts))


def explain_request(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Why a request was answered as it was, and what it changed. Raises a 404 refusal."""
    return explained(_entry(call, parts), parts.contract)


def list_journal(call: Call, parts: ServerParts) -> Listing:
    """A line for each request that matches the filters, newest first."""
    given = {name: call.query[name] for name in _LINE_FILTERS if name in call.query}
    wanted = names.checked(given, parts.contract, call.world)
    found = [entry for entry in reversed(parts.journal.entries(call.world)) if _is_wanted(entry, wanted)]
    return Listing(found, line, forgotten=sum(call.world.forgotten.values()))


def _is_wanted(entry: Entry, wanted: Mapping[str, Any]) -> bool:
    operation = entry.operation.id if entry.operation else None
    found = {"operation": operation, "persona": entry.persona, "status": entry.status}
    return all(found[name] == value for name, value in wanted.items())


def _entry(call: Call, parts: ServerParts) -> Entry:
    number = call.ids["request"]
    if entry := parts.journal.find(parts.worlds.peek(number.rpartition("-")[0]), number):
        return entry
    raise refusal(404, f"The journal has no request {number}, or no longer has it.")


def verify_requests(call: Call, parts: ServerParts) -> Mapping[str, Any]:
    """Whether the world received the expected requests. Raises a 400 refusal if no request could be as expected, and a
    409 refusal if that depends on requests which the journal no longer has."""
    expected = names.checked(call.body, parts.contract, call.world)
    found = [RequestView(parts.contract, entry) for entry in parts.journal.entries(call.world)]
    verdict = verify.verdict(expected, found)
    if call.world.forgotten and not verify.is_certain(expected, verdict["count"], sum(call.world.forgotten.values())):
        raise refusal(409, f"{verdict['message'].splitlines()[0]} {_forgotten(call, parts)}", "forgotten")
    return verdict


def _forgotten(call: Call, parts: ServerParts) -> str:
    """Why a verdict cannot be told, and what would help."""
    lost, settings = call.world.forgotten, asdict(parts.worlds.settings)
    bounds = " and ".join(f"--{name.replace('_', '-')} (now {settings[name]})" for name in lost)
    return (
        f"But {sum(lost.values())} earlier requests of world {call.world.name} are no longer in the journal, so this "
        f"cannot be told. Raise {bounds}, or clear the journal before the requests that count."
    )
