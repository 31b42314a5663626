import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from os import PathLike
from typing import Any, Literal, Optional, Union, final, overload

from ._html import Drawing
from ._network import Network
from ._results import Correlations, Designed, Scored, Scores, SearchResult, Table, Trained

__version__: str

_Path = Union[str, PathLike[str]]
_Function = Callable[[Network], Optional[float]]
_Metrics = Union[None, str, _Function, Iterable[Union[str, _Function]], dict[str, _Function]]
"""Names of metrics, functions (or `Metric`), a list of both, or functions by their names."""
_Progress = Union[None, bool, Callable[[int, int], object]]
"""None is a bar: in notebooks that of tqdm, if it is installed, elsewhere on standard error, if that is a terminal.
True is the bar of tqdm everywhere, False nothing; a function gets the numbers of networks done and in all."""

_Elsewhere = Callable[[list[str], list[int], bool], Iterator[list[tuple[int, Any]]]]
"""A function that has other processes score: of the texts of architectures, the seeds to score all of them with, and
whether a network that cannot be scored is an error. It returns an iterator of lists, empty ones while nothing is new, of
what `_measure` found of an architecture and its place, behind those of the seeds before; it is closed when the work is
stopped."""

class UndefinedError(ValueError):
    """A metric is undefined for a network: raised by a metric of one's own, with the reason."""

class Interrupted(KeyboardInterrupt):
    """Ctrl-C stopped the work, once the networks at hand were finished."""

    scored: list[Optional[Scored]]
    """Of scores, what was finished by then, and None for the rest."""
    folder: pathlib.Path
    """Of a search, where `resume` finds it; of a design, where the same call goes on."""

