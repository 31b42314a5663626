"""Images as arrays and pictures, and texts of all kinds, as people and others give them."""

import os
import pickle
import struct
import tempfile
import time
import unicodedata
import unittest
import warnings
import zlib

import swapnas

try:
    import numpy
except ImportError:
    numpy = None
try:
    import torch
except ImportError:
    torch = None

SMALL = dict(space="nb201", channels=8, cells=1, batch=32, repeats=2)


@unittest.skipIf(numpy is None, "there is no NumPy")
class Arrays(unittest.TestCase):
    def setUp(self):
        self.images = numpy.random.default_rng(0).normal(size=(40, 3, 32, 32))

    def test_numbers_that_no_network_can_take_are_named_with_their_place(self):
        for value, shown in [(numpy.nan, "NaN"), (numpy.inf, "inf"), (-numpy.inf, "-inf"), (1e39, "1e39"), (-1e300, "-1e300")]:
            images = self.images.copy()
            images[3, 1, 5, 7] = value
            for given in [images, numpy.asfortranarray(images), images.astype(">f8"), images[:, :, ::-1][:, :, ::-1]]:
                with self.assertRaisesRegex(ValueError, f"^image 3, channel 1, row 5, column 7 is {shown}, which is .*replace it"):
                    swapnas.Scorer(inputs=given, **SMALL)
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "images.npy")
                numpy.save(path, images)
                with self.assertRaisesRegex(ValueError, f"image 3, channel 1, row 5, column 7 is {shown}, which is"):
                    swapnas.Scorer(inputs=f"npy:{path}", **dict(SMALL, batch=40))
        # The largest number of 32 bits is one.
        swapnas.Scorer(inputs=numpy.full((32, 3, 32, 32), numpy.finfo("float32").max), **SMALL)

    def test_types_that_hold_real_numbers_are_taken(self):
        def score(images):
            return swapnas.score([4321], inputs=images, metrics="snip,meco", **SMALL)

        whole = numpy.round(self.images[:32] * 20)
        expected = score(whole)
        for dtype in ["float16", "float32", "float64", "longdouble", ">f4", "<f8", "int8", "int16", ">i4", "int64"]:
            with self.subTest(dtype=dtype):
                self.assertEqual(score(whole.astype(dtype)), expected)
        self.assertEqual(score(whole.tolist()), expected)
        frozen = whole.copy()
        frozen.flags.writeable = False
        strided = numpy.zeros((64, 3, 32, 64))[::2, :, :, ::2]
        strided[:] = whole
        for images in [frozen, strided, numpy.asfortranarray(whole)]:
            self.assertEqual(score(images), expected)
        self.assertEqual(score(whole > 0), score((whole > 0).astype("float32")))
        bytes_ = numpy.abs(whole).astype("uint8")
        self.assertEqual(score(bytes_), score(bytes_.astype("float32") / numpy.float32(255)))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "images.npy")
            numpy.save(path, bytes_)
            self.assertEqual(score(bytes_), score(f"npy:{path}"))

    def test_types_that_do_not_are_refused(self):
        images = self.images[:32]
        records = numpy.zeros(images.shape, dtype=[("red", "f4"), ("green", "f4")])
        masked = numpy.ma.masked_array(images, mask=images > 0)
        for message, wrong in [
            ("type complex128, complex numbers; give real ones", images.astype("complex128")),
            ("complex64", images.astype("complex64")),
            ("complex", images.astype("complex128").tolist()),
            ("type datetime64\\[s\\], times", images.astype("datetime64[s]")),
            ("timedelta64", images.astype("timedelta64[ms]")),
            ("records; give one of the fields", records),
            ("the array is masked", masked),
            ("the array is masked", list(masked)),
            ("type object, objects", images.astype("object")),
            ("texts", images.astype("str")),
            ("texts", images.astype("bytes")),
            ("type that NumPy does not compute with", numpy.zeros(images.shape, "V4")),
        ]:
            with self.subTest(message=message):
                with self.assertRaisesRegex(TypeError, message):
                    swapnas.Scorer(inputs=wrong, **SMALL)
        for message, wrong in [
            ("not one of shape \\[\\]", numpy.float64(3)),
            ("not one of shape \\[0\\]", []),
            ("0 numbers make no array", numpy.zeros((0, 3, 32, 32))),
            ("0 numbers make no array", numpy.zeros((32, 3, 0, 32))),
        ]:
            with self.subTest(message=message):
                with self.assertRaisesRegex(ValueError, message):
                    swapnas.Scorer(inputs=wrong, **SMALL)

    def test_labels_are_whole_numbers(self):
        images = self.images[:32]
        for message, labels in [
            ("label 0 is 0.5", [0.5] * 32),
            ("label 0 is nan", [numpy.nan] * 32),
            ("label 0 is 1.0", numpy.ones(32)),
            ("label 31 is -1", [0] * 31 + [-1]),
            ("objects", [2**64] * 32),
            ("complex", numpy.ones(32, "complex64")),
            ("masked", numpy.ma.masked_array([1] * 32, mask=[0] * 31 + [1])),
            ("texts", ["cat"] * 32),
            ("objects", [None] * 32),
            ("times", numpy.zeros(32, "datetime64[s]")),
            ("of shape \\[32, 1\\]", [[1]] * 32),
            ("of shape \\[\\]", 3),
        ]:
            with self.subTest(message=message):
                with self.assertRaisesRegex(ValueError, "labels are a list of classes.*" + message):
                    swapnas.Scorer(inputs=(images, labels), **SMALL)

    @unittest.skipIf(torch is None, "there is no PyTorch")
    def test_tensors_of_pytorch(self):
        images = torch.from_numpy(self.images[:32]).float()
        options = dict(SMALL, metrics="snip,meco")
        expected = swapnas.score([4321], inputs=images.numpy(), **options)
        channels_last = images.contiguous(memory_format=torch.channels_last)
        for given in [images, images.double(), channels_last]:
            self.assertEqual(swapnas.score([4321], inputs=given, **options), expected)
        labels = torch.arange(32) % 10
        expected = swapnas.score([4321], inputs=(images.numpy(), labels.tolist()), **options)
        self.assertEqual(swapnas.score([4321], inputs=(images, labels), **options), expected)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PyTorch warns of what is old or new in it.
            others = [
                images.clone().requires_grad_(),
                images.bfloat16(),
                images.to_sparse(),
                images.to(torch.complex64),
                torch.quantize_per_tensor(images, 0.1, 0, torch.quint8),
                images.to("meta"),
            ]
        for given in others:
            with self.assertRaisesRegex(TypeError, "^inputs is a text, an array or a pair") as caught:
                swapnas.Scorer(inputs=given, **SMALL)
            self.assertLess(len(str(caught.exception)), 500)


