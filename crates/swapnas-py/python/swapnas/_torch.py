"""Networks as modules of PyTorch, in and out."""

import io
import itertools
import linecache
import types
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ._results import Scored
from ._swapnas import export, score_onnx

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
    modules: Iterable[Any], input: Sequence[int], *, progress: Any = None, **options: Any
) -> list[Scored]:
    """Scores convolutional networks of PyTorch: modules that take images of the shape ``input``, channels, height
    and width.

    They are exported by ``torch.onnx`` in memory, and scored as by `score_onnx`, whose arguments are taken as well:
    their weights play no part. ``arch`` of the results is the name of a module's class.
    """
    import torch

    if isinstance(modules, torch.nn.Module):
        raise TypeError("give a list of modules, not a single one")
    files, names = [], []
    for module in modules:
        file = io.BytesIO()
        training = module.training
        try:
            # As it is trained, so that batch normalisations are not folded into convolutions.
            torch.onnx.export(
                module.eval(),
                (torch.zeros(1, *input),),
                file,
                dynamo=False,
                training=torch.onnx.TrainingMode.PRESERVE,
                do_constant_folding=False,
            )
        finally:
            module.train(training)
        files.append(file.getvalue())
        names.append(type(module).__name__)
    scored = score_onnx(files, progress=progress, **options)
    return [replace(one, arch=name) for one, name in zip(scored, names)]
