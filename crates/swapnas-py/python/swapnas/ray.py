"""Scoring and searching on the machines of a Ray cluster: ``pip install swapnas[ray]``.

>>> import ray, swapnas
>>> ray.init("auto")
>>> archs = swapnas.Space("nb201").all()
>>> scored = swapnas.ray.score(archs, "nb201", metrics="swap,params", actors=64, threads=2)
>>> swapnas.ray.correlate(archs, accuracies, "nb201", metrics="swap,te-nas", seeds=4)["swap"].spearman
>>> swapnas.ray.search("nb201", metrics="swap", population=200, mutations=256, actors=64).best

A list, or what a search asks for, is cut into batches, which are handed to actors. Results are those of a single machine
to the bit, and in the order of the list, however many actors there are, and a run of a search can be continued on a
cluster or without one, wherever it was begun.
"""

import collections
import dataclasses
import functools
import math
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple, Optional, TypeVar, Union

from ._aggregates import is_aggregate
from ._results import Correlations, Scored, Scores, SearchResult
from ._swapnas import Scorer, SearchScorer, Space, __version__, plain, resume_elsewhere, search_elsewhere
from ._swapnas import correlate as correlate_here

try:
    import ray
    import ray.exceptions
except ImportError as error:
    raise ImportError("swapnas.ray needs Ray: pip install swapnas[ray]") from error

__all__ = ["DatasetScorer", "correlate", "resume", "score", "search"]

_Progress = Union[None, bool, Callable[[int, int], object]]
_Result = TypeVar("_Result")


def score(
    archs: Iterable[Any],
    space: Union[str, Space] = "darts",
    *,
    actors: Optional[int] = None,
    threads: int = 1,
    batch_size: Optional[int] = None,
    strict: Optional[bool] = None,
    progress: _Progress = None,
    **options: Any,
) -> Scores:
    """Scores architectures as `swapnas.score` does, whose arguments are taken as well, on a Ray cluster: the one that
    ``ray.init`` has connected to, else that of ``RAY_ADDRESS`` or this machine.

    actors: how many work at the same time; as many as the CPUs of the cluster have room for, unless given.
    threads: threads, and CPUs, of each actor.
    batch_size: how many architectures an actor gets at a time; by default a part of its share, and 256 at most.

    Files that ``inputs`` names are read by every actor, so they have to be on all machines; arrays are sent to them.
    If an actor dies, another one repeats its batch, and then in halves, so that a network of which actors die is found:
    at the third that it kills it is refused, or with ``strict`` a RuntimeError names it. RuntimeError as well if actors
    die without end, whatever they score. Ctrl-C raises `swapnas.Interrupted`, which has what was finished by then.
    """
    scorer = Scorer(space, threads=threads, **options)
    with _Cluster(actors, threads, batch_size) as cluster:
        function = cluster.scoring(_scorers(scorer))
        return _warned(lambda: scorer._score_elsewhere(function, archs, strict=strict, progress=progress))


def correlate(
    archs: Iterable[Any],
    accuracies: Iterable[float],
    space: Union[str, Space] = "darts",
    *,
    columns: Optional[Mapping[str, Iterable[Optional[float]]]] = None,
    compare: bool = False,
    seeds: int = 1,
    actors: Optional[int] = None,
    threads: int = 1,
    batch_size: Optional[int] = None,
    progress: _Progress = None,
    **options: Any,
) -> Correlations:
    """How well each metric orders architectures by their accuracies: what `swapnas.correlate` returns, whose arguments
    are taken as well. Networks are scored as by `score`, with all seeds at once, and statistics are computed here. A
    network of which actors die is a RuntimeError that names it."""
    asked: dict[str, Any] = dict(columns=columns, compare=compare, seeds=seeds, progress=progress)
    if columns is not None and options.get("metrics") is None:
        # There is nothing to score.
        alone: dict[str, Any] = {**asked, "threads": threads, **options}
        return _warned(lambda: correlate_here(archs, accuracies, space, **alone))
    scorer = Scorer(space, threads=threads, **options)
    with _Cluster(actors, threads, batch_size) as cluster:
        function = cluster.scoring(_scorers(scorer))
        return _warned(lambda: scorer._correlate_elsewhere(function, archs, accuracies, **asked))


