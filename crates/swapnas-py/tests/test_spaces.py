"""Search spaces and the lists of what there is."""

import inspect
import pickle
import sys
import unittest
from collections import namedtuple

import swapnas


class Lists(unittest.TestCase):
    def test_what_there_is(self):
        self.assertEqual(swapnas.spaces()[0], "darts")
        self.assertIn("nb201", swapnas.spaces())
        self.assertIn("SWAP", swapnas.metrics()["swap"])
        self.assertGreaterEqual(len(swapnas.metrics()), 30)

    def test_signatures_say_what_is_taken(self):
        calls = [
            (swapnas.Scorer, dict(space="nb201")),
            (swapnas.search, dict(space="nb201")),
            (swapnas.resume, dict(folder="nowhere")),
            (swapnas.design, dict(images="nowhere")),
            (swapnas.score_onnx, dict(files=[])),
            (swapnas.export, dict(arch=1, space="nb201", format="svg")),
        ]
        for function, arguments in calls:
            with self.subTest(function=function):
                with self.assertRaises(TypeError) as refused:
                    function(**arguments, nonsense=1)
                known = str(refused.exception).split("by name are ")[1].split(", ")
                self.assertTrue(function.__doc__)
                if function is swapnas.Scorer and sys.version_info < (3, 10):
                    continue  # Classes like this one have no signature there.
                parameters = inspect.signature(function).parameters.values()
                named = {parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
                self.assertEqual(named - {"folder", "out", "path", "progress", "strict"}, set(known))


class Spaces(unittest.TestCase):
    def test_every_space(self):
        for name in swapnas.spaces():
            with self.subTest(space=name):
                space = swapnas.Space(name)
                self.assertEqual((space.name, str(space)), (name, f'swapnas.Space("{name}")'))
                self.assertGreater(space.size, 100)
                self.assertTrue(space.description and space.networks)
                archs = space.sample(3, seed=1)
                self.assertEqual(archs, space.sample(5, seed=1)[:3])
                self.assertNotEqual(archs, space.sample(3, seed=2))
                a, b, _ = archs
                self.assertEqual(space.parse(a), a)
                self.assertEqual(space.parse(space.to_dict(a)), a)
                self.assertEqual(space.convert(a, next(iter(space.encodings))), a)
                neighbours = space.neighbours(a)
                self.assertNotIn(a, neighbours)
                self.assertIn(space.mutate(a, seed=3), neighbours)
                self.assertEqual(space.crossover(a, a), a)
                self.assertEqual(space.crossover(a, b, seed=4), space.crossover(a, b, seed=4))
                self.assertEqual(space.canonical(space.canonical(a)), space.canonical(a))

    def test_encodings(self):
        nb201 = swapnas.Space("nb201")
        arch = nb201.parse(4321)
        self.assertEqual(arch, nb201.parse("4321"))
        for encoding in nb201.encodings:
            self.assertEqual(nb201.parse(nb201.convert(arch, encoding)), arch)
        self.assertEqual(len(nb201.all()), nb201.size)

    def test_a_genotype_is_an_architecture(self):
        space = swapnas.Space("darts")
        Genotype = namedtuple("Genotype", "normal normal_concat reduce reduce_concat")
        text = space.convert(space.sample(1)[0], "genotype")
        genotype = eval(text, {"Genotype": Genotype, "range": range})
        self.assertEqual(space.parse(genotype), space.parse(text))

    def test_equal_and_pickled(self):
        space = swapnas.Space("nbmacro")
        self.assertEqual(space, swapnas.Space("nbmacro"))
        self.assertNotEqual(space, swapnas.Space("darts"))
        self.assertEqual({space: 1}[pickle.loads(pickle.dumps(space))], 1)

    def test_mistakes(self):
        with self.assertRaisesRegex(ValueError, "nb201"):
            swapnas.Space("nb202")
        space = swapnas.Space("nb201")
        with self.assertRaisesRegex(ValueError, "cannot read the architecture `nothing`: column 1: expected"):
            space.parse("nothing")
        with self.assertRaisesRegex(ValueError, "expected"):
            space.parse({"nodes": 1})
        with self.assertRaisesRegex(ValueError, "take a sample"):
            swapnas.Space("darts").all()
        for count in [-1, 2**62, 2**80]:
            with self.assertRaisesRegex(ValueError, f"count cannot be {count}; give a number from 0 to"):
                space.sample(count)
        with self.assertRaisesRegex(ValueError, "seed cannot be -1"):
            space.mutate(1, seed=-1)
        with self.assertRaisesRegex(TypeError, "count: "):
            space.sample("many")
        with self.assertRaisesRegex(ValueError, "no encoding|encodings"):
            space.convert("1", "latin")


if __name__ == "__main__":
    unittest.main()
