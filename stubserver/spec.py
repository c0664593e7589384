"""The contract: merges the partial documents of `openapi/` and reads from them what the server needs.

The documents are the single source of truth. Besides OpenAPI they use four extension keys:
`x-access` (the guard of an operation, or of giving a parameter), `x-loads` (the row that a path parameter
names), `x-rules` (the rules an operation follows; at the top level, the book of rules) and `x-source`
(where an inferred detail comes from and how sure it is).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import yaml

from stubserver.schema import Schema, Validator, draft4

METHODS = ("get", "put", "post", "patch", "delete")
EXTENSIONS = {"x-access", "x-loads", "x-rules", "x-source"}
_UNITED = {"paths", "components", "x-rules"}
"""Top-level keys that every partial document may add to."""


class SpecError(Exception):
    """The contract cannot be served; the message says in one line which file or key is wrong."""


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


@dataclass(frozen=True)
class Operation:
    """One operation of the contract, with all that the pipeline asks of it."""

    id: str
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
    headers: Mapping[str, str] = field(repr=False)
    """Headers of the success answer that can have one value only."""
    answer: Schema | None = field(repr=False)
    """Schema of the success body; None where there is no body."""
    blank: Mapping[str, Any] = field(repr=False)
    """Documented defaults of the answer's fields."""
    refusals: Mapping[int, str] = field(repr=False)
    """Name of the schema of every declared refusal."""
    answers: Mapping[int, Validator] = field(repr=False)
    """Validator of the JSON body of every declared status."""


class Contract:
    """The merged document and its operations."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Raises SpecError where `document` uses an extension key or a reference that does not exist."""
        self.document = document
        _check_extensions(document, "")
        self._check_references(document)
        self._components = draft4(document.get("components", {}))
        self.operations = {operation.id: operation for operation in self._operations()}

    def resolve(self, node: Any) -> Any:
        """`node`, or what its `$ref` points at. Raises SpecError when it points at nothing."""
        while isinstance(node, dict) and "$ref" in node:
            target: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                if not isinstance(target, dict) or part not in target:
                    raise SpecError(f"{node['$ref']} points at nothing")
                target = target[part]
            node = target
        return node

    def _check_references(self, node: Any) -> None:
        if isinstance(node, list):
            for part in node:
                self._check_references(part)
        elif isinstance(node, dict):
            self.resolve(node)
            for part in node.values():
                self._check_references(part)

    def schema(self, name: str) -> Schema:
        """The component schema `name`."""
        found: Schema = self.resolve({"$ref": f"#/components/schemas/{name}"})
        return found

    def properties(self, schema: Schema) -> dict[str, Any]:
        """All properties of an object schema, those of its `allOf` parts included."""
        schema = self.resolve(schema)
        found: dict[str, Any] = {}
        for part in schema.get("allOf", []):
            found.update(self.properties(part))
        found.update(schema.get("properties", {}))
        return found

    def defaults(self, schema: Schema) -> dict[str, Any]:
        """The documented defaults of an object schema."""
        properties = {name: self.resolve(part) for name, part in self.properties(schema).items()}
        return {name: part["default"] for name, part in properties.items() if "default" in part}

    def validator(self, schema: Schema) -> Validator:
        """`schema` compiled; its references resolve against this document."""
        return Validator(schema, self._components)

    @cached_property
    def routes(self) -> list[tuple[re.Pattern[str], list[str]]]:
        """Path pattern -> the methods it declares, literal paths first."""
        table: dict[str, list[str]] = {}
        for operation in self.operations.values():
            table.setdefault(operation.path, []).append(operation.method.upper())
        paths = sorted(table, key=lambda path: path.count("{"))
        return [(re.compile(re.sub(r"\{\w+\}", r"-?[0-9]+", path)), table[path]) for path in paths]

    def allowed_methods(self, path: str) -> list[str]:
        """Every method that the documented path `path` answers (HEAD with GET); empty for any other path."""
        for pattern, methods in self.routes:
            if pattern.fullmatch(path):
                return sorted({*methods, "HEAD"} if "GET" in methods else methods)
        return []

    def _operations(self) -> Iterator[Operation]:
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield self._operation(path, method, item[method])

    def _operation(self, path: str, method: str, raw: Mapping[str, Any]) -> Operation:
        parameters = [self.resolve(parameter) for parameter in raw.get("parameters", [])]
        body = self.resolve(raw.get("requestBody", {}))
        responses = {int(status): self.resolve(answer) for status, answer in raw["responses"].items()}
        answers = {status: schema for status, answer in responses.items() if (schema := _json_schema(answer))}
        if "x-access" not in raw:
            raise SpecError(f"{method.upper()} {path}: x-access is missing")
        (status,) = (status for status in responses if status < 300)
        return Operation(
            id=raw["operationId"],
            method=method,
            path=path,
            access=raw["x-access"],
            loads={p["name"]: p["x-loads"] for p in parameters if "x-loads" in p},
            parameters=tuple(
                Parameter(
                    p["name"],
                    p["in"],
                    p.get("required", False),
                    p["schema"],
                    self.validator(p["schema"]),
                    p.get("x-access"),
                )
                for p in parameters
                if p["in"] != "path"
            ),
            bodies={
                media: Body(self.resolve(content["schema"]), self.validator(content["schema"]))
                for media, content in body.get("content", {}).items()
            },
            defaults=self.defaults(next(iter(body["content"].values()))["schema"]) if body else {},
            status=status,
            headers=self._fixed_headers(responses[status]),
            answer=answers.get(status),
            blank=self.defaults(answers[status]) if status in answers else {},
            refusals={status: _name(schema) for status, schema in answers.items() if status >= 400},
            answers={status: self.validator(schema) for status, schema in answers.items()},
        )

    def _fixed_headers(self, answer: Mapping[str, Any]) -> dict[str, str]:
        headers = {name: self.resolve(header)["schema"] for name, header in answer.get("headers", {}).items()}
        return {name: schema["enum"][0] for name, schema in headers.items() if len(schema.get("enum", ())) == 1}


