"""A contract: what the server needs to know from a merged document.

The documents are the single source of truth. Besides OpenAPI they use six extension keys:
`x-access` (the guard of an operation, or of giving a parameter), `x-loads` (the row that a path parameter names),
`x-max-body` (the setting that bounds the body of an operation, if it is not `max_body`), `x-rules` (the rules an
operation follows; at the top level, the definitions of all rules), `x-source` (where an inferred detail comes from
and how sure it is) and `x-unordered` (nothing promises the order of the rows that an operation lists).
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from stubserver.contract.merging import SpecError
from stubserver.contract.operation import Body, Operation, Parameter
from stubserver.contract.schema import Schema, Validator, draft4

METHODS = ("get", "put", "post", "patch", "delete")
EXTENSIONS = {"x-access", "x-loads", "x-max-body", "x-rules", "x-source", "x-unordered"}


class Contract:
    """A merged document and its operations."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Raises SpecError if `document` uses an unknown extension key or a reference that points at nothing."""
        self.document = document
        _check_extensions(document, "")
        self._check_references(document)
        self._components = draft4(document.get("components", {}))
        self.base = next(iter(document.get("servers", [])), {"url": ""})["url"].rstrip("/")
        """The prefix of all paths, without a trailing slash."""
        self.operations = {operation.id: operation for operation in self._operations()}

    def resolve(self, node: Any) -> Any:
        """`node`, or what its `$ref` points at. Raises SpecError if it points at nothing."""
        while isinstance(node, dict) and "$ref" in node:
            target: Any = self.document
            for part in node["$ref"].removeprefix("#/").split("/"):
                if not isinstance(target, dict) or part not in target:
                    raise SpecError(f"{node['$ref']} points at nothing")
                target = target[part]
            node = target
        return node

    def file_of(self, *address: str) -> str:
        """The file that the part at `address` came from, or "the document" if that is not known."""
        files: Mapping[str, str] = getattr(self.document, "files", {})
        return files.get(" ".join(address), "the document")

    def _check_references(self, node: Any) -> None:
        if isinstance(node, list):
            for part in node:
                self._check_references(part)
        elif isinstance(node, dict):
            self.resolve(node)
            for part in node.values():
                self._check_references(part)

    def schema(self, name: str) -> Schema:
        """The component schema `name`. Raises SpecError if there is none."""
        found: Schema = self.resolve({"$ref": f"#/components/schemas/{name}"})
        return found

    def properties(self, schema: Schema) -> dict[str, Any]:
        """All properties of an object schema, including those of its `allOf` parts."""
        schema = self.resolve(schema)
        found: dict[str, Any] = {}
        for part in schema.get("allOf", []):
            found.update(self.properties(part))
        found.update(schema.get("properties", {}))
        return found

    def defaults(self, schema: Schema) -> dict[str, Any]:
        """Property -> its documented default, for an object schema."""
        properties = {name: self.resolve(part) for name, part in self.properties(schema).items()}
        return {name: part["default"] for name, part in properties.items() if "default" in part}

    def validator(self, schema: Schema) -> Validator:
        """A validator of `schema`, whose references resolve against this document."""
        return Validator(schema, self._components, self._secrets(schema))

    def _secrets(self, schema: Schema) -> frozenset[str]:
        return frozenset(name for name, part in self.properties(schema).items() if part.get("format") == "password")

    @cached_property
    def secrets(self) -> frozenset[str]:
        """Names of the fields that hold credentials (`format: password`) in any component schema."""
        return frozenset().union(*map(self._secrets, self.document["components"]["schemas"].values()))

    def allowed_methods(self, path: str) -> list[str]:
        """All methods that a documented path supports (HEAD along with GET); empty if `path` is not documented."""
        for pattern, methods in self._routes:
            if pattern.fullmatch(path):
                return sorted({*methods, "HEAD"} if "GET" in methods else methods)
        return []

    def find(self, method: str, path: str) -> Operation | None:
        """The operation that serves a request, or None."""
        for pattern, methods in self._routes:
            if pattern.fullmatch(path):
                return methods.get("GET" if method == "HEAD" else method)
        return None

    @cached_property
    def _routes(self) -> list[tuple[re.Pattern[str], dict[str, Operation]]]:
        """Path patterns, each with method -> operation; literal paths come first."""
        table: dict[str, dict[str, Operation]] = {}
        for operation in self.operations.values():
            table.setdefault(operation.path, {})[operation.method.upper()] = operation
        paths = sorted(table, key=lambda path: path.count("{"))
        return [(_pattern(path, next(iter(table[path].values())).path_parameters), table[path]) for path in paths]

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
            file=self.file_of("paths", path, method),
            method=method,
            path=self.base + path,
            summary=raw.get("summary", ""),
            access=raw["x-access"],
            max_body=raw.get("x-max-body", "max_body"),
            secured=bool(raw.get("security", self.document.get("security", []))),
            loads={p["name"]: p["x-loads"] for p in parameters if "x-loads" in p},
            path_parameters={p["name"]: p["schema"] for p in parameters if p["in"] == "path"},
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
                media: Body(
                    self.resolve(content["schema"]),
                    self.validator(content["schema"]),
                    self.resolve,
                    body.get("required", False),
                )
                for media, content in body.get("content", {}).items()
            },
            defaults=self.defaults(next(iter(body["content"].values()))["schema"]) if body else {},
            status=status,
            headers={status: self._headers(answer) for status, answer in responses.items()},
            answer=answers.get(status),
            media=next(iter(responses[status].get("content", {})), ""),
            blank=self.defaults(answers[status]) if status in answers else {},
            refusals={status: _schema_name(schema) for status, schema in answers.items() if status >= 400},
            answers={status: self.validator(schema) for status, schema in answers.items()},
            examples={status: self._example(answer) for status, answer in responses.items() if status in answers},
            unordered=raw.get("x-unordered", False),
        )

    def _example(self, answer: Mapping[str, Any]) -> Any:
        content = answer["content"]["application/json"]
        named = [self.resolve(example)["value"] for example in content.get("examples", {}).values()]
        return content["example"] if "example" in content else next(iter(named), None)

    def _headers(self, answer: Mapping[str, Any]) -> dict[str, str]:
        found = {name: self.resolve(header) for name, header in answer.get("headers", {}).items()}
        fixed = {name: header["schema"].get("enum", [header.get("example")]) for name, header in found.items()}
        return {name: values[0] for name, values in fixed.items() if len(values) == 1 and values[0] is not None}


def _pattern(path: str, parameters: Mapping[str, Schema]) -> re.Pattern[str]:
    """A pattern that matches the path: integer parameters as digits, others as anything without a slash."""
    for name, schema in parameters.items():
        path = path.replace(f"{{{name}}}", "-?[0-9]+" if schema["type"] == "integer" else "[^/]+")
    return re.compile(path)


def _schema_name(schema: Schema) -> str:
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
                raise SpecError(f"{where}: unknown extension key {key!r}; the known ones are {known}")
            _check_extensions(part, f"{where}/{key}")
