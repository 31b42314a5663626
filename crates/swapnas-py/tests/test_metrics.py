"""Metrics of one's own."""

import pickle
import tempfile
import traceback
import unittest

import swapnas
from needed import package

numpy = package("numpy")

SMALL = dict(space="nb201", channels=4, cells=1, classes=4, batch=9, repeats=2, progress=False)
ARCHS = swapnas.Space("nb201").sample(5, seed=2)


def snip(network):
    products = (network.weights[name] * network.gradients[name] for _, name in network.layers)
    return sum(abs(product).sum() for product in products)


def naswot(network):
    signs = [signs.reshape(len(signs), -1) for signs in network.signs.values()]
    positive = numpy.concatenate(signs, axis=1).astype(float)
    kernel = positive @ positive.T + (1 - positive) @ (1 - positive).T
    sign, logarithm = numpy.linalg.slogdet(kernel)
    return logarithm if sign else None


def fisher(network):
    total = 0
    for module, weight in network.layers:
        products = network.activations[module] * network.activation_gradients[module]
        channels = products.sum(axis=(2, 3))
        total += 0.5 * (channels**2).sum() / len(channels) * network.weights[weight][0].size
    return total


def gradsign(network):
    signs = [numpy.sign(network.sample_gradients[name]).sum(axis=0) for _, name in network.layers]
    return sum(abs(sign).sum() for sign in signs) / sum(sign.size for sign in signs)


def size(network):
    return network.params


