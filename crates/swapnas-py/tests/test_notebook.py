"""What notebooks show: bars, tables, figures and drawings."""

import contextlib
import io
import os
import pickle
import subprocess
import sys
import tempfile
import time
import unittest
import warnings
from pathlib import Path
from unittest import mock

import swapnas
from needed import package
from swapnas import _progress

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # They have some for each other.
    numpy = package("numpy")
    tqdm = package("tqdm.auto")
    ipython = package("IPython")
    jupyter = package("ipykernel") and package("jupyter_client.manager")

SMALL = dict(space="nb201", channels=4, cells=1, batch=16, repeats=1, progress=False)


def networks(count):
    """Some networks with accuracies that nobody has measured."""
    return swapnas.Space("nb201").sample(count), [float(50 + (7 * i) % count) for i in range(count)]


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)


class Bars(unittest.TestCase):
    @unittest.skipIf(tqdm is None, "there is no tqdm")
    def test_a_bar_is_forced(self):
        archs, _ = networks(30)
        for progress in [True, None, False]:
            with contextlib.redirect_stderr(io.StringIO()) as said:
                swapnas.score(archs, **{**SMALL, "metrics": "swap", "progress": progress})
            self.assertEqual("/30 [" in said.getvalue(), progress is True, said.getvalue())

    @unittest.skipIf(tqdm is None, "there is no tqdm")
    def test_kernels_have_one_and_terminals_do_not(self):
        self.assertIsNone(_progress.bar(False))
        for shell, has_bar in [(mock.Mock(kernel=object()), True), (mock.Mock(spec=[]), False), (None, False)]:
            with mock.patch.dict(sys.modules, IPython=mock.Mock(get_ipython=lambda: shell)):
                self.assertEqual(_progress.bar(False) is not None, has_bar)
                with mock.patch.dict(sys.modules, {"tqdm.auto": None}):
                    self.assertIsNone(_progress.bar(False))

    @unittest.skipIf(numpy is None, "there is no NumPy, which networks are shown to functions with")
    def test_a_bar_is_there_from_the_beginning(self):
        calls = []

        def slow(network):
            time.sleep(0.3)
            return 1.0

        with mock.patch.object(_progress, "bar", lambda is_forced: lambda *call: calls.append(call)):
            swapnas.score([1, 2], **{**SMALL, "metrics": {"slow": slow}, "progress": None, "threads": 1})
        self.assertEqual((calls[0], calls[-1]), ((0, 2), (2, 2)))

    @unittest.skipIf(tqdm is None, "there is no tqdm")
    def test_a_bar_is_closed_whatever_happens(self):
        def wrong(network):
            time.sleep(0.2)
            raise RuntimeError("enough")

        with contextlib.redirect_stderr(io.StringIO()) as said:
            with self.assertRaisesRegex(RuntimeError, "enough"):
                swapnas.score([1, 2], **{**SMALL, "metrics": {"wrong": wrong}, "progress": True})
        self.assertIn("/2 [", said.getvalue())
        self.assertFalse(tqdm.tqdm._instances)

    def test_without_tqdm_there_is_the_bar_of_the_command(self):
        with mock.patch.dict(sys.modules, {"tqdm.auto": None}):
            self.assertIsNone(_progress.bar(True))
            self.assertEqual(len(swapnas.score([1, 2], **{**SMALL, "progress": True})), 2)


