"""Scoring in one call."""

from collections.abc import Iterable, Sequence
from typing import Any

from ._results import Correlation, Scored
from ._swapnas import Scorer


def score(archs: Iterable[Any], space: str = "darts", *, progress: Any = None, **options: Any) -> list[Scored]:
    """Scores architectures: see `Scorer`, which takes the same options."""
    return Scorer(space, **options).score(list(archs), progress=progress)


def correlate(
    archs: Iterable[Any],
    accuracies: Sequence[float],
    space: str = "darts",
    *,
    progress: Any = None,
    **options: Any,
) -> dict[str, Correlation]:
    """How well each metric orders architectures by their accuracies: see `Scorer`, which takes the same options.

    >>> archs, accuracies = swapnas.read_table("DARTS_archs_CIFAR10.csv")
    >>> swapnas.correlate(archs, accuracies, metrics="swap")["swap"].spearman
    """
    return Scorer(space, **options).correlate(list(archs), accuracies, progress=progress)
