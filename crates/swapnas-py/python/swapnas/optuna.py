"""Search spaces and a sampler for Optuna: ``pip install swapnas[optuna]``.

>>> import optuna, swapnas
>>> def objective(trial):
...     arch = swapnas.optuna.suggest("nb201", trial)
...     return train_and_test(swapnas.torch_module(arch, "nb201"))
>>> study = optuna.create_study(direction="maximize", sampler=swapnas.optuna.SwapSampler("nb201"))
>>> study.enqueue_trial(swapnas.optuna.parameters_of("nb201", 4321))
>>> study.optimize(objective, n_trials=100)
>>> best = swapnas.optuna.suggest("nb201", study.best_trial)
"""

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Optional, Union

from . import _choices
from ._aggregates import is_aggregate
from ._network import Network
from ._swapnas import Scorer, Space

try:
    from optuna.distributions import BaseDistribution, CategoricalDistribution
    from optuna.samplers import BaseSampler, RandomSampler
    from optuna.study import Study, StudyDirection
    from optuna.trial import BaseTrial, FrozenTrial, TrialState
except ImportError as error:
    raise ImportError("swapnas.optuna needs Optuna: pip install swapnas[optuna]") from error

__all__ = ["SwapSampler", "parameters_of", "suggest"]


def suggest(space: Union[str, Space], trial: BaseTrial) -> str:
    """An architecture of the space, in the canonical encoding, whose parts the trial suggests.

    Parameters are categorical and have names such as ``edge 0-1`` or ``stage 3 kernel``. One that depends on others is
    suggested only where there is something to choose: ``normal edge 2-4`` of darts if node 4 reads state 2,
    ``block 14 num_heads`` of autoformer if there are so many blocks. Every architecture of the space can be suggested,
    and nothing else; where some are the same but for the order of edges or vertices (darts, nb301, nb101), one of
    them. Of a finished trial, or an ``optuna.trial.FixedTrial`` with its parameters, it is the architecture.
    """
    return _choices.build(_space(space), lambda name, values: trial.suggest_categorical(name, values))


def parameters_of(space: Union[str, Space], arch: Any) -> dict[str, _choices.Value]:
    """The parameters with which `suggest` yields an architecture, or the one of those that are the same but for the
    order of edges or vertices which can be suggested: what ``study.enqueue_trial`` takes.

    Raises ``ValueError`` if that is none of the space: DARTS cells are never suggested with ``none``, say.
    """
    return {name: choice.value for name, choice in _choices.choices(_space(space), arch).items()}


