"""Spaces as parameters of Optuna, and the sampler."""

import itertools
import pickle
import random
import subprocess
import sys
import tempfile
import unittest
import warnings
from pathlib import Path

import swapnas
from needed import package
from swapnas import _choices

optuna = package("optuna")

SMALL = dict(channels=4, cells=1, size=8, threads=1, candidates=12, population=4, sample=3)
REORDERED = ["darts", "nb301", "nb101"]


def architectures(space, values=None):
    """All architectures that choices can lead to; ``values`` takes what is known of a choice and gives the values to
    follow."""

    class Open(Exception):
        pass

    def follow(made):
        def choose(name, offered):
            if name not in made:
                raise Open(name, offered)
            return made[name]

        try:
            yield _choices.build(space, choose)
        except Open as choice:
            name, offered = choice.args
            for value in offered if values is None else values(name, offered):
                yield from follow({**made, name: value})

    return list(follow({}))


class Choices(unittest.TestCase):
    def test_small_spaces_are_suggested_as_a_whole(self):
        for name in ["nb201", "nats-sss", "transnas-micro", "transnas-macro", "nbmacro"]:
            with self.subTest(space=name):
                space = swapnas.Space(name)
                self.assertEqual(sorted(architectures(space)), sorted(space.all()))

    def test_cells_of_nb101_are_all_in_which_every_vertex_matters(self):
        space = swapnas.Space("nb101")
        most, operation = 5, "maxpool3x3"

        def followed(name, offered):
            if name == "vertices":
                return range(2, most + 1)
            return [operation] if name.startswith("vertex") else offered

        expected = []
        for vertices in range(2, most + 1):
            pairs = list(itertools.combinations(range(vertices), 2))
            for edges in itertools.chain.from_iterable(itertools.combinations(pairs, n) for n in range(10)):
                sources, targets = ({edge[end] for edge in edges} for end in (0, 1))
                if len(sources) == len(targets) == vertices - 1:
                    matrix = [[int((a, b) in edges) for b in range(vertices)] for a in range(vertices)]
                    ops = ["input", *[operation] * (vertices - 2), "output"]
                    expected.append(space.parse({"matrix": matrix, "ops": ops}))
        self.assertEqual(sorted(architectures(space, followed)), sorted(expected))

    def test_every_space_there_and_back(self):
        rng = random.Random(0)
        for name in swapnas.spaces():
            with self.subTest(space=name):
                space = swapnas.Space(name)
                sample = space.sample(100)
                for arch in sample + space.neighbours(sample[0]):
                    choices = _choices.choices(space, arch)
                    again = _choices.build(space, lambda name, _: choices[name].value)
                    self.assertEqual(again, space.canonical(arch) if name in REORDERED else arch)
                for _ in range(100):
                    made = {}

                    def choose(name, values):
                        self.assertNotIn(name, made)
                        made[name] = _choices.Choice(rng.choice(values), tuple(values))
                        return made[name].value

                    arch = _choices.build(space, choose)
                    choices = _choices.choices(space, arch)
                    if name != "nb101":  # Where it may be another cell that is isomorphic.
                        self.assertEqual(choices, made)
                    again = _choices.build(space, lambda name, _: choices[name].value)
                    self.assertEqual(space.canonical(again), space.canonical(arch))

    def test_what_is_never_suggested(self):
        space = swapnas.Space("darts")
        genotype = space.to_dict(space.sample(1)[0])
        without = [["none", 0], *genotype["normal"][1:]]
        for message, changed in [
            ("`normal edge 0-2` is none, and not one of max_pool_3x3, ", {"normal": without}),
            ("it is none of the .* architectures of darts", {"normal_concat": [2, 3, 4]}),
        ]:
            with self.assertRaisesRegex(ValueError, "cannot be suggested: " + message):
                _choices.choices(space, {**genotype, **changed})


@unittest.skipIf(optuna is None, "there is no Optuna")
class Suggestions(unittest.TestCase):
    def test_architectures_and_parameters(self):
        parameters = swapnas.optuna.parameters_of("nb201", 4321)
        self.assertEqual(list(parameters), ["edge 0-1", "edge 0-2", "edge 1-2", "edge 0-3", "edge 1-3", "edge 2-3"])
        trial = optuna.trial.FixedTrial(parameters)
        for space in ["nb201", swapnas.Space("nb201")]:
            self.assertEqual(swapnas.optuna.suggest(space, trial), swapnas.Space("nb201").parse(4321))
        with self.assertRaisesRegex(ValueError, "nb202"):
            swapnas.optuna.suggest("nb202", trial)

    def test_what_other_samplers_suggest(self):
        for name in swapnas.spaces():
            with self.subTest(space=name):
                study = quiet(optuna.create_study)(sampler=optuna.samplers.RandomSampler(seed=0))
                for _ in range(5):
                    trial = study.ask()
                    arch = swapnas.optuna.suggest(name, trial)
                    self.assertEqual(swapnas.Space(name).parse(arch), arch)
                    study.tell(trial, 0.0)
                    self.assertEqual(swapnas.optuna.suggest(name, study.trials[-1]), arch)


