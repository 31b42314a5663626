"""Metrics of one's own: what they are, and what they see of a network."""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

if TYPE_CHECKING:
    import numpy


class Metric:
    """A function that takes a `swapnas.Network` and returns a number, as a metric.

    A plain function will do wherever metrics are given; this says more of it. ``lower_is_better``: which values
    promise accuracy. ``init``: how weights are drawn. ``repeats``: with how many sets of weights the metric is
    computed; it is their mean. ``name``: that of the function unless given.
    """

    def __init__(
        self,
        function: Callable[["Network"], Optional[float]],
        *,
        name: Optional[str] = None,
        lower_is_better: bool = False,
        init: str = "pytorch",
        repeats: int = 1,
    ) -> None:
        self.function = function
        self.__name__ = name or function.__name__
        self.lower_is_better = lower_is_better
        self.init = init
        self.repeats = repeats

    def __call__(self, network: "Network") -> Optional[float]:
        return self.function(network)

    def __repr__(self) -> str:
        return f"swapnas.Metric({self.function!r}, name={self.__name__!r})"


class Layer(NamedTuple):
    """A convolution or a linear layer, by the names of its module and of its weight."""

    module: str
    weight: str


class _Arrays(Mapping[str, "numpy.ndarray"]):
    """Arrays by name, computed when they are asked for."""

    def __init__(self, places: list[tuple[str, int, list[int]]], array: Callable[[int, list[int]], Any]) -> None:
        self._places = {name: (place, shape) for name, place, shape in places}
        self._array = array

    def __getitem__(self, name: str) -> "numpy.ndarray":
        return self._array(*self._places[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return f"<arrays of {list(self)}>"


class Network:
    """What a metric of one's own sees of a network with one set of weights, while it is computed.

    Arrays are computed when they are asked for: what takes a pass makes it once. They hold the engine's own numbers
    in double precision and cannot be written to. Batch normalisations have the statistics of the batch, and the
    loss is the mean cross entropy over the batch. What has no value raises `swapnas.UndefinedError`, and so should
    a metric that is undefined.
    """

    params: int
    """Parameters."""
    macs: int
    """Multiply-accumulates for one image."""
    units: int
    """ReLU units for one image, repeated ones included."""
    layers: list[Layer]
    """Convolutions and linear layers, in order of execution."""
    weights: Mapping[str, "numpy.ndarray"]
    """All parameters by name."""
    gradients: Mapping[str, "numpy.ndarray"]
    """The gradient of the loss with respect to each parameter."""
    sample_gradients: Mapping[str, "numpy.ndarray"]
    """The same of single images, each in a batch of its own: of shape (images, *shape of the parameter)."""
    activations: Mapping[str, "numpy.ndarray"]
    """What each module returns, of shape (images, channels, rows, columns). A module that is called again is listed
    again, with ``#2`` behind its name."""
    activation_gradients: Mapping[str, "numpy.ndarray"]
    """The gradient of the loss with respect to that; a backward pass for each."""
    signs: Mapping[str, "numpy.ndarray"]
    """Of each ReLU, for which images which units are positive: booleans, of the same shape."""

    def __init__(self, link: Any) -> None:
        import numpy

        self._link = link
        self._numpy = numpy
        outline = link.outline()
        self.params, self.macs, self.units = (outline[name] for name in ("params", "macs", "units"))
        self.layers = [Layer(*names) for names in outline["layers"]]
        self._labels = outline["labels"]
        self._input, self._output = outline["input"], outline["output"]
        parameters, modules = outline["parameters"], outline["modules"]
        self.weights = _Arrays(parameters, lambda place, shape: self._array(link.weight(place), shape))
        self.gradients = _Arrays(parameters, lambda place, shape: self._array(link.gradient(place), shape))
        self.sample_gradients = _Arrays(
            parameters, lambda place, shape: self._array(self._sample_gradients[place], [-1, *shape])
        )
        self.activations = _Arrays(modules, lambda place, shape: self._array(link.value(place), [-1, *shape]))
        self.activation_gradients = _Arrays(
            modules, lambda place, shape: self._array(link.value_gradient(place), [-1, *shape])
        )
        self.signs = _Arrays(
            outline["relus"], lambda place, shape: self._array(link.signs(place), [-1, *shape], bool)
        )

    def _array(self, numbers: bytes, shape: list[int], dtype: type = float) -> "numpy.ndarray":
        return self._numpy.frombuffer(numbers, dtype).reshape(shape)

    @functools.cached_property
    def _sample_gradients(self) -> list[bytes]:
        return self._link.sample_gradients()

    @functools.cached_property
    def images(self) -> "numpy.ndarray":
        """The batch, of shape (images, channels, rows, columns)."""
        _, place, shape = self._input
        return self._array(self._link.value(place), [-1, *shape])

    @functools.cached_property
    def labels(self) -> "numpy.ndarray":
        """The class of each image; drawn at random where images have none."""
        return self._numpy.array(self._labels)

    @functools.cached_property
    def logits(self) -> "numpy.ndarray":
        """What the network returns, of shape (images, classes)."""
        return self._array(self._link.value(self._output[1]), [len(self._labels), -1])

    @functools.cached_property
    def jacobian(self) -> "numpy.ndarray":
        """The gradient of the sum of all logits with respect to the images, of their shape."""
        return self._array(self._link.jacobian(), [-1, *self._input[2]])