class Figures(Folder):
    def test_the_figure_is_that_of_the_command(self):
        archs, accuracies = networks(25)
        table = self.folder / "table.csv"
        rows = [f"{arch},{accuracy}\n" for arch, accuracy in zip(archs, accuracies)]
        table.write_text("arch,accuracy\n" + "".join(rows))
        found = swapnas.correlate(archs, accuracies, metrics="swap,params,synflow", **SMALL)
        words = [sys.executable, "-m", "swapnas", "correlate", str(table), "--metrics", "swap,params,synflow"]
        words += ["--space", "nb201", "--channels", "4", "--cells", "1", "--batch", "16", "--repeats", "1", "--plot"]
        for name in ["figure.svg", "figure.pdf", "figure.png"]:
            by_command = self.folder / f"command-{name}"
            subprocess.run([*words, str(by_command)], check=True, capture_output=True)
            shown = found.plot(self.folder / name)
            self.assertEqual((self.folder / name).read_bytes(), by_command.read_bytes(), name)
        self.assertEqual(shown._repr_svg_(), (self.folder / "figure.svg").read_text())
        self.assertEqual(found.plot(), shown)
        self.assertEqual(pickle.loads(pickle.dumps(found)).plot(), shown)
        self.assertEqual(repr(shown), "Drawing()")

    def test_what_was_correlated(self):
        archs, accuracies = networks(6)
        snip = [None, 2.0, 3.0, 4.0, 5.0, 7.0]
        found = swapnas.correlate(archs, accuracies, metrics="params", columns={"snip": snip}, **SMALL)
        self.assertEqual(found.scores, {"params": [float(count) for count in found.params], "snip": snip})
        self.assertEqual(found.accuracies, accuracies)
        self.assertEqual(found.plot().svg.count("<circle"), 6 + 5)
        for error, message, path in [
            (ValueError, "the name of a plot ends in .svg, .pdf or .png", "figure.gif"),
            (OSError, "cannot write", self.folder / "none" / "figure.svg"),
        ]:
            with self.assertRaisesRegex(error, message):
                found.plot(path)
        nothing = swapnas.correlate(archs, accuracies, columns={"none": [None] * 6}, **SMALL)
        with self.assertRaisesRegex(ValueError, "there are no points to draw"):
            nothing.plot()

    def test_a_search(self):
        options = dict(channels=4, cells=1, size=8, repeats=1, cycles=8, population=6, sample=3, mutations=2)
        for metrics in ["swap,params", "grad_norm"]:
            found = swapnas.search("nb201", folder=self.folder / metrics, metrics=metrics, **options)
            shown = found.plot(self.folder / "search.pdf")
            self.assertEqual(shown.svg.count("<circle") + shown.svg.count("<polygon"), 2 * found.evaluations)
            self.assertTrue((self.folder / "search.pdf").read_bytes().startswith(b"%PDF"))
            self.assertIn("#B3470B", shown.svg)
            self.assertIn({"swap": "SWAP-Score"}.get(metrics.split(",")[0], metrics), shown.svg)