@final
class Space:
    """A search space: its encodings, and moves between architectures.

    Wherever an architecture is taken, it is a text in any encoding of the space, a dictionary as `to_dict` gives,
    a number, or an object whose text is an encoding, such as a ``Genotype``. Those that are returned are texts in
    the canonical encoding.
    """

    def __new__(cls, name: str) -> Space: ...
    def __getnewargs__(self) -> tuple[str]: ...
    def __hash__(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def size(self) -> int:
        """The number of architectures."""
    @property
    def networks(self) -> list[str]:
        """The networks into which architectures are built, the default one first."""
    @property
    def encodings(self) -> dict[str, str]:
        """The ways of writing an architecture by name, each with what it means; the first is the canonical one."""
    def sample(self, count: int, seed: int = 0) -> list[str]:
        """Architectures drawn uniformly; the first of them do not depend on how many follow."""
    def parse(self, arch: Any) -> str:
        """The architecture in the canonical encoding."""
    def convert(self, arch: Any, encoding: str) -> str:
        """The architecture in the encoding of that name."""
    def to_dict(self, arch: Any) -> dict[str, Any]:
        """The architecture as a dictionary of named parts."""
    def canonical(self, arch: Any) -> str:
        """The architecture that stands for all that compute the same function as this one."""
    def neighbours(self, arch: Any) -> list[str]:
        """All architectures that differ from this one in a single gene."""
    def mutate(self, arch: Any, seed: int = 0) -> str:
        """One of the neighbours, drawn uniformly."""
    def crossover(self, a: Any, b: Any, seed: int = 0) -> str:
        """An architecture that has every gene from one of two, drawn uniformly."""
    def draw(self, arch: Any, path: Optional[_Path] = None) -> Drawing:
        """What an architecture looks like.

        path: a file for it as well, whose name ends in .svg.
        """
    def _repr_html_(self) -> str: ...
    def all(self) -> list[str]:
        """All architectures; ValueError if they are too many to go through."""

@final
class Scorer:
    """Scores architectures of one space: in any order, on any number of threads, with the same result to the bit.

    It can be pickled, so that other processes score as this one does.
    """

    def __new__(
        cls,
        space: Union[str, Space] = "darts",
        *,
        metrics: _Metrics = None,
        inputs: Any = None,
        skip_bad: bool = False,
        batch: int = 16,
        repeats: Optional[int] = None,
        seed: int = 0,
        weights: Literal["shared", "independent"] = "shared",
        init: Optional[Literal["gaussian", "kaiming-normal", "kaiming-uniform", "xavier-normal", "xavier-uniform", "pytorch"]] = None,
        precision: Literal["f32", "f64"] = "f32",
        network: Optional[Literal["benchmark", "swap"]] = None,
        channels: Optional[int] = None,
        cells: Optional[int] = None,
        size: Union[int, Iterable[int], None] = None,
        classes: Optional[int] = None,
        threads: Optional[int] = None,
    ) -> Scorer:
        """A scorer.

        metrics: names as `metrics` lists them, ``rank(a,b)`` or ``logrank(a,b)``; swap-plus, swap, params and
        macs by default, of networks of texts blocks, az-expressivity, swap, params and macs. Also functions that take a `Network` and return a number: ``metrics={"mine": function}``,
        or a list such as ``["swap", function]``; `Metric` says more of one. An exception of theirs ends the
        scoring, but for `UndefinedError`.
        inputs: a text (spectral, gaussian, ``cifar10:PATH``, ``images:DIR``, ``npy:FILE``), an array of shape
        (images, channels, rows, columns), or a pair of an array and labels.
        batch: number of images; an array of exactly as many keeps its order, from a larger one they are drawn.
        repeats: sets of weights that each network is scored with; each metric's own number by default.
        """
    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]: ...
    @property
    def space(self) -> Space: ...
    @property
    def metrics(self) -> list[str]: ...
    @property
    def network(self) -> str:
        """The network that is scored, in words."""
    def score(
        self, archs: Iterable[Any], *, strict: Optional[bool] = None, progress: _Progress = None
    ) -> Scores:
        """Scores architectures. Ctrl-C raises `Interrupted`, which has what was finished by then.

        strict: whether the first one that cannot be scored is an error; otherwise it is refused, and has its place
        in the list, where ``refused`` says why. By default, a list of one is strict and a longer one is not.
        """
    def correlate(
        self,
        archs: Iterable[Any],
        accuracies: Iterable[float],
        *,
        columns: Optional[Mapping[str, Iterable[Optional[float]]]] = None,
        compare: bool = False,
        seeds: int = 1,
        progress: _Progress = None,
    ) -> Correlations:
        """How well each metric orders architectures by their accuracies.

        columns: further numbers by names, one for each architecture, of which larger ones are taken to be better;
        None and NaN are not ranked.
        compare: whether ``comparison`` of the result says how metrics and columns correlate with each other.
        seeds: with how many seeds to score, from that of the scorer on; ``spearman_over_seeds`` says how Spearman's
        rho varies, and all else is of the first one.
        """
    def _measure(self, archs: list[str], strict: bool) -> list[Any]:
        """What is found of architectures, for the process that has them scored here."""
    def _score_elsewhere(
        self, function: _Elsewhere, archs: Iterable[Any], *, strict: Optional[bool], progress: _Progress
    ) -> Scores:
        """What `score` returns, of architectures that a function has scored elsewhere."""
    def _correlate_elsewhere(
        self,
        function: _Elsewhere,
        archs: Iterable[Any],
        accuracies: Iterable[float],
        *,
        columns: Optional[Mapping[str, Iterable[Optional[float]]]],
        compare: bool,
        seeds: int,
        progress: _Progress,
    ) -> Correlations:
        """What `correlate` returns, of architectures that a function has scored elsewhere."""

@final
class SearchScorer:
    """Scores for a search of another process, of which it is told the configuration, and the metrics again if some are
    functions."""

    def __new__(cls, configuration: str, metrics: _Metrics, threads: int) -> SearchScorer: ...
    def _measure(self, archs: list[str], strict: bool) -> list[Any]:
        """What is found of architectures, for the process that has them scored here."""

def score(
    archs: Iterable[Any],
    space: Union[str, Space] = "darts",
    *,
    strict: Optional[bool] = None,
    progress: _Progress = None,
    **options: Any,
) -> Scores:
    """Scores architectures: what ``Scorer(space, ...).score(archs)`` returns, whose arguments are taken as well."""

