"""What changes in the operations of a contract: paths, parameters, bodies, answers, headers, security."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from stubserver.reports.compare_changes import ERROR, INFO, WARNING, Changes
from stubserver.reports.compare_schemas import Schemas
from stubserver.reports.compare_sides import Node, Place, Side

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_NAME = re.compile(r"\{[^}]*\}")


def compare_operations(old: Side, new: Side, changes: Changes) -> None:
    """Find what changes in all operations. Raises Unusable."""
    before, after = dict(_operations(old)), dict(_operations(new))
    paths = {path for path, _ in after}
    for key in [*before, *(key for key in after if key not in before)]:
        path, method = key
        shown = (before.get(key) or after[key])[0]
        changes.operation = f"{method.upper()} {shown}"
        if key not in after:
            gone = "api-removed" if path in paths else "api-path-removed"
            if before[key][1].get("deprecated"):
                changes.add(INFO, f"{gone}-with-deprecation", "removed, and was deprecated before")
            else:
                changes.add(ERROR, f"{gone}-without-deprecation", "removed, and was not deprecated before")
        elif key not in before:
            changes.add(INFO, "endpoint-added", "added")
        else:
            _Operations(old, new, changes).compare(*before[key], *after[key])


def _operations(side: Side) -> Iterator[tuple[tuple[str, str], tuple[str, Node]]]:
    """Path without names of parameters, and method -> the path, and the operation with what its path shares."""
    for path, item in side.document["paths"].items():
        item = side.resolve(item)
        for method in _METHODS:
            if method in item:
                operation = item[method]
                shared = [*item.get("parameters", []), *operation.get("parameters", [])]
                yield (_NAME.sub("{}", str(path)), method), (str(path), {**operation, "parameters": shared})


class _Operations:
    """Compares one operation with what it has become."""

    def __init__(self, old: Side, new: Side, changes: Changes) -> None:
        self._old, self._new = old, new
        self._add = changes.add
        self._schemas = Schemas(old, new, changes)

    def compare(self, path: str, old: Node, new_path: str, new: Node) -> None:
        """Find what changes in it."""
        if bool(old.get("deprecated")) != bool(new.get("deprecated")):
            is_deprecated = new.get("deprecated")
            self._add(INFO, "endpoint-deprecated" if is_deprecated else "endpoint-reactivated", "deprecation changed")
        self._security(old, new)
        self._parameters(_named(self._old, path, old), _named(self._new, new_path, new))
        self._body(self._old.resolve(old.get("requestBody")), self._new.resolve(new.get("requestBody")))
        self._responses(_by_text(old.get("responses")), _by_text(new.get("responses")))

    def _security(self, old: Node, new: Node) -> None:
        before = _schemes(old.get("security", self._old.document.get("security")))
        after = _schemes(new.get("security", self._new.document.get("security")))
        for scheme in sorted(before - after):
            # Without it, the operation needs less, unless another one is what it needs now.
            level = ERROR if after and "" not in after else INFO
            if scheme:
                self._add(level, "api-security-removed", f"no longer takes the security scheme {scheme}")
        for scheme in sorted(after - before):
            level = ERROR if "" in before and "" not in after else INFO
            if scheme:
                self._add(level, "api-security-added", f"takes the security scheme {scheme}")

    # Parameters

    def _parameters(self, old: Mapping[tuple[str, str], Node], new: Mapping[tuple[str, str], Node]) -> None:
        for key, parameter in old.items():
            name = f"the {key[0]} parameter {parameter['name']}"
            if key not in new:
                self._add(WARNING, "request-parameter-removed", f"removed {name}")
            else:
                self._parameter(name, parameter, new[key])
        for key, parameter in new.items():
            if key not in old:
                kind = f"{key[0]} parameter {parameter['name']}"
                if parameter.get("required"):
                    self._add(ERROR, "new-required-request-parameter", f"added the required {kind}")
                else:
                    self._add(INFO, "new-optional-request-parameter", f"added the optional {kind}")

    def _parameter(self, name: str, old: Node, new: Node) -> None:
        if bool(old.get("required")) != bool(new.get("required")):
            if new.get("required"):
                self._add(ERROR, "request-parameter-became-required", f"{name} became required")
            else:
                self._add(INFO, "request-parameter-became-optional", f"{name} became optional")
        before, after = _schema_of(old), _schema_of(new)
        self._default(name, self._old.flat(before), self._new.flat(after))
        self._schemas.compare(Place("request-parameter", name), before, after)

    def _default(self, name: str, old: Node, new: Node) -> None:
        if old.get("default") == new.get("default") and ("default" in old) == ("default" in new):
            return
        how = "changed" if "default" in old and "default" in new else "removed" if "default" in old else "added"
        values = " to ".join(json.dumps(one.get("default")) for one in (old, new))
        self._add(ERROR, f"request-parameter-default-value-{how}", f"the default of {name} changed from {values}")

    # Bodies

    def _body(self, old: Any, new: Any) -> None:
        if not old and new:
            required = bool(new.get("required"))
            level, kind = (ERROR, "required") if required else (INFO, "optional")
            self._add(level, f"request-body-added-{kind}", f"added a body, which is {kind}")
        elif old and not new:
            self._add(ERROR, "request-body-removed", "removed the body")
        elif old and new:
            if bool(old.get("required")) != bool(new.get("required")):
                level, kind = (ERROR, "required") if new.get("required") else (INFO, "optional")
                self._add(level, f"request-body-became-{kind}", f"the body became {kind}")
            self._contents("request-body", "", old.get("content", {}), new.get("content", {}))

    def _contents(self, area: str, status: str, old: Node, new: Node) -> None:
        kind = "response" if status else area
        for media in old:
            if media not in new:
                where = f"the answer {status}" if status else "the body"
                self._add(ERROR, f"{kind}-media-type-removed", f"removed the media type {media} of {where}")
            else:
                name = f"the answer {status}" if status else "the body"
                self._schemas.compare(Place(area, name), old[media].get("schema"), new[media].get("schema"))
        for media in new:
            if media not in old:
                self._add(INFO, f"{kind}-media-type-added", f"added the media type {media}")

    # Answers

    def _responses(self, old: Node, new: Node) -> None:
        for status, answer in old.items():
            kind = f"response-{'success' if _is_success(status) else 'non-success'}-status-removed"
            if status not in new:
                level = ERROR if _is_success(status) else INFO
                self._add(level, kind, f"removed the answer {status}")
            else:
                self._response(status, self._old.resolve(answer), self._new.resolve(new[status]))
        for status in new:
            if status not in old:
                kind = f"response-{'success' if _is_success(status) else 'non-success'}-status-added"
                self._add(INFO, kind, f"added the answer {status}")

    def _response(self, status: str, old: Node, new: Node) -> None:
        self._contents("response-body", status, old.get("content", {}), new.get("content", {}))
        before = {str(name).lower(): self._old.resolve(header) for name, header in old.get("headers", {}).items()}
        after = {str(name).lower(): self._new.resolve(header) for name, header in new.get("headers", {}).items()}
        for name, header in before.items():
            shown = f"the header {name} of the answer {status}"
            if name not in after:
                level, kind = (ERROR, "required") if header.get("required") else (WARNING, "optional")
                self._add(level, f"{kind}-response-header-removed", f"removed {shown}")
                continue
            if header.get("required") and not after[name].get("required"):
                self._add(ERROR, "response-header-became-optional", f"{shown} became optional")
            self._schemas.compare(Place("response-header", shown), _schema_of(header), _schema_of(after[name]))
        for name in after.keys() - before.keys():
            self._add(INFO, "response-header-added", f"added the header {name} to the answer {status}")


def _named(side: Side, path: str, operation: Node) -> Mapping[tuple[str, str], Node]:
    """Place and name -> parameter. Those of the path go by their position: what they are called is up to it."""
    names = _NAME.findall(path)
    found = {}
    for parameter in map(side.resolve, operation["parameters"]):
        place, name = parameter["in"], parameter["name"]
        if place == "path":
            name = str(names.index(f"{{{name}}}")) if f"{{{name}}}" in names else name
        found[place, name.lower() if place == "header" else name] = parameter
    return found


def _by_text(responses: Any) -> Node:
    """Status -> answer; YAML may have numbers."""
    return {str(status): answer for status, answer in (responses or {}).items()}


def _is_success(status: str) -> bool:
    return status.startswith("2")


def _schemes(security: Any) -> set[str]:
    """The alternatives of security; an empty text if none is needed."""
    return {" and ".join(sorted(one)) for one in security or [{}]}


def _schema_of(node: Node) -> Any:
    """The schema of a parameter or header, which may be that of its content."""
    content = [*node.get("content", {}).values()]
    return node.get("schema", content[0].get("schema") if content else None)