class Drawings(Folder):
    def test_architectures_are_drawn(self):
        for name in swapnas.spaces():
            space = swapnas.Space(name)
            (arch,) = space.sample(1, seed=3)
            path = self.folder / f"{name}.svg"
            shown = space.draw(arch, path)
            self.assertEqual(shown.svg, swapnas.export(arch, name, format="svg"))
            self.assertEqual((path.read_text(), space.draw(arch)), (shown.svg, shown))
        with self.assertRaisesRegex(ValueError, "the name of a drawing ends in .svg"):
            space.draw(arch, self.folder / "cell.png")
        with self.assertRaisesRegex(OSError, "cannot write"):
            space.draw(arch, self.folder / "none" / "cell.svg")
        with self.assertRaisesRegex(ValueError, "cannot read the architecture"):
            space.draw("nothing")

    def test_spaces(self):
        for name in swapnas.spaces():
            space = swapnas.Space(name)
            shown = space._repr_html_()
            self.assertIn(f"{space.size:,} architectures", shown)
            self.assertEqual(shown.count("<tr>"), 1 + len(space.encodings))
            self.assertEqual(shown.count("<svg"), 1)

    def test_scores(self):
        archs, _ = networks(25)
        scores = swapnas.score(archs, metrics="params", **SMALL)
        self.assertIsInstance(scores, swapnas.Scores)
        self.assertIsInstance(scores, list)
        self.assertEqual({scored.space for scored in scores}, {"nb201"})
        self.assertIn(swapnas.export(archs[0], "nb201", format="svg"), scores[0]._repr_html_())
        shown = scores._repr_html_()
        self.assertIn("The first 20 of 25 networks", shown)
        self.assertEqual((shown.count("<tr>"), shown.count("<svg")), (21, 0))
        with self.assertWarnsRegex(UserWarning, "1 of 2 networks was refused"):
            partly = swapnas.score(["oh", 1], metrics="params", **SMALL)
        self.assertIn("found `oh`", partly._repr_html_())
        self.assertNotIn("<svg", partly[0]._repr_html_())
        self.assertEqual(pickle.loads(pickle.dumps(partly)), partly)
        partly[1] = None  # As where the work was stopped.
        self.assertEqual(partly._repr_html_().count("<tr>"), 3)
        pandas = package("pandas")
        if pandas is not None:
            self.assertEqual(list(scores.to_frame()["arch"]), archs)
            self.assertEqual(len(partly.to_frame()), 2)
        files = [swapnas.export(arch, "nb201", format="onnx", channels=4, cells=1) for arch in archs[:2]]
        (of_file, _) = swapnas.score_onnx(files, metrics="params", batch=16, progress=False)
        self.assertIsNone(of_file.space)
        self.assertNotIn("<svg", of_file._repr_html_())

    @unittest.skipIf(ipython is None, "there is no IPython")
    def test_what_ipython_makes_of_them(self):
        shown = ipython.core.formatters.DisplayFormatter().format
        archs, accuracies = networks(5)
        space = swapnas.Space("nb201")
        found = swapnas.correlate(archs, accuracies, metrics="params", **SMALL)
        for thing in [space.draw(archs[0]), found.plot()]:
            self.assertTrue(shown(thing)[0]["image/svg+xml"].startswith("<svg"))
        for thing in [space, found, *swapnas.score(archs[:1], metrics="params", **SMALL)]:
            self.assertIn("<table>", shown(thing)[0]["text/html"])


@unittest.skipIf(jupyter is None, "there is no kernel of Jupyter")
class Kernel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cls.manager, cls.client = jupyter.start_new_kernel(startup_timeout=120)
        cls.addClassCleanup(cls.manager.shutdown_kernel, now=True)
        cls.addClassCleanup(cls.client.stop_channels)

    def run_cell(self, code, meanwhile=lambda message: None):
        """The contents of what a cell shows."""
        messages = []

        def take(message):
            messages.append(message["content"])
            meanwhile(messages[-1])

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.client.execute_interactive(code, timeout=120, output_hook=take)
        return messages

    def test_results_are_shown(self):
        self.run_cell("import swapnas\nspace = swapnas.Space('nb201')")
        for code, kind in [("space", "text/html"), ("space.draw(4321)", "image/svg+xml")]:
            (shown,) = [content["data"] for content in self.run_cell(code) if "data" in content]
            self.assertIn("<svg", shown[kind])

    @unittest.skipIf(tqdm is None, "there is no tqdm")
    def test_a_bar_is_shown(self):
        scorer = "swapnas.Scorer('nb201', metrics='swap', channels=4, cells=1, repeats=1)"
        self.run_cell(f"import swapnas\nscorer = {scorer}")
        code = "scorer.score(range(321), progress={})[:0]"
        self.assertIn("/321", str(self.run_cell(code.format("None"))))
        self.assertNotIn("/321", str(self.run_cell(code.format("False"))))

    @unittest.skipIf(os.name == "nt", "signals are others there")
    def test_a_cell_is_interrupted(self):
        begun = []

        def stop(message):
            if "begins" in str(message) and not begun:
                begun.append(message)
                time.sleep(0.5)
                self.manager.interrupt_kernel()

        code = "import swapnas\nprint('begins', flush=True)\nswapnas.score(range(15625), 'nb201', batch=64)"
        self.assertIn("Interrupted", [content.get("ename") for content in self.run_cell(code, stop)])


if __name__ == "__main__":
    unittest.main()
