"""Networks for pictures."""

import os
import pickle
import signal
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

import swapnas
from needed import package

torch = package("torch")


def picture(path, level, width=33, height=37):
    """Writes a grey picture, whose brightness at a place is a function of it."""
    rows = b"".join(b"\0" + bytes(level(x, y) for x in range(width)) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    written = b"\x89PNG\r\n\x1a\n"
    for kind, data in [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]:
        written += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    path.write_bytes(written)


def pictures(folder):
    """Stripes that lie and that stand, twelve of each."""
    for name, along in [("across", lambda x, y: y), ("down", lambda x, y: x)]:
        (folder / name).mkdir(parents=True)
        for index in range(12):
            picture(folder / name / f"{index}.png", lambda x, y: 240 if (along(x, y) + index) // 3 % 2 else 20 + index)


SHORT = dict(space="nb201", size=16, max_params="60k", cycles=1, threads=2)


class Designs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.pictures = cls.folder / "pictures"
        pictures(cls.pictures)
        cls.found = swapnas.design(cls.pictures, out=cls.folder / "found", **SHORT)

    def test_what_the_command_designs(self):
        found, other = self.found, self.folder / "command"
        words = ["design", str(self.pictures), "--out", str(other), "--space", "nb201", "--size", "16"]
        words += ["--max-params", "60k", "--cycles", "1"]
        subprocess.run([sys.executable, "-m", "swapnas", *words], check=True, capture_output=True)
        self.assertEqual(list(found.files), ["network.py", "network.onnx", "train.py", "report.html"])
        for name, path in found.files.items():
            self.assertTrue(path.exists())
            if name != "report.html":  # It names its folder.
                self.assertEqual(path.read_bytes(), (other / name).read_bytes(), name)
        # Whoever asks once more gets what is there.
        self.assertEqual(swapnas.design(self.pictures, out=found.folder, **SHORT), found)

    def test_what_is_known_of_it(self):
        found = self.found
        self.assertEqual((found.folder, found.space, found.size), (self.folder / "found", "nb201", (1, 16, 16)))
        self.assertEqual(found.classes, ["across", "down"])
        self.assertEqual((found.arch, found.params), (found.search.best[0].arch, found.search.best[0].params))
        self.assertLessEqual(found.params, 60_000)
        self.assertTrue(found.search.complete)
        self.assertIn(f"{found.params} parameters", found.files["network.py"].read_text())
        self.assertIsNone(found.latency_ms)
        self.assertEqual(pickle.loads(pickle.dumps(found)), found)

    def test_notebooks_show_it(self):
        shown = self.found._repr_html_()
        self.assertIn(f"<td>{self.found.params:,}</td>", shown)
        self.assertIn("1x16x16", shown)
        self.assertEqual(shown.count("<li>"), len(self.found.reasons))
        self.assertIn("<svg", shown)
        self.assertIn("train.py", shown)
        self.assertIn("<polyline", self.found.search.plot().svg)

    @unittest.skipIf(torch is None, "there is no PyTorch")
    def test_the_network_is_one_of_pytorch(self):
        code = {"__name__": "network"}
        exec(self.found.files["network.py"].read_text(), code)
        module = code["Network"]()
        self.assertEqual(sum(parameter.numel() for parameter in module.parameters()), self.found.params)
        self.assertEqual(module(torch.zeros(2, *self.found.size)).shape, (2, len(self.found.classes)))

    @unittest.skipIf(os.name == "nt", "signals are others there")
    def test_ctrl_c_leaves_the_best_and_the_same_call_goes_on(self):
        def press(done, total):
            if done > 20:  # The first population is complete.
                os.kill(os.getpid(), signal.SIGINT)

        options = {**SHORT, "cycles": 3}
        whole = swapnas.design(self.pictures, out=self.folder / "whole", **options)
        with self.assertRaisesRegex(swapnas.Interrupted, "the same call goes on") as stopped:
            swapnas.design(self.pictures, out=self.folder / "cut", progress=press, **options)
        folder = stopped.exception.folder
        self.assertEqual(folder, self.folder / "cut")
        self.assertTrue((folder / "network.onnx").exists())
        with self.assertRaisesRegex(ValueError, "cut has another design; give the same pictures and options"):
            swapnas.design(self.pictures, out=folder, **{**options, "cycles": 4})
        resumed = swapnas.design(self.pictures, out=folder, **options)
        self.assertEqual((resumed.arch, resumed.search.best), (whole.arch, whole.search.best))

    def test_limits_of_latency(self):
        table = self.folder / "latency.csv"
        table.write_text("op,input,ms\n")
        unknown = "nobody knows how long a network of nb201 takes, .* measure its operations"
        with self.assertRaisesRegex(ValueError, unknown):
            swapnas.design(self.pictures, out=self.folder / "a", max_latency=5.0, **SHORT)
        with self.assertRaisesRegex(ValueError, unknown):
            swapnas.design(self.pictures, out=self.folder / "a", max_latency=5.0, latency_table=table, **SHORT)
        with self.assertRaisesRegex(FileNotFoundError, "nowhere.csv"):
            options = {**SHORT, "space": swapnas.Space("nb201"), "latency_table": "nowhere.csv"}
            swapnas.design(self.pictures, out=self.folder / "a", **options)

    def test_mistakes(self):
        for error, message, options in [
            (ValueError, "nothing is within the limits .at most 10 parameters.", dict(max_params=10)),
            (ValueError, "flexibert has networks of texts", dict(space="flexibert")),
            (ValueError, "size cannot be 4; give a number from 8 to 1024", dict(size=4)),
            (ValueError, "max_macs is a count", dict(max_macs="many")),
            (ValueError, "nb202", dict(space="nb202")),
            (TypeError, "no argument `cylces`", dict(cylces=3)),
        ]:
            with self.subTest(options=options):
                with self.assertRaisesRegex(error, message):
                    swapnas.design(self.pictures, out=self.folder / "a", **{**SHORT, **options})
        with self.assertRaisesRegex(FileNotFoundError, "none"):
            swapnas.design(self.folder / "none", out=self.folder / "a")
        partly = self.folder / "partly"
        pictures(partly)
        (partly / "across" / "broken.png").write_text("text")
        with self.assertRaisesRegex(ValueError, "1 file in .* or leave it out with skip_bad:"):
            swapnas.design(partly, out=self.folder / "a", **SHORT)
        with self.assertWarnsRegex(UserWarning, "(?s)^left out 1 file that cannot be used:.*broken.png"):
            swapnas.design(partly, out=self.folder / "a", skip_bad=True, **SHORT)


if __name__ == "__main__":
    unittest.main()
