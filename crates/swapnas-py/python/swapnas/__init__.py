"""Rank neural architectures without training them: in seconds, on an ordinary CPU, with no GPU and no dataset.

>>> import swapnas
>>> archs = swapnas.Space("nb201").sample(3)
>>> scored = swapnas.score(archs, "nb201", metrics="swap,params", channels=8, cells=1)
>>> best = max(scored, key=lambda network: network["swap"])

`Scorer` scores many architectures with the same settings, `correlate` says how well metrics order
architectures of known accuracy, `search` looks for good ones, `export` and `torch_module` make networks of them.
`score_torch` and `score_onnx` score networks of any origin. `train` trains one, and `create_benchmark` a sample of a
space. `design` makes a network for a folder of pictures. A function that takes a `Network` is a metric as well.
`swapnas.optuna` has spaces and a sampler for Optuna, `swapnas.ray` scores and searches on a Ray cluster.
``help(swapnas.Scorer)`` and the like explain the arguments, which have the names of the command's options, with
underscores. Notebooks show results as tables and drawings.
"""

from importlib import import_module
from typing import Any

from ._html import Drawing
from ._network import Layer, Metric, Network
from ._results import (
    Comparison,
    Correlation,
    Correlations,
    Designed,
    Found,
    Scored,
    Scores,
    SearchResult,
    Spread,
    Table,
    Trained,
)
from ._swapnas import (
    Interrupted,
    Scorer,
    Space,
    UndefinedError,
    __version__,
    built_in_table,
    correlate,
    create_benchmark,
    design,
    export,
    metrics,
    read_table,
    resume,
    score,
    score_onnx,
    search,
    spaces,
    train,
)
from ._torch import score_torch, torch_module

__all__ = [
    "Comparison",
    "Correlation",
    "Correlations",
    "Designed",
    "Drawing",
    "Found",
    "Interrupted",
    "Layer",
    "Metric",
    "Network",
    "Scored",
    "Scorer",
    "Scores",
    "SearchResult",
    "Space",
    "Spread",
    "Table",
    "Trained",
    "UndefinedError",
    "__version__",
    "built_in_table",
    "correlate",
    "create_benchmark",
    "design",
    "export",
    "metrics",
    "read_table",
    "resume",
    "score",
    "score_onnx",
    "score_torch",
    "search",
    "spaces",
    "train",
    "torch_module",
]


def __getattr__(name: str) -> Any:
    # They need packages that not everybody has, so they are imported when they are asked for.
    if name in ("optuna", "ray"):
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