def search(
    space: Union[str, Space] = "darts",
    *,
    actors: Optional[int] = None,
    threads: int = 1,
    batch_size: Optional[int] = None,
    **options: Any,
) -> SearchResult:
    """Searches a space as `swapnas.search` does, whose arguments are taken as well, with the architectures of each step
    scored on a Ray cluster, as by `score`. The run in the folder is the same.

    A step of the default algorithm is ``mutations`` architectures, each of ``exhaustive`` 256 and of ``random`` 64: more
    actors than that have nothing to do. A network of which actors die is a RuntimeError that names it; what was finished
    by then is in the folder, as it is after Ctrl-C.
    """
    with _Cluster(actors, threads, batch_size) as cluster:
        start = _start(cluster, options.get("metrics"), threads)
        return _warned(lambda: search_elsewhere(start, space, **options))


def resume(
    folder: Union[str, "PathLike[str]"],
    *,
    actors: Optional[int] = None,
    threads: int = 1,
    batch_size: Optional[int] = None,
    **options: Any,
) -> SearchResult:
    """Continues the search in a folder as `swapnas.resume` does, whose arguments are taken as well, on a Ray cluster,
    wherever it was begun."""
    with _Cluster(actors, threads, batch_size) as cluster:
        start = _start(cluster, options.get("metrics"), threads)
        return _warned(lambda: resume_elsewhere(start, folder, **options))