def correlate(
    archs: Iterable[Any],
    accuracies: Iterable[float],
    space: Union[str, Space] = "darts",
    *,
    columns: Optional[Mapping[str, Iterable[Optional[float]]]] = None,
    compare: bool = False,
    seeds: int = 1,
    progress: _Progress = None,
    **options: Any,
) -> Correlations:
    """How well each metric orders architectures by their accuracies: what ``Scorer(space, ...).correlate(archs,
    accuracies)`` returns, whose arguments are taken as well. With columns but without metrics, only the columns are
    correlated."""

def score_onnx(
    files: Iterable[Union[_Path, bytes]],
    *,
    strict: Optional[bool] = None,
    progress: _Progress = None,
    metrics: _Metrics = None,
    inputs: Any = None,
    skip_bad: bool = False,
    batch: int = 16,
    repeats: Optional[int] = None,
    seed: int = 0,
    weights: Literal["shared", "independent"] = "shared",
    init: Optional[Literal["gaussian", "kaiming-normal", "kaiming-uniform", "xavier-normal", "xavier-uniform", "pytorch"]] = None,
    precision: Literal["f32", "f64"] = "f32",
    size: Union[int, Iterable[int], None] = None,
    threads: Optional[int] = None,
) -> Scores:
    """Scores networks of ONNX files, given as paths or as contents, with weights that are drawn.

    ``arch`` of the results is the path, or the number in the list.

    strict: whether the first file that cannot be read or scored is an error; otherwise it is refused, and has its
    place in the list, where ``refused`` says why. By default, a list of one is strict and a longer one is not.
    """

def spaces() -> list[str]:
    """The names of the search spaces."""

def metrics() -> dict[str, str]:
    """The metrics by name, each with what it is."""

def read_table(
    path: _Path,
    *,
    arch_column: Union[str, int, None] = None,
    accuracy_column: Union[str, int, None] = None,
    columns: Optional[Iterable[Union[str, int]]] = None,
    limit: Optional[int] = None,
    skip_bad: bool = False,
) -> Table:
    """The architectures and accuracies of a file, CSV with or without header or records in JSON:
    ``archs, accuracies = read_table(path)``.

    It may also be the folder of NATS-Bench or its file, NAS-Bench-201 as a file of PyTorch, NAS-Bench-101 as TFRecords,
    or HW-NAS-Bench. Of several data sets and numbers of epochs, one is chosen behind the name:
    ``NATS-tss-v1_0-3ffb9-simple#cifar100/12``.

    Columns are found by their names, or named or numbered from 1 on. Fields of JSON within other objects have names
    such as ``scores.glue``, of which the last part will do. Rows that cannot be read are an error that lists them all,
    or, with ``skip_bad``, a warning.

    columns: further columns of numbers, which ``columns`` of the result has, for ``correlate`` to take.
    """

def built_in_table() -> Table:
    """The table that comes with the package, networks of NAS-Bench-201 that were trained on drawn shapes: to try
    everything on where there is no other."""

def train(
    arch: Any,
    space: Union[str, Space] = "darts",
    *,
    path: Optional[_Path] = None,
    onnx: Optional[_Path] = None,
    checkpoint: Optional[_Path] = None,
    progress: _Progress = None,
    inputs: Any = "shapes",
    train_images: int = 2000,
    validation_images: int = 1000,
    epochs: int = 5,
    batch: int = 64,
    optimiser: Literal["sgd", "adamw"] = "sgd",
    rate: Optional[float] = None,
    momentum: Optional[float] = None,
    weight_decay: Optional[float] = None,
    warmup: int = 0,
    label_smoothing: float = 0.0,
    flip: bool = True,
    crop: Optional[int] = None,
    cutout: int = 0,
    drop_path: float = 0.0,
    seed: int = 0,
    network: Optional[Literal["benchmark", "swap"]] = None,
    channels: Optional[int] = None,
    cells: Optional[int] = None,
    size: Union[int, Iterable[int], None] = None,
    threads: Optional[int] = None,
) -> Trained:
    """Trains the network of an architecture on labelled images.

    path: where to write the trained weights and the statistics of batch normalisations, a safetensors file that the
    ``load_state_dict`` of ``torch_module`` takes.
    onnx: where to write the trained network as an ONNX file.
    checkpoint: a file with all that the training depends on, written after every epoch; if it is there, training goes
    on.
    inputs: labelled images: "shapes", "cifar10:PATH", "images:DIR" with a folder for each class, or a pair of an array
    (N, channels, height, width) and the labels.
    """