class Pictures(unittest.TestCase):
    """A folder of pictures, of which one is broken."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        for index in range(6):
            with open(os.path.join(self.folder.name, f"{index}.png"), "wb") as file:
                file.write(picture(index) if index != 3 else b"text")

    def test_broken_pictures_are_errors_or_left_out(self):
        options = dict(SMALL, batch=2, inputs=f"images:{self.folder.name}")
        for seed in range(4):
            with self.assertRaisesRegex(ValueError, "1 file in .*skip_bad:\n  .*3.png"):
                swapnas.Scorer(seed=seed, **options)
            with self.assertWarnsRegex(UserWarning, "left out 1 file that cannot be used:\n.*3.png"):
                scorer = swapnas.Scorer(seed=seed, skip_bad=True, **options)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.assertEqual(pickle.loads(pickle.dumps(scorer)).score([1]), scorer.score([1]))
        with self.assertRaisesRegex(ValueError, "skip_bad leaves out pictures"):
            swapnas.Scorer(skip_bad=True, **SMALL)


def picture(level):
    """A PNG file of 4x4 pixels."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + bytes([40 * level, x, 0] * 4) for x in range(4))
    header = struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Hostile(unittest.TestCase):
    """Texts that would do things to a terminal, and texts without end."""

    TEXTS = ["\x1b[2J\r\x08\x9b1m\u202e\u200b\n", "x" * 20_000_000, "rank(" * 4_000_000, "\x1b" * 100_000]

    def check(self, function, *arguments, **options):
        with self.assertRaises(Exception) as caught:
            function(*arguments, **options)
        message = str(caught.exception)
        self.assertLess(len(message), 2500, message[:5000])
        obeyed = [c for c in message if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"]
        self.assertEqual(obeyed, [], message)

    def test_messages_are_short_and_plain(self):
        began = time.process_time()
        for text in self.TEXTS:
            for space in swapnas.spaces():
                self.check(swapnas.score, [text], space)
                self.check(swapnas.Space(space).convert, 1 if space == "nb201" else text, text)
            self.check(swapnas.Space, text)
            self.check(swapnas.score, [{text: 1}], "nb201")
            self.check(swapnas.score, [{"nodes": text}], "nb201")
            self.check(swapnas.score, [1], text)
            for option in ["metrics", "inputs", "init", "weights", "precision", "network", "size", "batch", "seed", "threads"]:
                self.check(swapnas.Scorer, "nb201", **{option: text})
            self.check(swapnas.Scorer, "nb201", metrics=["swap", text])
            self.check(swapnas.Scorer, "nb201", **{text: 1})
            self.check(swapnas.export, 1, "nb201", format=text)
            self.check(swapnas.search, "nb201", algorithm=text)
            self.check(swapnas.score_onnx, [text + ".onnx"])
            self.check(swapnas.score_onnx, [text.encode()])
            self.check(swapnas.read_table, text[:200].replace("\0", ""))
            self.check(swapnas.read_table, __file__, arch_column=text)
            self.check(swapnas.resume, text[:200])
            scored = swapnas.Scored(text, 0, 0, 0, {text: None}, {}, {text: text}, False)
            self.check(lambda: scored[text])
        self.assertLess(time.process_time() - began, 60)

    def test_keys_that_become_the_same(self):
        for twice in [{1: 2, "1": 3}, {"nodes": [{1: 2, "1": 3}]}]:
            with self.assertRaisesRegex(TypeError, "the key `1` twice"):
                swapnas.score([twice], "nb201")


if __name__ == "__main__":
    unittest.main()
