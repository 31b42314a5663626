"""Scoring on the machines of a Ray cluster: ``pip install swapnas[ray]``.

>>> import ray, swapnas
>>> ray.init("auto")
>>> archs = swapnas.Space("nb201").all()
>>> scored = swapnas.ray.score(archs, "nb201", metrics="swap,params", actors=64, threads=2)
>>> swapnas.ray.correlate(archs, accuracies, "nb201", metrics="swap")["swap"].spearman

A list is cut into batches, which `ray.data` hands out to actors that each have a `swapnas.Scorer`. Scores are those
of a single machine to the bit, and in the order of the list, however many actors there are.
"""

import contextlib
import dataclasses
import functools
import math
import pickle
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional, Union

from ._aggregates import is_aggregate
from ._results import Correlation, Correlations, Scored, Scores
from ._swapnas import Interrupted, Scorer, Space, __version__, plain
from ._swapnas import correlate as correlate_here

try:
    import pyarrow  # type: ignore[import-untyped]
    import ray
    import ray.data
except ImportError as error:
    raise ImportError("swapnas.ray needs Ray with its data library: pip install swapnas[ray]") from error

__all__ = ["correlate", "score"]

_Progress = Union[None, bool, Callable[[int, int], object]]


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
    batch_size: how many architectures an actor gets at a time; by default a quarter of its share, and 256 at most.
    progress: None and True show Ray's own bars, False none; a function gets the numbers of networks done and in all.

    Files that ``inputs`` names are read by every actor, so they have to be on all machines; arrays are sent to them.
    If an actor dies, Ray starts it anew and repeats its batch, and that without end, should the batch be what kills it.
    Ctrl-C raises `swapnas.Interrupted`, which has what was finished by then. Ranks take the whole list, so metrics such
    as ``rank(a,b)`` are an error: score their parts.
    """
    scorer = _scorer(space, threads, options)
    return _Cluster(actors, threads, batch_size).score(list(_list(archs)), scorer, strict, progress)


def correlate(
    archs: Iterable[Any],
    accuracies: Iterable[float],
    space: Union[str, Space] = "darts",
    *,
    columns: Optional[Mapping[str, Iterable[Optional[float]]]] = None,
    compare: bool = False,
    actors: Optional[int] = None,
    threads: int = 1,
    batch_size: Optional[int] = None,
    progress: _Progress = None,
    **options: Any,
) -> Correlations:
    """How well each metric orders architectures by their accuracies: what `swapnas.correlate` returns, whose arguments
    but ``seeds`` are taken as well. Networks are scored as by `score`, and statistics are computed here."""
    archs, accuracies = list(_list(archs)), list(accuracies)
    given = {name: list(column) for name, column in (columns or {}).items()}
    here = {**options, "threads": threads, "metrics": None}

    def correlate_columns(places: Sequence[int], columns: Mapping[str, Any], compare: bool = False) -> Correlations:
        chosen = [archs[place] for place in places], [accuracies[place] for place in places]
        found: Correlations = _silently(
            lambda: correlate_here(*chosen, space, columns=columns, compare=compare, progress=False, **here)
        )
        return found

    if columns is not None and options.get("metrics") is None:
        return correlate_here(archs, accuracies, space, columns=given, compare=compare, progress=progress, **here)
    scorer = _scorer(space, threads, options)
    for name in given:
        if name in scorer.metrics:
            what = f"columns: `{plain(name)}` is a metric that is computed too; give the column another name"
            raise ValueError(what)
    # What is wrong with the lists is said before anything is scored.
    _silently(lambda: correlate_here(archs, accuracies, space, columns=given, progress=False, **here))

    scored = _Cluster(actors, threads, batch_size).score(archs, scorer, True, progress)
    values = {name: _ascending(name, archs, scored, scorer) for name in scorer.metrics}
    found = correlate_columns(range(len(archs)), {**values, **given}, compare)
    for name in scorer.metrics:
        reasons = list(dict.fromkeys(one.reasons[name] for one in scored if name in one.reasons))
        if reasons:
            found[name] = _with_reasons(values[name], reasons, lambda *chosen: correlate_columns(*chosen)[""])
    return found


_REASONS = 5
"""How many reasons a `Correlation` tells."""


def _with_reasons(
    values: Sequence[Optional[float]],
    reasons: Sequence[str],
    correlate: Callable[[Sequence[int], dict[str, Any]], Correlation],
) -> Correlation:
    """The correlation by values of which some are missing for these reasons. Statistics are those of the others; to
    have two at least, some that are missing stand at the end, and what is said of these is left out."""
    known = [place for place, value in enumerate(values) if value is not None]
    missing = [place for place, value in enumerate(values) if value is None]
    fill = missing[: max(0, 2 - len(known))]
    found = correlate(known + fill, {"": [values[place] for place in known + fill]})
    reasons = list(dict.fromkeys([*reasons[:_REASONS], *found.reasons[len(fill) :]]))[:_REASONS]
    return dataclasses.replace(found, undefined=len(missing), reasons=reasons)


def _ascending(name: str, archs: Sequence[Any], scored: Sequence[Scored], scorer: Scorer) -> list[Optional[float]]:
    """The values of a metric, negated if smaller ones are better.

    The scorer tells by how it orders two networks, of which it has to be told that the larger value is more accurate.
    """
    values = [one.scores[name] for one in scored]
    known = [(arch, value) for arch, value in zip(archs, values) if value is not None]
    two = known[:1] + [other for other in known if other[1] != known[0][1]][:1]
    if len(two) == 2:
        accuracies = [value for _, value in two]
        rho = _silently(lambda: scorer.correlate([arch for arch, _ in two], accuracies, progress=False))[name].spearman
        if rho is not None and rho < 0:
            return [None if value is None else -value for value in values]
    return values


class _Cluster:
    """The actors of a Ray cluster, and how much each gets at a time."""

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
        self._actors = actors or sum(room)
        self._threads = threads
        self._batch_size = batch_size

    def score(self, archs: list[Any], scorer: Scorer, strict: Optional[bool], progress: _Progress) -> Scores:
        if not callable(progress) and not isinstance(progress, (bool, type(None))):
            raise TypeError("progress is a function of the numbers of networks done and in all, True or False")
        strict = len(archs) == 1 if strict is None else strict
        if strict:
            _read_all(archs, scorer.space)
        scored: list[Optional[Scored]] = [None] * len(archs)
        done = 0
        try:
            with _bars(progress in (None, True)), contextlib.closing(self._results(archs, scorer)) as results:
                for place, one in results:
                    scored[place] = one
                    done += 1
                    if callable(progress):
                        progress(done, len(archs))
        except KeyboardInterrupt as pressed:
            stopped = Interrupted("stopped; what was finished is in `scored`")
            stopped.scored = scored
            raise stopped from pressed
        found = Scores(one for one in scored if one is not None)
        for arch, one in zip(archs, found):
            if strict and one.refused is not None:
                scorer.score([arch], strict=True, progress=False)
        _warn(found)
        return found

    def _results(self, archs: Sequence[Any], scorer: Scorer) -> Generator[tuple[int, Scored], None, None]:
        """What is found of each, with its place, in the order in which they are done."""
        if not archs:
            return
        actors = min(self._actors, len(archs))
        size = self._batch_size or min(256, math.ceil(len(archs) / actors / 4))
        rows = [{"place": place, "arch": _pickled(arch)} for place, arch in enumerate(archs)]
        batches = math.ceil(len(rows) / size)
        # Blocks are batches: what is lost with an actor is the block that it has at hand.
        dataset = ray.data.from_items(rows, override_num_blocks=batches)
        scored = dataset.map_batches(
            _Actor,
            fn_constructor_args=(__version__, ray.cloudpickle.dumps(scorer)),
            batch_size=None,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=min(actors, batches)),
            num_cpus=self._threads,
        )
        # Block by block as they come, since iterators of rows have threads that outlive an exception.
        for bundle in scored.iter_internal_ref_bundles():
            for block in ray.get(bundle.block_refs):
                for place, pickled in zip(block["place"].to_pylist(), block["scored"].to_pylist()):
                    one = pickle.loads(pickled)
                    if isinstance(one, _Raised):
                        raise one.error from _Elsewhere(one.traceback)
                    yield place, one


class _Actor:
    """Scores batches on a machine of the cluster."""

    def __init__(self, version: str, scorer: bytes) -> None:
        self._version = version
        self._pickled = scorer

    @functools.cached_property
    def _scorer(self) -> Scorer:
        if self._version != __version__:
            raise RuntimeError(
                f"swapnas is {self._version} where work is given out and {__version__} on a machine of the Ray "
                "cluster; install the same on both"
            )
        scorer: Scorer = _silently(lambda: pickle.loads(self._pickled))
        return scorer

    def __call__(self, batch: "pyarrow.Table") -> "pyarrow.Table":
        archs = [pickle.loads(arch) for arch in batch["arch"].to_pylist()]
        found: list[Any]
        try:
            found = _silently(lambda: self._scorer.score(archs, strict=False, progress=False))
        except Exception as error:
            # In place of the first of the batch, so that it is raised as it would be without Ray.
            found = [_Raised(error, traceback.format_exc())]
        pickled = pyarrow.array([ray.cloudpickle.dumps(one) for one in found], pyarrow.large_binary())
        return pyarrow.table({"place": batch["place"][: len(found)], "scored": pickled})


class _Raised(NamedTuple):
    """What ended a batch."""

    error: Exception
    traceback: str


class _Elsewhere(Exception):
    """The traceback of an exception on another machine, which stands above that of this one."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@contextlib.contextmanager
