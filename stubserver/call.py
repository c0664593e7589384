"""One request on its way through the pipeline: each hop adds what it finds out, for the hops after it."""

import hashlib
import re
from binascii import a2b_qp, unhexlify
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from stubserver.addressing import CONTROL
from stubserver.contract.operation import Operation, Parameter
from stubserver.contract.varying import Variation
from stubserver.errors import Refusal, not_found, refusal
from stubserver.worlds.base import Row
from stubserver.worlds.clock import EARLIEST
from stubserver.worlds.table import Change
from stubserver.worlds.world import World

SCOPE_KEY = "stubserver.call"
"""Key of the call in the ASGI scope."""
REFUSAL_KEY = "stubserver.refusal"
"""Key, in the ASGI scope, of a refusal that was raised before there was a call."""


@dataclass(frozen=True)
class Kind:
    """A kind of row that a path parameter may name (`x-loads`)."""

    table: str
    parent: str | None = None
    """The kind of row that it must belong to, by its field `<parent>_id` (R006)."""
    type: str | None = None
    """Required value of its field `type`; None admits any."""


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

OWN_PARAMETERS = ("__code", "__wait", "__fault")
"""Query parameters that every request may have, though the contract does not know them."""
_ESCAPES, _NO_ESCAPE = re.compile(rb"(?:%[0-9A-Fa-f]{2})+"), re.compile(rb"%(?![0-9A-Fa-f]{2})")
MAX_FIELDS = 1000
"""Maximum number of fields in a form or a query."""


def urlencoded(text: bytes, what: str) -> Iterable[tuple[str, str]]:
    """Names and values in urlencoded text. Raises a 400 refusal, whose message calls the text `what`."""
    if text.count(b"&") >= MAX_FIELDS:
        raise refusal(400, f"The {what} has more than {MAX_FIELDS} fields.")
    parts = (part.partition(b"=") for part in text.split(b"&") if part)
    try:
        return [(_unquoted(name).decode(), _unquoted(value).decode()) for name, _, value in parts]
    except UnicodeDecodeError:
        raise refusal(400, f"The {what} is not UTF-8.") from None


def _unquoted(text: bytes) -> bytes:
    """Percent-decoded text, in which + is a blank. What is not an escape stays as it is."""
    text = text.replace(b"+", b" ")
    if b"%" not in text:
        return text
    if _NO_ESCAPE.search(text):
        return _ESCAPES.sub(lambda escapes: unhexlify(escapes[0].replace(b"%", b"")), text)
    # Quoted-printable differs only in its sign, and Python decodes it fifty times as fast as URLs.
    return a2b_qp(text.replace(b"=", b"%3D").replace(b"%", b"="))


_TERMS = re.compile(r""""([^"]*)",*(?=\s|$)|'([^']*)',*(?=\s|$)|([^\s,]+)""")


@lru_cache(64)
def search_terms(text: str) -> Sequence[str]:
    """The terms of a search: separated by blanks and commas, unless they stand in quotes (R025)."""
    return ["".join(found) for found in _TERMS.findall(text)]


@dataclass(frozen=True)
class Upload:
    """A file from a multipart form."""

    name: str
    media_type: str | None
    content: bytes

    @property
    def size(self) -> int:
        """Length of its content, in bytes."""
        return len(self.content)

    @cached_property
    def sha256(self) -> str:
        """Hash of its content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def digest(self) -> str:
        """Text that stands for the file in a body."""
        return f"file:{self.sha256}"


class Accepted(NamedTuple):
    """A value that the contract's types do not allow, but that was accepted as Django REST Framework would (R028)."""

    field: str
    """Its parameter, or its place in the body: `answers.0.text`."""
    what: str
    """What it is instead: `text for a whole number`."""

    def __str__(self) -> str:
        return f"{self.field}: {self.what}"


