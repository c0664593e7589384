"""Known deviations of a target, each with a reason. One that no longer occurs is reported, so that the list stays
true."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from stubserver.checking.findings import Finding, Report

_TO_FILL_IN = "TODO: say why this is accepted"
_HEAD = """\
# What is known to differ from the contract at {target}: operation, place and kind of difference -> why it is accepted.
# `stubserver check --accept` lets these pass, and fails if one of them no longer occurs.
"""


class BadList(Exception):
    """A list that cannot be used; the message says why."""


def read(file: Path) -> Mapping[str, str]:
    """The list in a file. Raises BadList."""
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadList(f"{file}: {getattr(error, 'strerror', None) or error}") from None
    except yaml.YAMLError as error:
        raise BadList(f"{file}: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict):
        raise BadList(f"{file}: it has to be a mapping of differences to reasons, as --write-accept writes it")
    for key, reason in found.items():
        if not isinstance(reason, str) or not reason.strip() or reason == _TO_FILL_IN:
            raise BadList(f"{file}: {key}: there is no reason; say why it is accepted")
    return found


def apply(report: Report, accepted: Mapping[str, str], *, is_whole: bool) -> list[str]:
    """Mark what is accepted. Returns the keys that no longer occur, if the check was whole."""
    for finding in report.findings:
        finding.accepted = accepted.get(finding.key, "")
    seen = {finding.key for finding in report.findings}
    return [key for key in accepted if key not in seen] if is_whole else []


def written(report: Report) -> str:
    """A list of all that differs now, whose reasons have to be filled in."""
    lines = [f"{_quoted(finding.key)}: {_reason(finding)}" for finding in report.findings]
    return _HEAD.format(target=report.target) + "\n".join(lines) + "\n"


def _reason(finding: Finding) -> str:
    return _quoted(finding.accepted or _TO_FILL_IN)


def _quoted(text: str) -> str:
    quoted = text.replace("'", "''")
    return f"'{quoted}'"
