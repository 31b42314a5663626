"""Lists of networks of which some cannot be scored."""

import pathlib
import pickle
import tempfile
import unittest
import warnings

import swapnas
from needed import package

onnx = package("onnx")
torch = package("torch")

SMALL = dict(space="nb201", channels=4, cells=1, batch=16, repeats=1, metrics="swap,rank(swap,params)")
OF_FILES = dict(batch=16, repeats=1, metrics="swap,rank(swap,params)")


def file(arch):
    """The contents of an ONNX file."""
    return swapnas.export(arch, "nb201", format="onnx", channels=4, cells=1, input=16)


class Refusals(unittest.TestCase):
    def check(self, one, reason):
        """That a network was refused for a reason, which all metrics have."""
        self.assertIsInstance(one, swapnas.Scored)
        self.assertRegex(one.refused, reason)
        self.assertEqual(one.scores, {"swap": None, "rank(swap,params)": None})
        self.assertEqual(one.reasons, dict.fromkeys(one.scores, one.refused))
        self.assertEqual((one.params, one.macs, one.units, one.deviations, one.saturated), (None, None, None, {}, False))
        with self.assertRaisesRegex(ValueError, "swap is undefined for "):
            one["swap"]
        self.assertEqual(one.to_dict()["refused"], one.refused)
        self.assertEqual(pickle.loads(pickle.dumps(one)), one)

    def test_architectures(self):
        archs = [4321, "oh", 15624, {"nodes": 3}]
        with self.assertWarnsRegex(UserWarning, "^2 of 4 networks were refused; `refused` of each says why$"):
            scored = swapnas.score(archs, **SMALL)
        alone = swapnas.score([4321, 15624], **SMALL)
        calls = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            swapnas.score(archs, progress=lambda *call: calls.append(call), **SMALL)
        self.assertEqual(calls[-1], (4, 4))
        self.assertEqual([scored[0], scored[2]], alone)
        self.assertTrue(all(one.refused is None and "refused" not in one.to_dict() for one in alone))
        self.assertEqual([one.arch for one in scored[1::2]], ["oh", "{'nodes': 3}"])
        self.check(scored[1], "^column 1: expected .*, found `oh`$")
        self.check(scored[3], "nodes")
        with self.assertWarnsRegex(UserWarning, "^all 1 network was refused"):
            (one,) = swapnas.Scorer(**SMALL).score(["oh"], strict=False)
        self.check(one, "found `oh`$")
        for list_of, strict in [(["oh"], None), ([1, "oh"], True)]:
            with self.assertRaisesRegex(ValueError, "cannot read the architecture `oh`"):
                swapnas.score(list_of, strict=strict, **SMALL)
        # What holds for all is no refusal, nor is what is no text at all.
        with self.assertRaisesRegex(ValueError, "has no network `swap`"):
            swapnas.score([1, 2], network="swap", **SMALL)

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for name, arch in [("a", 4321), ("b", 15624)]:
                paths.append(pathlib.Path(folder) / name / "model.onnx")
                paths[-1].parent.mkdir()
                paths[-1].write_bytes(file(arch))
            none = pathlib.Path(folder) / "none.onnx"
            with self.assertWarnsRegex(UserWarning, "2 of 4 networks were refused"):
                scored = swapnas.score_onnx([paths[0], none, paths[1], b"nonsense"], **OF_FILES)
            self.assertEqual([scored[0], scored[2]], swapnas.score_onnx(paths, **OF_FILES))
            self.assertEqual([one.arch for one in scored], [str(paths[0]), str(none), str(paths[1]), "3"])
            self.check(scored[1], "^it cannot be read: No such file")
            self.check(scored[3], "^this is no ONNX file")
            for files in [[none], [paths[0], none]]:
                with self.assertRaisesRegex(FileNotFoundError, "none.onnx"):
                    swapnas.score_onnx(files, strict=True, **OF_FILES)
            with self.assertRaisesRegex(FileNotFoundError, "none.onnx"):
                swapnas.score_onnx([none], **OF_FILES)
            with self.assertRaisesRegex(TypeError, "number 1 of the list is neither a path nor bytes"):
                swapnas.score_onnx([paths[0], 3], **OF_FILES)

    def test_options_are_said_as_they_are_given(self):
        texts = swapnas.export("h128:SDP/2/512x1:DCT/4/1024x3", "flexibert", format="onnx")
        with self.assertRaisesRegex(ValueError, "give the number of their tokens, as in size=128$"):
            swapnas.score_onnx([texts], size=(3, 8, 8), **OF_FILES)
        with self.assertWarnsRegex(UserWarning, "^all 1 network was refused"):
            (one,) = swapnas.score_onnx([texts], size=(3, 8, 8), strict=False, **OF_FILES)
        self.check(one, "as in size=128$")

    @unittest.skipIf(onnx is None, "there is no ONNX")
    def test_sizes_that_a_file_leaves_open_are_to_be_given(self):
        model = onnx.load_from_string(file(4321))
        dimensions = model.graph.input[0].type.tensor_type.shape.dim
        dimensions[2].dim_param, dimensions[3].dim_param = "height", "width"
        with self.assertRaisesRegex(ValueError, r"leaves the height and width .* as in size=\(3, 224, 224\)$"):
            swapnas.score_onnx([model.SerializeToString()], **OF_FILES)


