"""What notebooks show of results."""

from html import escape
from typing import Any, Iterable, Optional

from ._swapnas import plain


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
