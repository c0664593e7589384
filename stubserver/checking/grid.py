"""The grid: each operation with each of its parts at the edges, one at a time. Nobody has to think of it, and it
explains nothing: what it finds is a difference, not a rule."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from stubserver.checking.catalogue import NOBODY, Step
from stubserver.checking.edges import edges
from stubserver.checking.ingredients import SIBLINGS, step_of
from stubserver.contract.contract import Contract
from stubserver.contract.operation import Operation

_CALLERS = ("creator", "member", "stranger", NOBODY)
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


def cells(contract: Contract, ids: Collection[str]) -> Iterator[Step]:
    """The steps of the grid, those that delete something last. They rely on what `everything` has made. `ids`
    are the names of fields that hold ids."""
    operations = [operation for operation in contract.operations.values() if _is_in(operation)]
    for operation in sorted(operations, key=lambda one: one.method == "delete" or one.id in ("leave_course",)):
        yield from _of(contract, operation, ids)


def _is_in(operation: Operation) -> bool:
    """Whether an operation is about courses; credentials and uploads are left to stories."""
    loads = operation.loads.values()
    return "course" in loads or operation.id in ("create_course", "search_courses", "list_joined_courses")


def _of(contract: Contract, operation: Operation, ids: Collection[str]) -> Iterator[Step]:
    base = step_of(operation)
    for who in _CALLERS:
        if who != base.who:
            yield replace(base, who=who)
    yield from _elsewhere(operation, base)
    if operation.method == "delete" or operation.id == "leave_course":
        yield base
        return
    for parameter in operation.parameters:
        if parameter.place == "query":
            for value in edges(contract, parameter.schema, is_id=parameter.name in ids):
                if not isinstance(value, list | dict):
                    yield replace(base, query={parameter.name: "" if value is None else value})
    yield from _bodies(contract, operation, base, ids)
    yield base


def _elsewhere(operation: Operation, base: Step) -> Iterator[Step]:
    """The same about a row of another parent, and about none."""
    for kind in [*operation.loads.values()][-1:]:
        if kind in SIBLINGS:
            yield replace(base, at=SIBLINGS[kind])
            yield replace(base, at=f"{base.at}!{SIBLINGS[kind]}")
            yield replace(base, at=f"{base.at}!$absent")


def _bodies(contract: Contract, operation: Operation, base: Step, ids: Collection[str]) -> Iterator[Step]:
    if not operation.bodies:
        return
    body = dict(base.body or {})
    for name, schema in operation.fields.items():
        if schema.get("format") == "binary":
            continue
        if name in body:
            yield replace(base, body={key: value for key, value in body.items() if key != name})
        for value in edges(contract, schema, is_id=name in ids):
            yield replace(base, body={**body, name: value})
    yield replace(base, body={**body, "no_such_field": 1})
    for media in _FORMS:
        yield replace(base, media=media)