def create_benchmark(
    folder: _Path,
    space: Union[str, Space] = "darts",
    *,
    networks: int = 200,
    seeds: int = 1,
    progress: _Progress = None,
    inputs: Any = "shapes",
    train_images: int = 2000,
    validation_images: int = 1000,
    epochs: int = 5,
    batch: int = 64,
    optimiser: Literal["sgd", "adamw"] = "sgd",
    rate: Optional[float] = None,
    momentum: Optional[float] = None,
    weight_decay: Optional[float] = None,
    warmup: int = 0,
    label_smoothing: float = 0.0,
    flip: bool = True,
    crop: Optional[int] = None,
    cutout: int = 0,
    drop_path: float = 0.0,
    seed: int = 0,
    network: Optional[Literal["benchmark", "swap"]] = None,
    channels: Optional[int] = None,
    cells: Optional[int] = None,
    size: Union[int, Iterable[int], None] = None,
    threads: Optional[int] = None,
) -> Table:
    """Samples architectures of all sizes of a space and trains each ``seeds`` times.

    What is trained is written into the folder network by network, and gone on with if it is there. Its ``table.csv`` has
    the accuracies by epoch and by seed besides.
    """

def search(
    space: Union[str, Space] = "darts",
    *,
    folder: Optional[_Path] = None,
    progress: _Progress = None,
    metrics: _Metrics = None,
    inputs: Optional[str] = None,
    skip_bad: bool = False,
    batch: int = 16,
    repeats: Optional[int] = None,
    seed: int = 0,
    weights: Literal["shared", "independent"] = "shared",
    init: Optional[Literal["gaussian", "kaiming-normal", "kaiming-uniform", "xavier-normal", "xavier-uniform", "pytorch"]] = None,
    precision: Literal["f32", "f64"] = "f32",
    network: Optional[Literal["benchmark", "swap"]] = None,
    channels: Optional[int] = None,
    cells: Optional[int] = None,
    size: Union[int, Iterable[int], None] = None,
    classes: Optional[int] = None,
    algorithm: Literal["swap-nas", "aging", "random", "exhaustive", "nsga2"] = "swap-nas",
    population: int = 20,
    sample: int = 10,
    cycles: int = 200,
    mutations: int = 5,
    second_objective: Literal["params", "macs", "latency"] = "params",
    target_params: Union[int, float, str, None] = None,
    min_params: Union[int, float, str, None] = None,
    max_params: Union[int, float, str, None] = None,
    max_macs: Union[int, float, str, None] = None,
    max_latency: Optional[float] = None,
    latency_table: Optional[_Path] = None,
    final_channels: Optional[int] = None,
    final_cells: Optional[int] = None,
    final_size: Union[int, Iterable[int], None] = None,
    budget_seconds: Optional[float] = None,
    top: int = 5,
    threads: Optional[int] = None,
) -> SearchResult:
    """Searches a space, by SWAP-NAS unless told otherwise, and leaves a run in a folder, which must not hold one.

    The search goes by the first metric. Limits hold for the network that is to be trained. Ctrl-C raises
    `Interrupted`, whose folder is the one with which `resume` goes on.
    """

def resume(
    folder: _Path,
    *,
    progress: _Progress = None,
    metrics: _Metrics = None,
    budget_seconds: Optional[float] = None,
    top: int = 5,
    threads: Optional[int] = None,
) -> SearchResult:
    """Continues the search in a folder, with its own settings; it ends as one that was never stopped.

    metrics: where the search goes by metrics of one's own, these again; nothing else changes.
    """

