"""Checks exported networks with PyTorch, the ONNX checker and ONNX Runtime.

Takes a folder of folders, each with network.py, network.onnx and expected.safetensors: the images, or the tokens of
texts, and the logits of a batch, and all parameters.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from safetensors.numpy import load_file

TOLERANCE = 1e-4


def difference(found, expected):
    expected = expected.reshape(found.shape)
    return float(np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected))))


def run_torch(path, images, parameters):
    namespace = {"__name__": "network"}
    exec(compile(path.read_text(), path, "exec"), namespace)
    network = namespace["Network"]()
    assert sum(p.numel() for p in network.parameters()) == sum(p.size for p in parameters.values()), path
    assert set(dict(network.named_parameters())) == set(parameters), path
    network.load_state_dict({k: torch.from_numpy(v) for k, v in parameters.items()}, strict=False)
    network.train()
    logits = network(torch.from_numpy(images))
    if parameters:
        logits.sum().backward()
    return logits.detach().numpy()


def run_onnx(path, kind, images, parameters):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    initializers = {i.name: onnx.numpy_helper.to_array(i) for i in model.graph.initializer}
    for name, parameter in parameters.items():
        assert np.array_equal(initializers[name], parameter), name
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    [logits] = session.run(["logits"], {kind: images})
    [first] = session.run(["logits"], {kind: images[:1]})
    assert difference(first, logits[:1]) <= TOLERANCE, path
    return logits


failed = 0
for folder in sorted(p for p in Path(sys.argv[1]).iterdir() if p.is_dir()):
    parameters = load_file(folder / "expected.safetensors")
    expected = parameters.pop("logits")
    kind = "tokens" if "tokens" in parameters else "images"
    images = parameters.pop(kind)
    if kind == "tokens":
        images = images.astype(np.int64)
    differences = {
        "torch": difference(run_torch(folder / "network.py", images, parameters), expected),
        "onnx": difference(run_onnx(folder / "network.onnx", kind, images, parameters), expected),
    }
    failed += any(d > TOLERANCE for d in differences.values())
    shown = ", ".join(f"{name} {d:.1e}" for name, d in differences.items())
    print(f"{folder.name}: {shown}, logits to {np.abs(expected).max():.2f}")
sys.exit(failed > 0)