class SwapSampler(BaseSampler):
    """Proposes the architecture that looks best without training, among some that are near the best trials.

    It is evolution with the candidates of each step sifted by a metric that takes no training. Trial number n gets its
    architecture so:

    1. Until ``population`` trials of the study are complete, candidates are drawn uniformly from the space. From then
       on each candidate is a mutation of a parent, the best of ``sample`` trials that are drawn among the last
       ``population`` complete ones; with several objectives, one that no other of these dominates.
    2. Candidates that compute the same function as an architecture of another trial, whatever became of that, are left
       out. If none is left, more and more are drawn uniformly.
    3. What is left is scored, and the best by ``metric`` is proposed, the first drawn of equally good ones.

    All draws depend on the seed and n alone, so a proposal depends on nothing but the seed and the trials that are
    there when it is made: a study that is resumed goes on as if it had not been stopped. Any number of workers may
    share a study, with the same seed; a proposal is noted in the storage at once, so others leave it out. Parameters
    that are fixed, as those of an enqueued trial, stay as they are, and what the objective suggests besides `suggest`
    of this space is drawn at random.

    metric: a name as `swapnas.metrics` lists them, an aggregate such as ``rank(swap,synflow)``, or a function that
    takes a `swapnas.Network`.
    candidates: how many are drawn for a trial.
    options: further arguments of `swapnas.Scorer`, such as ``inputs``, ``channels`` or ``threads``.
    """

    def __init__(
        self,
        space: Union[str, Space] = "darts",
        *,
        metric: Union[str, Callable[[Network], Optional[float]]] = "swap",
        candidates: int = 50,
        population: int = 20,
        sample: int = 10,
        seed: int = 0,
        **options: Any,
    ) -> None:
        for name, number in [("candidates", candidates), ("population", population), ("sample", sample)]:
            if number < 1:
                raise ValueError(f"{name} cannot be {number}; give a number from 1 on")
        if "metrics" in options:
            raise TypeError("SwapSampler takes no argument `metrics`; give one `metric`, or rank(...) of several")
        self._space = _space(space)
        self._scorer = Scorer(self._space, metrics=_ranked(metric), seed=seed, **options)
        self._candidates = candidates
        self._population = population
        self._sample = sample
        self._seed = seed

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The parameters of the architecture that is proposed, which go with it to `sample_relative`."""
        ordered = self._ordered(self._untried_candidates(study, trial))
        with _proposing:
            # Other workers may have taken some while these were scored.
            arch = next(iter(self._untried(ordered, self._others(study, trial))), ordered[0])
            study._storage.set_trial_system_attr(trial._trial_id, _PROPOSED, arch)
        return _Proposal(_choices.choices(self._space, arch))

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if not isinstance(search_space, _Proposal):
            return {}
        # Somebody may have taken parameters out, to fix them.
        return {name: search_space.values_by_name[name] for name in search_space}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        seed = random.Random(f"{self._seed} {trial.number} {param_name}").getrandbits(32)
        return RandomSampler(seed).sample_independent(study, trial, param_name, param_distribution)

    def reseed_rng(self) -> None:
        """Does nothing: draws of two workers differ since the numbers of their trials do."""

    def _untried_candidates(self, study: Study, trial: FrozenTrial) -> list[str]:
        """The candidates for a trial; where all that are drawn are tried, one of these."""
        rng = random.Random(f"{self._seed} {trial.number}")
        trials = self._others(study, trial)
        complete = [one for one in trials if one.values is not None]
        if len(complete) < self._population:
            drawn = self._drawn(rng, self._candidates)
        else:
            parents = self._winners(rng, complete[-self._population :], study.directions)
            drawn = [self._space.mutate(parent.arch, seed=rng.getrandbits(63)) for parent in parents]
        untried = self._untried(drawn, trials)
        for times in (1, 4, 16, 64, 256, 1024):
            untried = untried or self._untried(self._drawn(rng, times * self._candidates), trials)
        return untried or drawn[:1]

    def _others(self, study: Study, trial: FrozenTrial) -> list["_Tried"]:
        """All other trials that have an architecture, by number."""
        # Those of the storage, since some pruners show a trial only part of the study.
        trials = study._storage.get_all_trials(study._study_id, deepcopy=False)
        others = sorted((one for one in trials if one.number != trial.number), key=lambda one: one.number)
        tried = ((self._architecture(one), one) for one in others)
        return [
            _Tried(arch, tuple(one.values) if one.state == TrialState.COMPLETE else None)
            for arch, one in tried
            if arch is not None
        ]

    def _architecture(self, trial: FrozenTrial) -> Optional[str]:
        """The architecture that a trial has, or will have."""
        params = {**trial.system_attrs.get(_FIXED, {}), **trial.params}
        try:
            return _choices.build(self._space, lambda name, _: params[name])
        except (KeyError, ValueError):
            pass
        try:
            return self._space.parse(trial.system_attrs[_PROPOSED])
        except (KeyError, ValueError):
            return None

    def _winners(
        self, rng: random.Random, population: Sequence["_Tried"], directions: Sequence[StudyDirection]
    ) -> Iterator["_Tried"]:
        """The winner of a tournament for each candidate."""
        signs = [1 if direction == StudyDirection.MAXIMIZE else -1 for direction in directions]
        # Larger ones are better.
        values = {one: [sign * value for sign, value in zip(signs, one.values or ())] for one in population}

        def dominates(a: "_Tried", b: "_Tried") -> bool:
            return values[a] != values[b] and all(x >= y for x, y in zip(values[a], values[b]))

        for _ in range(self._candidates):
            drawn = rng.sample(population, min(self._sample, len(population)))
            yield rng.choice([one for one in drawn if not any(dominates(other, one) for other in drawn)])

    def _drawn(self, rng: random.Random, count: int) -> list[str]:
        return self._space.sample(count, seed=rng.getrandbits(63))

    def _untried(self, archs: Iterable[str], trials: Iterable["_Tried"]) -> list[str]:
        """Those that compute something that no trial does, each function once."""
        seen = {self._space.canonical(one.arch) for one in trials}
        untried = []
        for arch in archs:
            function = self._space.canonical(arch)
            if function not in seen:
                seen.add(function)
                untried.append(arch)
        return untried

    def _ordered(self, archs: Sequence[str]) -> list[str]:
        """The best first; those for which the metric is undefined last."""
        column = self._scorer.metrics[-1]
        scores = [one.scores[column] for one in self._scorer.score(archs, strict=False, progress=False)]
        values = [float("-inf") if score is None else score for score in scores]
        return [archs[place] for place in sorted(range(len(archs)), key=lambda place: -values[place])]


_proposing = threading.Lock()
"""Held while a thread chooses one of its candidates and notes it in the storage."""

_FIXED = "fixed_params"
"""Where Optuna keeps the parameters of a trial that was enqueued."""

_PROPOSED = "swapnas:proposed"
"""Where the storage has the architecture that is proposed for a trial, until its parameters say so."""


class _Tried(NamedTuple):
    """What is known of a trial: its architecture, and the values of its objectives if it is complete."""

    arch: str
    values: Optional[tuple[float, ...]]


class _Proposal(dict[str, BaseDistribution]):
    """The distributions of a proposal's parameters, and the values that these have in it."""

    def __init__(self, choices: dict[str, _choices.Choice]) -> None:
        super().__init__({name: CategoricalDistribution(choice.values) for name, choice in choices.items()})
        self.values_by_name = {name: choice.value for name, choice in choices.items()}


def _space(space: Union[str, Space]) -> Space:
    return space if isinstance(space, Space) else Space(space)


def _ranked(metric: Union[str, Callable[[Network], Optional[float]]]) -> Any:
    """Metrics of a scorer of which the last is an aggregate: of ranks, large ones are good, whatever the metric."""
    if not isinstance(metric, str):
        return [metric, f"rank({metric.__name__})"]
    return metric if is_aggregate(metric) else f"rank({metric})"
