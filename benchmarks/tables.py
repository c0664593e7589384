"""Tables of figures, as Markdown."""

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], last: str = "--:") -> str:
    """A Markdown table: a column of text, then columns of figures; `last` aligns the last column."""
    lines = [heads, ["---", *["--:"] * (len(heads) - 2), last], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def number(value: float | None, form: str = ",.0f", unit: str = "") -> str:
    """A figure as text, or a dash for None."""
    return "-" if value is None else f"{value:{form}}{unit}"
