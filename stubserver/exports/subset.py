"""The part of the contract that was used: an OpenAPI document with the operations that were called, the parameters and
fields that were sent, the statuses that were answered, and what these refer to."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stubserver.contract.contract import Contract
from stubserver.exports.recording import Recording, Request

_COMPONENT = "#/components/"


@dataclass
class _Used:
    """What was used of one operation."""

    statuses: set[str] = field(default_factory=set)
    parameters: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    media: set[str] = field(default_factory=set)


def subset(recordings: Iterable[Recording], contract: Contract) -> dict[str, Any] | None:
    """The document, or None if no request reached an operation."""
    used: dict[str, _Used] = defaultdict(_Used)
    for recording in recordings:
        for request in recording.requests:
            if request["operation"] in contract.operations:
                _note(used[request["operation"]], request)
    return _document(used, contract) if used else None


def _note(used: _Used, request: Request) -> None:
    asked = request["request"]
    if request["status"]:
        used.statuses.add(str(request["status"]))
    used.parameters |= {*map(_plain, asked["query"]), *(name.lower() for name in asked["headers"])}
    if asked["body"] is not None:
        used.media.add(asked["headers"].get("content-type", "application/json").partition(";")[0].lower())
    if isinstance(asked["body"], dict):
        used.fields |= {*map(_plain, asked["body"])}


def _plain(name: str) -> str:
    """The name without what brackets add to it, as in categories[] or answers[0]text."""
    return name.partition("[")[0]


def _document(used: Mapping[str, _Used], contract: Contract) -> dict[str, Any]:
    document = contract.document
    paths: dict[str, Any] = {}
    for path, item in document["paths"].items():
        for method, raw in item.items():
            if isinstance(raw, dict) and raw.get("operationId") in used:
                paths.setdefault(path, {})[method] = _Operation(used[raw["operationId"]], raw, contract).reduced()
    _keep_links(paths, set(used), contract)
    tags = {tag for operation in _operations(paths) for tag in operation.get("tags", ())}
    found = {
        **document,
        "info": {**document["info"], "title": f"{document['info']['title']}: the part in use"},
        "tags": [tag for tag in document.get("tags", ()) if tag["name"] in tags],
        "paths": paths,
        "components": _components(paths, document),
    }
    rules = {rule for operation in _operations(paths) for rule in operation.get("x-rules", ())}
    found["x-rules"] = {name: rule for name, rule in document["x-rules"].items() if name in rules}
    return found


def _operations(paths: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for item in paths.values():
        yield from item.values()


class _Operation:
    """An operation, reduced to what was used."""

    def __init__(self, used: _Used, raw: Mapping[str, Any], contract: Contract) -> None:
        self._used, self._raw, self._contract = used, raw, contract

    def reduced(self) -> dict[str, Any]:
        """The operation as the document has it, without the rest."""
        raw = self._raw
        found = dict(raw)
        if "parameters" in raw:
            found["parameters"] = [one for one in raw["parameters"] if self._is_used(self._contract.resolve(one))]
        if "requestBody" in raw:
            found["requestBody"] = self._body(self._contract.resolve(raw["requestBody"]))
        responses = raw["responses"]
        kept = {status: answer for status, answer in responses.items() if status in self._used.statuses}
        found["responses"] = kept or {status: answer for status, answer in responses.items() if status < "300"}
        return found

    def _is_used(self, parameter: Mapping[str, Any]) -> bool:
        name = parameter["name"]
        sent = name.lower() if parameter["in"] == "header" else name
        return parameter["in"] == "path" or parameter.get("required", False) or sent in self._used.parameters

    def _body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        content = body["content"]
        media = [name for name in content if name in self._used.media] or [next(iter(content))]
        return {**body, "content": {name: self._media(content[name]) for name in media}}

    def _media(self, content: Mapping[str, Any]) -> dict[str, Any]:
        schema = self._contract.resolve(content["schema"])
        kept = {
            name: part
            for name, part in schema["properties"].items()
            if name in self._used.fields or name in schema.get("required", ())
        }
        found = {**content, "schema": {**schema, "properties": kept}}
        if "example" in content:
            found["example"] = _only(content["example"], kept)
        if "examples" in content:
            found["examples"] = {
                name: {**example, "value": _only(example["value"], kept)}
                for name, given in content["examples"].items()
                for example in [self._contract.resolve(given)]
            }
        return found


def _only(example: Any, names: Iterable[str]) -> Any:
    if not isinstance(example, dict):
        return example
    return {name: value for name, value in example.items() if name in {*names}}


def _keep_links(paths: Mapping[str, Any], used: set[str], contract: Contract) -> None:
    """Leave out the links to operations that are not there."""
    for operation in _operations(paths):
        responses = operation["responses"]
        for status, given in responses.items():
            answer = contract.resolve(given)
            if "links" not in answer:
                continue
            links = {name: link for name, link in answer["links"].items() if _leads_to(link, contract) in used}
            rest = {name: part for name, part in answer.items() if name != "links"}
            responses[status] = {**rest, "links": links} if links else rest


def _leads_to(link: Mapping[str, Any], contract: Contract) -> str:
    name: str = contract.resolve(link)["operationId"]
    return name


def _components(paths: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Those that the paths refer to, directly or not, and the security schemes, in the order of the document."""
    needed: set[tuple[str, str]] = set()
    waiting = [*_references(paths)]
    while waiting:
        kind, name = waiting.pop()
        if (kind, name) not in needed:
            needed.add((kind, name))
            waiting += _references(document["components"][kind][name])
    found = {
        kind: {name: part for name, part in parts.items() if kind == "securitySchemes" or (kind, name) in needed}
        for kind, parts in document["components"].items()
    }
    return {kind: parts for kind, parts in found.items() if parts}


def _references(node: Any) -> Iterator[tuple[str, str]]:
    """Kind and name of each component that is referred to."""
    if isinstance(node, list):
        for part in node:
            yield from _references(part)
    elif isinstance(node, dict):
        target = node.get("$ref")
        if isinstance(target, str) and target.startswith(_COMPONENT):
            kind, _, rest = target.removeprefix(_COMPONENT).partition("/")
            yield kind, rest.partition("/")[0]
        for part in node.values():
            yield from _references(part)
