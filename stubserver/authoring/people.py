"""Replacements for people in recordings: whoever reads the result learns nobody's name, picture or words.

A replacement depends on the id alone, so a person has the same one in every recording. Ids stay as they are.
"""

import re
from collections.abc import Mapping
from typing import Any

_FIRST = (
    *("Ada", "Bela", "Cleo", "Dina", "Emil", "Fritz", "Greta", "Hugo", "Ines", "Jona", "Kaya", "Liam"),
    *("Mara", "Nils", "Olga", "Piet", "Quinn", "Rosa", "Sven", "Tara", "Uma", "Vito", "Wanda", "Yuri", "Zoe"),
)
_LAST = (
    *("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Gorse", "Hazel", "Ivy", "Juniper", "Larch"),
    *("Maple", "Nettle", "Oak", "Pine", "Quince", "Rowan", "Spruce", "Thorn", "Vine", "Willow", "Yew"),
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
_SHORTEST = 4
"""Characters that a name has at least to be looked for in texts; shorter ones are parts of words."""
_ABOUT = ("bio", "description", "location")


def name_of(user: int) -> str:
    """The name that a user is given."""
    return f"{_FIRST[user % len(_FIRST)]} {_LAST[user // len(_FIRST) % len(_LAST)]}"


def username_of(user: int) -> str:
    """The username that a user is given, which no other user has."""
    return f"{name_of(user).lower().replace(' ', '_')}_{user}"


def replaced(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a user, for a fixture: of what was there, something else is there; what was empty stays empty."""
    user = row["id"]
    found = {**row, "username": username_of(user), "real_name": name_of(user) if row.get("real_name") else ""}
    if row.get("ext_id"):
        found["ext_id"] = f"ext-{user}"
    if found.get("avatar", "") is not None:
        found.pop("avatar", None)  # the server draws the initial
    return found | {field: f"{field.capitalize()} of user {user}" for field in _ABOUT if row.get(field)}


def comment_of(number: int) -> str:
    """The text that a comment is given."""
    return f"<p>Comment {number}.</p>"


class Names:
    """Replaces people's names wherever they stand in a text."""

    def __init__(self, users: Mapping[int, Mapping[str, Any]]) -> None:
        """`users` are the users as they were recorded, by their ids."""
        self._known: dict[str, str] = {}
        for user, row in users.items():
            real, own = str(row.get("real_name") or ""), str(row.get("username") or "")
            self._known[_slug(real)] = _slug(name_of(user))
            self._known[real.lower()] = name_of(user)
            self._known[own.lower()] = username_of(user)
        longest_first = sorted((name for name in self._known if len(name) >= _SHORTEST), key=len, reverse=True)
        names = "|".join(map(re.escape, longest_first))
        self._pattern = re.compile(rf"(?<!\w)(?:{names})(?!\w)", re.IGNORECASE) if names else None

    def replaced(self, value: Any) -> Any:
        """The value without names and addresses of people, whatever is inside."""
        if isinstance(value, list):
            return [self.replaced(part) for part in value]
        if isinstance(value, dict):
            return {name: self.replaced(part) for name, part in value.items()}
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        text = _EMAIL.sub("someone@example.com", text)
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda found: self._known.get(found[0].lower(), ""), text)


def _slug(name: str) -> str:
    return re.sub(r"[^\w]+", "-", name.lower()).strip("-")
