"""What comes out."""

import csv
from dataclasses import asdict, dataclass, field
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any, Optional, Union

from ._html import Drawing, drawn, frame, table
from ._swapnas import plain, plain_sentence, plot_scores, plot_search


class _Scores:
    """``network["swap"]`` is a metric's value; where the metric is undefined for the network, this raises
    ``ValueError`` with the reason. ``"swap" in network`` says whether it was asked for.
    """

    arch: str
    scores: dict[str, Optional[float]]
    reasons: dict[str, str]

    __iter__ = None  # Else Python would go through it by numbers.

    def __getitem__(self, metric: str) -> float:
        value = self.scores[metric]
        if value is None:
            raise ValueError(f"{plain(metric)} is undefined for {plain(self.arch)}: {plain(self.reasons[metric])}")
        return value

    def __contains__(self, metric: object) -> bool:
        return metric in self.scores

    def __hash__(self) -> int:
        return hash(self.arch)


@dataclass(frozen=True)
class Scored(_Scores):
    """What is known of a network after scoring it.

    ``scored["swap"]`` is a metric's value; where the metric is undefined for the network, this raises
    ``ValueError`` with the reason. All metrics are undefined for a network that was refused.
    """

    arch: str
    """The architecture in the canonical encoding of its space, or the name of a network that is of none."""
    params: Optional[int]
    """Parameters of the scored network; like all numbers, None if the network was refused."""
    macs: Optional[int]
    """Multiply-accumulates of the scored network for one image."""
    units: Optional[int]
    """ReLU units for one image."""
    scores: dict[str, Optional[float]]
    """The metrics and aggregates; None where one is undefined."""
    deviations: dict[str, float]
    """Of each metric, the standard deviation over the sets of weights."""
    reasons: dict[str, str]
    """Why metrics are undefined."""
    saturated: bool
    """Whether the number of patterns is close to the most that there can be, so that it says little."""
    refused: Optional[str] = None
    """Why the network was refused, which is then the reason of all metrics; None if it was scored."""
    space: Optional[str] = None
    """The space of the architecture; None for a network that is of none."""

    __hash__ = _Scores.__hash__

    def to_dict(self) -> dict[str, Any]:
        """One row of a table, say of pandas: the architecture, sizes and metrics, and ``refused`` if it was."""
        sizes = {"params": self.params, "macs": self.macs, "units": self.units}
        row = {"arch": self.arch, **sizes, **self.scores, **sizes}
        return row if self.refused is None else {**row, "refused": self.refused}

    def _repr_html_(self) -> str:
        row = self.to_dict()
        shown = table(row, [row.values()])
        return shown if self.refused else shown + drawn(self.arch, self.space)


class Scores(list[Scored]):
    """Scores of networks, in the order in which they were given: a list. Of work that was stopped, what was not
    finished is None."""

    SHOWN = 20
    """How many of them notebooks show."""

    def to_frame(self) -> Any:
        """A row for each network, as a frame of pandas."""
        return frame([{} if scored is None else scored.to_dict() for scored in self])

    def _repr_html_(self) -> str:
        rows = [{} if scored is None else scored.to_dict() for scored in self[: self.SHOWN]]
        names = list(dict.fromkeys(name for row in rows for name in row))
        count = "1 network" if len(self) == 1 else f"{len(self):,} networks"
        caption = count if len(self) <= self.SHOWN else f"The first {self.SHOWN} of {count}"
        return table(names, [[row.get(name) for name in names] for row in rows], caption)


@dataclass(frozen=True)
class Spread:
    """How far numbers lie apart, of which each is of another seed."""

    n: int
    """How many numbers there are."""
    mean: float
    """Their mean."""
    std: Optional[float]
    """Their sample standard deviation; None for a single number."""
    min: float
    """The smallest."""
    max: float
    """The largest."""


@dataclass(frozen=True)
class Correlation:
    """How well a metric orders networks by accuracy.

    Metrics of which smaller values are better are negated first, so that a good metric always has positive
    coefficients. What cannot be computed is None, and ``reasons`` says why.
    """

    spearman: Optional[float]
    """Spearman's rho."""
    spearman_ci95: Optional[tuple[float, float]]
    """Its bootstrap interval."""
    kendall: Optional[float]
    """Kendall's tau-b."""
    kendall_ci95: Optional[tuple[float, float]]
    """Its bootstrap interval."""
    pearson: Optional[float]
    """Pearson's r."""
    pearson_ci95: Optional[tuple[float, float]]
    """Its bootstrap interval."""
    spearman_given_params: Optional[float]
    """Spearman's rho with what the number of parameters says taken out."""
    kendall_same_size: Optional[float]
    """Kendall's tau-b over pairs of networks whose numbers of parameters differ by a tenth or less."""
    top10_overlap: Optional[float]
    """The share of the most accurate tenth that is among the best-scored tenth."""
    regret_at_1: Optional[float]
    """By how much the best-scored network is less accurate than the most accurate one."""
    regret_at_10: Optional[float]
    """By how much the best of the ten best-scored networks is less accurate than the most accurate one."""
    ndcg: Optional[float]
    """Normalised discounted cumulative gain."""
    spearman_over_seeds: Optional[Spread]
    """Spearman's rho over several seeds, if there are several."""
    n: int
    """Networks with a value."""
    undefined: int
    """Networks for which the metric is undefined."""
    reasons: list[str] = field(default_factory=list)
    """Why values are missing, the first reason of each kind."""


