"""Metrics: what operators watch, in the text format of Prometheus."""

from collections.abc import Mapping
from functools import partial

from stubserver import __version__
from stubserver.call import Call
from stubserver.control.server_parts import ServerParts
from stubserver.errors import Refusal


async def get_metrics(_: Call, parts: ServerParts) -> bytes:
    """All metrics of all processes of this server. A store that fails costs only what it alone knows."""
    held: Mapping[str, float] | None
    try:
        held = await parts.turns.run(partial(_held, parts))
    except Refusal:
        held = None
    from stubserver.records.exposition import Exposition  # loads a library that nobody else needs

    build = {"version": __version__, "contract": parts.contract.document["info"]["version"]}
    return Exposition(parts.metrics, build, held, _limits(parts)).text(has_store=parts.worlds.is_shared)


def _held(parts: ServerParts) -> Mapping[str, float]:
    """What is kept, and what was evicted."""
    return {
        "worlds": len(parts.worlds),
        "worlds_bytes": parts.worlds.size,
        "worlds_evicted": parts.worlds.evicted,
        "snapshots": len(parts.worlds.snapshot_sizes),
        "snapshots_bytes": parts.worlds.snapshots_size,
        "journal_requests": parts.journal.kept,
        "journal_bytes": parts.journal.size,
        "journal_requests_evicted": parts.journal.forgotten,
    }


def _limits(parts: ServerParts) -> Mapping[str, float]:
    bounds = parts.worlds.settings
    return {
        "worlds_limit": bounds.max_worlds,
        "memory_limit_bytes": bounds.max_memory,
        "journal_limit_bytes": bounds.max_journal,
    }