def finished(choices):
    """A trial with the architecture of these choices."""
    return optuna.create_trial(
        value=0.0,
        params={name: choice.value for name, choice in choices.items()},
        distributions={name: optuna.distributions.CategoricalDistribution(of.values) for name, of in choices.items()},
    )


def quiet(function):
    """The function, with nothing said of trials and studies."""

    def called(*arguments, **options):
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        return function(*arguments, **options)

    return called


@unittest.skipIf(optuna is None, "there is no Optuna")
class Sampler(unittest.TestCase):
    def setUp(self):
        self.space = swapnas.Space("nb201")
        self.scorer = swapnas.Scorer("nb201", metrics="params,swap", channels=4, cells=1, size=8, threads=1)

    def sampler(self, **options):
        return swapnas.optuna.SwapSampler("nb201", **{**SMALL, **options})

    def study(self, sampler=None, direction="maximize", **options):
        sampler = sampler or self.sampler()
        create = quiet(optuna.create_study)
        return create(sampler=sampler, **({} if "directions" in options else {"direction": direction}), **options)

    def value(self, arch, metric="params"):
        return self.scorer.score([arch], progress=False)[0][metric]

    def run_trials(self, study, count, **options):
        study.optimize(lambda trial: self.value(swapnas.optuna.suggest("nb201", trial)), n_trials=count, **options)
        return [swapnas.optuna.suggest("nb201", trial) for trial in study.trials]

    def test_the_best_of_what_was_drawn_is_proposed(self):
        # With as many candidates as this, the first has one of the largest scores of all.
        arch, *_ = self.run_trials(self.study(self.sampler(candidates=500, metric="params")), 1)
        sizes = [one["params"] for one in self.scorer.score(self.space.sample(200, seed=7), progress=False)]
        self.assertGreaterEqual(self.value(arch), max(sizes))
        # Of this metric, small values are good.
        ranked = {
            sign: self.value(self.run_trials(self.study(self.sampler(metric=metric)), 1)[0])
            for sign, metric in [
                (1, swapnas.Metric(lambda network: network.params, name="size")),
                (-1, swapnas.Metric(lambda network: network.params, name="size", lower_is_better=True)),
            ]
        }
        self.assertGreater(ranked[1], ranked[-1])

    def enqueued(self, indices, **options):
        """A study in which these architectures are the first."""
        study = self.study(**options)
        for index in indices:
            study.enqueue_trial(swapnas.optuna.parameters_of("nb201", index))
        return study

    def test_children_of_the_best_are_proposed(self):
        first = [0, 4321, 15624, 77]
        study = self.enqueued(first)
        archs = self.run_trials(study, 5)
        self.assertEqual(archs[:4], [self.space.parse(index) for index in first])
        by_value = sorted(archs[:4], key=self.value)
        # Three of four take part in a tournament, so the last two of the list never win.
        parents = by_value[2:]
        self.assertTrue(any(archs[4] in self.space.neighbours(parent) for parent in parents))
        child = self.run_trials(self.enqueued(first, direction="minimize"), 5)[4]
        self.assertTrue(any(child in self.space.neighbours(parent) for parent in by_value[:2]))

    def test_the_oldest_leave_the_population(self):
        large = [arch for arch in self.space.all() if arch.count("nor_conv_3x3") >= 5][:4]
        small = ["|none~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|none~2|", *self.space.all()[1000:1003]]
        archs = self.run_trials(self.enqueued([*large, *small]), 9)
        self.assertLess(max(map(self.value, small)), min(map(self.value, large)))
        self.assertTrue(any(archs[8] in self.space.neighbours(parent) for parent in small))

    def test_a_study_that_is_resumed_goes_on_as_one_that_was_not_stopped(self):
        whole = self.run_trials(self.study(), 12)
        self.assertEqual(len({self.space.canonical(arch) for arch in whole}), 12)
        self.assertNotEqual(whole, self.run_trials(self.study(self.sampler(seed=1)), 12))
        with tempfile.TemporaryDirectory() as folder:
            named = dict(storage=f"sqlite:///{Path(folder) / 'study.db'}", study_name="nb201")
            self.run_trials(self.study(**named), 7)
            sampler = pickle.loads(pickle.dumps(self.sampler()))
            study = quiet(optuna.load_study)(sampler=sampler, **named)
            self.assertEqual(self.run_trials(study, 5), whole)
            study._storage.remove_session()

    def test_batches_and_several_objectives(self):
        def archs():
            study = self.study(directions=["maximize", "minimize"])
            asked = []
            for _ in range(3):
                trials = [study.ask() for _ in range(4)]
                batch = [swapnas.optuna.suggest("nb201", trial) for trial in trials]
                for trial, arch in zip(trials, batch):
                    study.tell(trial, [self.value(arch, "swap"), self.value(arch)])
                asked += batch
            return asked

        first = archs()
        self.assertEqual(len({self.space.canonical(arch) for arch in first}), 12)
        self.assertEqual(archs(), first)

    def test_trials_that_fail_or_are_pruned_are_not_proposed_again(self):
        study = self.study()
        seen = set()
        for end in [optuna.trial.TrialState.FAIL, optuna.trial.TrialState.PRUNED, None] * 4:
            trial = study.ask()
            function = self.space.canonical(swapnas.optuna.suggest("nb201", trial))
            self.assertNotIn(function, seen)
            seen.add(function)
            if end is not None:
                study.tell(trial, state=end)

    def test_only_complete_trials_are_parents(self):
        proposed = []
        for state in [optuna.trial.TrialState.FAIL, optuna.trial.TrialState.PRUNED]:
            study = self.study()
            for index in range(5):
                trial = study.ask()
                swapnas.optuna.suggest("nb201", trial)
                trial.report(index, step=0)
                study.tell(trial, state=state)
            proposed.append(swapnas.optuna.suggest("nb201", study.ask()))
        self.assertEqual(*proposed)

    def test_what_is_enqueued_is_not_proposed(self):
        second = self.run_trials(self.study(), 2)[1]
        study = self.enqueued([second])
        study.ask()
        self.assertNotEqual(swapnas.optuna.suggest("nb201", study.ask()), second)

    def test_workers_do_not_propose_the_same(self):
        archs = self.run_trials(self.study(), 30, n_jobs=3)
        self.assertEqual(len({self.space.canonical(arch) for arch in archs}), 30)

    def test_a_space_that_is_used_up(self):
        sampler = swapnas.optuna.SwapSampler("nb201", **{**SMALL, "metric": "params"})
        study = self.study(sampler)
        functions = {self.space.canonical(arch) for arch in self.space.all()}
        left = self.space.canonical(4321)
        for arch in functions - {left}:
            study.add_trial(finished(_choices.choices(self.space, arch)))
        self.assertEqual(self.space.canonical(swapnas.optuna.suggest("nb201", study.ask())), left)
        swapnas.optuna.suggest("nb201", study.ask())

    def test_further_parameters(self):
        def objective(trial):
            rate = trial.suggest_float("rate", 1e-3, 1.0, log=True)
            return rate * self.value(swapnas.optuna.suggest("nb201", trial))

        studies = [self.study() for _ in range(2)]
        for study in studies:
            study.optimize(objective, n_trials=6)
        self.assertEqual(studies[0].trials_dataframe()["params_rate"].nunique() if package("pandas") else 6, 6)
        self.assertEqual([trial.params for trial in studies[0].trials], [trial.params for trial in studies[1].trials])

    def test_some_parameters_are_fixed(self):
        fixed = {"edge 0-1": "nor_conv_3x3"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # It is experimental.
            study = self.study(optuna.samplers.PartialFixedSampler(fixed, self.sampler()))
        for arch in self.run_trials(study, 3):
            self.assertTrue(arch.startswith("|nor_conv_3x3~0|"))
        study = self.study()
        study.enqueue_trial(fixed)
        self.assertTrue(self.run_trials(study, 1)[0].startswith("|nor_conv_3x3~0|"))

    def test_spaces_whose_parameters_depend_on_others(self):
        for name in REORDERED[1:]:
            sampler = swapnas.optuna.SwapSampler(name, **{**SMALL, "metric": "params"})
            study = self.study(sampler)
            for _ in range(8):
                trial = study.ask()
                arch = swapnas.optuna.suggest(name, trial)
                space, proposed = sampler._space, study.trials[-1].system_attrs["swapnas:proposed"]
                self.assertEqual(space.canonical(proposed), space.canonical(arch))
                study.tell(trial, len(arch))

    def test_mistakes(self):
        with self.assertRaisesRegex(ValueError, "candidates cannot be 0; give a number from 1 on"):
            self.sampler(candidates=0)
        with self.assertRaisesRegex(TypeError, "no argument `metrics`; give one `metric`"):
            self.sampler(metrics="swap")
        with self.assertRaisesRegex(ValueError, "swop"):
            self.sampler(metric="swop")


class Missing(unittest.TestCase):
    def test_what_to_install(self):
        words = [sys.executable, "-c", "import sys; sys.modules['optuna'] = None; import swapnas; swapnas.optuna"]
        said = subprocess.run(words, capture_output=True, text=True).stderr
        self.assertIn("ImportError: swapnas.optuna needs Optuna: pip install swapnas[optuna]", said)


if __name__ == "__main__":
    unittest.main()
