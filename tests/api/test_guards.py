"""Access: the recorded permission matrix, and the visibility rules it must agree with."""

import asyncio

import pytest

from stubserver.app import StubServer
from tests import permissions


@pytest.fixture(scope="module")
def matrix(server: StubServer, runner: asyncio.Runner) -> str:
    return permissions.matrix(server, runner)


def test_the_matrix_is_the_recorded_one(matrix: str) -> None:
    """Any change in access must show up in permission_matrix.md (`make docs` writes it)."""
    assert matrix == permissions.FILE.read_text(encoding="utf-8")


VISIBLE = {
    "open": {"anonymous", "no status", "requested", "invited", "joined", "joined, own", "manager", "creator", "staff"},
    "private": {
        "anonymous",
        "no status",
        "requested",
        "invited",
        "joined",
        "joined, own",
        "manager",
        "creator",
        "staff",
    },
    "secret": {"invited", "joined", "joined, own", "manager", "creator"},
    "draft": {"manager", "creator"},
}
"""Privacy -> the callers for whom the course exists (R101-R104), written out by hand."""


@pytest.mark.parametrize("privacy", VISIBLE)
def test_a_hidden_course_is_absent_for_every_operation(matrix: str, privacy: str) -> None:
    """R004, R101, R104: callers who cannot see a course get 404 (401 where a login is needed first), never 403."""
    section = matrix.split(f"## A course that is {privacy}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    rows = [row for row in rows if "---" not in row]
    assert len(rows) > 100
    for row in rows:
        if row[0] == "operation":
            callers = row[-len(permissions.CALLERS) :]
            continue
        for caller, status in zip(callers, row[-len(callers) :], strict=True):
            if caller not in VISIBLE[privacy]:
                assert status in ("404", "401" if caller == "anonymous" else "404"), (row, caller)
            elif row[0] == "get_course":
                assert status == "200", caller
