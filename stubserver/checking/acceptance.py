"""Known deviations of a target, each with a reason. One that no longer occurs is reported, so that the list stays
true."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import yaml

_TO_FILL_IN = "TODO: say why this is accepted"
_HEAD = """\
# What is known to differ from the contract at {target}: operation, place and kind of difference -> why it is accepted.
# `stubserver check --accept` lets these pass, and fails if one of them no longer occurs.
"""


class Finding(Protocol):
    """What a list can name."""

    accepted: str

    @property
    def key(self) -> str:
        """What the list calls it."""


class Report(Protocol):
    """What has findings."""

    @property
    def target(self) -> str:
        """What was looked at."""

    @property
    def findings(self) -> Sequence[Finding]:
        """All that was found."""


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


def written(report: Report, head: str = _HEAD) -> str:
    """A list of all that was found, whose reasons have to be filled in, below a head that names the `{target}`."""
    lines = [f"{_quoted(finding.key)}: {_reason(finding)}" for finding in report.findings]
    return head.format(target=report.target) + "\n".join(lines) + "\n"


def _reason(finding: Finding) -> str:
    return _quoted(finding.accepted or _TO_FILL_IN)


def _quoted(text: str) -> str:
    quoted = text.replace("'", "''")
    return f"'{quoted}'"
