"""Random walks: sequences of operations by several people, most of them allowed, with more reads than writes."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from random import Random
from typing import Any

from stubserver.checking.catalogue import NOBODY, Step
from stubserver.checking.edges import edges
from stubserver.checking.ingredients import step_of
from stubserver.checking.stage import KINDS, Scene, Stage
from stubserver.contract.operation import Operation

_ALLOWED = 0.82
"""How often somebody is sent who is sure to be allowed."""
_READS = 2
"""Reads after each write."""
_RARE = ("delete_course", "delete_course_section", "leave_course")
"""Operations after which little is left; they come late and seldom."""


class Walk:
    """A sequence of steps, each chosen when the one before has been played."""

    def __init__(self, random: Random, scene: Scene, stage: Stage, without: Collection[str] = ()) -> None:
        """`without` these operations."""
        self._random = random
        self._scene = scene
        self._contract = stage.contract
        self._ids = stage.shapes.id_names
        operations = [
            one
            for one in stage.contract.operations.values()
            if "course" in one.loads.values() and one.id not in without
        ]
        self._reads = [one for one in operations if one.method == "get"]
        self._writes = [one for one in operations if one.method != "get"]

    def steps(self, writes: int) -> Iterator[Step]:
        """So many writes, with reads in between."""
        for number in range(writes):
            is_late = number > writes * 0.8
            allowed = [one for one in self._writes if is_late or one.id not in _RARE]
            if not allowed or not self._reads:
                return
            write = self._step(self._random.choice(allowed))
            if write.operation == "create_course" or self._random.random() < 0.5:
                write = replace(write, save=self._saved(write, number))
            yield write
            for _ in range(_READS):
                yield self._step(self._random.choice(self._reads))

    def _saved(self, step: Step, number: int) -> str:
        """What something new is called; nothing if the operation makes nothing."""
        operation = self._contract.operations[step.operation]
        return f"r{number}" if operation.method == "post" and operation.status == 201 else ""

    def _step(self, operation: Operation) -> Step:
        base = step_of(operation)
        who = (
            base.who
            if self._random.random() < _ALLOWED
            else self._random.choice(("creator", "member", "stranger", NOBODY))
        )
        step = replace(base, who=who, at=self._row(operation, base.at))
        return replace(step, body=self._body(operation, step.body)) if operation.bodies else step

    def _row(self, operation: Operation, usual: str) -> str:
        last = [KINDS.get(kind, kind) for kind in operation.loads.values()][-1]
        names = [name for name, row in self._scene.rows.items() if [*row.path][-1:] == [last]]
        return self._random.choice([usual, *names]) if self._random.random() < 0.6 else usual

    def _body(self, operation: Operation, body: Any) -> Any:
        """The body with some fields at their edges."""
        found = dict(body or {})
        for name, schema in operation.fields.items():
            if schema.get("format") != "binary" and self._random.random() < 0.15:
                values = [*edges(self._contract, schema, is_id=name in self._ids)]
                found[name] = self._random.choice(values)
        return found