def _bars(shown: bool) -> Iterator[None]:
    """Has Ray show no bars, unless they are to be shown."""
    context = ray.data.DataContext.get_current()
    before = context.enable_progress_bars
    context.enable_progress_bars = before and shown
    try:
        yield
    finally:
        context.enable_progress_bars = before


def _silently(function: Callable[[], Any]) -> Any:
    """What the function returns, without its warnings: they are for whoever sees the whole list."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function()


def _scorer(space: Union[str, Space], threads: int, options: Mapping[str, Any]) -> Scorer:
    scorer = Scorer(space, threads=threads, **options)
    for column in filter(is_aggregate, scorer.metrics):
        raise ValueError(
            f"`{plain(column)}` is made of ranks in the whole list, of which an actor has but a part; give the metrics "
            "that it is made of"
        )
    return scorer


def _list(archs: Iterable[Any]) -> Iterable[Any]:
    if isinstance(archs, (str, bytes, dict)):
        raise TypeError(f"give a list of architectures, not a single {type(archs).__name__}")
    return archs


def _pickled(arch: Any) -> bytes:
    """An architecture as it is sent to an actor: one that is neither text nor dictionary is read from its text."""
    return pickle.dumps(arch if isinstance(arch, (str, dict)) else str(arch))


def _read_all(archs: Iterable[Any], space: Space) -> None:
    """Says what is wrong with the first architecture that cannot be read, before anything is scored."""
    for index, arch in enumerate(archs):
        try:
            space.parse(arch)
        except ValueError as error:
            raise ValueError(f"number {index} of the list: {error}") from None


def _warn(scored: Sequence[Scored]) -> None:
    """Warns of what every machine has kept to itself."""
    refused, saturated = sum(one.refused is not None for one in scored), sum(one.saturated for one in scored)
    if refused:
        networks, were = "network" if len(scored) == 1 else "networks", "was" if refused == 1 else "were"
        some = f"all {refused}" if refused == len(scored) else f"{refused} of {len(scored)}"
        warnings.warn(f"{some} {networks} {were} refused; `refused` of each says why", stacklevel=4)
    if saturated:
        warnings.warn(
            f"saturated: {saturated} of {len(scored)} networks have nearly as many patterns as there can be, so their "
            "SWAP-Scores say little; change batch",
            stacklevel=4,
        )
