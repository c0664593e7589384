"""What a caller sees of a row: its stored fields, and the fields that are derived for this caller.

A view knows every field that any response schema of its entity documents; the schema chooses among them.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from stubserver.api import images
from stubserver.call import Call
from stubserver.worlds.table import Row

OMIT = object()
"""A field with this value is left out of the answer."""


class Shaped:
    """A value together with the schema that an operation chose for it, where the contract offers several."""

    def __init__(self, schema: str, value: Any) -> None:
        self.schema = schema
        self.value = value


class View:
    """A row as one caller sees it; fields that a subclass does not derive are the stored ones."""

    together: Sequence[str] = ()
    """Fields that `derived_together` gives all at once."""
    context: Any = None
    """What the derived fields follow from besides the row, where that is so little that they can be kept for it."""

    def __init__(self, call: Call, row: Row) -> None:
        self.call = call
        self.row = row

    def __getattr__(self, name: str) -> Any:
        if hasattr(type(self), name):  # Python asks here after a property has failed: its stored namesake is no answer
            raise AttributeError(f"{type(self).__name__}.{name} could not be derived")
        try:
            return self.row[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}") from None

    def derived_together(self) -> Mapping[str, Any]:
        """Name and value of each field in `together`."""
        return {}

    @property
    def created_by(self) -> Row:
        """The author, as a user."""
        return self.call.world.users[self.row["created_by"]]


class Rows(Protocol):
    """What a page is cut out of."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Iterable[Any]:
        """The rows of the page."""


class Listing:
    """A long list of rows of which only the page that is served gets viewed."""

    def __init__(self, rows: Rows, view: Callable[[Any], Any] = lambda row: row) -> None:
        self.rows = rows
        self.view = view

    def page(self, offset: int, limit: int) -> list[Any]:
        """The rows from `offset` on, `limit` at most, as the caller sees them."""
        return [self.view(row) for row in self.rows[offset : offset + limit]]


def ordered(rows: Iterable[Row], ordering: str, fields: Collection[str], default: str) -> list[Row]:
    """Rows by the field that `ordering` names, descending with a minus; by `default` where it is none of `fields`."""
    if ordering.removeprefix("-") not in fields:
        ordering = default
    field = ordering.removeprefix("-")
    return sorted(rows, key=lambda row: row[field], reverse=ordering.startswith("-"))


class PicturedView(View):
    """A row with a picture; its renditions are absolute URLs."""

    together = tuple(images.SIZES)
    folder: str
    """Where the pictures of its kind lie."""

    def derived_together(self) -> Mapping[str, str]:
        """The addresses."""
        return images.renditions(self.call.base_url, self.folder, self.row["slug"], self.picture)

    @property
    def picture(self) -> str:
        """What tells this picture from all others."""
        return str(self.row["id"])


class CategoryView(PicturedView):
    """A category."""

    folder = "categories"

    @property
    def context(self) -> str:
        """Only the address of the server."""
        return self.call.base_url
