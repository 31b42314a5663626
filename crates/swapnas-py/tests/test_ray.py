"""Scoring and searching on a Ray cluster, which is this machine."""

import contextlib
import os
import random
import signal
import sqlite3
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

NETWORK = dict(channels=4, cells=1, size=8)
METRICS = "swap,ntk,snip,params,rank(swap,snip),te-nas,logrank(params,ntk)"
SEARCH = dict(**NETWORK, repeats=1, cycles=5, population=6, sample=3, mutations=4)
FILES = ["best.json", "history.csv", "report.html"]


def evaluations(folder):
    """All that the database of a run says of its evaluations, in whatever order they came."""
    with contextlib.closing(sqlite3.connect(folder / "run.db")) as database:
        of_archs = "SELECT arch, params, macs, units, trained_params, trained_macs, latency, saturation, ceiling"
        rows = database.execute(f"{of_archs} FROM evaluations ORDER BY arch").fetchall()
        scores = "SELECT arch, metric, mean, std, reason FROM scores JOIN evaluations ON evaluation = id"
        return rows, database.execute(f"{scores} ORDER BY arch, metric").fetchall()


@unittest.skipIf(ray is None, "there is no Ray")
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
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def killer(self, kills, name="deadly"):
        """A metric that kills its process for networks of so many parameters, and writes down that it was called."""
        calls = self.folder / name

        def deadly(network):
            with open(calls, "a") as file:
                file.write(f"{network.params}\n")
            if kills(network, calls.read_text().split()):
                os.kill(os.getpid(), signal.SIGKILL)
            return float(network.params)

        return deadly, lambda: [int(line) for line in calls.read_text().split()]

    def score(self, archs, **options):
        return swapnas.ray.score(archs, "nb201", **{"progress": False, **NETWORK, **options})

    def search(self, name, **options):
        return swapnas.ray.search("nb201", folder=self.folder / name, progress=False, **{**SEARCH, **options})

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

    def test_datasets(self):
        if package("pandas") is None or package("pyarrow") is None:
            self.skipTest("there is no pandas or pyarrow, of which datasets are made")
        import ray.data

        archs = [*self.space.sample(20), "oh"]
        given = [{"arch": arch, "place": place} for place, arch in enumerate(archs)]
        options = dict(space="nb201", metrics="swap,grasp", threads=1, **NETWORK)
        ray.data.DataContext.get_current().enable_progress_bars = False

        def scored(**more):
            kwargs = dict(fn_constructor_kwargs={**options, **more}, concurrency=2, num_cpus=1, batch_size=5)
            return ray.data.from_items(given).map_batches(swapnas.ray.DatasetScorer, **kwargs).take_all()

        found = {row["place"]: row for row in scored()}
        with self.assertWarnsRegex(UserWarning, "^1 of 21 networks was refused"):
            here = swapnas.score(archs, strict=False, progress=False, **options)
        for place, one in enumerate(here[:-1]):
            row = found.pop(place)
            self.assertEqual(row["arch"], one.arch)
            self.assertEqual([row["swap"], row["grasp"], row["macs"]], [one["swap"], one["grasp"], one.macs])
            self.assertEqual(row["reason"], "")
        (refused,) = found.values()
        self.assertNotEqual(refused["swap"], refused["swap"])
        self.assertEqual(refused["reason"], here[-1].refused)

        with self.assertRaisesRegex(ValueError, r"rank\(swap,snip\) ranks all networks"):
            swapnas.ray.DatasetScorer("nb201", metrics=METRICS, **NETWORK)
        with self.assertRaisesRegex(ValueError, "no column network; it has arch$"):
            swapnas.ray.DatasetScorer("nb201", column="network")({"arch": []})

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
        slow = swapnas.Metric(lambda network: time.sleep(0.2) or 1.0, name="slow")
        scored = self.score(range(10), metrics=[slow], progress=lambda *call: calls.append(call), batch_size=1)
        self.assertEqual((calls, calls[-1]), (sorted(set(calls)), (10, 10)))
        self.assertGreater(len(calls), 3)
        with self.assertWarnsRegex(UserWarning, r"^saturated: 10 of 10 .* nearly all of the 2\^2 patterns") as warned:
            self.assertTrue(all(one.saturated for one in self.score([15624] * 10, metrics="swap", batch=2, size=32)))
        self.assertEqual(warned.filename, __file__)

        def press(done, total):
            if done >= 4:
                os.kill(os.getpid(), signal.SIGINT)

        with self.assertRaisesRegex(swapnas.Interrupted, "what was finished is in `scored`") as stopped:
            self.score(range(10), metrics=[slow], progress=press, batch_size=1)
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

        def largest_alone(network):
            if network.params != largest:
                raise swapnas.UndefinedError("it is not the largest")
            return 1.0

        largest = max(one.params for one in swapnas.score(archs, "nb201", metrics="params", **NETWORK))
        few = swapnas.Metric(lambda network: network.units, name="few", lower_is_better=True)
        columns = {"given": [None if place % 3 else place for place in range(40)]}
        for options in [
            dict(metrics=[METRICS, "blocks", lucky, largest_alone, few], columns=columns, compare=True),
            dict(metrics=METRICS, seed=3, seeds=3, batch_size=7),
            dict(metrics=["swap", lucky, "rank(swap,lucky)"], seed=1, seeds=2, columns=columns),
            dict(columns=columns),
        ]:
            alone = {name: value for name, value in options.items() if name != "batch_size"}
            here = swapnas.correlate(archs, accuracies, "nb201", progress=False, **NETWORK, **alone)
            found = self.correlate(archs, accuracies, **options)
            self.assertEqual(list(found), list(here))
            for name in here:
                with self.subTest(options=list(options), metric=name):
                    self.assertEqual(found[name], here[name])
            self.assertEqual(found.comparison, here.comparison)
            self.assertEqual((found.scores, found.params), (here.scores, here.params))
        self.assertEqual(here["given"].undefined, 26)

    def test_a_search_is_that_of_one_machine(self):
        def mine(network):
            return float(network.units) / network.params

        few = swapnas.Metric(lambda network: network.units, name="few", lower_is_better=True)
        for name, options in [
            ("ranks", dict(metrics="rank(swap,params),swap,ntk")),
            ("functions", dict(metrics=[mine, few], algorithm="nsga2", sample=None, max_params="0.5M")),
            ("random", dict(metrics="swap", algorithm="random", sample=None)),
        ]:
            given = {**SEARCH, **options}
            here = swapnas.search("nb201", folder=self.folder / name, progress=False, **given)
            for elsewhere in [dict(actors=1, threads=2), dict(actors=2), dict(actors=3, batch_size=1)]:
                with self.subTest(name=name, elsewhere=elsewhere):
                    folder = f"{name}{elsewhere['actors']}"
                    found = self.search(folder, **elsewhere, **options)
                    self.assertEqual((found.best, found.command), (here.best, here.command))
                    for file in FILES:
                        self.assertEqual((found.folder / file).read_text(), (here.folder / file).read_text(), file)
                    self.assertEqual(evaluations(found.folder), evaluations(here.folder))

    @unittest.skipIf(os.name == "nt", "signals are others there")
    def test_a_search_goes_on_here_or_there(self):
        # Long enough that it is stopped before it is done, since the progress is looked at twenty times a second.
        slow = {**SEARCH, "repeats": 50}
        whole = swapnas.search("nb201", folder=self.folder / "whole", progress=False, **slow)

        def press(done, total):
            if done >= 8:
                os.kill(os.getpid(), signal.SIGINT)

        def on_ray(folder, progress):
            return swapnas.ray.search("nb201", folder=folder, progress=progress, actors=2, batch_size=1, **slow)

        def here(folder, progress):
            return swapnas.search("nb201", folder=folder, progress=progress, **slow)

        def on_ray_again(folder):
            return swapnas.ray.resume(folder, actors=2, progress=False)

        for name, begin, go_on in [
            ("there-here", on_ray, swapnas.resume),
            ("here-there", here, on_ray_again),
            ("there-there", on_ray, on_ray_again),
        ]:
            with self.subTest(name=name):
                folder = self.folder / name
                with self.assertRaisesRegex(swapnas.Interrupted, "go on with swapnas.resume") as stopped:
                    begin(folder, press)
                self.assertEqual(stopped.exception.folder, folder)
                finished, _ = evaluations(folder)
                self.assertTrue(8 <= len(finished) < whole.evaluations, len(finished))
                found = go_on(folder)
                self.assertTrue(found.complete)
                for file in ["best.json", "history.csv"]:
                    self.assertEqual((folder / file).read_text(), (whole.folder / file).read_text())
                self.assertEqual(evaluations(folder), evaluations(whole.folder))
        with self.assertRaisesRegex(FileExistsError, "already holds a run"):
            on_ray(whole.folder, False)
        with self.assertRaisesRegex(FileNotFoundError, "holds no run"):
            on_ray_again(self.folder / "nothing")

    @unittest.skipIf(os.name == "nt", "signals are others there")
    def test_an_actor_that_dies_costs_its_batch(self):
        batch_size, count = 4, 24
        deadly, calls = self.killer(lambda _, calls: len(calls) == count // 2)
        archs = self.space.sample(count)
        scored = self.score(archs, metrics=[deadly, "swap"], actors=2, batch_size=batch_size)
        self.assertTrue(count < len(calls()) <= count + batch_size)
        here = swapnas.score(archs, "nb201", metrics=[deadly, "swap"], progress=False, **NETWORK)
        self.assertEqual(scored, here)
        deadly, calls = self.killer(lambda _, calls: len(calls) == 10, "in a search")
        options = dict(algorithm="aging", sample=2, metrics={"deadly": deadly})
        found = self.search("there", actors=2, **options)
        self.assertTrue(found.evaluations < len(calls()) <= found.evaluations + 4)
        here = swapnas.search("nb201", folder=self.folder / "here", progress=False, **{**SEARCH, **options})
        self.assertEqual((found.best, found.front, found.population), (here.best, here.front, here.population))

    @unittest.skipIf(os.name == "nt", "signals are others there")
    def test_a_network_of_which_actors_die(self):
        archs = self.space.sample(12, seed=1)
        sizes = {one.arch: one.params for one in swapnas.score(archs, "nb201", metrics="params", **NETWORK)}
        largest = max(archs, key=lambda arch: sizes[arch])
        deadly, calls = self.killer(lambda network, _: network.params == sizes[largest])
        reason = "3 actors of the Ray cluster died of it; Ray's logs say why"
        with self.assertWarnsRegex(UserWarning, "^1 of 12 networks was refused"):
            scored = self.score(archs, metrics=[deadly, "swap"], actors=1, batch_size=6)
        self.assertEqual([one.refused for one in scored], [reason if arch == largest else None for arch in archs])
        # Of a batch of six, halves and then one alone.
        self.assertTrue(3 <= calls().count(sizes[largest]) <= 6)
        others = [arch for arch in archs if arch != largest]
        self.assertEqual([one.arch for one in scored if one.refused is None], others)
        named = "cannot score " + largest[:5].replace("|", "[|]") + ".*: 3 actors of the Ray cluster died of it"
        with self.assertRaisesRegex(RuntimeError, named):
            self.correlate([largest, *others], list(range(12)), metrics=[deadly], batch_size=1, actors=1)
        with self.assertRaisesRegex(RuntimeError, "cannot score .*: 3 actors of the Ray cluster died of it"):
            deadly_at_last, _ = self.killer(lambda _, calls: len(calls) >= 9, "at last")
            self.search("run", metrics={"deadly": deadly_at_last}, actors=1, batch_size=1)
        kept, _ = evaluations(self.folder / "run")
        self.assertEqual(len(kept), 8)
        with mock.patch.object(swapnas.ray, "_DEATHS_IN_A_ROW", 0):
            with self.assertRaisesRegex(RuntimeError, "5 actors of the Ray cluster died without having finished"):
                self.score([largest] * 4, metrics=[deadly], actors=1)

    def test_mistakes(self):
        def broken(network):
            return {}["nothing"]

        for error, message, archs, options in [
            (ValueError, "cannot read the architecture `oh`", ["oh"], {}),
            (ValueError, "number 1 of the list: cannot read the architecture `oh`", [1, "oh"], dict(strict=True)),
            (ValueError, "has no network `swap`; it has benchmark", [1, 2], dict(network="swap")),
            (KeyError, "nothing", [1, 2], dict(metrics=[broken])),
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
        for error, message, options in [
            (ValueError, "actors cannot be 0; give a whole number from 1 on", dict(actors=0)),
            (ValueError, "algorithm: ", dict(algorithm="luck")),
            (KeyError, "nothing", dict(metrics=[broken])),
            (TypeError, "progress is a function", dict(progress=3)),
            (TypeError, "no argument `cylces`", dict(cylces=3)),
        ]:
            with self.subTest(options=options):
                with self.assertRaisesRegex(error, message):
                    swapnas.ray.search("nb201", **{**SEARCH, "folder": self.folder / "wrong", **options})
        for message, archs, accuracies, options in [
            ("there are 2 architectures, but 1 accuracies; give one for each", [1, 2], [1], {}),
            ("a correlation takes two architectures", [1], [1], {}),
            ("number 1 of the list: cannot read", [1, "oh"], [1, 2], {}),
            ("column `x`; give one for each", [1, 2], [1, 2], dict(columns={"x": [1]})),
            ("seeds cannot be 0; give a number from 1", [1, 2], [1, 2], dict(seeds=0)),
            ("`params` is a metric that is computed too", [1, 2], [1, 2], dict(columns={"params": [1, 2]})),
        ]:
            with self.subTest(message=message):
                with self.assertRaisesRegex(ValueError, message):
                    self.correlate(archs, accuracies, metrics="params", **options)


class Missing(unittest.TestCase):
    def test_what_to_install(self):
        words = [sys.executable, "-c", "import sys; sys.modules['ray'] = None; import swapnas; swapnas.ray"]
        said = subprocess.run(words, capture_output=True, text=True).stderr
        self.assertIn("ImportError: swapnas.ray needs Ray: pip install swapnas[ray]", said)


if __name__ == "__main__":
    unittest.main()