@dataclass
class Call:
    """A request and its world. The hops fill in the fields in pipeline order; operations only read them."""

    world: World
    method: str
    path: str
    base_url: str
    """Prefix of absolute URLs, as the client sees them: up to the base path, if it used that; no trailing slash."""
    locate: Callable[[], World] | None = None
    """Finds its world in a turn, which other processes may change until then; None if the world is known for good."""
    past: bool = False
    """Whether a fault has put an earlier state in place of its world."""
    root: str = ""
    """The same for documents, which take relative URLs: without scheme and host, unless the server has a public URL."""
    prefix: str = ""
    """The path prefix at which a proxy makes the server known: `/stub`."""
    base_path: str = ""
    """The path prefix that names the world, if the client used it: `/~NAME`."""
    at: datetime = EARLIEST
    """When the request arrived, by the world's clock."""
    id: str = ""
    """Its id in the journal; empty until it has one."""
    raw_query: str = ""
    raw_body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Request headers, by lower-case name."""
    content_type: str = ""
    user: Row | None = None
    """The caller; None if anonymous."""
    bad_credentials: str | None = None
    """Why the credentials were rejected, if they were."""
    routed: Operation | None = None
    """The operation for this path and method, if there is one."""
    ids: Mapping[str, Any] = field(default_factory=dict)
    """Path parameters: numbers, except the names of worlds and snapshots in the control plane."""
    query: dict[str, Any] = field(default_factory=dict)
    """Query and header parameters in their documented types, with documented defaults."""
    body: dict[str, Any] = field(default_factory=dict)
    """Declared, writable fields of the request body; a file is represented by its digest."""
    files: dict[str, Upload] = field(default_factory=dict)
    """The files in a multipart form, by field name."""
    form: dict[str, Any] | None = None
    """The fields of a form as sent, declared or not, for the journal: a file is described by name, size and digest."""
    sent_fields: tuple[str, ...] = ()
    """Names of the body's fields as sent, declared or not."""
    accepted: tuple[Accepted, ...] = ()
    """What the contract's types do not allow, but the framework behind the real API does."""
    refusal: Refusal | None = None
    """Why the request was refused, if it was."""
    changes: Sequence[Change] = ()
    """The changes that the request made."""
    outcome: str = ""
    """What became of its transaction, as the metrics call it; empty if it would change nothing."""
    faults: Sequence[Mapping[str, Any]] = ()
    """The faults that fired, in the order of acting."""
    variants: Sequence[Variation] = ()
    """What the request itself wants to be different in its answer."""
    varied: Sequence[Mapping[str, Any]] = ()
    """What was different in its answer, by the variants that asked for it."""
    is_control: bool = field(init=False)
    """Whether the request is for the control plane, not for the API."""
    _rows: dict[str, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.is_control = self.path.startswith(CONTROL)

    @cached_property
    def query_texts(self) -> Mapping[str, list[str]]:
        """Query parameters as sent; repeated ones and `name[]` are collected under `name`. Raises a 400 refusal."""
        found: dict[str, list[str]] = {}
        for name, text in urlencoded(self.raw_query.encode("latin-1"), "query string"):
            found.setdefault(name.removesuffix("[]"), []).append(text)
        return found

    def arrive(self) -> None:
        """Take its world as it is in this turn. Raises a refusal if it may not use that world."""
        if self.locate is not None and not self.past:
            self.world = self.locate()
            if self.at == EARLIEST:
                self.at = self.world.clock.now()

    def again(self, world: World, at: datetime) -> "Call":
        """The same request, received again: a copy with the given world and time, but without id and loaded rows."""
        twin = Call.__new__(Call)
        twin.__dict__ = {**self.__dict__, "world": world, "at": at, "id": "", "_rows": {}}
        return twin

    def detached(self) -> "Call":
        """The same request, to be kept for `again`: a copy that does not keep its world alive."""
        twin = Call.__new__(Call)
        # The world is left out, not deleted: a dict with a gap takes twice as long to copy.
        twin.__dict__ = {name: value for name, value in self.__dict__.items() if name != "world"}
        return twin

    @property
    def persona(self) -> str:
        """The caller's persona token; without one, the username, or "anonymous"."""
        if self.user is None:
            return "anonymous"
        return self.world.personas.get(self.user["id"]) or str(self.user["username"])

    @property
    def operation(self) -> Operation:
        """The operation; available in the hops after routing."""
        assert self.routed is not None  # noqa: S101 (admission has set it)
        return self.routed

    def sent(self, parameter: Parameter) -> list[str] | None:
        """A parameter as sent; None if it was not sent. Raises a 400 refusal if the query cannot be parsed."""
        if parameter.place == "query":
            return self.query_texts.get(parameter.name)
        header = self.headers.get(parameter.name.lower())
        return None if header is None else [header]

    def undeclared(self) -> Iterator[tuple[str, str]]:
        """The parts of the request that the contract does not know, as pairs of kind and name."""
        if self.routed is None:
            yield "operation", f"{self.method} {self.path}"
            return
        for name in self.query_texts if self.raw_query else ():
            if name not in self.routed.parameter_names and name not in OWN_PARAMETERS:
                yield "parameter", name
        for name in self.sent_fields:
            if name not in self.routed.fields:
                yield "field", name

    def row(self, kind: str) -> Row:
        """The row of `kind` that the path names. Raises a 404 refusal if its parents have no such row (R004, R006)."""
        if kind not in self._rows:
            self._rows[kind] = self._load(kind, ROW_KINDS[kind])
        return self._rows[kind]

    def _load(self, name: str, kind: Kind) -> Row:
        number = self.ids[self.operation.named[name]]
        row: Row | None = getattr(self.world, kind.table).get(number)
        parent = None if kind.parent is None else getattr(self, kind.parent)
        is_of_another = row is not None and parent is not None and row[f"{kind.parent}_id"] != parent["id"]
        if row is None or is_of_another or kind.type not in (None, row.get("type")):
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
        """The lesson that the path names; for operations on quizzes it must be a quiz."""
        return self.row("quiz" if "quiz" in self.operation.loads.values() else "lesson")

    def searches(self, *texts: str, parameter: str = "search") -> bool:
        """Whether each term of the search is within one of `texts`; an empty search matches everything (R025)."""
        wanted = search_terms(self.query.get(parameter, "").lower())
        return all(any(term in text.lower() for text in texts) for term in wanted)

    @property
    def user_id(self) -> int | None:
        """The caller's id; None if anonymous."""
        return None if self.user is None else self.user["id"]

    def status_in(self, course: Row, user: int | None = None) -> str | None:
        """The status of `user` (default: the caller) in `course` (R201)."""
        membership = self.world.memberships.get((course["id"], self.user_id if user is None else user))
        return None if membership is None else membership["status"]
