"""Architectures as choices that are made one after the other, each with a name: what Optuna calls define-by-run.

Each space has a function that makes the choices and puts together what `Space.to_dict` calls the architecture. A choice
says as well what a given architecture has chosen, so the same function reads the choices off an architecture.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Union

from ._swapnas import Space, plain

Value = Union[bool, int, float, str]
"""What can be chosen."""


class Choice(NamedTuple):
    """What was chosen, and what there was to choose from."""

    value: Value
    values: tuple[Value, ...]


_Dict = dict[str, Any]
_Choose = Callable[[str, Sequence[Value], Callable[[_Dict], Value]], Any]
"""Makes the choice of that name: one of the values, unless it is read off an architecture, by the function."""


def build(space: Space, choose: Callable[[str, Sequence[Value]], Any]) -> str:
    """The architecture whose choices ``choose`` makes, given their names and what there is to choose from."""
    return space.parse(_function(space)(lambda name, values, _: choose(name, values)))


def choices(space: Space, arch: Any) -> dict[str, Choice]:
    """The choices of an architecture by name, in the order in which they are made.

    Where `build` makes only one of all that are the same but for the order of edges or vertices, they are those of
    that one, which is canonical.
    """
    wanted = space.canonical(arch) if space.name in _CANONICAL else space.parse(arch)
    parts = space.to_dict(wanted)
    made: dict[str, Choice] = {}

    def choose(name: str, values: Sequence[Value], read: Callable[[_Dict], Value]) -> Value:
        value = read(parts)
        if value not in values:
            known = ", ".join(map(str, values))
            raise ValueError(f"{plain(wanted)} cannot be suggested: `{name}` is {value}, and not one of {known}")
        made[name] = Choice(value, tuple(values))
        return value

    if space.parse(_function(space)(choose)) != wanted:
        reason = f"it is none of the {space.size} architectures of {space.name}"
        raise ValueError(f"{plain(wanted)} cannot be suggested: {reason}")
    return made


def _function(space: Space) -> Callable[[_Choose], _Dict]:
    try:
        return _FUNCTIONS[space.name]
    except KeyError:
        known = ", ".join(_FUNCTIONS)
        raise ValueError(f"the choices of {space.name} are not known, only those of {known}") from None


def _four_nodes(operations: Sequence[str]) -> Callable[[_Choose], _Dict]:
    """Cells of four nodes with an operation on every edge."""

    def make(choose: _Choose) -> _Dict:
        def operation(source: int, target: int) -> Any:
            return choose(f"edge {source}-{target}", operations, lambda arch: arch["nodes"][target - 1][source])

        return {"nodes": [[operation(source, target) for source in range(target)] for target in range(1, 4)]}

    return make


_DARTS = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)


def _darts(choose: _Choose) -> _Dict:
    """For each node two of the states before it, then the operations on these two."""

    def node(cell: str, target: int) -> list[list[Any]]:
        def own(arch: _Dict) -> Any:
            return arch[cell][2 * target - 4 : 2 * target - 2]

        def operation(place: int, source: int) -> Any:
            return choose(f"{cell} edge {source}-{target}", _DARTS, lambda arch: own(arch)[place][0])

        pairs = [f"{a}, {b}" for a, b in itertools.combinations(range(target), 2)]
        pair = pairs[0]
        if len(pairs) > 1:
            pair = choose(f"{cell} inputs of node {target}", pairs, lambda arch: "{0[1]}, {1[1]}".format(*own(arch)))
        return [[operation(place, int(source)), int(source)] for place, source in enumerate(pair.split(", "))]

    arch: _Dict = {}
    for cell in ("normal", "reduce"):
        arch[cell] = [edge for target in range(2, 6) for edge in node(cell, target)]
        arch[f"{cell}_concat"] = [2, 3, 4, 5]
    return arch


_NB101 = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")


def _nb101(choose: _Choose) -> _Dict:
    """The edges into one vertex after the other, so that every vertex is on a path from input to output.

    A cell of n vertices takes n - 1 edges, as a chain does, and may have nine. An edge from a vertex that nobody reads
    yet is one that it takes; any other is one of those to spare, and once they are used up there is no choice. Nor is
    there one where a vertex would read nothing, or would not be read even by the output.
    """
    vertices = choose("vertices", range(2, 8), lambda arch: len(arch["ops"]))
    output = vertices - 1
    matrix = [[0] * vertices for _ in range(vertices)]
    spare = 9 - output
    unread = {0}

    def chosen(source: int, target: int) -> Any:
        return choose(f"edge {source}-{target}", (False, True), lambda arch: bool(arch["matrix"][source][target]))

    for target in range(1, vertices):
        reads = 0
        for source in range(target):
            if source in unread:
                needed = target == output or (source == target - 1 and reads == 0)
                edge = needed or chosen(source, target)
            else:
                edge = spare > 0 and chosen(source, target)
                spare -= edge
            if edge:
                unread.discard(source)
                matrix[source][target] = 1
                reads += 1
        unread.add(target)

    def operation(vertex: int) -> Any:
        return choose(f"vertex {vertex}", _NB101, lambda arch: arch["ops"][vertex])

    return {"matrix": matrix, "ops": ["input", *map(operation, range(1, output)), "output"]}


def _modules(choose: _Choose) -> _Dict:
    """Of each module whether it doubles the channels and whether it halves the image, as long as there is a choice: one
    to three do the one, one to four the other."""
    count = choose("modules", (4, 5, 6), lambda arch: len(arch["modules"]))

    def flags(what: str, digits: tuple[int, int], most: int) -> list[bool]:
        made: list[bool] = []
        for place in range(count):
            if sum(made) == most:
                made.append(False)
            elif place == count - 1 and not any(made):
                made.append(True)
            else:
                made.append(flag(f"module {place + 1} {what}", place, digits))
        return made

    def flag(name: str, place: int, digits: tuple[int, int]) -> Any:
        return choose(name, (False, True), lambda arch: arch["modules"][place] in digits)

    doubled = flags("doubles channels", (2, 4), 3)
    halved = flags("halves image", (3, 4), 4)
    return {"modules": [1 + doubles + 2 * halves for doubles, halves in zip(doubled, halved)]}


def _channels(choose: _Choose) -> _Dict:
    def layer(place: int) -> Any:
        return choose(f"layer {place + 1} channels", range(8, 65, 8), lambda arch: arch["channels"][place])

    return {"channels": [layer(place) for place in range(5)]}


def _blocks(choose: _Choose) -> _Dict:
    def block(place: int) -> Any:
        kinds = ("id", "ir_3x3_t3", "ir_5x5_t6")
        return choose(f"block {place + 1}", kinds, lambda arch: arch["blocks"][place])

    return {"blocks": [block(place) for place in range(8)]}


_WIDTHS = (
    (8, 16, 24, 32),
    (16, 24, 32, 40, 48),
    (16, 24, 32, 40, 48, 64),
    (32, 48, 64, 80, 96, 128),
    (48, 64, 96, 128, 160, 192),
    (80, 112, 160, 200, 240, 320),
    (160, 240, 320, 400, 480, 640),
)


def _mobilenet(choose: _Choose) -> _Dict:
    def stage(place: int, widths: tuple[int, ...]) -> _Dict:
        def part(name: str, values: Sequence[int]) -> Any:
            return choose(f"stage {place + 1} {name}", values, lambda arch: arch["stages"][place][name])

        parts = {"kernel": (3, 5, 7), "expansion": (1, 2, 4, 6), "depth": range(1, 7), "width": widths}
        return {name: part(name, values) for name, values in parts.items()}

    return {"stages": [stage(place, widths) for place, widths in enumerate(_WIDTHS)]}


def _autoformer(
    embed_dims: tuple[int, ...], depths: tuple[int, ...], mlp_ratios: tuple[float, ...], heads: tuple[int, ...]
) -> Callable[[_Choose], _Dict]:
    def make(choose: _Choose) -> _Dict:
        def block(place: int) -> _Dict:
            def part(name: str, values: Sequence[Value]) -> Any:
                return choose(f"block {place + 1} {name}", values, lambda arch: arch["blocks"][place][name])

            return {"mlp_ratio": part("mlp_ratio", mlp_ratios), "num_heads": part("num_heads", heads)}

        embed_dim = choose("embed_dim", embed_dims, lambda arch: arch["embed_dim"])
        depth = choose("depth", depths, lambda arch: len(arch["blocks"]))
        return {"embed_dim": embed_dim, "blocks": [block(place) for place in range(depth)]}

    return make


_FLEXIBERT = {
    "SDP": ("SA", "SDP"),
    "WMA": ("SA", "WMA"),
    "DFT": ("LT", "DFT"),
    "DCT": ("LT", "DCT"),
    "DSC5": ("DSC", 5),
    "DSC9": ("DSC", 9),
}
"""Operations by their short names, each with its type and parameter."""


def _flexibert(choose: _Choose) -> _Dict:
    def layer(place: int) -> _Dict:
        def own(arch: _Dict) -> Any:
            return arch["encoder_layers"][place]

        def short(arch: _Dict) -> str:
            operation = (own(arch)["operation_type"], own(arch)["operation_parameter"])
            return next(name for name, known in _FLEXIBERT.items() if known == operation)

        def part(name: str, values: Sequence[int]) -> Any:
            return choose(f"layer {place + 1} {name}", values, lambda arch: own(arch)[name])

        operation = choose(f"layer {place + 1} operation", tuple(_FLEXIBERT), short)
        kind, parameter = _FLEXIBERT[operation]
        return {
            "operation_type": kind,
            "operation_parameter": parameter,
            "num_operation_heads": part("num_operation_heads", (2, 4)),
            "feed_forward_dimension": part("feed_forward_dimension", (512, 1024)),
            "num_feed_forward": part("num_feed_forward", (1, 3)),
        }

    hidden_size = choose("hidden_size", (128, 256), lambda arch: arch["hidden_size"])
    layers = choose("layers", (2, 4), lambda arch: len(arch["encoder_layers"]))
    return {"hidden_size": hidden_size, "encoder_layers": [layer(place) for place in range(layers)]}


_FUNCTIONS: dict[str, Callable[[_Choose], _Dict]] = {
    "darts": _darts,
    "nb301": _darts,
    "nb101": _nb101,
    "nb201": _four_nodes(("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")),
    "nats-sss": _channels,
    "transnas-micro": _four_nodes(("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")),
    "transnas-macro": _modules,
    "nbmacro": _blocks,
    "mobilenet": _mobilenet,
    "autoformer-tiny": _autoformer((192, 216, 240), (12, 13, 14), (3.5, 4.0), (3, 4)),
    "autoformer-small": _autoformer((320, 384, 448), (12, 13, 14), (3.0, 3.5, 4.0), (5, 6, 7)),
    "autoformer-base": _autoformer((528, 576, 624), (14, 15, 16), (3.0, 3.5, 4.0), (8, 9, 10)),
    "flexibert": _flexibert,
}

_CANONICAL = ("darts", "nb301", "nb101")
"""Spaces in which edges or vertices can be written in several orders, of which one is suggested."""
