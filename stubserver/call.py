"""One request on its way through the pipeline: what each step found out, for the steps behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stubserver.errors import Refusal, not_found
from stubserver.spec import Operation
from stubserver.store import Row
from stubserver.world import World

SCOPE_KEY = "stubserver.call"
"""Where the call travels in the ASGI scope."""

TABLE_OF = {"course": "courses", "user": "users"}
"""Kind of row that a path may name (`x-loads`) -> its table."""


@dataclass
class Call:
    """A request and its world. Fields are filled in pipeline order; operations read, they do not write."""

    world: World
    method: str
    path: str
    origin: str
    """Scheme and host as the client sees them, for absolute URLs; without a final slash."""
    query_texts: Mapping[str, list[str]] = field(default_factory=dict)
    """Query parameters as sent, `name[]` folded into `name`."""
    raw_query: str = ""
    raw_body: bytes = b""
    content_type: str = ""
    user: Row | None = None
    """Who calls; None for an anonymous caller."""
    bad_credentials: str | None = None
    """Why the credentials were not accepted, if they were not."""
    routed: Operation | None = None
    """The operation that the path and method name, if they name one."""
    ids: Mapping[str, int] = field(default_factory=dict)
    """Path parameters."""
    query: dict[str, Any] = field(default_factory=dict)
    """Query parameters in their documented types, with documented defaults."""
    body: dict[str, Any] = field(default_factory=dict)
    """Declared and writable fields of the request body."""
    refusal: Refusal | None = None
    """Why the request was refused, if it was."""
    _rows: dict[str, Row] = field(default_factory=dict)

    def row(self, kind: str) -> Row:
        """The row of `kind` that the path names. Raises a 404 refusal where there is none (R004, R006)."""
        if kind not in self._rows:
            (name,) = (name for name, loaded in self.operation.loads.items() if loaded == kind)
            row = getattr(self.world, TABLE_OF[kind]).get(self.ids[name])
            if row is None:
                raise not_found(f"{kind.capitalize()} {self.ids[name]}")
            self._rows[kind] = row
        return self._rows[kind]

    @property
    def operation(self) -> Operation:
        """The operation, for the steps behind routing."""
        assert self.routed is not None  # noqa: S101 (admission has set it)
        return self.routed

    @property
    def course(self) -> Row:
        """The course that the path names."""
        return self.row("course")

    @property
    def user_id(self) -> int | None:
        """Id of the caller; None for an anonymous one."""
        return None if self.user is None else self.user["id"]

    def status_in(self, course: Row) -> str | None:
        """The caller's status in `course` (R201)."""
        membership = self.world.memberships.get((course["id"], self.user_id))
        return None if membership is None else membership["status"]
