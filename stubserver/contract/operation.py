"""One operation of the contract, with everything that the pipeline needs to know about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from stubserver.contract.schema import Schema, Validator


def is_free_text(schema: Schema) -> bool:
    """Whether people write what they like into such a field, and blanks around it mean nothing; credentials are not."""
    is_bound = "enum" in schema or schema.get("format") in ("binary", "date-time", "password")
    return schema.get("type") == "string" and not is_bound


@dataclass(frozen=True)
class Parameter:
    """A query parameter or header: its schema, and the guard that callers must pass to give it or one of its values."""

    name: str
    place: str
    """`query` or `header`."""
    required: bool
    schema: Schema
    validator: Validator
    access: str | Mapping[str, str] | None


@dataclass(frozen=True)
class Body:
    """The request body of one operation under one media type."""

    schema: Schema
    validator: Validator
    resolve: Callable[[Schema], Schema] = field(repr=False)
    """Follows the reference of a schema within this one, if it is one."""
    required: bool = True
    """Whether there must be a body; without one, all fields are left out."""

    @cached_property
    def texts(self) -> frozenset[str]:
        """Names of the fields that hold free text."""
        return frozenset(name for name, part in self.schema["properties"].items() if is_free_text(part))

    @cached_property
    def moments(self) -> tuple[str, ...]:
        """Names of the fields that hold a date and time."""
        return tuple(name for name, part in self.schema["properties"].items() if part.get("format") == "date-time")

    @cached_property
    def lists(self) -> tuple[str, ...]:
        """Names of the fields that hold a list of objects."""
        return tuple(name for name, part in self.schema["properties"].items() if "$ref" in part.get("items", ()))


@dataclass(frozen=True)
class Operation:
    """One operation of the contract, with everything that the pipeline needs to know about it."""

    id: str
    file: str
    """The file of the contract that declares it."""
    method: str
    path: str
    summary: str
    access: str
    max_body: str
    """The setting that bounds its body."""
    secured: bool
    """Whether its `security`, or that of the whole contract, is not empty."""
    loads: Mapping[str, str]
    """Path parameter -> the kind of row that it names, in path order."""
    path_parameters: Mapping[str, Schema]
    """Path parameter -> its schema."""
    parameters: tuple[Parameter, ...]
    bodies: Mapping[str, Body] = field(repr=False)
    defaults: Mapping[str, Any] = field(repr=False)
    """Documented defaults of the body's fields."""
    status: int
    """The only 2xx status of the operation."""
    headers: Mapping[int, Mapping[str, str]] = field(repr=False)
    """Status -> its headers that have a fixed value, or an example, with that value."""
    answer: Schema | None = field(repr=False)
    """Schema of the body of a success; None if it has no body."""
    media: str
    """Media type of a success: JSON, or that of a text which the operation writes itself; empty if it has no body."""
    blank: Mapping[str, Any] = field(repr=False)
    """Documented defaults of the fields of a success."""
    refusals: Mapping[int, str] = field(repr=False)
    """Status -> name of the schema, for each declared refusal."""
    answers: Mapping[int, Validator] = field(repr=False)
    """Status -> validator of its JSON body."""
    examples: Mapping[int, Any] = field(repr=False)
    """Status -> an example of its JSON body; None if the contract does not give one."""
    unordered: bool = False
    """Whether nothing promises the order of the rows that it lists (`x-unordered`)."""

    @property
    def is_large(self) -> bool:
        """Whether its body may be larger than other bodies."""
        return self.max_body != "max_body"

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
        """The parameters that only some of the operation's callers may give."""
        return [parameter for parameter in self.parameters if parameter.access]

    @cached_property
    def choices(self) -> Mapping[str, Sequence[Any]]:
        """Parameter or field -> its documented values, where there are several."""
        schemas = {**{parameter.name: parameter.schema for parameter in self.parameters}, **self.fields}
        options = {name: schema.get("items", schema).get("enum", ()) for name, schema in schemas.items()}
        return {name: values for name, values in options.items() if len(values) > 1}

    @cached_property
    def fields(self) -> Mapping[str, Schema]:
        """Field -> schema, for the writable fields of the body."""
        declared = next(iter(self.bodies.values())).schema["properties"] if self.bodies else {}
        return {name: schema for name, schema in declared.items() if not schema.get("readOnly", False)}