def _name(schema: Schema) -> str:
    name: str = schema.get("$ref", "").rpartition("/")[2]
    return name


def _json_schema(answer: Mapping[str, Any]) -> Schema | None:
    schema: Schema | None = answer.get("content", {}).get("application/json", {}).get("schema")
    return schema


def _check_extensions(node: Any, where: str) -> None:
    if isinstance(node, list):
        for index, part in enumerate(node):
            _check_extensions(part, f"{where}/{index}")
    elif isinstance(node, dict):
        for key, part in node.items():
            if str(key).startswith("x-") and key not in EXTENSIONS:
                known = ", ".join(sorted(EXTENSIONS))
                raise SpecError(f"{where}: unknown extension key {key!r}; known are {known}")
            _check_extensions(part, f"{where}/{key}")


def merge(folder: Path) -> dict[str, Any]:
    """One document from the partial documents `*.yaml` of `folder`.

    Paths (method by method), rules and each kind of `components` are united; whatever two files both define is an
    error. Raises SpecError naming the file.
    """
    merged: dict[str, Any] = {}
    owners: dict[str, str] = {}
    for file in sorted(folder.glob("*.yaml")):
        try:
            parts = list(_flattened(_load(file)))
        except AttributeError:
            raise SpecError(f"{file.name}: paths, components and x-rules must be mappings of mappings") from None
        for key, value in parts:
            if key in owners:
                raise SpecError(f"{key} is defined in {owners[key]} and again in {file.name}")
            owners[key] = file.name
            _place(merged, key.split(" "), value)
    if not merged:
        raise SpecError(f"no *.yaml documents in {folder}")
    # A round trip through JSON drops what YAML shares by anchors and turns its dates into text.
    copied: dict[str, Any] = orjson.loads(orjson.dumps(merged, default=str))
    return copied


def _load(file: Path) -> dict[str, Any]:
    try:
        document = load_yaml(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SpecError(f"{file.name}: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise SpecError(f"{file.name}: a partial document must be a mapping")
    return document


def load_yaml(text: str) -> Any:
    """Parse YAML with libyaml where it is there (ten times faster)."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (safe loaders)


def _flattened(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The smallest parts that files may share out among them, each under its blank-separated address."""
    for key, value in document.items():
        if key not in _UNITED:
            yield key, value
        elif key in ("components", "paths"):
            for group, entries in value.items():
                for name, entry in entries.items():
                    yield f"{key} {group} {name}", entry
        else:
            for name, entry in value.items():
                yield f"{key} {name}", entry


def _place(target: dict[str, Any], address: list[str], value: Any) -> None:
    for part in address[:-1]:
        target = target.setdefault(part, {})
    target[address[-1]] = value
