"""Checks, at every start, that the contract and the code agree on names: a name on one side must exist on the other."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from stubserver.api.guards import GUARDS
from stubserver.api.views.course import SHAPES
from stubserver.call import ROW_KINDS
from stubserver.contract.contract import Contract
from stubserver.contract.merging import SpecError
from stubserver.contract.operation import Operation
from stubserver.contract.places import KINDS
from stubserver.control.verify import FILTERS
from stubserver.errors import OAUTH_SHAPE
from stubserver.fixtures.fixture import COMPLETED_FROM
from stubserver.pages.documents import TOKEN_SCHEME
from stubserver.pipeline.faults import FAULT_KINDS
from stubserver.pipeline.reading import READERS
from stubserver.pipeline.recorder import UNLOGGED
from stubserver.records.coverage import DIMENSIONS
from stubserver.settings import BODY_BOUNDS
from stubserver.suggestions import nearest


@dataclass(frozen=True)
class SharedNames:
    """One kind of name: where the contract declares such names, and which of them the code knows."""

    key: str
    """What the contract calls such a name, for example x-access."""
    declared: Mapping[str, str]
    """Name -> where the contract first declares it: the file, and the place in it."""
    known: Collection[str]
    table: str
    """Where the code lists the names it knows: a module and a table in it, or a package."""
    all_known: bool = True
    """Whether the code must know every declared name."""


def check(contract: Contract, control: Contract, operations: Collection[str], commands: Collection[str]) -> None:
    """Compare the names in both contracts with those in the code. `operations` and `commands` are the names of the
    functions that implement the two. Raises SpecError, citing file and key, for a name that only one side has."""
    functions = (_operations(contract, operations, "api/operations"), _operations(control, commands, "control"))
    for shared in (*functions, *_shared_names(contract, control)):
        for name, place in shared.declared.items():
            if shared.all_known and name not in shared.known:
                raise SpecError(f"{place}: {shared.key} {name!r} is unknown; {_known(name, shared)}")
        for name in shared.known:
            if name not in shared.declared:
                raise SpecError(f"{shared.table} has {name!r}, but no {shared.key} in the contract names it")


def _operations(contract: Contract, functions: Collection[str], package: str) -> SharedNames:
    declared = {operation.id: _place(operation) for operation in contract.operations.values()}
    return SharedNames("operationId", declared, functions, f"stubserver/{package}/")


def _shared_names(contract: Contract, control: Contract) -> Iterator[SharedNames]:
    operations = [*contract.operations.values(), *control.operations.values()]
    guards = ((guard, operation) for operation in operations for guard in _guards(operation))
    yield SharedNames("x-access", _places(guards), GUARDS, "stubserver/api/guards.py: GUARDS")
    bounds = ((operation.max_body, operation) for operation in operations)
    yield SharedNames("x-max-body", _places(bounds), BODY_BOUNDS, "stubserver/settings.py: BODY_BOUNDS")
    loads = ((kind, operation) for operation in operations for kind in operation.loads.values())
    yield SharedNames("x-loads", _places(loads), ROW_KINDS, "stubserver/call.py: ROW_KINDS")
    bodies = ((media, operation) for operation in operations for media in operation.bodies)
    yield SharedNames("media type", _places(bodies), READERS, "stubserver/pipeline/reading.py: READERS")
    yield _components(contract, "schemas", COMPLETED_FROM.values(), "stubserver/fixtures/fixture.py: COMPLETED_FROM")
    yield _components(contract, "schemas", SHAPES, "stubserver/api/views/course.py: SHAPES")
    yield _components(contract, "schemas", [OAUTH_SHAPE], "stubserver/errors.py: OAUTH_SHAPE")
    yield _components(contract, "securitySchemes", [TOKEN_SCHEME], "stubserver/pages/documents.py: TOKEN_SCHEME")
    asked = {name: _place(operation) for name, operation in control.operations.items()}
    yield SharedNames("operationId", asked, UNLOGGED, "stubserver/pipeline/recorder.py: UNLOGGED", all_known=False)
    kinds = control.schema("FaultCreate")["properties"]["kind"]["enum"]
    place = f"{control.file_of('components', 'schemas', 'FaultCreate')}: FaultCreate"
    yield SharedNames("kind", dict.fromkeys(kinds, place), FAULT_KINDS, "stubserver/pipeline/faults.py: FAULT_KINDS")
    kinds = control.schema("VariantKind")["enum"]
    place = f"{control.file_of('components', 'schemas', 'VariantKind')}: VariantKind"
    yield SharedNames("kind", dict.fromkeys(kinds, place), KINDS, "stubserver/contract/places.py: KINDS")
    for schema, names, table in (
        ("Expectation", FILTERS, "stubserver/control/verify.py: FILTERS"),
        ("OperationCoverage", DIMENSIONS, "stubserver/records/coverage.py: DIMENSIONS"),
    ):
        fields = dict.fromkeys(control.properties(control.schema(schema)), schema)
        yield SharedNames(f"field of {schema}", fields, names, table, all_known=False)


def _components(contract: Contract, kind: str, names: Collection[str], table: str) -> SharedNames:
    declared = dict.fromkeys(contract.document["components"].get(kind, ()), f"components/{kind}")
    return SharedNames(f"name in components/{kind}", declared, names, table, all_known=False)


def _guards(operation: Operation) -> Iterator[str]:
    yield operation.access
    for parameter in operation.guarded:
        yield from [parameter.access] if isinstance(parameter.access, str) else (parameter.access or {}).values()


def _places(named: Iterable[tuple[str, Operation]]) -> Mapping[str, str]:
    """Name -> where an operation first uses it."""
    found: dict[str, str] = {}
    for name, operation in named:
        found.setdefault(name, _place(operation))
    return found


def _place(operation: Operation) -> str:
    return f"{operation.file}: {operation.id}"


def _known(name: str, shared: SharedNames) -> str:
    """The known names, after the closest match if there is one."""
    near = nearest(name, shared.known, most=1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return f"{guess}{shared.table} has {', '.join(sorted(shared.known))}"
