"""Searches, exports and the command."""

import copy
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import swapnas
from needed import package

torch = package("torch")

SMALL = dict(channels=4, cells=1, size=8, repeats=1, cycles=8, population=6, sample=3, mutations=2)


class Searches(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_a_search_finds_what_the_command_finds(self):
        found = swapnas.search("nb201", folder=self.folder / "a", metrics="swap,params", **SMALL)
        self.assertTrue(found.complete)
        self.assertEqual((found.space, found.objective, len(found.best)), ("nb201", "swap", 5))
        self.assertEqual(found.best, sorted(found.best, key=lambda one: -one.scores["swap"]))
        self.assertIn(found.best[0].arch, found.front + found.population)
        words = found.command.split()[1:] + ["--out", str(self.folder / "b")]
        subprocess.run([sys.executable, "-m", "swapnas", *words], check=True, capture_output=True)
        for name in ["best.json", "history.csv"]:
            self.assertEqual((found.folder / name).read_text(), (self.folder / "b" / name).read_text())
        self.assertIn("<svg", (found.folder / "report.html").read_text())

    def test_notebooks_show_what_was_found(self):
        found = swapnas.search("nb201", folder=self.folder / "a", metrics="swap,params", max_params="0.5M", **SMALL)
        shown = found._repr_html_()
        self.assertIn(f"The best of {found.evaluations} architectures of nb201 by swap", shown)
        self.assertEqual(shown.count("<tr>"), 6)
        self.assertIn("<svg", shown)
        self.assertTrue(all(one.params <= 500_000 for one in found.best))
        same = swapnas.search("nb201", folder=self.folder / "b", metrics="swap,params", max_params=5e5, **SMALL)
        self.assertEqual(same.command, found.command)
        for wrong in ["0.5X", "", 0, -1, 1.5e-9, True, [1]]:
            with self.assertRaisesRegex((ValueError, TypeError), "max_params"):
                swapnas.search("nb201", folder=self.folder / "c", max_params=wrong, **SMALL)
        pandas = package("pandas")
        if pandas is not None:
            self.assertEqual(list(found.to_frame()["arch"]), [one.arch for one in found.best])

    def test_a_search_that_was_cut_goes_on(self):
        whole = swapnas.search("nb201", folder=self.folder / "whole", **SMALL)
        cut = swapnas.search("nb201", folder=self.folder / "cut", budget_seconds=1e-6, **SMALL)
        self.assertFalse(cut.complete)
        self.assertEqual(cut.evaluations, 0)
        calls = []
        resumed = swapnas.resume(cut.folder, top=5, progress=lambda *call: calls.append(call))
        self.assertEqual((resumed.best, resumed.evaluations), (whole.best, whole.evaluations))
        self.assertTrue(calls and calls == sorted(calls))

    @unittest.skipIf(os.name == "nt", "signals are others there")
    def test_ctrl_c_says_where_the_search_is(self):
        def press(done, total):
            os.kill(os.getpid(), signal.SIGINT)

        with self.assertRaisesRegex(swapnas.Interrupted, "swapnas.resume") as stopped:
            swapnas.search("nb201", folder=self.folder / "run", progress=press, **{**SMALL, "cycles": 10_000})
        self.assertEqual(stopped.exception.folder, self.folder / "run")
        self.assertTrue((self.folder / "run" / "report.html").exists())

    def test_what_the_command_warns_of(self):
        with self.assertWarnsRegex(UserWarning, "saturated: .* raise batch"):
            swapnas.search("nb201", folder=self.folder / "a", metrics="swap", batch=2, **SMALL)
        with self.assertRaisesRegex(ValueError, "sample means nothing to algorithm random"):
            swapnas.search("nb201", folder=self.folder / "b", algorithm="random", sample=3)

    def test_limits_and_mistakes(self):
        found = swapnas.search("nb201", folder=self.folder / "a", max_params=500_000, **SMALL)
        self.assertLessEqual(max(one.params for one in found.best), 500_000)
        for error, message, options in [
            (FileExistsError, "already holds a run; .*with resume", dict(folder=self.folder / "a")),
            (ValueError, "algorithm: ", dict(algorithm="luck")),
            (ValueError, "none of .*change final_channels and final_cells", dict(max_params=10)),
            (ValueError, "target_params sets mu", dict(target_params=10**6, metrics="swap")),
            (TypeError, "no argument `cylces`", dict(cylces=3)),
            (FileNotFoundError, "nowhere.csv", dict(latency_table="nowhere.csv")),
            (ValueError, "budget_seconds is a number from 0 on", dict(budget_seconds=-1.0)),
        ]:
            with self.subTest(options=options):
                with self.assertRaisesRegex(error, message):
                    swapnas.search("nb201", **{"folder": self.folder / "b", **SMALL, **options})
        self.assertFalse((self.folder / "b").exists())
        with self.assertWarnsRegex(UserWarning, "final_channels and final_cells change that"):
            swapnas.search("nb201", folder=self.folder / "c", target_params=2_000_000, **SMALL)
        with self.assertRaisesRegex(FileNotFoundError, "holds no run"):
            swapnas.resume(self.folder / "nothing")


class Exports(unittest.TestCase):
    def test_formats(self):
        self.assertIn("class Network(nn.Module)", swapnas.export(4321, "nb201", format="torch"))
        self.assertIn(b"swapnas", swapnas.export(4321, "nb201", format="onnx", channels=4, cells=1))
        self.assertEqual(json.loads(swapnas.export(4321, "nb201", format="json"))["space"], "nb201")
        self.assertIn("<svg", swapnas.export(4321, "nb201", format="svg"))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "network.py"
            self.assertIsNone(swapnas.export(4321, "nb201", path=path))
            self.assertEqual(path.read_text(), swapnas.export(4321, "nb201", format="torch"))
            with self.assertRaisesRegex(OSError, "cannot write"):
                swapnas.export(4321, "nb201", path=Path(folder) / "none" / "network.py")
            with self.assertRaisesRegex(ValueError, "another format than dot: leave out format"):
                swapnas.export(4321, "nb201", path=Path(folder) / "cell.svg", format="dot")
        with self.assertRaisesRegex(ValueError, r"give format \(torch, .*\), or path"):
            swapnas.export(4321, "nb201")
        with self.assertRaisesRegex(ValueError, "input is"):
            swapnas.export(4321, "nb201", format="torch", input=(1, 2))
        code = swapnas.export(4321, "nb201", format="torch", input=(1, 28, 28))
        self.assertIn("1x28x28", code)

    @unittest.skipIf(torch is None, "there is no PyTorch")
    def test_a_module_of_pytorch(self):
        module = swapnas.torch_module(4321, "nb201", classes=7)
        self.assertEqual(module(torch.zeros(2, 3, 32, 32)).shape, (2, 7))
        self.assertEqual(copy.deepcopy(module)(torch.zeros(1, 3, 32, 32)).shape, (1, 7))
        for name in ["path", "format"]:
            with self.assertRaisesRegex(TypeError, f"no argument `{name}`"):
                swapnas.torch_module(4321, "nb201", **{name: "x.py"})


class Command(unittest.TestCase):
    def run_command(self, *arguments):
        return subprocess.run([sys.executable, "-m", "swapnas", *arguments], capture_output=True, text=True)

    def test_all_of_a_file_is_written(self):
        words = ["export", "4321", "--space", "nb201", "--format", "onnx", "--channels", "4", "--cells", "1"]
        shown = subprocess.run([sys.executable, "-m", "swapnas", *words], capture_output=True, check=True)
        self.assertEqual(shown.stdout, swapnas.export(4321, "nb201", format="onnx", channels=4, cells=1))

    @unittest.skipUnless(sys.platform == "linux", "only there it is said which signals a process watches for")
    def test_signals_stop_it(self):
        words = ["score", "--space", "nb201", "--random", "20000", "--batch", "64", "--threads", "1"]
        for number in [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]:
            process = subprocess.Popen(
                [sys.executable, "-m", "swapnas", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            while True:
                status = Path(f"/proc/{process.pid}/status").read_text()
                watched = int(status.split("SigCgt:")[1].split()[0], 16)
                # Python watches for Ctrl-C by itself; the command watches for all three.
                if watched >> (signal.SIGHUP - 1) & 1:
                    break
                time.sleep(0.01)
            process.send_signal(number)
            _, said = process.communicate()
            self.assertEqual(process.returncode, 128 + number)
            self.assertRegex(said, "^stopped: .* are scored\n$")

    def test_it_is_the_command(self):
        shown = self.run_command("--version")
        self.assertEqual((shown.returncode, shown.stdout.strip()), (0, f"swapnas {swapnas.__version__}"))
        wrong = self.run_command("score", "oh", "--space", "nb201")
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("error: cannot read the architecture `oh`", wrong.stderr)
        self.assertEqual(self.run_command("nothing").returncode, 2)


if __name__ == "__main__":
    unittest.main()