@unittest.skipIf(torch is None, "there is no PyTorch")
class Modules(unittest.TestCase):
    def setUp(self):
        class ResNet(torch.nn.Module):
            """With a layer between convolution and the end, for images of 3x16x16."""

            def __init__(self, *layers, features=8 * 14 * 14):
                super().__init__()
                conv = [torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), *layers]
                self.layers = torch.nn.Sequential(*conv, torch.nn.Flatten(), torch.nn.Linear(features, 10))

            def forward(self, images):
                return self.layers(images)

        class Bessel(torch.nn.Module):
            def forward(self, images):
                if torch.onnx.is_in_onnx_export():
                    raise RuntimeError("Exporting the operator bessel_j0 is not supported\nhere")
                return torch.special.bessel_j0(images).flatten(1)

        class Sampled(torch.nn.Module):
            """Pixels from places that depend on the image, which the reader of ONNX does not know."""

            def forward(self, x):
                return torch.nn.functional.grid_sample(x, x[:, :2].movedim(1, -1), align_corners=False)

        self.ResNet, self.Bessel, self.Sampled = ResNet, Bessel, Sampled
        self.good = [ResNet(torch.nn.ReLU()), ResNet(torch.nn.ReLU(), torch.nn.Dropout())]

    def score(self, modules, input=(3, 16, 16), **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch's exporter
            return swapnas.score_torch(modules, input, **{**OF_FILES, **options})

    def test_the_rest_is_scored_and_every_module_has_a_name(self):
        other_size, of_no_onnx = self.ResNet(features=5), self.Bessel()
        unsupported = self.ResNet(self.Sampled())
        frozen = self.good[1]
        frozen.layers[1].eval()
        modules = [self.good[0], other_size, of_no_onnx, unsupported, frozen]
        scored = self.score(modules)
        self.assertEqual([one.arch for one in scored], ["ResNet", "ResNet#2", "Bessel", "ResNet#3", "ResNet#4"])
        self.assertEqual([scored[0].scores, scored[4].scores], [one.scores for one in self.score(self.good)])
        images = r"torch.zeros\(1, 3, 16, 16\)"
        for one, reason in [
            (scored[1], rf"^it cannot be run as it has to be: module.eval\(\)\({images}\) raises RuntimeError: .*1568"),
            (scored[2], "^it cannot be exported to ONNX; replace what .*: RuntimeError: .*bessel_j0 is not supported$"),
            (scored[3], "^node "),
        ]:
            self.assertRegex(one.refused, reason)
            self.assertNotRegex(one.refused, r"--|size=|\n")
            self.assertEqual(one.reasons["swap"], one.refused)
        # Each part is left as it was.
        self.assertTrue(frozen.training and frozen.layers[2].training and not frozen.layers[1].training)

    def test_one_alone_or_a_strict_list_is_an_error_that_names_the_module(self):
        for modules, options in [([self.Bessel()], {}), ([self.good[0], self.Bessel()], dict(strict=True))]:
            with self.assertRaisesRegex(ValueError, "^Bessel: it cannot be exported to ONNX; ") as raised:
                self.score(modules, **options)
            self.assertIsInstance(raised.exception.__cause__, RuntimeError)
        with self.assertRaisesRegex(ValueError, "^mine: node "):
            self.score({"mine": self.ResNet(self.Sampled())})
        (one,) = self.score([self.Bessel()], strict=False)
        self.assertEqual(one.arch, "Bessel")
        # What it takes is said without options that there are not.
        pooled = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
        with self.assertRaisesRegex(MemoryError, "^Sequential: the images take .*; lower batch or input$"):
            self.score([pooled], input=(3, 2048, 2048), batch=4096)
        (one,) = self.score([pooled], input=(3, 2048, 2048), batch=4096, strict=False)
        self.assertRegex(one.refused, "; lower batch or input$")

    def test_names_may_be_given(self):
        named = {"small": self.good[0], "large": self.good[1]}
        self.assertEqual([one.arch for one in self.score(named)], ["small", "large"])

    def test_mistakes(self):
        for message, modules in [
            ("number 1 of the list is not a module, but a class", [self.good[0], self.ResNet]),
            ("number 0 of the list is not a module, but a str", ["resnet18"]),
            ("a list of modules, not a single one", self.good[0]),
        ]:
            with self.assertRaisesRegex(TypeError, message):
                self.score(modules)
        expected = r"as in \(3, 32, 32\), or the number of tokens of texts, as in 128, not "
        for input in [(16, 16), 0, (3, 0, 16), "3x16x16", (3, 1.5, 2)]:
            with self.assertRaisesRegex(ValueError, expected):
                swapnas.score_torch(self.good, input)


if __name__ == "__main__":
    unittest.main()