@dataclass(frozen=True)
class Comparison:
    """How far metrics agree with each other: matrices whose rows and columns are in the order of ``names``."""

    names: list[str]
    """The metrics and columns."""
    spearman: list[list[Optional[float]]]
    """Spearman's rho of each with each, over the networks for which both are defined; None where there is none."""
    n: list[list[int]]
    """How many networks these are."""


class Correlations(dict[str, Correlation]):
    """Correlations by the names of metrics and columns."""

    comparison: Optional[Comparison]
    """How they correlate with each other, if that was asked for."""
    scores: dict[str, list[Optional[float]]]
    """What was correlated, by the names of metrics and columns: a number for each network, None where there is none."""
    accuracies: list[float]
    """The accuracies of the networks."""
    params: list[int]
    """Their parameters."""

    def __init__(
        self,
        correlations: dict[str, Correlation],
        comparison: Optional[Comparison],
        scores: dict[str, list[Optional[float]]],
        accuracies: list[float],
        params: list[int],
    ) -> None:
        super().__init__(correlations)
        self.comparison = comparison
        self.scores = scores
        self.accuracies = accuracies
        self.params = params

    def plot(self, path: Optional[Union[str, PathLike[str]]] = None) -> Drawing:
        """The figure of ``swapnas correlate --plot``: each metric and column against the accuracies, coloured by
        parameters.

        path: a file for it as well, SVG, PDF or PNG by the end of its name.
        """
        metrics = [(name, self.scores[name], correlation.spearman) for name, correlation in self.items()]
        return Drawing(plot_scores(metrics, self.accuracies, self.params, path))

    def to_frame(self) -> Any:
        """A row for each metric or column and a column for each coefficient, as a frame of pandas."""
        return frame([{"metric": name, **asdict(correlation)} for name, correlation in self.items()])

    def _repr_html_(self) -> str:
        names = ["spearman", "spearman_given_params", "kendall", "kendall_same_size", "regret_at_10", "n", "undefined"]

        def row(name: str, correlation: Correlation) -> list[Any]:
            first, *others = (getattr(correlation, name) for name in names)
            interval = correlation.spearman_ci95
            return [name, first, "–" if interval is None else "{:.3f} to {:.3f}".format(*interval), *others]

        head = ["metric", names[0], "95% interval", *(name.replace("_", " ") for name in names[1:])]
        return table(head, [row(*item) for item in self.items()])


@dataclass(frozen=True)
class Trained:
    """What training has made of a network."""

    arch: str
    """The architecture in the canonical encoding of its space."""
    params: int
    """Parameters of the network."""
    macs: int
    """Its multiply-accumulates for one image."""
    accuracy: float
    """Percentage of the validation images that are right at the end."""
    epochs: list[dict[str, float]]
    """Of each epoch: ``epoch``, ``loss``, ``train_accuracy``, ``validation_loss`` and ``accuracy``."""


class Table(tuple[list[str], list[float]]):
    """A table that was read: a pair of architectures and accuracies."""

    columns: dict[str, list[Optional[float]]]
    """The further columns that were asked for, by their names; None where a row has no number."""

    def __new__(
        cls, archs: list[str], accuracies: list[float], columns: dict[str, list[Optional[float]]]
    ) -> "Table":
        table = super().__new__(cls, (archs, accuracies))
        table.columns = columns
        return table

    def __getnewargs__(self) -> tuple[list[str], list[float], dict[str, list[Optional[float]]]]:
        return self.archs, self.accuracies, self.columns

    @property
    def archs(self) -> list[str]:
        """The architectures."""
        return self[0]

    @property
    def accuracies(self) -> list[float]:
        """Their accuracies."""
        return self[1]


@dataclass(frozen=True)
class Found(_Scores):
    """One of the best architectures of a search. ``found["swap"]`` is a metric's value."""

    arch: str
    """The architecture in the canonical encoding of its space."""
    scores: dict[str, Optional[float]]
    """The objective and further metrics; None where one is undefined."""
    reasons: dict[str, str]
    """Why metrics are undefined."""
    params: int
    """Parameters of the network to be trained."""
    macs: int
    """Its multiply-accumulates for one image."""
    latency_ms: Optional[float]
    """Its latency by the latency table, if there is one."""

    __hash__ = _Scores.__hash__