class DatasetScorer:
    """Scores the rows of a dataset of Ray: what ``Dataset.map_batches`` makes its actors of (``pip install ray[data]``).

    >>> dataset = ray.data.read_csv("networks.csv")
    >>> dataset.map_batches(
    ...     swapnas.ray.DatasetScorer,
    ...     fn_constructor_kwargs=dict(space="nb201", metrics="swap", column="arch", threads=2),
    ...     num_cpus=2,
    ...     concurrency=8,
    ... ).write_csv("scored")

    Arguments are those of `swapnas.Scorer`, and ``column``, in which architectures are. Rows get columns ``params``,
    ``macs``, ``units`` and one for each metric, all floats, and ``reason``: why metrics are undefined, or the network was
    refused, whose numbers are NaN then; otherwise it is empty. Numbers are those of `score` to the bit. Aggregates of
    ranks are not for batches, which do not know of each other, but for `score`: a ValueError.

    Ray repeats a batch of which an actor dies as its ``max_restarts`` and ``max_task_retries`` say.
    """

    def __init__(
        self, space: Union[str, Space] = "darts", *, column: str = "arch", threads: int = 1, **options: Any
    ) -> None:
        self._scorer = Scorer(space, threads=threads, **options)
        self._column = column
        for name in filter(is_aggregate, self._scorer.metrics):
            raise ValueError(
                f"{plain(name)} ranks all networks, and a batch has only some; give its metrics, or score by "
                "swapnas.ray.score"
            )

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        import numpy

        if self._column not in batch:
            there = ", ".join(plain(name) for name in batch)
            raise ValueError(f"the dataset has no column {plain(self._column)}; it has {there}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of what is refused, rows say why.
            scored = self._scorer.score(batch[self._column].tolist(), strict=False, progress=False)
        rows = [{**one.to_dict(), "reason": one.refused or _reasons(one)} for one in scored]
        numbers = dict.fromkeys(["params", "macs", "units", *self._scorer.metrics])
        found = {name: numpy.array([row[name] for row in rows], dtype=float) for name in numbers}
        return {**batch, **found, "reason": numpy.array([row["reason"] for row in rows], dtype=object)}


def _reasons(scored: Scored) -> str:
    return "; ".join(f"{name}: {reason}" for name, reason in scored.reasons.items())


_TRIES = 3
"""How many actors may die of a network."""

_DEATHS_IN_A_ROW = 20
"""How many actors may die, besides four for each that works, without any having finished something."""

_TICK = 0.05
"""After how many seconds without news whoever waits is asked whether to go on."""

_DEATHS = (
    ray.exceptions.RayActorError,
    ray.exceptions.OutOfMemoryError,
    ray.exceptions.WorkerCrashedError,
    ray.exceptions.ObjectLostError,
)
"""What Ray raises when an actor is gone."""

_Function = Callable[[list[str], list[int], bool], Generator[list[tuple[int, Any]], None, None]]


class _Cluster:
    """The actors of a Ray cluster, and how much each gets at a time. Those that die are replaced."""

    def __init__(self, actors: Optional[int], threads: int, batch_size: Optional[int]) -> None:
        for name, number in [("actors", actors), ("threads", threads), ("batch_size", batch_size)]:
            if number is not None and (not isinstance(number, int) or number < 1):
                raise ValueError(f"{name} cannot be {plain(repr(number))}; give a whole number from 1 on")
        if not ray.is_initialized():
            ray.init()
        room = [int(node["Resources"].get("CPU", 0)) // threads for node in ray.nodes() if node["Alive"]]
        if actors is None and not any(room):
            raise ValueError(
                f"no machine of the Ray cluster has the {threads} CPUs of an actor; give fewer threads, or actors if "
                "such a machine is yet to come"
            )
        self._most = actors or sum(room)
        self._threads = threads
        self._batch_size = batch_size
        self._scorers: Any = None
        self._idle: list[Any] = []
        self._busy: dict[Any, tuple[Any, Optional["_Batch"]]] = {}
        """Actors by what they are about to return, with their batches; those that start have none."""

    def __enter__(self) -> "_Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        for actor in [*self._idle, *(actor for actor, _ in self._busy.values())]:
            ray.kill(actor)

    def scoring(self, scorers: Callable[[int], Any]) -> _Function:
        """The function that has architectures scored by what `scorers` makes of a seed."""
        self._scorers = ray.put(ray.cloudpickle.dumps(scorers))
        return self._results

    def _results(
        self, archs: list[str], seeds: list[int], strict: bool
    ) -> Generator[list[tuple[int, Any]], None, None]:
        """What is found, with its place among all architectures with all seeds, as it is done."""
        waiting = collections.deque(self._batches(archs, seeds))
        deaths, most = 0, _DEATHS_IN_A_ROW + 4 * self._most
        try:
            while waiting or any(batch for _, batch in self._busy.values()):
                self._hand_out(waiting, seeds[0], strict)
                done, _ = ray.wait(list(self._busy), timeout=_TICK)
                found: list[tuple[int, Any]] = []
                for reference in done:
                    actor, batch = self._busy.pop(reference)
                    try:
                        answer = ray.get(reference)
                    except _DEATHS as death:
                        ray.kill(actor)  # It may be out of reach only.
                        deaths += 1
                        if deaths > most:
                            what = f"{deaths} actors of the Ray cluster died without having finished anything"
                            raise RuntimeError(f"{what}; Ray's logs say why") from death
                        again = batch.after_death() if batch else []
                        if batch and not again:
                            what = f"{_TRIES} actors of the Ray cluster died of it; Ray's logs say why"
                            if strict:
                                raise RuntimeError(f"cannot score {plain(batch.archs[0])}: {what}") from death
                            found.append((batch.places[0], what))
                        waiting.extendleft(again)
                        continue
                    self._idle.append(actor)
                    if isinstance(answer, _Raised):
                        raise answer.error from _Elsewhere(answer.traceback)
                    if batch:
                        found.extend(zip(batch.places, answer))
                        deaths = 0
                yield found
        finally:
            # What actors are at is wanted no more.
            for reference, (actor, batch) in list(self._busy.items()):
                if batch:
                    del self._busy[reference]
                    ray.kill(actor)

    def _hand_out(self, waiting: "collections.deque[_Batch]", seed: int, strict: bool) -> None:
        """Gives batches to actors that have none, and starts as many as are wanted for the rest."""
        while waiting and self._idle:
            actor, batch = self._idle.pop(), waiting.popleft()
            self._busy[actor.score.remote(batch.archs, batch.seed, strict)] = actor, batch
        starting = sum(batch is None for _, batch in self._busy.values())
        room = self._most - len(self._idle) - len(self._busy)
        for _ in range(min(room, len(waiting) - starting)):
            actor = ray.remote(_Actor).options(num_cpus=self._threads).remote(__version__, self._scorers)
            # Batches are not for those for which there is no room yet.
            self._busy[actor.score.remote([], seed, strict)] = actor, None

    def _batches(self, archs: Sequence[str], seeds: Sequence[int]) -> Iterable["_Batch"]:
        """All architectures with each seed: a batch for each actor, or up to four where they are large, and none very
        large, so that actors end together and little is lost with one."""
        share = math.ceil(len(archs) * len(seeds) / self._most)
        size = self._batch_size or min(256, math.ceil(share / min(4, max(1, share // 8))))
        for index, seed in enumerate(seeds):
            for start in range(0, len(archs), size):
                part = list(archs[start : start + size])
                first = index * len(archs) + start
                yield _Batch(part, range(first, first + len(part)), seed)


@dataclasses.dataclass
class _Batch:
    """Architectures that an actor gets at a time."""

    archs: list[str]
    places: range
    seed: int
    deaths: int = 0
    """How many actors have died of it; of a half, how many less one have died of the whole."""

    def after_death(self) -> list["_Batch"]:
        """What is to be done in its place after an actor has died of it: nothing, if it is a network that has killed its
        share."""
        self.deaths += 1
        if self.deaths == _TRIES:
            return []
        if self.deaths < _TRIES - 1 or len(self.archs) == 1:
            return [self]
        half = len(self.archs) // 2
        return [
            _Batch(self.archs[part], self.places[part], self.seed, self.deaths - 1)
            for part in (slice(half), slice(half, None))
        ]


class _Actor:
    """Scores batches on a machine of the cluster."""

    def __init__(self, version: str, scorers: bytes) -> None:
        self._version = version
        self._pickled = scorers

    @functools.cached_property
    def _scorer(self) -> Callable[[int], Any]:
        """The scorer with a seed. The last one is kept: batches with one seed come one after the other."""
        if self._version != __version__:
            raise RuntimeError(
                f"swapnas is {self._version} where work is given out and {__version__} on a machine of the Ray "
                "cluster; install the same on both"
            )
        scorers: Callable[[int], Any] = ray.cloudpickle.loads(self._pickled)
        return functools.lru_cache(maxsize=1)(scorers)

    def score(self, archs: list[str], seed: int, strict: bool) -> Any:
        """What is found of each, or what ended it."""
        try:
            with warnings.catch_warnings():
                # They are for whoever sees the whole list.
                warnings.simplefilter("ignore")
                return self._scorer(seed)._measure(archs, strict)
        except Exception as error:
            return _Raised(error, traceback.format_exc())


class _Raised(NamedTuple):
    """What ended a batch, so that it is raised as it would be without Ray."""

    error: Exception
    traceback: str


class _Elsewhere(Exception):
    """The traceback of an exception on another machine, which stands above that of this one."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def _scorers(scorer: Scorer) -> Callable[[int], Any]:
    """Makes the scorer, with any seed, in another process."""
    (space,), options = scorer.__getnewargs_ex__()
    return functools.partial(_scorer, space, options)


def _scorer(space: str, options: Mapping[str, Any], seed: int) -> Scorer:
    return Scorer(space, **{**options, "seed": seed})


def _start(cluster: _Cluster, metrics: Any, threads: int) -> Callable[[str], _Function]:
    """Starts a search, of which it gets the settings, on the cluster."""
    return lambda configuration: cluster.scoring(
        functools.partial(_search_scorer, configuration, metrics, threads)
    )


def _search_scorer(configuration: str, metrics: Any, threads: int, _seed: int) -> SearchScorer:
    return SearchScorer(configuration, metrics, threads)


def _warned(function: Callable[[], _Result]) -> _Result:
    """What the function returns, with its warnings pointing at whoever has called this module."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function()
    for one in caught:
        warnings.warn(one.message, one.category, stacklevel=3)
    return result