@unittest.skipIf(numpy is None, "there is no NumPy")
class Metrics(unittest.TestCase):
    def test_proxies_in_ten_lines_are_those_of_the_library(self):
        names = ["snip", "nwot", "fisher", "gradsign"]
        for precision, tolerance in ("f64", 1e-12), ("f32", 1e-4):
            mine = {"my-" + name: function for name, function in zip(names, (snip, naswot, fisher, gradsign))}
            found = swapnas.score(ARCHS, metrics=mine, precision=precision, **SMALL)
            listed = swapnas.score(ARCHS, metrics=names, precision=precision, **SMALL)
            for mine, listed in zip(found, listed):
                for name in names:
                    value, expected = mine.scores["my-" + name], listed.scores[name]
                    self.assertIsNotNone(expected)
                    self.assertLessEqual(abs(value - expected), tolerance * abs(expected), name)
                    self.assertEqual(name in mine.reasons, name in listed.reasons)

    def test_what_a_network_shows(self):
        def look(network):
            count, classes = 9, 4
            self.assertEqual(network.images.shape, (count, 3, 32, 32))
            self.assertEqual(network.jacobian.shape, network.images.shape)
            self.assertEqual(network.logits.shape, (count, classes))
            self.assertEqual(network.labels.shape, (count,))
            self.assertFalse(network.images.flags.writeable)
            softmax = numpy.exp(network.logits) / numpy.exp(network.logits).sum(1, keepdims=True)
            gradient = (softmax - numpy.eye(classes)[network.labels]) / count
            found = network.activation_gradients["classifier"].reshape(count, classes)
            numpy.testing.assert_allclose(found, gradient, atol=1e-12)
            self.assertEqual(list(network.weights), list(network.gradients))
            self.assertEqual(network.params, sum(weight.size for weight in network.weights.values()))
            self.assertEqual(network.units, sum(signs[0].size for signs in network.signs.values()))
            for name, signs in network.signs.items():
                self.assertEqual(signs.dtype, bool)
                numpy.testing.assert_array_equal(signs, network.activations[name] > 0)
            for name, weight in network.weights.items():
                self.assertEqual(network.gradients[name].shape, weight.shape)
                self.assertEqual(network.sample_gradients[name].shape, (count, *weight.shape))
            for module, weight in network.layers:
                self.assertEqual(network.weights[weight].shape[0], network.activations[module].shape[1])
            with self.assertRaises(KeyError):
                network.weights["nothing"]
            return 1

        scored = swapnas.score(ARCHS[:2], metrics=look, precision="f64", **SMALL)
        self.assertEqual([network["look"] for network in scored], [1, 1])

    def test_they_stand_beside_others(self):
        metrics = ["snip", size, "rank(snip,size)", "params"]
        scored = swapnas.score(ARCHS, metrics=metrics, **SMALL)
        self.assertEqual(list(scored[0].scores), ["snip", "size", "rank(snip,size)", "params"])
        self.assertTrue(all(network["size"] == network["params"] for network in scored))
        few = swapnas.Metric(size, name="few", lower_is_better=True, repeats=3)
        accuracies = [network.params for network in scored]
        found = swapnas.correlate(ARCHS, accuracies, metrics=["params", few], **SMALL)
        self.assertEqual((found["params"].spearman, found["few"].spearman), (1, -1))
        scorer = swapnas.Scorer("nb201", metrics=[size], batch=4)
        self.assertEqual(pickle.loads(pickle.dumps(scorer)).metrics, ["size"])

    def test_how_weights_are_drawn(self):
        deviations = []

        def deviation(network):
            weight = network.weights[network.layers[0].weight]
            deviations.append(weight.std())
            return deviations[-1]

        options = {**SMALL, "repeats": None}
        swapnas.score(ARCHS[:1], metrics=swapnas.Metric(deviation, init="gaussian", repeats=4), **options)
        self.assertEqual(len(deviations), 4)
        self.assertEqual(len(set(deviations)), 4)
        self.assertGreater(min(deviations), 0.7)

    def test_what_is_undefined_and_what_fails(self):
        def undefined(network):
            raise swapnas.UndefinedError("it is Sunday")

        def nothing(network):
            return None

        def infinite(network):
            return float("inf")

        scored = swapnas.score(ARCHS[:2], metrics=["params", undefined, nothing, infinite], **SMALL)
        for network in scored:
            self.assertEqual(network["params"], network.params)
            self.assertEqual(network.reasons["undefined"], "it is Sunday")
            self.assertEqual(network.reasons["nothing"], "the function returned None")
            self.assertEqual(network.reasons["infinite"], "the value is inf")

        def broken(network):
            return network.weights["no such weight"]

        try:
            swapnas.score(ARCHS, metrics=broken, **SMALL)
        except KeyError as error:
            names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        self.assertIn("broken", names)

        def text(network):
            return "7"

        with self.assertRaisesRegex(TypeError, "the metric text returned <class 'str'>"):
            swapnas.score(ARCHS, metrics=text, **SMALL)
        kept = []
        swapnas.score(ARCHS[:1], metrics={"kept": lambda network: kept.append(network) or 1}, **SMALL)
        with self.assertRaisesRegex(RuntimeError, "only while the metric"):
            kept[0].logits

    def test_names(self):
        for metrics, message in (
            ({"swap": size}, "there is a metric `swap` already"),
            ({"a,b": size}, "cannot be called `a,b`"),
            ([size, size], "there is a metric `size` already"),
            ({}, "metrics is empty"),
            (["swap", "rank(swap,sice)", size], r"did you mean size\?"),
        ):
            with self.assertRaisesRegex(ValueError, message):
                swapnas.score(ARCHS, metrics=metrics, **SMALL)
        for wrong, error in (dict(init="gausian"), ValueError), (dict(repeats=0), ValueError), (dict(repeats="x"), TypeError):
            with self.assertRaisesRegex(error, next(iter(wrong))):
                swapnas.score(ARCHS, metrics=swapnas.Metric(size, **wrong), **SMALL)
        for metrics in ({"mine": 3}, [3], 3):
            with self.assertRaisesRegex(TypeError, "metrics is a text"):
                swapnas.score(ARCHS, metrics=metrics, **SMALL)

    def test_a_search_goes_by_one(self):
        calls = []

        def mine(network):
            calls.append(1)
            return -abs(network.params - 3000)

        options = {**SMALL, "cycles": 6, "population": 5, "sample": 3, "repeats": 1}
        with tempfile.TemporaryDirectory() as folder:
            found = swapnas.search(folder=folder + "/run", metrics=[mine, "params"], **options)
            self.assertEqual(found.objective, "mine")
            self.assertTrue(calls)
            self.assertIn("metrics", found.command)
            best = max(found.best, key=lambda one: one["mine"])
            self.assertEqual(best, found.best[0])
            again = swapnas.resume(folder + "/run", metrics=[mine], progress=False)
            self.assertEqual(again.best, found.best)
            with self.assertRaisesRegex(ValueError, "no metric is called `mine`"):
                swapnas.resume(folder + "/run", progress=False)

    def test_networks_of_files(self):
        file = swapnas.export(ARCHS[0], "nb201", format="onnx", channels=4, cells=1)
        [scored] = swapnas.score_onnx([file], metrics=["params", size, naswot], batch=5, progress=False)
        self.assertIsNotNone(scored["naswot"])
        self.assertEqual(scored["size"], scored["params"])


if __name__ == "__main__":
    unittest.main()
