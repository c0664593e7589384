"""One request on its way through the pipeline: what each step found out, for the steps behind it."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from stubserver.addressing import CONTROL
from stubserver.contract.operation import Operation, Parameter
from stubserver.errors import Refusal, not_found, refusal
from stubserver.worlds.clock import EARLIEST
from stubserver.worlds.table import Change, Row
from stubserver.worlds.world import World

SCOPE_KEY = "stubserver.call"
"""Where the call travels in the ASGI scope."""
REFUSAL_KEY = "stubserver.refusal"
"""Where a refusal that comes before there is a call travels in the ASGI scope."""


@dataclass(frozen=True)
class Kind:
    """A kind of row that a path may name (`x-loads`)."""

    table: str
    parent: str | None = None
    """The kind it must belong to, by its field `<parent>_id` (R006)."""
    type: str | None = None
    """What its field `type` must say."""


ROW_KINDS = {
    "user": Kind("users"),
    "course": Kind("courses"),
    "section": Kind("sections", "course"),
    "lesson": Kind("lessons", "section"),
    "quiz": Kind("lessons", "section", type="quiz"),  # R401
    "question": Kind("questions", "lesson"),
    "attempt": Kind("attempts", "lesson"),
    "comment": Kind("comments", "lesson"),
    "category": Kind("categories"),
    "media": Kind("medias"),
}


MAX_FIELDS = 1000
"""Fields that one form or query may have."""


def urlencoded(text: str, what: str) -> Iterable[tuple[str, str]]:
    """Names and values of urlencoded text. Raises a 400 refusal that calls it `what`."""
    try:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except UnicodeDecodeError:
        raise refusal(400, f"The {what} is not UTF-8.") from None
    except ValueError:
        raise refusal(400, f"The {what} has more than {MAX_FIELDS} fields.") from None


def path_fits(path: str, pattern: str) -> bool:
    """Whether a path is as the pattern wants it, in which a * stands for anything."""
    return fnmatchcase(path, re.sub(r"([\[?])", r"[\1]", pattern))


@dataclass(frozen=True)
class Upload:
    """A file in a form."""

    name: str
    media_type: str | None
    content: bytes

    @property
    def digest(self) -> str:
        """What stands for the file where a text is wanted: the same for the same content, and for no other."""
        return f"file:{hashlib.sha256(self.content).hexdigest()}"


@dataclass
class Call:
    """A request and its world. Fields are filled in pipeline order; operations read, they do not write."""

    world: World
    method: str
    path: str
    base_url: str
    """What absolute URLs begin with, as the client sees it: scheme, host, and the base path of the world if it was
    called by one; without a final slash."""
    at: datetime = EARLIEST
    """When it came, by the clock of the world."""
    id: str = ""
    """What the journal knows it by; nothing while it is in none."""
    raw_query: str = ""
    raw_body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Request headers, by their names in lower case."""
    content_type: str = ""
    user: Row | None = None
    """Who calls; None for an anonymous caller."""
    bad_credentials: str | None = None
    """Why the credentials were not accepted, if they were not."""
    routed: Operation | None = None
    """The operation that the path and method name, if they name one."""
    ids: Mapping[str, Any] = field(default_factory=dict)
    """Path parameters: numbers, but for the names that the control plane knows worlds and snapshots by."""
    query: dict[str, Any] = field(default_factory=dict)
    """Query and header parameters in their documented types, with documented defaults."""
    body: dict[str, Any] = field(default_factory=dict)
    """Declared and writable fields of the request body; in the place of a file its digest."""
    files: dict[str, Upload] = field(default_factory=dict)
    """The files of a multipart form, by their fields."""
    sent_fields: tuple[str, ...] = ()
    """Names of the body's fields as sent, declared or not."""
    refusal: Refusal | None = None
    """Why the request was refused, if it was."""
    changes: Sequence[Change] = ()
    """What the request did."""
    fault: Any = None
    """The fault that was acted out, if one was."""
    _rows: dict[str, Row] = field(default_factory=dict)

    @cached_property
    def query_texts(self) -> Mapping[str, list[str]]:
        """Query parameters as sent, repeated and `name[]` ones together under `name`. Raises a 400 refusal."""
        found: dict[str, list[str]] = {}
        for name, text in urlencoded(self.raw_query, "query string"):
            found.setdefault(name.removesuffix("[]"), []).append(text)
        return found

    def again(self, world: World, at: datetime) -> "Call":
        """The same request once more, in `world`, as far as the steps have come that do not depend on a world."""
        twin = Call.__new__(Call)
        twin.__dict__.update(self.__dict__, world=world, at=at, id="", _rows={})
        return twin

    @property
    def persona(self) -> str:
        """The token that stands for the caller, or the name of a caller without one."""
        if self.user is None:
            return "anonymous"
        return self.world.personas.get(self.user["id"]) or str(self.user["username"])

    @property
    def is_control(self) -> bool:
        """Whether it is for the control plane, and not for the API."""
        return self.path.startswith(CONTROL)

    @property
    def operation(self) -> Operation:
        """The operation, for the steps behind routing."""
        assert self.routed is not None  # noqa: S101 (admission has set it)
        return self.routed

    def sent(self, parameter: Parameter) -> list[str] | None:
        """A parameter as sent, None where it was not. Raises a 400 refusal where the query cannot be read."""
        if parameter.place == "query":
            return self.query_texts.get(parameter.name)
        header = self.headers.get(parameter.name.lower())
        return None if header is None else [header]

    def undeclared(self) -> Iterator[tuple[str, str]]:
        """What of the request the contract does not know: its kind and its name."""
        if self.routed is None:
            yield "operation", f"{self.method} {self.path}"
            return
        for name in self.query_texts if self.raw_query else ():
            if name not in self.routed.parameter_names and not name.startswith("__"):  # __code and __wait are ours
                yield "parameter", name
        for name in self.sent_fields:
            if name not in self.routed.fields:
                yield "field", name

    def row(self, kind: str) -> Row:
        """The row of `kind` that the path names. Raises a 404 refusal where there is none under its parents
        (R004, R006)."""
        if kind not in self._rows:
            self._rows[kind] = self._load(kind, ROW_KINDS[kind])
        return self._rows[kind]

    def _load(self, name: str, kind: Kind) -> Row:
        number = self.ids[self.operation.named[name]]
        row: Row | None = getattr(self.world, kind.table).get(number)
        parent = None if kind.parent is None else getattr(self, kind.parent)
        if (
            row is None
            or (parent is not None and row[f"{kind.parent}_id"] != parent["id"])
            or kind.type not in (None, row.get("type"))
        ):
            raise not_found(f"{name.capitalize()} {number}")
        return row

    @property
    def course(self) -> Row:
        """The course that the path names."""
        return self.row("course")

    @property
    def section(self) -> Row:
        """The section that the path names."""
        return self.row("section")

    @property
    def lesson(self) -> Row:
        """The lesson that the path names, as a quiz where it must be one."""
        return self.row("quiz" if "quiz" in self.operation.loads.values() else "lesson")

    def searches(self, *texts: str, parameter: str = "search") -> bool:
        """Whether one of `texts` holds the searched text; an empty search finds everything (R025)."""
        wanted = self.query.get(parameter, "").lower()
        return any(wanted in text.lower() for text in texts)

    @property
    def user_id(self) -> int | None:
        """Id of the caller; None for an anonymous one."""
        return None if self.user is None else self.user["id"]

    def status_in(self, course: Row, user: int | None = None) -> str | None:
        """The status of `user` (default: the caller) in `course` (R201)."""
        membership = self.world.memberships.get((course["id"], self.user_id if user is None else user))
        return None if membership is None else membership["status"]
