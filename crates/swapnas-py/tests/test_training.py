"""Training, benchmarks made by it, and the table that comes with the package."""

import tempfile
import unittest
from pathlib import Path

import swapnas

from needed import package

numpy = package("numpy")
torch = package("torch")

SMALL = dict(channels=4, cells=1, size=8, epochs=2, batch=16, progress=False)
ARCH = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|"


class Training(unittest.TestCase):
    def test_a_training_has_an_accuracy_after_each_epoch(self):
        trained = swapnas.train(ARCH, "nb201", train_images=64, validation_images=32, **SMALL)
        self.assertEqual([epoch["epoch"] for epoch in trained.epochs], [1, 2])
        self.assertEqual(trained.accuracy, trained.epochs[-1]["accuracy"])
        again = swapnas.train(ARCH, "nb201", train_images=64, validation_images=32, threads=1, **SMALL)
        self.assertEqual(trained, again)

    def test_mistakes_are_told(self):
        with self.assertRaisesRegex(ValueError, "optimiser cannot be `adam`; give sgd or adamw"):
            swapnas.train(ARCH, "nb201", optimiser="adam")
        with self.assertRaisesRegex(ValueError, "nothing says of which classes gaussian are"):
            swapnas.train(ARCH, "nb201", inputs="gaussian", **SMALL)
        with self.assertRaisesRegex(ValueError, "rate: give a number greater than 0"):
            swapnas.train(ARCH, "nb201", rate=-1.0, **SMALL)
        with self.assertRaisesRegex(TypeError, "there is no argument `epoch`"):
            swapnas.train(ARCH, "nb201", epoch=3)

    @unittest.skipUnless(numpy, "there is no NumPy")
    def test_arrays_with_labels_are_trained_with(self):
        images = numpy.random.default_rng(0).normal(size=(48, 3, 8, 8)).astype("float32")
        labels = numpy.arange(48) % 3
        images[labels == 1] += 1
        trained = swapnas.train(
            ARCH, "nb201", inputs=(images, labels), train_images=32, validation_images=16, **SMALL
        )
        self.assertGreater(trained.params, 0)
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaisesRegex(ValueError, "its images must be in files"):
                swapnas.create_benchmark(folder, "nb201", inputs=(images, labels), **SMALL)

    def test_a_benchmark_is_a_table(self):
        with tempfile.TemporaryDirectory() as folder:
            options = dict(networks=4, train_images=32, validation_images=16, **SMALL)
            archs, accuracies = swapnas.create_benchmark(folder, "nb201", **options)
            self.assertEqual((len(archs), len(accuracies)), (4, 4))
            self.assertEqual(tuple(swapnas.create_benchmark(folder, "nb201", **options)), (archs, accuracies))
            table = swapnas.read_table(Path(folder) / "table.csv")
            self.assertEqual(table.archs, archs)

    def test_a_table_comes_with_the_package(self):
        archs, accuracies = swapnas.built_in_table()
        self.assertEqual((len(archs), len(accuracies)), (100, 100))
        found = swapnas.correlate(archs, accuracies, "nb201", metrics="params", progress=False)
        self.assertGreater(found["params"].spearman, 0)

    @unittest.skipUnless(torch and numpy, "there is no PyTorch, or no NumPy")
    def test_pytorch_says_of_trained_weights_what_was_said_of_them(self):
        safetensors = package("safetensors.torch")
        if not safetensors:
            self.skipTest("there is no safetensors")
        images = numpy.random.default_rng(1).normal(size=(120, 3, 8, 8)).astype("float32")
        labels = numpy.arange(120) % 3
        images[:, 0] += labels[:, None, None]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "weights.safetensors"
            trained = swapnas.train(
                ARCH, "nb201", path=file, inputs=(images, labels), train_images=80, validation_images=40, **SMALL
            )
            module = swapnas.torch_module(
                ARCH, "nb201", channels=4, cells=1, input=8, classes=3, network="benchmark"
            )
            module.load_state_dict(safetensors.load_file(file))
        with torch.no_grad():
            logits = module.eval()(torch.from_numpy(images[:40]))
        truth = torch.from_numpy(labels[:40])
        loss = torch.nn.functional.cross_entropy(logits, truth).item()
        self.assertAlmostEqual(loss, trained.epochs[-1]["validation_loss"], places=4)
        self.assertEqual(100 * (logits.argmax(1) == truth).sum().item() / 40, trained.accuracy)


if __name__ == "__main__":
    unittest.main()
