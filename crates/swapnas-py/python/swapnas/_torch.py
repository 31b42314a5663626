"""Networks as modules of PyTorch, in and out."""

import contextlib
import io
import itertools
import linecache
import operator
import os
import sys
import types
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Optional, Union

from ._results import Scores
from ._swapnas import export, plain, plain_sentence, score_exported

_numbers = itertools.count()


def torch_module(arch: Any, space: Any = "darts", **options: Any) -> Any:
    """The network of an architecture as a ``torch.nn.Module``, ready to be trained.

    It is the network that the benchmark trains; ``channels``, ``cells``, ``classes``, ``input`` and ``network``
    change it, as they do for `export`, whose code for PyTorch this runs. The module's ``state_dict`` can be saved;
    to pickle the module itself, write the code to a file with ``export(arch, space, path="network.py")`` and import
    it from there.
    """
    for name in ("format", "path"):
        if name in options:
            raise TypeError(f"torch_module takes no argument `{name}`; export does")
    code = export(arch, space, format="torch", **options)
    name = f"<swapnas network {next(_numbers)}>"
    # So that tracebacks show the lines, and PyTorch can compile them.
    linecache.cache[name] = (len(code), None, code.splitlines(True), name)
    module = types.ModuleType("swapnas_network")
    exec(compile(code, name, "exec"), module.__dict__)
    return module.Network()


def score_torch(
    modules: Union[Iterable[Any], Mapping[str, Any]],
    input: Union[int, Sequence[int]],
    *,
    strict: Optional[bool] = None,
    progress: Any = None,
    **options: Any,
) -> Scores:
    """Scores networks of PyTorch: modules that take images of the shape ``input``, channels, height and width; or
    texts, if ``input`` is a number, that of their tokens.

    They are exported by ``torch.onnx`` in memory, and scored as by `score_onnx`, whose arguments are taken as well:
    their weights play no part. ``arch`` of the results is the name of a module: its key, if ``modules`` is a
    dictionary, else that of its class, with a number behind it from the second one on, as in ``ResNet#2``.

    A module that cannot be exported or scored is refused: it has its place in the list, and ``refused`` says why.
    With ``strict=True`` the first such is an error. Unless it is given, a list of one is strict and a longer one is not.
    """
    import torch

    if isinstance(modules, torch.nn.Module):
        raise TypeError("give a list of modules, not a single one")
    try:
        shape = tuple(map(operator.index, (input,) if isinstance(input, int) else input))
    except TypeError:
        shape = ()
    if len(shape) not in (1, 3) or min(shape) < 1:
        expected = "channels, height and width, as in (3, 32, 32), or the number of tokens of texts, as in 128"
        raise ValueError(f"input is {expected}, not {plain(repr(input))}")
    named = dict(modules) if isinstance(modules, Mapping) else None
    modules = list(modules if named is None else named.values())
    for index, module in enumerate(modules):
        if not isinstance(module, torch.nn.Module):
            what = "class: give what it makes" if isinstance(module, type) else type(module).__name__
            raise TypeError(f"number {index} of the list is not a module, but a {plain(what)}")
    names = _numbered(type(module).__name__ for module in modules) if named is None else map(str, named)
    strict = len(modules) == 1 if strict is None else bool(strict)
    exported: list[tuple[str, Union[bytes, str], set[str]]] = []
    for name, module in zip(names, modules):
        try:
            buffers = {buffer for buffer, _ in module.named_buffers()}
            exported.append((name, _export(module, shape), buffers))
        except Exception as error:
            reason = _reason(module, shape, error)
            if strict:
                raise ValueError(f"{plain(name)}: {reason}") from error
            exported.append((name, reason, set()))
    return score_exported(exported, strict, progress, options)


def _numbered(names: Iterable[str]) -> Iterator[str]:
    """The names, each once."""
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}#{seen[name]}"


def _example(shape: tuple[int, ...]) -> tuple[Any, str]:
    """A batch of one image or text, and how it is written."""
    import torch

    if len(shape) == 1:
        return torch.zeros(1, *shape, dtype=torch.long), f"torch.zeros{(1, *shape)}.long()"
    return torch.zeros(1, *shape), f"torch.zeros{(1, *shape)}"


def _export(module: Any, shape: tuple[int, ...]) -> bytes:
    """The contents of the ONNX file of a module."""
    import torch

    file = io.BytesIO()
    example, _ = _example(shape)
    with _evaluating(module), _told_apart(module), warnings.catch_warnings():
        # What exporters warn of concerns those who run what they have written.
        warnings.simplefilter("ignore")
        try:
            # As it is trained, so that batch normalisations are not folded into convolutions.
            with _silenced():
                torch.onnx.export(
                    module,
                    (example,),
                    file,
                    dynamo=False,
                    training=torch.onnx.TrainingMode.PRESERVE,
                    do_constant_folding=False,
                )
            return file.getvalue()
        except torch.onnx.errors.OnnxExporterError as first:
            # The later exporter knows operators that this one does not, but needs another package.
            try:
                program = torch.onnx.export(module, (example,), dynamo=True, optimize=False, verbose=False)
                return program.model_proto.SerializeToString()
            except Exception:
                raise first


@contextlib.contextmanager
def _told_apart(module: Any) -> Iterator[None]:
    """Has all parameters differ in their numbers, which play no part in scores: exporters store equal ones once, as if
    they were shared. What is shared stays so."""
    import torch

    generator = torch.Generator().manual_seed(0)
    kept = [(parameter, parameter.data) for parameter in module.parameters()]
    try:
        for parameter, data in kept:
            if data.is_floating_point() and not isinstance(parameter, torch.nn.parameter.UninitializedParameter):
                numbers = torch.rand(data.shape, generator=generator).mul_(0.01).add_(0.01)
                # Two different numbers would look like a mask.
                numbers = numbers.max().expand(data.shape) if data.numel() == 2 else numbers
                parameter.data = numbers.to(data, copy=True)
        yield
    finally:
        for parameter, data in kept:
            parameter.data = data


@contextlib.contextmanager
def _silenced() -> Iterator[None]:
    """Keeps the process from writing to its standard output: where the older exporter does not know an operator, it
    writes the whole network there, past Python."""
    sys.stdout.flush()
    try:
        output = os.dup(1)
    except OSError:  # there is none
        yield
        return
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        os.dup2(output, 1)
        os.close(output)


def _reason(module: Any, shape: tuple[int, ...], error: Exception) -> str:
    """Why a module could not be exported: it may not run at all, which tells more than what the exporter says."""
    import torch

    example, images = _example(shape)
    try:
        with _evaluating(module), torch.no_grad():
            module(example)
    except Exception as cause:
        return f"it cannot be run as it has to be: module.eval()({images}) raises {_said(cause)}"
    export = f'torch.onnx.export(module.eval(), ({images},), "network.onnx", dynamo=False)'
    return f"it cannot be exported to ONNX; replace what {export} complains of: {_said(error)}"


def _said(error: Exception) -> str:
    """What an exception says, on one line."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {plain_sentence(lines[0])}" if lines else type(error).__name__


@contextlib.contextmanager
def _evaluating(module: Any) -> Iterator[None]:
    """Has a module evaluate, and leaves all that it is made of as it was."""
    training = {part: part.training for part in module.modules()}
    config = getattr(module, "config", None)
    # Language models of Transformers return what they keep for the next token as well, which is no part of a network.
    keeps = getattr(config, "use_cache", None)
    try:
        module.eval()
        if keeps:
            config.use_cache = False
        yield
    finally:
        if keeps:
            config.use_cache = keeps
        for part, was in training.items():
            part.training = was
