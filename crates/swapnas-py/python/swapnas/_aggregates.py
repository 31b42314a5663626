"""Columns that are made of the ranks by several metrics."""

_NAMED = ("te-nas", "az-nas")
"""Those with names of their own."""


def is_aggregate(column: str) -> bool:
    """Whether the values of a column depend on which other networks are scored."""
    kind, parenthesis, _ = column.partition("(")
    return column in _NAMED or (parenthesis == "(" and kind.strip() in ("rank", "logrank"))
