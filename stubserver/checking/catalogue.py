"""The catalogue of stories: for each rule that can be seen from outside, who does what in which order.

Stories are data, in `openapi/stories/`, by the code of the rule. A step is a mapping:

    as       who sends it: a persona, or `nobody`
    do       the operation
    at       the name of what it is about: the last row that its path names
    body     the fields of its body
    query    its query
    media    the media type of its body, if it is not JSON
    files    field -> name of a sample file
    headers  headers of the request; they replace the usual ones
    save     the name under which what it makes is known from here on
    expect   the status of the answer
    shows    fields of the answer -> what they must be
    meanwhile  a step that is sent at the same time; the two may come in any order, so only their statuses are compared

Values may be `$NAME`, the id of something saved, or `$NAME.field.0.id`, a part of its answer; `@PERSONA` is the id of a
user, `$run` within a text differs for each run and story, and `$now`, `$now+2s`, `$now-3d` are moments. A step
`{wait: 2.5}` waits for some seconds. A story may begin with a name of `given`, whose steps come first.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from stubserver.contract.resources import folder
from stubserver.suggestions import unknown

NOBODY = "nobody"
PERSONAS = ("creator", "manager", "member", "invited", "requested", "stranger", "staff")
_NO_STORIES = ("given.yaml", "identities.yaml", "ingredients.yaml", "unseen.yaml")
_KEYS = ("as", "do", "at", "body", "query", "media", "files", "headers", "save", "expect", "shows", "meanwhile")


class CatalogueError(Exception):
    """A story that cannot be played; the message says which one, and why."""


@dataclass(frozen=True)
class Step:
    """One request, or a wait."""

    who: str = NOBODY
    operation: str = ""
    at: str = ""
    body: Mapping[str, Any] | None = None
    query: Mapping[str, Any] = field(default_factory=dict)
    media: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    save: str = ""
    expect: int = 0
    shows: Mapping[str, Any] = field(default_factory=dict)
    meanwhile: "Step | None" = None
    wait: float = 0.0

    @property
    def all(self) -> Sequence["Step"]:
        """It, and what is sent meanwhile."""
        return [self] if self.meanwhile is None else [self, self.meanwhile]

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> "Step":
        """The step as it is written in a catalogue. Raises CatalogueError."""
        if "wait" in written:
            return cls(wait=float(written["wait"]))
        for key in written:
            if key not in _KEYS:
                raise CatalogueError(unknown("part of a step", str(key), _KEYS))
        names = {"as": "who", "do": "operation"}
        named = {names.get(key, key): value for key, value in written.items()}
        if "meanwhile" in named:
            named["meanwhile"] = cls.read(named["meanwhile"])
        return cls(**named)

    def written(self) -> Mapping[str, Any]:
        """The step as it would be written in a catalogue."""
        if self.wait:
            return {"wait": self.wait}
        sent = (self.who, self.operation, self.at, self.body, self.query, self.media, self.files, self.headers)
        meanwhile = self.meanwhile.written() if self.meanwhile else None
        named = zip(_KEYS, (*sent, self.save, self.expect, self.shows, meanwhile), strict=True)
        return {key: value for key, value in named if value not in ("", 0, {}, None)}


@dataclass(frozen=True)
class Story:
    """What is done to see whether a rule holds."""

    rule: str
    title: str
    steps: Sequence[Step]
    own: int
    """How many of the last steps are its own; the others only prepare it."""

    @property
    def personas(self) -> Sequence[str]:
        """Who takes part, in the order of acting and being mentioned."""
        sent = [one for step in self.steps for one in step.all if one.operation]
        found = dict.fromkeys(step.who for step in sent if step.who != NOBODY)
        mentioned = (name[1:] for step in self.steps for name in _texts(step.written()) if name.startswith("@"))
        return [*dict.fromkeys([*found, *(name for name in mentioned if name in PERSONAS)])]

    def mentions(self, text: str) -> bool:
        """Whether a text is anywhere in its steps."""
        return any(text == part for step in self.steps for part in _texts(step.written()))

    @property
    def waits(self) -> float:
        """How many seconds it waits."""
        return sum(step.wait for step in self.steps)


@cache
def stories() -> Sequence[Story]:
    """All stories, by the codes of their rules. Raises CatalogueError."""
    found = [story for name in _names() for story in _stories(yaml.safe_load(_text(name)))]
    return sorted(found, key=lambda story: story.rule)


@cache
def unseen() -> Mapping[str, str]:
    """Code of a rule that no story can show -> why."""
    written: Mapping[str, str] = yaml.safe_load(_text("unseen"))
    return written


def told(rule: str) -> Iterator[str]:
    """What stories tell of a rule, for a terminal: their titles and steps, or why there are none."""
    if rule in unseen():
        yield f"  no story: {unseen()[rule]}"
    for story in stories():
        if story.rule == rule:
            yield f"  story: {story.title}"
            yield from (f"    {line}" for line in as_yaml(story.steps))


def _names() -> Iterator[str]:
    for file in sorted((folder("openapi") / "stories").iterdir()):
        if file.name.endswith(".yaml") and file.name not in _NO_STORIES:
            yield file.name.removesuffix(".yaml")


def _text(name: str) -> str:
    return (folder("openapi") / "stories" / f"{name}.yaml").read_text(encoding="utf-8")


def _stories(written: Mapping[str, Any]) -> Iterator[Story]:
    for rule, tellings in (written or {}).items():
        for telling in tellings:
            try:
                yield _story(rule, telling)
            except (CatalogueError, TypeError, KeyError) as error:
                raise CatalogueError(f"a story of {rule}: {error}") from None


def _story(rule: str, telling: Mapping[str, Any]) -> Story:
    before = prepared(telling.get("given", ""))
    own = [Step.read(step) for step in telling["steps"]]
    return Story(rule, telling["title"], [*before, *own], len(own))


def prepared(name: str) -> Sequence[Step]:
    """The steps of a part of `given`, after those that it begins with itself. Raises CatalogueError."""
    if not name:
        return []
    if name not in _given():
        raise CatalogueError(unknown("given part", name, _given()))
    part = _given()[name]
    return [*prepared(part.get("given", "")), *(Step.read(step) for step in part["steps"])]


@cache
def _given() -> Mapping[str, Any]:
    given: Mapping[str, Any] = yaml.safe_load(_text("given"))
    return given


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def as_yaml(steps: Sequence[Step]) -> Iterator[str]:
    """Steps as lines that can be pasted into the catalogue."""
    for step in steps:
        yield f"- {_flow(step.written())}"


def _flow(value: Any) -> str:
    """A value as YAML on one line. JSON is YAML, but names need no quotes."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_flow(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and value.replace("_", "a").replace("/", "a").isalnum() and not value[0].isdigit():
        return (
            value
            if value.lower() not in ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
            else f"'{value}'"
        )
    return json.dumps(value, ensure_ascii=False)