def search_elsewhere(start: Callable[[str], _Elsewhere], space: Union[str, Space] = "darts", **options: Any) -> SearchResult:
    """What `search` returns, evaluated elsewhere: ``start`` gets the settings of the search, as text for a
    `SearchScorer`, and returns the function that has architectures scored."""

def resume_elsewhere(start: Callable[[str], _Elsewhere], folder: _Path, **options: Any) -> SearchResult:
    """What `resume` returns, evaluated elsewhere, as by `search_elsewhere`."""

def design(
    images: _Path,
    *,
    out: _Path = "swapnas-design",
    progress: _Progress = None,
    max_params: Union[int, float, str, None] = None,
    max_macs: Union[int, float, str, None] = None,
    max_latency: Optional[float] = None,
    latency_table: Optional[_Path] = None,
    skip_bad: bool = False,
    size: Optional[int] = None,
    space: Union[str, Space, None] = None,
    cycles: int = 200,
    seed: int = 0,
    threads: Optional[int] = None,
) -> Designed:
    """From a folder of labelled pictures to a network that is ready to be trained.

    What suits the pictures is chosen by rules, which ``reasons`` of the result says: the size of the images, the space,
    and the size of the network. A search then finds the architecture. Ctrl-C raises `Interrupted`, whose folder has the
    best network that was found by then; the same call goes on.

    images: a folder with a folder of pictures for each class, or with folders ``train`` and ``val`` that have those.
    out: the folder for what is found; what is there of the same design is gone on with.
    size: height and width of the images; by default, the largest of 32, 64, 96, 128, 160, 192 and 224 that half of the
    pictures reach.
    space: by default, darts up to images of 64 pixels and mobilenet above.
    """

@overload
def export(
    arch: Any,
    space: Union[str, Space] = "darts",
    *,
    path: _Path,
    format: Optional[str] = None,
    network: str = "benchmark",
    channels: Optional[int] = None,
    cells: Optional[int] = None,
    classes: Optional[int] = None,
    input: Union[int, Iterable[int], None] = None,
    seed: int = 0,
) -> None: ...
@overload
def export(
    arch: Any,
    space: Union[str, Space] = "darts",
    *,
    path: None = None,
    format: Literal["torch", "json", "dot", "svg"],
    network: str = "benchmark",
    channels: Optional[int] = None,
    cells: Optional[int] = None,
    classes: Optional[int] = None,
    input: Union[int, Iterable[int], None] = None,
    seed: int = 0,
) -> str: ...
@overload
def export(
    arch: Any,
    space: Union[str, Space] = "darts",
    *,
    path: None = None,
    format: Literal["onnx"],
    network: str = "benchmark",
    channels: Optional[int] = None,
    cells: Optional[int] = None,
    classes: Optional[int] = None,
    input: Union[int, Iterable[int], None] = None,
    seed: int = 0,
) -> bytes: ...
def score_exported(
    exported: list[tuple[str, Union[bytes, str], set[str]]],
    strict: bool,
    progress: _Progress,
    options: dict[str, Any],
) -> Scores:
    """Scores modules: their names, each with the contents of an ONNX file, or with the reason why there is none, and
    with the names of its buffers."""

def plot_scores(
    metrics: list[tuple[str, list[Optional[float]], Optional[float]]],
    accuracies: list[float],
    params: list[int],
    path: Optional[_Path] = None,
) -> str:
    """The figure of scores against accuracies as SVG, also in a file if there is a path. Each metric is a name, its
    scores and Spearman's rho."""

def plot_search(
    score: str, evaluations: list[tuple[Optional[float], int]], best: list[int], path: Optional[_Path] = None
) -> str:
    """The figure of what a search has evaluated as SVG, also in a file if there is a path. Each evaluation is a score
    and a number of parameters; ``best`` are the places of those that were better than all before."""

def plain(text: str) -> str:
    """A text as messages show it."""

def plain_sentence(text: str) -> str:
    """A sentence as messages show it, which may be ten times as long."""

def command(arguments: Iterable[str]) -> int:
    """The command ``swapnas``, with the arguments of a process; returns the code to end it with."""
