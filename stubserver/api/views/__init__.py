"""What a caller sees of a row: its stored fields, and fields that are derived for this caller.

A view offers every field that any response schema of its entity documents; the schema selects from them.
"""

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from stubserver.api import images
from stubserver.call import Call
from stubserver.worlds.base import Row

OMIT = object()
"""A field with this value is left out of the response."""


class Shaped:
    """A value with the response schema that the operation chose for it, where the contract offers several."""

    def __init__(self, schema: str, value: Any) -> None:
        self.schema = schema
        self.value = value


class View:
    """A row as one caller sees it; fields that a subclass does not derive are read from the row."""

    together: Sequence[str] = ()
    """Fields that `derived_together` computes at once."""
    context: Any = None
    """What the derived fields depend on besides the row, as a key to cache them by; None if they cannot be cached."""

    def __init__(self, call: Call, row: Row) -> None:
        self.call = call
        self.row = row

    def __getattr__(self, name: str) -> Any:
        if hasattr(type(self), name):  # a property failed; never fall back to the stored field of that name
            raise AttributeError(f"{type(self).__name__}.{name} could not be derived")
        try:
            return self.row[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}") from None

    def derived_together(self) -> Mapping[str, Any]:
        """Field -> value, for each field in `together`."""
        return {}

    @property
    def created_by(self) -> "UserView":
        """The author."""
        return UserView(self.call, self.call.world.users[self.row["created_by"]])


class Rows(Protocol):
    """A sequence of rows that can be sliced into pages."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Iterable[Any]:
        """The rows of the page."""


class Listing:
    """A list of rows that may be long; views are made only of the rows on the page that is served."""

    def __init__(self, rows: Rows, view: Callable[[Any], Any] = lambda row: row, **others: Any) -> None:
        """`others` are fields of every page, beside those that all lists have."""
        self.rows = rows
        self.view = view
        self.others = others

    def page(self, offset: int, limit: int) -> list[Any]:
        """At most `limit` rows, starting at `offset`, as the caller sees them."""
        return [self.view(row) for row in self.rows[offset : offset + limit]]


@dataclass(frozen=True)
class Stream:
    """The result of an operation whose answer goes on: its parts, until there are no more or the client is gone."""

    parts: AsyncGenerator[bytes, None]


def ordered(rows: Iterable[Row], ordering: str, fields: Collection[str], default: str) -> list[Row]:
    """Rows sorted by the field that `ordering` names (with a minus: descending), or by `default` if not in `fields`."""
    if ordering.removeprefix("-") not in fields:
        ordering = default
    field = ordering.removeprefix("-")
    return sorted(rows, key=lambda row: row[field], reverse=ordering.startswith("-"))


class PicturedView(View):
    """A row with an image, whose renditions are absolute URLs."""

    together = tuple(images.SIZES)
    folder: str
    """The part of the URL that is common to all images of this kind of row."""

    def derived_together(self) -> Mapping[str, str]:
        """Rendition -> its absolute URL."""
        return images.renditions(self.call.base_url, self.folder, self.row["slug"], self.picture)

    @property
    def picture(self) -> str:
        """Distinguishes this image from all others of its kind."""
        return str(self.row["id"])


class CategoryView(PicturedView):
    """A category, which looks the same to every caller."""

    folder = "categories"

    @property
    def context(self) -> str:
        """The base URL, which the image URLs begin with."""
        return self.call.base_url


class UserView(View):
    """A user as everybody sees them; where one user is read, more is shown (R719)."""

    can_send_pm_to: Any = OMIT

    @property
    def context(self) -> str | None:
        """The base URL, which the avatar's URL begins with."""
        return self.call.base_url

    @property
    def avatar(self) -> str | None:
        """URL of the picture, or of a drawing of the initial; None if the fixture says so (R612)."""
        address: str | None = self.row["avatar"]
        if address is None or "://" in address:
            return address
        return self.call.base_url + (address or images.drawing_path(self.row["username"], self.row["id"]))

    @property
    def deleted_at(self) -> Any:
        """When the account was deleted, if it was at a known time (R719)."""
        return self.row["deleted_at"] or OMIT
