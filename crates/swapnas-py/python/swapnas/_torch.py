"""Architectures as modules of PyTorch."""

import types
from typing import Any

from ._swapnas import export


def torch_module(arch: Any, space: str = "darts", **options: Any) -> Any:
    """The network of an architecture as a ``torch.nn.Module``, ready to be trained.

    It is the network that the benchmark trains; ``channels``, ``cells``, ``classes``, ``input`` and ``network``
    change it, as they do for `export`, whose code for PyTorch this runs.
    """
    code = export(arch, space, format="torch", **options)
    module = types.ModuleType("swapnas_network")
    exec(compile(code, f"<network of {space}>", "exec"), module.__dict__)
    return module.Network()
