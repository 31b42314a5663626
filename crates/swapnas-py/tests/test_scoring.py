"""Scores and correlations."""

import json
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import warnings

import swapnas
from needed import package

numpy = package("numpy")
torch = package("torch")

SMALL = dict(space="nb201", channels=8, cells=1, batch=32, repeats=2)


def command(*arguments, **options):
    """What the command prints."""
    words = [sys.executable, "-m", "swapnas", *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=True, **options).stdout


class Scores(unittest.TestCase):
    def test_they_are_those_of_the_command(self):
        archs = swapnas.Space("nb201").sample(4)
        metrics = ["swap", "params", "synflow", "rank(swap,params)"]
        scored = swapnas.score(archs, metrics=metrics, **SMALL)
        options = ["--space", "nb201", "--channels", "8", "--cells", "1", "--batch", "32", "--repeats", "2"]
        lines = command("score", *archs, *options, "--metrics", ",".join(metrics), "--json").splitlines()
        for found, line in zip(scored, map(json.loads, lines)):
            self.assertEqual(found.arch, line["arch"])
            self.assertEqual((found.params, found.macs, found.units), (line["params"], line["macs"], line["units"]))
            self.assertEqual(found.scores, {name: score["mean"] for name, score in line["scores"].items()})
            self.assertEqual(found.deviations["swap"], line["scores"]["swap"]["std"])
            self.assertEqual(found["params"], found.params)
            self.assertEqual(found.to_dict()["swap"], found["swap"])
        self.assertEqual(len(scored), len(lines))

    def test_a_scorer_can_be_pickled_and_used_by_threads(self):
        scorer = swapnas.Scorer(metrics="swap", threads=1, seed=5, **SMALL)
        archs = scorer.space.sample(6)
        scored = scorer.score(archs)
        self.assertEqual(pickle.loads(pickle.dumps(scorer)).score(archs), scored)
        self.assertEqual(pickle.loads(pickle.dumps(scored)), scored)
        found = {}
        threads = [threading.Thread(target=lambda i=i: found.update({i: scorer.score(archs)})) for i in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([found[i] for i in range(3)], [scored] * 3)

    @unittest.skipUnless(hasattr(os, "fork"), "there is no fork")
    def test_a_forked_process_has_threads_of_its_own(self):
        scorer = swapnas.Scorer(metrics="swap", threads=2, **SMALL)
        archs = scorer.space.sample(4)
        scored = scorer.score(archs)
        file = swapnas.export(1, "nb201", format="onnx", channels=4, cells=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks while there are threads
            child = os.fork()
        if child == 0:
            try:
                signal.alarm(60)  # It ends the process, should threads be waited for that are not there.
                same = scorer.score(archs, progress=False) == scored
                same = same and swapnas.export(1, "nb201", format="onnx", channels=4, cells=1) == file
                os._exit(0 if same else 1)
            finally:
                os._exit(2)
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_undefined_metrics_have_reasons(self):
        (scored,) = swapnas.score(["|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"], metrics="ntk,swap", **SMALL)
        self.assertIsNone(scored.scores["ntk"])
        self.assertTrue(scored.reasons["ntk"])
        with self.assertRaisesRegex(ValueError, "ntk is undefined"):
            scored["ntk"]
        with self.assertRaises(KeyError):
            scored["swop"]
        self.assertTrue("ntk" in scored and "swop" not in scored)
        with self.assertRaises(TypeError):
            list(scored)
        self.assertEqual(len({scored, scored}), 1)

    def test_saturation_is_warned_of(self):
        with self.assertWarnsRegex(UserWarning, "raise batch"):
            (scored,) = swapnas.score([1462], "nb201", metrics="swap", batch=2, repeats=1)
        self.assertTrue(scored.saturated)

    def test_progress(self):
        calls = []
        archs = swapnas.Space("nb201").sample(20)
        swapnas.score(archs, metrics="swap", progress=lambda *call: calls.append(call), **SMALL)
        self.assertEqual(calls[-1], (20, 20))
        self.assertEqual(calls, sorted(calls))
        # As many sets of weights as are the default, whose parts of a network are no round numbers.
        for count, repeats in [(1, None), (30, None), (7, 3)]:
            calls.clear()
            scorer = swapnas.Scorer("nb201", metrics="swap", channels=4, cells=1, repeats=repeats)
            scorer.score(archs[:count], progress=lambda *call: calls.append(call))
            self.assertEqual(calls[-1], (min(count, 20), min(count, 20)))

        def stop(done, total):
            raise RuntimeError("enough")

        with self.assertRaisesRegex(RuntimeError, "enough"):
            swapnas.score(archs, metrics="swap", progress=stop, **SMALL)

    @unittest.skipIf(os.name == "nt", "signals are others there")
    def test_ctrl_c_keeps_what_is_finished(self):
        archs = swapnas.Space("darts").sample(20_000)
        scorer = swapnas.Scorer(metrics="swap", weights="independent")
        pressed_again = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
        told = []

        def press(done, total):
            told.append(done)
            if done >= 256:
                os.kill(os.getpid(), signal.SIGINT)
                pressed_again.start()

        with self.assertRaises(KeyboardInterrupt) as stopped:
            scorer.score(archs, progress=press)
            pressed_again.join()
        self.assertIsInstance(stopped.exception, swapnas.Interrupted)
        scored = stopped.exception.scored
        self.assertEqual(len(scored), len(archs))
        done = [one for one in scored if one is not None]
        # All that was reported as done is there.
        self.assertTrue(told[-1] <= len(done) < len(archs), (told[-1], len(done)))
        self.assertEqual(done[:3], scorer.score(archs[:3]))

    def test_mistakes(self):
        for error, message, options in [
            (TypeError, "there is no argument `bach`; those by name are .*batch", dict(bach=3)),
            (TypeError, "batch: .*integer", dict(batch="many")),
            (ValueError, "batch cannot be 0; give a number from 1 to 4096", dict(batch=0)),
            (ValueError, "seed cannot be -1", dict(seed=-1)),
            (ValueError, "swop.*did you mean", dict(metrics="swop")),
            (TypeError, "metrics is a text", dict(metrics=3)),
            (ValueError, "inputs: unknown input `noise`", dict(inputs="noise")),
            (FileNotFoundError, "nowhere.bin", dict(inputs="cifar10:nowhere.bin")),
            (ValueError, "weights cannot be `mine`", dict(weights="mine")),
            (ValueError, "precision: .*f32 or f64", dict(precision="f16")),
            (MemoryError, "lower batch, size", dict(space="mobilenet", size=2048, batch=4096)),
        ]:
            with self.subTest(options=options):
                with self.assertRaisesRegex(error, message):
                    swapnas.score(["0"], **{"space": "nb201", **options})
        with self.assertRaisesRegex(ValueError, "number 1 of the list: cannot read the architecture `oh`"):
            swapnas.score([1, "oh"], "nb201", strict=True)
        with self.assertRaisesRegex(ValueError, "number 0 of the list: cannot read the architecture `oh`"):
            swapnas.score(["oh"], "nb201")
        for single in ["4321", b"4321", {"nodes": 3}, 4321]:
            with self.assertRaisesRegex(TypeError, "give a list of architectures, not a single"):
                swapnas.score(single, "nb201")
        with self.assertRaisesRegex(ValueError, "metrics is empty"):
            swapnas.Scorer("nb201", metrics=[])
        with self.assertRaisesRegex(ValueError, "batch cannot be -1; give a number from 1 to 4096"):
            swapnas.Scorer("nb201", batch=-1)
        with self.assertRaisesRegex(TypeError, 'give "npy:x.npy"'):
            swapnas.Scorer("nb201", inputs=pathlib.Path("x.npy"))
        with self.assertRaisesRegex(TypeError, "progress is a function"):
            swapnas.score([1], "nb201", progress=3)


@unittest.skipIf(numpy is None, "there is no NumPy")
class Arrays(unittest.TestCase):
    def setUp(self):
        self.images = numpy.random.default_rng(0).normal(size=(40, 3, 32, 32))

    def test_an_array_scores_as_its_file(self):
        archs = swapnas.Space("nb201").sample(3)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "images.npy")
            numpy.save(path, self.images)
            of_file = swapnas.score(archs, inputs=f"npy:{path}", metrics="snip,meco", **SMALL)
        for images in [self.images, self.images.astype("float32"), numpy.asfortranarray(self.images)]:
            self.assertEqual(swapnas.score(archs, inputs=images, metrics="snip,meco", **SMALL), of_file)

    def test_a_copy_has_the_images_that_the_scorer_was_made_with(self):
        images = self.images[:32].copy()
        scorer = swapnas.Scorer(inputs=(images, [0] * 32), metrics="snip,meco", **SMALL)
        scored = scorer.score([4321])
        images[:] = 0
        self.assertEqual(pickle.loads(pickle.dumps(scorer)).score([4321]), scored)

    def test_labels(self):
        options = dict(SMALL, metrics="grad_norm", batch=40)
        scores = [
            swapnas.score([4321], inputs=(self.images, labels), **options)[0]["grad_norm"]
            for labels in [None, [3] * 40, numpy.full(40, 3), numpy.arange(40) % 10]
        ]
        self.assertEqual(scores[1], scores[2])
        self.assertEqual(len(set(scores)), 3)

    def test_mistakes(self):
        for message, inputs in [
            ("of shape \\[3, 32, 32\\]", self.images[0]),
            ("the images are 3x16x16, but the network takes 3x32x32", self.images[:, :, :16, :16]),
            ("there are 5 images, but 32 are needed", self.images[:5]),
            ("40 images, but 2 labels", (self.images, [1, 2])),
            ("image 0, channel 0, row 0, column 0 is NaN", numpy.full((32, 3, 32, 32), numpy.nan)),
            ("labels are a list of classes", (self.images, [-1] * 40)),
            ("labels are a list of classes", (self.images, [0.5] * 40)),
        ]:
            with self.subTest(message=message):
                with self.assertRaisesRegex(ValueError, message):
                    swapnas.Scorer(inputs=inputs, **SMALL)


class Correlations(unittest.TestCase):
    def test_files_of_benchmarks_are_read(self):
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../swapnas/tests/benchmarks")
        table = swapnas.read_table(f"{folder}/zc_nasbench201.json#cifar100", columns=["nwot"])
        self.assertEqual(table, (["(4, 0, 3, 1, 4, 3)", "(2, 2, 0, 4, 2, 0)"], [70.25, 69.25]))
        self.assertEqual(list(table.columns.values()), [[700.5, 701.5]])
        archs, accuracies = swapnas.read_table(f"{folder}/nats-sss#cifar10/90")
        self.assertEqual((archs, len(accuracies)), (["8:8:8:8:8", "64:8:16:24:32"], 2))
        with self.assertRaisesRegex(ValueError, "no data set `svhn`"):
            swapnas.read_table(f"{folder}/nats-tss#svhn")

    def test_they_are_those_of_the_command(self):
        archs = swapnas.Space("nb201").sample(30)
        accuracies = [float(50 + (37 * i) % 30) for i in range(30)]
        options = dict(SMALL, metrics="swap,params")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "table.csv")
            with open(path, "w") as table:
                table.write("arch,accuracy\n")
                table.writelines(f"{arch},{accuracy}\n" for arch, accuracy in zip(archs, accuracies))
            self.assertEqual(swapnas.read_table(path), (archs, accuracies))
            self.assertEqual(swapnas.read_table(path, limit=2), (archs[:2], accuracies[:2]))
            words = ["--space", "nb201", "--channels", "8", "--cells", "1", "--batch", "32", "--repeats", "2"]
            told = json.loads(command("correlate", path, *words, "--metrics", "swap,params", "--json"))
            with open(path, "a") as table:
                table.write("|none~0|,much\n")
            with self.assertRaisesRegex(ValueError, "line 32"):
                swapnas.read_table(path)
            with self.assertWarnsRegex(UserWarning, "line 32"):
                self.assertEqual(swapnas.read_table(path, skip_bad=True), (archs, accuracies))
        found = swapnas.correlate((arch for arch in archs), iter(accuracies), **options)
        self.assertEqual(list(found), ["swap", "params"])
        for name, correlation in found.items():
            for key, value in told["metrics"][name].items():
                value = tuple(value) if key.endswith("ci95") and value else value
                self.assertEqual(getattr(correlation, key), value, key)
        shown = found._repr_html_()
        self.assertEqual(shown.count("<tr>"), 3)
        self.assertIn(f"<td>{found['swap'].spearman:.6g}</td>", shown)
        pandas = package("pandas")
        if pandas is not None:
            self.assertEqual(list(found.to_frame()["metric"]), ["swap", "params"])

    def test_notebooks_obey_nothing_of_a_name(self):
        scored = swapnas.Scored("<b>\x1b[2J", None, None, None, {"swap": None}, {}, {"swap": "no"}, False, "no")
        shown = scored._repr_html_()
        self.assertIn("&lt;b&gt;", shown)
        self.assertNotIn("\x1b", shown)

    def test_columns_seeds_and_comparisons_are_those_of_the_command(self):
        archs = swapnas.Space("nb201").sample(12)
        accuracies = [float(50 + (7 * i) % 12) for i in range(12)]
        snip = [None if i == 3 else float((5 * i) % 12) for i in range(12)]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "table.csv")
            with open(path, "w") as table:
                table.write("arch,accuracy,snip\n")
                table.writelines(f"{a},{b},{'' if c is None else c}\n" for a, b, c in zip(archs, accuracies, snip))
            words = ["--space", "nb201", "--channels", "8", "--cells", "1", "--batch", "32", "--repeats", "2"]
            words += ["--columns", "snip", "--compare", "--seeds", "3", "--json"]
            told = json.loads(command("correlate", path, *words, "--metrics", "swap,params"))
            only = json.loads(command("correlate", path, *words))
        calls = []
        found = swapnas.correlate(
            archs, accuracies, metrics="swap,params", columns={"snip": snip}, compare=True, seeds=3,
            progress=lambda *numbers: calls.append(numbers), **SMALL
        )
        self.assertEqual(calls[-1], (36, 36))
        self.assertIsInstance(found, dict)
        self.assertEqual(list(found), ["swap", "params", "snip"])
        self.assertEqual(found.comparison.names, told["comparison"]["names"])
        self.assertEqual(found.comparison.spearman, told["comparison"]["spearman"])
        self.assertEqual(found.comparison.n, told["comparison"]["n"])
        for name, correlation in found.items():
            for key, value in told["metrics"][name].items():
                if key == "spearman_over_seeds":
                    spread = correlation.spearman_over_seeds
                    self.assertEqual(None if spread is None else vars(spread), value)
                elif key != "reasons":
                    value = tuple(value) if key.endswith("ci95") and value else value
                    self.assertEqual(getattr(correlation, key), value, key)
        self.assertEqual((found["snip"].n, found["snip"].reasons), (11, ["number 3 is NaN"]))
        self.assertIsNone(found["snip"].spearman_over_seeds)
        # Without metrics, none is computed.
        alone = swapnas.correlate(archs, accuracies, columns={"snip": snip}, **SMALL)
        self.assertEqual((list(alone), alone.comparison), (["snip"], None))
        self.assertEqual(list(only["metrics"]), ["snip"])
        self.assertEqual(alone["snip"].kendall_same_size, only["metrics"]["snip"]["kendall_same_size"])
        # Unless a scorer was made for one.
        scorer = swapnas.Scorer(metrics="params", **SMALL)
        self.assertEqual(list(scorer.correlate(archs, accuracies, columns={"snip": snip})), ["params", "snip"])
        for error, message, options in [
            (ValueError, "12 architectures, but 1 numbers in the column `a`", {"columns": {"a": [1.0]}}),
            (ValueError, "`params` is a metric", {"columns": {"params": accuracies}, "metrics": "params"}),
            (TypeError, "columns is a dictionary", {"columns": accuracies}),
            (TypeError, "number 0 of the column `a`", {"columns": {"a": ["x"] * 12}}),
            (ValueError, "seeds cannot be 0", {"seeds": 0}),
            (ValueError, "beyond the largest seed", {"seeds": 2, "seed": 2**64 - 1}),
        ]:
            with self.assertRaisesRegex(error, message):
                swapnas.correlate(archs, accuracies, **{**SMALL, **options})

    def test_mistakes(self):
        for message, archs, accuracies in [
            ("2 architectures, but 1 accuracies", [1, 2], [1.0]),
            ("takes two", [1], [1.0]),
            ("accuracy number 1 is NaN", [1, 2], [1.0, float("nan")]),
        ]:
            with self.assertRaisesRegex(ValueError, message):
                swapnas.correlate(archs, accuracies, **SMALL)
        with self.assertRaisesRegex(TypeError, "accuracy number 0: "):
            swapnas.correlate([1, 2], ["90", "91"], **SMALL)
        with self.assertRaisesRegex(TypeError, "a list of accuracies"):
            swapnas.correlate([1, 2], b"12", **SMALL)
        with self.assertRaisesRegex(FileNotFoundError, "nowhere.csv"):
            swapnas.read_table("nowhere.csv")

    def test_tables_in_json_and_their_columns(self):
        records = [{"arch": str(i), "scores": {"acc": 50.0 + i, "snip": None if i == 1 else -i}} for i in range(4)]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "table.json"
            path.write_text(json.dumps(records))
            table = swapnas.read_table(path, columns=["snip", 2])
            for message, columns in [("no column `x`", ["x"]), ("no column `-1`", [-1])]:
                with self.assertRaisesRegex(ValueError, message):
                    swapnas.read_table(path, columns=columns)
            with self.assertRaisesRegex(TypeError, "a list of columns"):
                swapnas.read_table(path, columns="snip")
            self.assertEqual(swapnas.read_table(path).columns, {})
            path.write_text(json.dumps(records + [{"arch": "4"}, 5]))
            with self.assertRaisesRegex(ValueError, "record 5 .*empty(.|\n)*record 6 .*`5` is no object"):
                swapnas.read_table(path)
            path.write_text("[{]")
            with self.assertRaisesRegex(ValueError, "is none: key must be a string at line 1 column 3"):
                swapnas.read_table(path)
        archs, accuracies = table
        self.assertIsInstance(table, swapnas.Table)
        self.assertEqual((archs, accuracies), (["0", "1", "2", "3"], [50.0, 51.0, 52.0, 53.0]))
        self.assertEqual((table.archs, table.accuracies), table)
        self.assertEqual(table.columns, {"scores.snip": [0.0, None, -2.0, -3.0], "scores.acc": accuracies})
        again = pickle.loads(pickle.dumps(table))
        self.assertEqual((again, again.columns), (table, table.columns))
        found = swapnas.correlate(archs, accuracies, columns=table.columns, **SMALL)
        self.assertEqual((found["scores.snip"].n, found["scores.acc"].spearman), (3, 1.0))


