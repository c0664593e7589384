"""Which rules were seen to hold at which server, and on which day: a file that checks bring up to date, and that
`stubserver why` reads."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from stubserver.checking.findings import AGREES, DIFFERS, NOT_REACHED, Report

_HEAD = """\
# What `stubserver check --verified` has seen: server -> rule -> whether it agrees or differs, and on which day (UTC).
"""
_SEEN = re.compile(rf"({AGREES}|{DIFFERS}) (\d{{4}}-\d{{2}}-\d{{2}})")
Verified = Mapping[str, Mapping[str, str]]
"""URL of a server -> rule -> what was seen, such as `agrees 2031-05-01`."""


class BadFile(Exception):
    """A file that cannot be used; the message says why."""


def read(file: Path) -> Verified:
    """What a file says; nothing if there is none. Raises BadFile."""
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else None
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{file}: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError as error:
        raise BadFile(f"{file}: {' '.join(str(error).split())}") from None
    found = {} if found is None else found
    if not isinstance(found, dict):
        raise BadFile(f"{file}: it has to be what `stubserver check --verified` writes: server, rule, result")
    for server, rules in found.items():
        for rule, seen in _rules(file, server, rules):
            if not isinstance(rule, str) or not isinstance(seen, str) or not _is_seen(seen):
                raise BadFile(f"{file}: {server}: {rule}: it has to be such as `{AGREES} 2031-05-01`")
    return found


def _rules(file: Path, server: object, rules: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(server, str) or not isinstance(rules, dict):
        raise BadFile(f"{file}: {server}: it has to be a server, with what was seen of each rule")
    yield from rules.items()


def _is_seen(text: str) -> bool:
    found = _SEEN.fullmatch(text)
    try:
        return found is not None and bool(date.fromisoformat(found[2]))
    except ValueError:
        return False


def written(before: Verified, report: Report, day: date) -> str:
    """The file after a check on a day. Of rules that were not reached, it keeps what was seen before."""
    seen = {rule.rule: f"{rule.result} {day}" for rule in report.rules.values() if rule.result != NOT_REACHED}
    servers = {**before, report.target: {**before.get(report.target, {}), **seen}}
    content = {server: dict(sorted(rules.items())) for server, rules in sorted(servers.items())}
    return _HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def told(verified: Verified, rules: Iterable[str]) -> Iterator[str]:
    """What was seen of these rules, for a terminal."""
    for rule in rules:
        for server, seen in verified.items():
            if rule in seen:
                result, day = seen[rule].split()
                yield f"  verified: {rule} {result} at {server}, {day}"
