"""What notebooks show of results."""

from dataclasses import dataclass, field
from html import escape
from typing import Any, Iterable, Optional

from ._swapnas import Space, export, plain


@dataclass(frozen=True)
class Drawing:
    """A drawing or a figure, which notebooks show."""

    svg: str = field(repr=False)
    """What a file of it holds."""

    def _repr_svg_(self) -> str:
        return self.svg


def cell(value: Any) -> str:
    """A cell of a table: numbers to six digits, and nothing that a page would obey."""
    if value is None:
        return "<td>–</td>"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f'<td style="text-align: left">{escape(plain(str(value)))}</td>'
    return f"<td>{value:,}</td>" if isinstance(value, int) else f"<td>{value:.6g}</td>"


def table(names: Iterable[str], rows: Iterable[Iterable[Any]], caption: Optional[str] = None) -> str:
    """A table with a line for each row."""
    head = "".join(f"<th>{escape(plain(name))}</th>" for name in names)
    body = "".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in rows)
    title = "" if caption is None else f"<caption>{escape(plain(caption))}</caption>"
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def frame(rows: list[dict[str, Any]]) -> Any:
    """The rows as a frame of pandas."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError("to_frame needs pandas: pip install pandas") from error
    return pandas.DataFrame(rows)


def drawn(arch: str, space: Optional[str]) -> str:
    """What an architecture looks like; nothing if that is not known."""
    if space is None:
        return ""
    try:
        svg = export(arch, space, format="svg")
    except ValueError:
        return ""  # A space of one's own is known to nobody but whoever made it.
    # Drawings take the colour of the text around them, which is bright on a dark page, and have a white background.
    return f'<div style="color: #111; overflow-x: auto">{svg}</div>'


def space(space: Space) -> str:
    """A search space with one of its architectures."""
    encodings = table(["encoding", "what it is"], space.encodings.items())
    (arch,) = space.sample(1)
    return (
        f"<p><strong>{escape(space.name)}</strong>: {escape(space.description)}</p>"
        f"<p>{space.size:,} architectures, such as</p>{drawn(arch, space.name)}{encodings}"
    )