class Networks(unittest.TestCase):
    """Networks that are of no space."""

    def test_onnx_files(self):
        contents = [swapnas.export(arch, "nb201", format="onnx", channels=8, cells=1) for arch in [4321, 1462]]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "network.onnx"
            path.write_bytes(contents[0])
            metrics = "swap,params,macs,synflow"
            options = dict(metrics=metrics, batch=32, repeats=2)
            scored = swapnas.score_onnx([path, *contents], **options)
            told = json.loads(command("score", str(path), "--metrics", metrics, "--batch", "32", "--repeats", "2", "--json"))
        self.assertEqual([one.arch for one in scored], [str(path), "1", "2"])
        self.assertEqual(scored[0].scores, {name: score["mean"] for name, score in told["scores"].items()})
        self.assertEqual(scored[0].scores, scored[1].scores)
        self.assertNotEqual(scored[1].scores, scored[2].scores)
        (of_space,) = swapnas.score([4321], metrics="params,macs", **SMALL)
        self.assertEqual((scored[0].params, scored[0].macs), (of_space.params, of_space.macs))
        (smaller,) = swapnas.score_onnx(contents[:1], size=(3, 16, 16), **options)
        self.assertEqual((smaller.params, smaller.macs < scored[0].macs), (scored[0].params, True))

    def test_mistakes(self):
        for error, message, files, options in [
            (ValueError, "0: ", [b"nonsense"], {}),
            (FileNotFoundError, "nowhere.onnx", ["nowhere.onnx"], {}),
            (TypeError, "number 0 of the list is neither a path nor bytes", [3], {}),
            (TypeError, "a list of paths", "network.onnx", {}),
            (TypeError, "no argument `channels`", [], dict(channels=3)),
        ]:
            with self.subTest(message=message):
                with self.assertRaisesRegex(error, message):
                    swapnas.score_onnx(files, **options)

    @unittest.skipIf(torch is None, "there is no PyTorch")
    def test_modules_of_pytorch(self):
        modules = [swapnas.torch_module(arch, "nb201", channels=8, cells=1) for arch in [4321, 1462]]
        modules[0].eval()
        metrics = "swap,params,synflow"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch's exporter
            scored = swapnas.score_torch(modules, (3, 32, 32), metrics=metrics, batch=32, repeats=2)
        self.assertEqual([one.arch for one in scored], ["Network", "Network#2"])
        self.assertEqual([module.training for module in modules], [False, True])
        for module, one in zip(modules, scored):
            self.assertEqual(one.params, sum(parameter.numel() for parameter in module.parameters()))
        # Layers that do not differ in anything get weights in the order in which they are in the file; the first
        # network has none such.
        file = swapnas.export(4321, "nb201", format="onnx", channels=8, cells=1)
        (expected,) = swapnas.score_onnx([file], metrics=metrics, batch=32, repeats=2)
        self.assertEqual(scored[0].scores, expected.scores)
        with self.assertRaisesRegex(TypeError, "a list of modules"):
            swapnas.score_torch(modules[0], (3, 32, 32))

    @unittest.skipIf(torch is None, "there is no PyTorch")
    def test_parameters_are_counted_whatever_their_numbers_are(self):
        nn = torch.nn

        class Scaled(nn.Module):
            def __init__(self):
                super().__init__()
                self.convs = nn.ModuleList(nn.Conv2d(8, 8, 1) for _ in range(3))
                self.scales = nn.ParameterList(nn.Parameter(torch.ones(8, 1, 1)) for _ in range(3))
                self.shared = nn.Linear(8, 8)
                self.register_buffer("table", torch.arange(8.0).reshape(8, 1, 1))

            def forward(self, x):
                for conv, scale in zip(self.convs, self.scales):
                    x = x + scale * torch.relu(conv(x) + self.table)
                return self.shared(torch.relu(self.shared(x.mean((2, 3)))))

        module = Scaled()
        with torch.no_grad():
            for conv in module.convs:  # equal ones, which exporters store once
                conv.weight.copy_(torch.eye(8).reshape(8, 8, 1, 1))
        before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
        (scored,) = swapnas.score_torch([module], (8, 16, 16), metrics="params", batch=2, repeats=1)
        self.assertEqual(scored.params, sum(parameter.numel() for parameter in module.parameters()))
        self.assertTrue(all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items()))

    @unittest.skipIf(torch is None, "there is no PyTorch")
    def test_networks_of_texts_are_scored(self):
        nn = torch.nn

        class Classifier(nn.Module):
            def __init__(self):
                super().__init__()
                self.words = nn.Embedding(60, 16)
                self.places = nn.Parameter(torch.randn(20, 16))
                self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
                self.norm = nn.LayerNorm(16)
                self.layers = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))
                self.out = nn.Linear(16, 4)

            def forward(self, tokens):
                x = self.words(tokens) + self.places
                x = self.norm(x + self.attention(x, x, x, need_weights=False)[0])
                return self.out((x + self.layers(x)).mean(1))

        module = Classifier()
        options = {"metrics": "params,snip", "batch": 16, "repeats": 1}
        (scored,) = swapnas.score_torch([module], 20, **{**options, "metrics": "params,snip,swap"})
        self.assertEqual(scored.params, sum(parameter.numel() for parameter in module.parameters()))
        self.assertGreater(scored["swap"], 1)
        tokens = numpy.random.default_rng(0).integers(0, 60, (16, 20))
        (given,) = swapnas.score_torch([module], 20, inputs=tokens, **options)
        self.assertEqual(given.params, scored.params)
        self.assertNotEqual(given["snip"], scored["snip"])
        with self.assertRaisesRegex(ValueError, "token 0 of text 0, counted from 0, is 60"):
            swapnas.score_torch([module], 20, inputs=tokens * 0 + 60, **options)
        with self.assertRaisesRegex(ValueError, "or the number of tokens of texts, as in 128"):
            swapnas.score_torch([module], (20, 20), **options)


if __name__ == "__main__":
    unittest.main()
