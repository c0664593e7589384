"""The trace that a request belongs to, as its headers `traceparent` and `tracestate` say (W3C Trace Context)."""

import re
from collections.abc import Mapping

_PARENT = re.compile(
    "(?P<version>[0-9a-f]{2})-(?P<trace_id>[0-9a-f]{32})-(?P<parent_id>[0-9a-f]{16})-(?P<trace_flags>[0-9a-f]{2})(-.*)?"
)
_KEY = "[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13}"
_MEMBER = re.compile(rf"({_KEY})=[ -+\--<>-~]{{0,255}}[!-+\--<>-~]")
MOST_MEMBERS, MOST_STATE = 32, 512
"""Maximum number of members of a `tracestate`, and its maximum length in characters."""


def trace(headers: Mapping[str, str]) -> Mapping[str, str] | None:
    """`trace_id`, `parent_id`, `trace_flags` and, if it can be used, `tracestate`; None without a valid `traceparent`.
    The headers have lower-case names."""
    if (sent := headers.get("traceparent")) is None or (found := _PARENT.fullmatch(sent.strip())) is None:
        return None
    if found["version"] == "ff" or (found["version"] == "00" and found[5] is not None):
        return None
    context = {name: found[name] for name in ("trace_id", "parent_id", "trace_flags")}
    if not (context["trace_id"].strip("0") and context["parent_id"].strip("0")):
        return None
    state = headers.get("tracestate", "").strip()
    return {**context, "tracestate": state} if _is_state(state) else context


def _is_state(text: str) -> bool:
    members = [member.strip(" \t") for member in text.split(",") if member.strip(" \t")]
    keys = {member.partition("=")[0] for member in members}
    is_bounded = len(text) <= MOST_STATE and 0 < len(members) <= MOST_MEMBERS
    return is_bounded and len(keys) == len(members) and all(map(_MEMBER.fullmatch, members))
