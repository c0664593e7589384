"""The permission matrix: what every operation answers to every kind of caller, in courses of every privacy.

`python -m tests.permissions` writes it to permission_matrix.md, which shows each change of access in review.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stubserver.app import StubServer, load_contract
from stubserver.fixture import load
from stubserver.spec import Contract, Operation
from tests.client import Api
from tests.conftest import NOW

FILE = Path(__file__).parent / "permission_matrix.md"
COURSES = {"open": 1, "private": 4, "secret": 7, "draft": 10}
"""Privacy -> a self-paced course of the default fixture."""
STATUSES = (None, "requested", "invited", "joined", "manager")
"""What the stranger of the default fixture is made in turn; the creator is a persona of its own."""
STRANGER = 6
INTRODUCTION = """# Permission matrix

Made by `make matrix`; a test compares it with what the server does. Each cell is the status of the answer
to the operation's own example request, sent to a fresh default world by somebody with that status in the course.
"""


def matrix(server: StubServer, runner: asyncio.Runner) -> str:
    """The whole matrix as Markdown."""
    lines = [INTRODUCTION]
    callers = ["anonymous", *(status or "no status" for status in STATUSES), "creator", "staff"]
    for privacy, course in COURSES.items():
        lines += [
            f"## A course that is {privacy}",
            "",
            _row(["operation", *callers]),
            _row(["---"] * (len(callers) + 1)),
        ]
        for operation in server.contract.operations.values():
            if "course" in operation.loads.values():
                lines.append(_row([operation.id, *_statuses(server, runner, operation, course)]))
        lines.append("")
    lines += ["## Operations that are not about one course", "", _row(["operation", *callers])]
    lines.append(_row(["---"] * (len(callers) + 1)))
    for operation in server.contract.operations.values():
        if "course" not in operation.loads.values():
            lines.append(_row([operation.id, *_statuses(server, runner, operation, COURSES["open"])]))
    return "\n".join(lines) + "\n"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _statuses(server: StubServer, runner: asyncio.Runner, operation: Operation, course: int) -> Iterator[str]:
    callers: list[tuple[str | None, str | None]] = [(None, None)]
    callers += [("stranger", status) for status in STATUSES]
    callers += [("creator", None), ("staff", None)]
    for persona, status in callers:
        world = server.worlds.reset()
        world.clock.freeze(NOW)
        if status:
            row = {"course_id": course, "user_id": STRANGER, "status": status, "joined_at": NOW, "last_active_at": None}
            world.memberships.put(row)
        path = operation.path.format(id=course if "course" in operation.loads.values() else STRANGER)
        options = example(server.contract, operation)
        yield str(Api(server, runner, persona).request(operation.method.upper(), path, **options).status_code)


def example(contract: Contract, operation: Operation) -> dict[str, Any]:
    """The operation's own JSON example, as an option of a request."""
    if not operation.bodies:
        return {}
    raw = contract.document["paths"][operation.path][operation.method]
    content = contract.resolve(raw["requestBody"])["content"]["application/json"]
    value = content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]
    return {"json": value}


def main() -> None:
    contract = load_contract()
    server = StubServer(contract, load("default", contract, NOW), 0, None, [])
    with asyncio.Runner() as runner:
        FILE.write_text(matrix(server, runner), encoding="utf-8")
    print(f"wrote {FILE}")


if __name__ == "__main__":
    main()
