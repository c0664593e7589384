"""What changes in a schema, for those who send what it describes or for those who receive it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stubserver.reports.compare_changes import ERROR, INFO, WARNING, Changes, Unusable
from stubserver.reports.compare_sides import Node, Place, Side, plain

_BOUNDS = {
    "maximum": ("max", "decreased", "increased"),
    "maxLength": ("max-length", "decreased", "increased"),
    "maxItems": ("max-items", "decreased", "increased"),
    "minimum": ("min", "increased", "decreased"),
    "minLength": ("min-length", "increased", "decreased"),
    "minItems": ("min-items", "increased", "decreased"),
}
"""Keyword -> its name in ids, what makes it narrower, and what makes it wider."""
_WIDER = {("integer", "number"), ("int32", "int64"), ("float", "double")}
"""Pairs of types or formats of which the second has all values of the first."""
_NULL = "null"
_MOST = 200_000
"""How many pairs of schemas are compared: references can make a small document as large as anybody likes."""


class Schemas:
    """Compares schemas of two documents."""

    def __init__(self, old: Side, new: Side, changes: Changes) -> None:
        self._old, self._new = old, new
        self._add = changes.add
        self._seen: list[tuple[int, int]] = []
        self._left = _MOST

    def compare(self, place: Place, old: Any, new: Any) -> None:
        """Find what changes in a schema and all below it. Raises Unusable."""
        pair = id(self._old.resolve(old)), id(self._new.resolve(new))
        if old is None or new is None or pair in self._seen:
            return
        self._left -= 1
        if not self._left or len(self._seen) > 60:
            raise Unusable("the schemas are too deep, or refer to each other too often")
        self._seen.append(pair)
        self._flat(place, self._old.flat(old), self._new.flat(new))
        self._seen.pop()

    def _flat(self, place: Place, old: Node, new: Node) -> None:
        if self._type(place, old, new):
            return
        self._null(place, old, new)
        self._enum(place, old, new)
        self._bounds(place, old, new)
        self._pattern(place, old, new)
        self._properties(place, old, new)
        for keyword in ("oneOf", "anyOf"):
            self._alternatives(place, keyword, old.get(keyword, ()), new.get(keyword, ()))
        if "items" in old and "items" in new:
            self.compare(place.below("items"), old["items"], new["items"])
        if isinstance(old.get("additionalProperties"), dict) and isinstance(new.get("additionalProperties"), dict):
            self.compare(place.below("*"), old["additionalProperties"], new["additionalProperties"])

    def _type(self, place: Place, old: Node, new: Node) -> bool:
        """Whether the type is another one, so that nothing else can be compared."""
        kinds, formats = (old.get("type"), new.get("type")), (old.get("format"), new.get("format"))
        if kinds[0] == kinds[1] and formats[0] == formats[1]:
            return False
        wider = all(_is_wider(*pair) for pair in (kinds, formats))
        narrower = all(_is_wider(after, before) for before, after in (kinds, formats))
        how = "generalized" if wider else "specialized" if narrower and not place.is_request else "changed"
        is_harmless = wider if place.is_request else narrower
        names = (f"{kind or 'any'}{f' ({form})' if form else ''}" for kind, form in zip(kinds, formats, strict=True))
        text = f"the type of {place.shown} changed from {' to '.join(names)}"
        self._add(INFO if is_harmless else ERROR, f"{place.prefix}-type-{how}", text)
        return kinds[0] != kinds[1]

    def _null(self, place: Place, old: Node, new: Node) -> None:
        if bool(old.get("nullable")) != bool(new.get("nullable")):
            how = "nullable" if new.get("nullable") else "not-nullable"
            breaks = (how == "nullable") != place.is_request
            text = f"{place.shown} {'may be null' if how == 'nullable' else 'may no longer be null'}"
            self._add(ERROR if breaks else INFO, f"{place.prefix}-became-{how}", text)

    def _enum(self, place: Place, old: Node, new: Node) -> None:
        before, after = old.get("enum"), new.get("enum")
        prefix = place.prefix if place.is_request else "response-property"
        if before is None:
            if after is not None and place.is_request:
                text = f"{place.shown} is limited to {_listed(after)}"
                self._add(ERROR, f"{prefix}-became-enum", text)
        elif after is None:
            if not place.is_request:
                text = f"{place.shown} is no longer limited to {_listed(before)}"
                self._add(WARNING, f"{prefix}-enum-value-added", text)
        else:
            for value in (value for value in before if value not in after):
                level = ERROR if place.is_request else INFO
                self._add(
                    level, f"{prefix}-enum-value-removed", f"removed the value {_listed([value])} of {place.shown}"
                )
            for value in (value for value in after if value not in before):
                level = INFO if place.is_request else WARNING
                self._add(level, f"{prefix}-enum-value-added", f"added the value {_listed([value])} of {place.shown}")

    def _bounds(self, place: Place, old: Node, new: Node) -> None:
        for keyword, (name, narrow, wide) in _BOUNDS.items():
            before, after = old.get(keyword), new.get(keyword)
            if before == after or place.area == "response-header":
                continue
            text = f"{keyword} of {place.shown} changed from {before} to {after}"
            kind = f"{place.prefix}-{name}"
            if before is None:
                if place.is_request:
                    self._add(WARNING, f"{kind}-set", text)
            elif after is None:
                if not place.is_request:
                    self._add(ERROR, f"{kind}-unset", text)
            else:
                is_narrower = (after < before) == (narrow == "decreased")
                level = ERROR if is_narrower == place.is_request else INFO
                self._add(level, f"{kind}-{narrow if is_narrower else wide}", text)

    def _pattern(self, place: Place, old: Node, new: Node) -> None:
        before, after = old.get("pattern"), new.get("pattern")
        if before == after or place.area == "response-header":
            return
        how = "added" if before is None else "removed" if after is None else "changed"
        level = {"added": ERROR, "changed": WARNING, "removed": INFO}[how] if place.is_request else INFO
        self._add(
            level, f"{place.prefix}-pattern-{how}", f"the pattern of {place.shown} changed from {before} to {after}"
        )

    # Properties

    def _properties(self, place: Place, old: Node, new: Node) -> None:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before:
            inner = place.below(name)
            was, became = self._old.flat(before[name]), self._new.flat(after.get(name))
            required = name in old.get("required", ()), name in new.get("required", ())
            if name not in after:
                if not _is_hidden(place, was):
                    self._removed(inner, is_required=required[0])
            elif not (_is_hidden(place, was) and _is_hidden(place, became)):
                self._required(inner, became, *required)
                self.compare(inner, before[name], after[name])
        for name in after:
            if name not in before and not _is_hidden(place, self._new.flat(after[name])):
                has_default = "default" in self._new.flat(after[name])
                self._added(place.below(name), is_required=name in new.get("required", ()), has_default=has_default)

    def _removed(self, place: Place, *, is_required: bool) -> None:
        text = f"removed {place.shown}"
        if place.is_request:
            self._add(WARNING, "request-property-removed", text)
        elif is_required:
            self._add(ERROR, "response-required-property-removed", text)
        else:
            self._add(WARNING, "response-optional-property-removed", text)

    def _added(self, place: Place, *, is_required: bool, has_default: bool) -> None:
        kind = "required" if is_required else "optional"
        text = f"added {place.shown}, which is {kind}"
        if not place.is_request:
            self._add(INFO, f"response-{kind}-property-added", text)
        elif is_required:
            self._add(ERROR, f"new-required-request-property{'-with-default' * has_default}", text)
        else:
            self._add(INFO, "new-optional-request-property", text)

    def _required(self, place: Place, schema: Node, was: bool, became: bool) -> None:
        if was == became:
            return
        how = "required" if became else "optional"
        with_default = "-with-default" * (place.is_request and became and "default" in schema)
        level = ERROR if became == place.is_request else INFO
        self._add(level, f"{place.prefix}-became-{how}{with_default}", f"{place.shown} became {how}")

    # Alternatives

    def _alternatives(self, place: Place, keyword: str, old: Sequence[Any], new: Sequence[Any]) -> None:
        before, after = _named(old), _named(new)
        word = "one-of" if keyword == "oneOf" else "any-of"
        for name, schema in before.items():
            if name == _NULL and name in after:
                continue  # the versions of OpenAPI have different words for it
            if name in after:
                self.compare(place.below(f"{keyword}[{name}]"), schema, after[name])
            else:
                level = ERROR if place.is_request else INFO
                self._add(level, f"{place.prefix}-{word}-removed", f"removed the alternative {name} of {place.shown}")
        for name in after:
            if name not in before:
                level = ERROR if keyword == "oneOf" and not place.is_request else INFO
                self._add(level, f"{place.prefix}-{word}-added", f"added the alternative {name} of {place.shown}")


def _is_wider(before: Any, after: Any) -> bool:
    """Whether a type or format has all values that another one has."""
    return before == after or after is None or (before, after) in _WIDER


def _is_hidden(place: Place, schema: Node) -> bool:
    """Whether a property is not for this direction."""
    return bool(schema.get("readOnly" if place.is_request else "writeOnly"))


def _named(schemas: Iterable[Any]) -> Mapping[str, Any]:
    """Alternatives by what they are called; those without a name by what they are."""
    return {_name(schema): schema for schema in schemas}


def _name(schema: Any) -> str:
    if not isinstance(schema, dict):
        return str(schema)
    if named := schema.get("$ref", "").rpartition("/")[2] or schema.get("title"):
        return str(named)
    if schema.get("type") == _NULL or schema.get("enum") == [None]:
        return _NULL
    meant = {key: value for key, value in plain(dict(schema)).items() if key not in ("description", "example")}
    return json.dumps(meant, sort_keys=True, default=str)[:200]


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(json.dumps(value, default=str) for value in values)
