"""Scoring on a Ray cluster, which is this machine."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import warnings
from pathlib import Path
from unittest import mock

# Else Ray writes a token into the folder of whoever runs the tests.
os.environ.setdefault("RAY_AUTH_MODE", "disabled")

import swapnas
from needed import package

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Ray warns of itself.
    ray = package("ray")
    pyarrow = package("pyarrow")

NETWORK = dict(channels=4, cells=1, size=8)
METRICS = "swap,ntk,snip,params"


@unittest.skipIf(ray is None or pyarrow is None, "there is no Ray with its data library")
class Cluster(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
            cls.addClassCleanup(ray.shutdown)
        cls.space = swapnas.Space("nb201")

    def setUp(self):
        # Only what this package warns of is an error.
        caught = warnings.catch_warnings()
        caught.__enter__()
        self.addCleanup(caught.__exit__, None, None, None)
        warnings.simplefilter("ignore")
        warnings.filterwarnings("default", category=UserWarning, module=__name__)

    def score(self, archs, **options):
        return swapnas.ray.score(archs, "nb201", **{"progress": False, **NETWORK, **options})

    def correlate(self, archs, accuracies, **options):
        return swapnas.ray.correlate(archs, accuracies, "nb201", **{"progress": False, **NETWORK, **options})

    def test_scores_are_those_of_one_machine(self):
        archs = [*self.space.sample(20), 4321, "oh", self.space.to_dict(7), {"nodes": 3}]
        with self.assertWarnsRegex(UserWarning, "^2 of 24 networks were refused; `refused` of each says why$"):
            here = swapnas.score(archs, "nb201", metrics=METRICS, progress=False, **NETWORK)
        self.assertIsNotNone(here[21].refused)
        for options in [{}, dict(actors=1, threads=2), dict(actors=2, batch_size=5), dict(actors=3, batch_size=100)]:
            with self.subTest(options=options):
                with self.assertWarnsRegex(UserWarning, "^2 of 24 networks were refused; `refused` of each says why$"):
                    self.assertEqual(self.score(archs, metrics=METRICS, **options), here)
        self.assertEqual(self.score([], metrics=METRICS), [])

    def test_the_order_is_that_of_the_list(self):
        archs = self.space.sample(8, seed=2)
        largest = max(swapnas.score(archs, "nb201", metrics="params", **NETWORK), key=lambda one: one["params"])
        archs.insert(0, archs.pop(archs.index(largest.arch)))

        def slow(network):
            if network.params == largest.params:
                time.sleep(4)
            return float(network.params)

        found = self.score(archs, metrics=[slow], actors=2, batch_size=1)
        self.assertEqual([one.arch for one in found], archs)

    @unittest.skipIf(os.name == "nt", "signals are others there")
    def test_what_is_told_of_the_way(self):
        calls = []
        scored = self.score(range(10), metrics="params", progress=lambda *call: calls.append(call), batch_size=3)
        self.assertEqual(calls, [(done, 10) for done in range(1, 11)])
        with self.assertWarnsRegex(UserWarning, "^saturated: 10 of 10 networks have nearly as many patterns"):
            self.assertTrue(all(one.saturated for one in self.score([15624] * 10, metrics="swap", batch=2, size=32)))

        def press(done, total):
            if done == 4:
                os.kill(os.getpid(), signal.SIGINT)

        with self.assertRaisesRegex(swapnas.Interrupted, "what was finished is in `scored`") as stopped:
            self.score(range(10), metrics="params", progress=press, batch_size=1)
        finished = [one for one in stopped.exception.scored if one is not None]
        self.assertTrue(4 <= len(finished) < 10 and len(stopped.exception.scored) == 10)
        self.assertTrue(all(one in scored for one in finished))

    def test_correlations_are_those_of_one_machine(self):
        archs = self.space.sample(40, seed=1)
        rng = random.Random(0)
        accuracies = [rng.uniform(50, 95) for _ in archs]

        def lucky(network):
            if network.params % 3:
                raise swapnas.UndefinedError(f"{network.params % 3} is left")
            return network.macs

        def alone(network):
            if network.params != largest:
                raise swapnas.UndefinedError("it is not the largest")
            return 1.0

        largest = max(one.params for one in swapnas.score(archs, "nb201", metrics="params", **NETWORK))
        functions = [lucky, alone, swapnas.Metric(lambda network: network.units, name="few", lower_is_better=True)]
        columns = {"given": [None if place % 3 else place for place in range(40)]}
        for options in [
            dict(metrics=[METRICS, "blocks", *functions], columns=columns, compare=True),
            dict(metrics=METRICS, seed=3),
            dict(columns=columns),
        ]:
            here = swapnas.correlate(archs, accuracies, "nb201", progress=False, **NETWORK, **options)
            found = self.correlate(archs, accuracies, **options)
            self.assertEqual(list(found), list(here))
            for name in here:
                with self.subTest(options=list(options), metric=name):
                    self.assertEqual(found[name], here[name])
            self.assertEqual(found.comparison, here.comparison)
        self.assertEqual(here["given"].undefined, 26)

    @unittest.skipIf(os.name == "nt", "signals are others there")
    def test_an_actor_that_dies_costs_its_batch(self):
        batch_size, count = 4, 24
        with tempfile.TemporaryDirectory() as folder:
            calls, died = Path(folder) / "calls", Path(folder) / "died"

            def deadly(network):
                with open(calls, "a") as file:
                    file.write(".")
                if calls.stat().st_size > count // 2 and not died.exists():
                    died.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
                return float(network.params)

            archs = self.space.sample(count)
            scored = self.score(archs, metrics=[deadly, "swap"], actors=2, batch_size=batch_size)
            self.assertTrue(died.exists())
            self.assertLessEqual(calls.stat().st_size, count + batch_size)
            self.assertGreater(calls.stat().st_size, count)
            here = swapnas.score(archs, "nb201", metrics=[deadly, "swap"], progress=False, **NETWORK)
            self.assertEqual(scored, here)

    def test_mistakes(self):
        ranks = "rank(swap,snip)"

        def broken(network):
            return {}["nothing"]

        for error, message, archs, options in [
            (ValueError, "cannot read the architecture `oh`", ["oh"], {}),
            (ValueError, "number 1 of the list: cannot read the architecture `oh`", [1, "oh"], dict(strict=True)),
            (ValueError, "has no network `swap`; it has benchmark", [1, 2], dict(network="swap")),
            (KeyError, "nothing", [1, 2], dict(metrics=[broken])),
            (ValueError, r"`rank\(swap,snip\)` is made of ranks .*; give the metrics", [1], dict(metrics=ranks)),
            (ValueError, "`te-nas` is made of ranks", [1], dict(metrics="te-nas")),
            (TypeError, "no argument `seeds`", [1], dict(seeds=2)),
            (TypeError, "list of architectures, not a single str", "4321", {}),
            (TypeError, "progress is a function", [1], dict(progress=3)),
            (ValueError, "actors cannot be 0; give a whole number from 1 on", [1], dict(actors=0)),
            (ValueError, "batch_size cannot be 1.5", [1], dict(batch_size=1.5)),
            (ValueError, "no machine of the Ray cluster has the 3 CPUs of an actor", [1], dict(threads=3)),
        ]:
            with self.subTest(options=options):
                with self.assertRaisesRegex(error, message):
                    self.score(archs, **{"metrics": "params", **options})
        with mock.patch.object(swapnas.ray, "__version__", "0.0.0"):
            with self.assertRaisesRegex(RuntimeError, "swapnas is 0.0.0 where work is given out and"):
                self.score([1, 2], metrics="params")
        for message, archs, accuracies, options in [
            ("there are 2 architectures, but 1 accuracies; give one for each", [1, 2], [1], {}),
            ("a correlation takes two architectures", [1], [1], {}),
            ("number 1 of the list: cannot read", [1, "oh"], [1, 2], {}),
            ("column `x`; give one for each", [1, 2], [1, 2], dict(columns={"x": [1]})),
            ("`params` is a metric that is computed too", [1, 2], [1, 2], dict(columns={"params": [1, 2]})),
        ]:
            with self.subTest(message=message):
                with self.assertRaisesRegex(ValueError, message):
                    self.correlate(archs, accuracies, metrics="params", **options)


class Missing(unittest.TestCase):
    def test_what_to_install(self):
        words = [sys.executable, "-c", "import sys; sys.modules['ray'] = None; import swapnas; swapnas.ray"]
        said = subprocess.run(words, capture_output=True, text=True).stderr
        self.assertIn("ImportError: swapnas.ray needs Ray with its data library: pip install swapnas[ray]", said)


if __name__ == "__main__":
    unittest.main()
