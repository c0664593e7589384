"""One operation of the contract, with all that the pipeline asks of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from stubserver.contract.schema import Schema, Validator


@dataclass(frozen=True)
class Parameter:
    """A query parameter or a header: its schema, and the guard that giving it (or one of its values) asks for."""

    name: str
    place: str
    """query or header."""
    required: bool
    schema: Schema
    validator: Validator
    access: str | Mapping[str, str] | None


@dataclass(frozen=True)
class Body:
    """The request body of one operation under one media type."""

    schema: Schema
    validator: Validator

    @cached_property
    def integers(self) -> frozenset[str]:
        """Fields that are whole numbers."""
        return frozenset(name for name, part in self.schema["properties"].items() if part.get("type") == "integer")

    @cached_property
    def special(self) -> frozenset[str]:
        """Fields that are kept otherwise than they are sent, or need a closer look: times and objects."""
        properties = self.schema["properties"].items()
        return frozenset(
            n for n, part in properties if part.get("format") == "date-time" or part.get("type") == "object"
        )


@dataclass(frozen=True)
class Operation:
    """One operation of the contract, with all that the pipeline asks of it."""

    id: str
    file: str
    """The file of the contract that declares it."""
    method: str
    path: str
    access: str
    loads: Mapping[str, str]
    """Path parameter -> kind of row that it names, in path order."""
    parameters: tuple[Parameter, ...]
    bodies: Mapping[str, Body] = field(repr=False)
    defaults: Mapping[str, Any] = field(repr=False)
    """Documented defaults of the body's fields."""
    status: int
    """The only 2xx status of the operation."""
    headers: Mapping[int, Mapping[str, str]] = field(repr=False)
    """Headers of every declared status: those that can have one value only, or an example of it."""
    answer: Schema | None = field(repr=False)
    """Schema of the success body; None where there is no body."""
    blank: Mapping[str, Any] = field(repr=False)
    """Documented defaults of the answer's fields."""
    refusals: Mapping[int, str] = field(repr=False)
    """Name of the schema of every declared refusal."""
    answers: Mapping[int, Validator] = field(repr=False)
    """Validator of the JSON body of every declared status."""
    examples: Mapping[int, Any] = field(repr=False)
    """An example of the JSON body of every declared status; None where none is written out."""

    @cached_property
    def parameter_names(self) -> frozenset[str]:
        """Names of the query parameters and headers."""
        return frozenset(parameter.name for parameter in self.parameters)

    @cached_property
    def named(self) -> Mapping[str, str]:
        """Kind of row -> the path parameter that names it."""
        return {kind: parameter for parameter, kind in self.loads.items()}

    @cached_property
    def guarded(self) -> Sequence[Parameter]:
        """The parameters that not everybody may give who may call it."""
        return [parameter for parameter in self.parameters if parameter.access]

    @cached_property
    def choices(self) -> Mapping[str, Sequence[Any]]:
        """Parameters and fields that have several documented values."""
        schemas = {**{parameter.name: parameter.schema for parameter in self.parameters}, **self.fields}
        options = {name: schema.get("items", schema).get("enum", ()) for name, schema in schemas.items()}
        return {name: values for name, values in options.items() if len(values) > 1}

    @cached_property
    def fields(self) -> Mapping[str, Schema]:
        """The writable fields of the body."""
        declared = next(iter(self.bodies.values())).schema["properties"] if self.bodies else {}
        return {name: schema for name, schema in declared.items() if not schema.get("readOnly", False)}