@dataclass(frozen=True)
class SearchResult:
    """What a search has found."""

    folder: Path
    """The folder of the run, with ``run.db``, ``best.json``, ``history.csv`` and ``report.html``."""
    space: str
    """The space that was searched."""
    objective: str
    """What the search went by."""
    complete: bool
    """Whether it came to its end; if the time was up before, ``resume(folder)`` goes on."""
    evaluations: int
    """How many architectures were evaluated."""
    best: list[Found]
    """The best ones, best first."""
    front: list[str]
    """The Pareto front."""
    population: list[str]
    """The last population."""
    command: str
    """The command that runs the same search."""

    def to_frame(self) -> Any:
        """A row for each of the best, best first, as a frame of pandas."""
        rows = [
            {"arch": one.arch, **one.scores, "params": one.params, "macs": one.macs, "latency_ms": one.latency_ms}
            for one in self.best
        ]
        return frame(rows)

    def plot(self, path: Optional[Union[str, PathLike[str]]] = None) -> Drawing:
        """All that was evaluated, of which the folder knows: scores over evaluations, with a line for the best so far,
        and over parameters of the network to be trained.

        path: a file for it as well, SVG, PDF or PNG by the end of its name.
        """
        with open(self.folder / "history.csv", newline="") as file:
            header, *rows = csv.reader(file)
        # The objective is the first metric. Others may be called as sizes are, which come last.
        score, params, best = header.index("arch") + 1, header.index("final_params", -4), len(header) - 1
        evaluations = [(float(row[score]) if row[score] else None, int(row[params])) for row in rows]
        places = sorted({int(row[best]) - 1 for row in rows if row[best]})
        return Drawing(plot_search(self.objective, evaluations, places, path))

    def _repr_html_(self) -> str:
        names = list(self.best[0].scores) if self.best else []
        rows = [
            [place, *(one.scores[name] for name in names), one.params, one.macs, one.arch]
            for place, one in enumerate(self.best, 1)
        ]
        caption = f"The best of {self.evaluations} architectures of {self.space} by {self.objective}"
        shown = table(["rank", *names, "parameters", "multiply-accumulates", "architecture"], rows, caption)
        return shown + (drawn(self.best[0].arch, self.space) if self.best else "")

    @staticmethod
    def _of(folder: Union[str, Path], found: dict[str, Any]) -> "SearchResult":
        best = [
            Found(
                arch=one["arch"],
                scores={name: score["mean"] for name, score in one["scores"].items()},
                reasons={name: score["reason"] for name, score in one["scores"].items() if "reason" in score},
                params=one["final"]["params"],
                macs=one["final"]["macs"],
                latency_ms=one["final"]["latency_ms"],
            )
            for one in found["best"]
        ]
        names = ("space", "objective", "complete", "evaluations", "front", "population", "command")
        return SearchResult(folder=Path(folder), best=best, **{name: found[name] for name in names})


@dataclass(frozen=True)
class Designed:
    """A network for pictures, ready to be trained."""

    folder: Path
    """The folder of everything."""
    arch: str
    """The architecture in the canonical encoding of its space."""
    space: str
    """Its space."""
    network: str
    """The network, in words."""
    params: int
    """Its parameters."""
    macs: int
    """Its multiply-accumulates for one image."""
    latency_ms: Optional[float]
    """Its latency by the latency table, if there is one."""
    size: tuple[int, int, int]
    """Channels, height and width of the images."""
    classes: list[str]
    """The classes, in order, which are the names of folders."""
    reasons: list[str]
    """Why all this is so, in sentences."""
    search: SearchResult
    """The search that found the architecture."""

    @property
    def files(self) -> dict[str, Path]:
        """What is in the folder, by name: the network as ``network.py`` and ``network.onnx``, ``train.py``, which
        trains it on the pictures, and ``report.html`` of the search."""
        return {name: self.folder / name for name in ("network.py", "network.onnx", "train.py", "report.html")}

    def _repr_html_(self) -> str:
        row = {
            "classes": len(self.classes),
            "images": "x".join(map(str, self.size)),
            "space": self.space,
            "parameters": self.params,
            "multiply-accumulates": self.macs,
        }
        if self.latency_ms is not None:
            row["milliseconds"] = self.latency_ms
        reasons = "".join(f"<li>{escape(plain_sentence(reason))}</li>" for reason in self.reasons)
        train = escape(plain(f"python {self.files['train.py']}"))
        shown = table(row, [row.values()], f"The network in {self.folder}")
        return f"{shown}<ul>{reasons}</ul><p>To train it: <code>{train}</code></p>{drawn(self.arch, self.space)}"

    @staticmethod
    def _of(folder: Union[str, Path], found: dict[str, Any]) -> "Designed":
        search, design = SearchResult._of(folder, found), found["design"]
        best = search.best[0]
        return Designed(
            folder=search.folder,
            arch=best.arch,
            space=search.space,
            network=design["final_network"],
            params=best.params,
            macs=best.macs,
            latency_ms=best.latency_ms,
            size=tuple(design["size"]),
            classes=design["pictures"]["classes"],
            reasons=design["reasons"],
            search=search,
        )
