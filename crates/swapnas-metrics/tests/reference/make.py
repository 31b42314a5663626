"""Makes networks.json: what PyTorch computes of small networks of NAS-Bench-201, DARTS and FlexiBERT, and of metrics on
them.

The numbers in the repository were made with PyTorch 2.15.0 on a CPU, in double precision, by

    python make.py

Images and weights are no part of the file: they follow from `noise`, which the tests have as well. Metrics
are written down here as their definitions say (see `swapnas metrics`), without regard to how the engine gets them.
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

from encoders import VOCABULARY, Encoder

SAMPLES, CLASSES, TOKENS = 12, 5, 7
MASK = (1 << 64) - 1

# ------------------------------------------------------------------------------------------------- numbers


def noise(count, seed):
    """Numbers from -1 to 1 with 20 bits after the point: SplitMix64 (Steele, Lea, Flood 2014)."""
    state = (seed * 0x9E3779B97F4A7C15 & MASK) | 1
    numbers = []
    for _ in range(count):
        state = state + 0x9E3779B97F4A7C15 & MASK
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        numbers.append(((z ^ z >> 31) >> 43) / 2**20 - 1)
    return torch.tensor(numbers, dtype=torch.float32)


def seed_of(name):
    seed = 100
    for byte in name.encode():
        seed = seed * 31 + byte & MASK
    return seed


def set_params(network):
    """Weights as single precision holds them."""
    for name, param in network.named_parameters():
        scale = torch.tensor(0.5)
        if "embeddings." in name and param.dim() > 1 or name.endswith("key_conv_attn_layer.bias"):
            scale = torch.tensor(1.0)
        elif param.dim() > 1:
            scale = 2 / torch.tensor(param[0].numel(), dtype=torch.float32).sqrt()
        elif name.endswith("weight"):
            scale = torch.tensor(1.5)
        with torch.no_grad():
            param.copy_((noise(param.numel(), seed_of(name)) * scale).reshape(param.shape).double())


# ------------------------------------------------------------------------------------------------ networks


class Zero(nn.Module):
    def __init__(self, stride=1):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        return x[:, :, :: self.stride, :: self.stride] * 0


def relu_conv_bn(inputs, out, kernel, stride=1):
    op = nn.Module()
    op.op = nn.Sequential(
        nn.ReLU(), nn.Conv2d(inputs, out, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(out)
    )
    op.forward = lambda x: op.op(x)
    return op


class Cell201(nn.Module):
    """Four nodes, each the sum of one operation on every earlier one."""

    def __init__(self, ops, channels):
        super().__init__()
        make = {
            "none": Zero,
            "skip_connect": nn.Identity,
            "nor_conv_1x1": lambda: relu_conv_bn(channels, channels, 1),
            "nor_conv_3x3": lambda: relu_conv_bn(channels, channels, 3),
            "avg_pool_3x3": lambda: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        }
        self.layers = nn.ModuleList(make[op]() for op in ops)

    def forward(self, x):
        nodes, layers = [x], iter(self.layers)
        for _ in range(3):
            nodes.append(sum([next(layers)(node) for node in nodes]))
        return nodes[-1]


class Residual(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        out = 2 * inputs
        self.conv_a = relu_conv_bn(inputs, out, 3, 2)
        self.conv_b = relu_conv_bn(out, out, 3)
        self.downsample = nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(inputs, out, 1, bias=False))

    def forward(self, x):
        return self.downsample(x) + self.conv_b(self.conv_a(x))


class Network201(nn.Module):
    """Three stages of one cell, with residual blocks between them."""

    def __init__(self, arch, channels):
        super().__init__()
        ops = [edge.split("~")[0] for node in arch.split("+") for edge in node.strip("|").split("|")]
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))
        self.cells = nn.Sequential(
            Cell201(ops, channels),
            Residual(channels),
            Cell201(ops, 2 * channels),
            Residual(2 * channels),
            Cell201(ops, 4 * channels),
        )
        self.lastact = nn.Sequential(nn.BatchNorm2d(4 * channels), nn.ReLU())
        self.classifier = nn.Linear(4 * channels, CLASSES)

    def forward(self, x):
        return self.classifier(self.lastact(self.cells(self.stem(x))).mean((2, 3)))


class FactorizedReduce(nn.Module):
    def __init__(self, inputs, out, affine):
        super().__init__()
        self.relu = nn.ReLU()
        self.convs = nn.ModuleList(nn.Conv2d(inputs, out // 2, 1, 2, bias=False) for _ in range(2))
        self.bn = nn.BatchNorm2d(out, affine=affine)

    def forward(self, x):
        x = self.relu(x)
        return self.bn(torch.cat([self.convs[0](x), self.convs[1](x[:, :, 1:, 1:])], 1))


def separable(channels, kernel, stride, dilation, affine):
    padding = kernel // 2 * dilation
    return [
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel, stride, padding, dilation, channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels, affine=affine),
    ]


class Op(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.op = nn.Sequential(*layers)

    def forward(self, x):
        return self.op(x)


def darts_op(name, channels, stride, benchmark):
    """Cells of the benchmark's network normalise pools and have normalisations without parameters."""
    affine = not benchmark
    if name == "skip_connect":
        return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, affine)
    if "pool" in name:
        pool = nn.MaxPool2d(3, stride, 1) if "max" in name else nn.AvgPool2d(3, stride, 1, count_include_pad=False)
        return nn.Sequential(pool, nn.BatchNorm2d(channels, affine=affine)) if benchmark else pool
    kernel = int(name[-1])
    if name.startswith("dil"):
        return Op(*separable(channels, kernel, stride, 2, affine))
    return Op(*separable(channels, kernel, stride, 1, affine), *separable(channels, kernel, 1, 1, affine))


class CellDarts(nn.Module):
    """Four nodes, each the sum of two operations on earlier states; the output joins them."""

    def __init__(self, edges, before, inputs, channels, reduction, reduced, benchmark):
        super().__init__()
        if reduced:
            self.preprocess0 = FactorizedReduce(before, channels, True)
        else:
            self.preprocess0 = relu_conv_bn(before, channels, 1)
        self.preprocess1 = relu_conv_bn(inputs, channels, 1)
        self.inputs = [state for _, state in edges]
        self._ops = nn.ModuleList(
            darts_op(name, channels, 2 if reduction and state < 2 else 1, benchmark) for name, state in edges
        )

    def forward(self, s0, s1):
        states = [self.preprocess0(s0), self.preprocess1(s1)]
        for k in range(0, 8, 2):
            states.append(self._ops[k](states[self.inputs[k]]) + self._ops[k + 1](states[self.inputs[k + 1]]))
        return torch.cat(states[2:], 1)


class NetworkDarts(nn.Module):
    def __init__(self, arch, channels, cells, benchmark):
        super().__init__()
        before = inputs = 3 * channels if benchmark else 3
        if benchmark:
            self.stem = nn.Sequential(nn.Conv2d(3, inputs, 3, 1, 1, bias=False), nn.BatchNorm2d(inputs))
        else:
            self.stem = nn.Identity()
        self.cells, reduced = nn.ModuleList(), False
        for index in range(cells):
            reduction = index in (cells // 3, 2 * cells // 3)
            channels *= 2 if reduction else 1
            edges = arch["reduce" if reduction else "normal"]
            self.cells.append(CellDarts(edges, before, inputs, channels, reduction, reduced, benchmark))
            before, inputs, reduced = inputs, 4 * channels, reduction
        self.classifier = nn.Linear(inputs, CLASSES)

    def forward(self, x):
        s0 = s1 = self.stem(x)
        for cell in self.cells:
            s0, s1 = s1, cell(s0, s1)
        return self.classifier(s1.mean((2, 3)))


# ------------------------------------------------------------------------------------------------- metrics


def is_layer(module):
    return isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Linear))


def layer_weights(network):
    return [module.weight for module in network.modules() if is_layer(module)]


def gradients(value, params, **options):
    found = torch.autograd.grad(value, params, allow_unused=True, **options)
    return [torch.zeros_like(p) if g is None else g for p, g in zip(params, found)]


def signs(network, images):
    """For every sample, whether it makes each unit of each ReLU or GELU positive."""
    seen = []
    hooks = [
        module.register_forward_hook(lambda _m, inputs, _y: seen.append((inputs[0] > 0).flatten(1)))
        for module in network.modules()
        if isinstance(module, (nn.ReLU, nn.GELU))
    ]
    network(images)
    for hook in hooks:
        hook.remove()
    return torch.cat(seen, 1)


def synaptic_flow(network, shape, norms):
    """Weights and gradients of the sum of the logits for an image of ones, with absolute parameters."""
    absolute = {name: param.detach().abs().requires_grad_() for name, param in network.named_parameters()}
    plain = [] if norms else [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    hooks = [module.register_forward_hook(lambda _m, inputs, _y: inputs[0]) for module in plain]
    total = functional_call(network, absolute, torch.ones(1, *shape, dtype=torch.double)).sum()
    for hook in hooks:
        hook.remove()
    names = {id(param): name for name, param in network.named_parameters()}
    weights = [absolute[names[id(weight)]] for weight in layer_weights(network)]
    return list(zip(weights, gradients(total, weights)))


def fisher(network, images, labels):
    outputs = []

    def keep(module, _inputs, y):
        y.retain_grad()
        outputs.append((module, y))

    hooks = [module.register_forward_hook(keep) for module in network.modules() if is_layer(module)]
    F.cross_entropy(network(images), labels).backward()
    for hook in hooks:
        hook.remove()
    network.zero_grad()
    total = 0
    for module, y in outputs:
        products = (y * y.grad).flatten(2).sum(2) if y.dim() == 4 else y * y.grad
        total += (0.5 * products.square().mean(0)).sum() * module.weight[0].numel()
    return total


def grasp(network, loss):
    weights = layer_weights(network)
    first = gradients(loss, weights, create_graph=True)
    along = sum((g.detach() * g).sum() for g in first)
    return -sum((w * h).sum() for w, h in zip(weights, gradients(along, weights, retain_graph=True)))


def correlations(rows):
    rows = rows - rows.mean(1, keepdim=True)
    rows = rows / rows.norm(dim=1, keepdim=True)
    return rows @ rows.T


def ntk(network, images):
    def counts(name):
        return name.endswith("weight") and not name.endswith("_embeddings.weight")

    weights = [param for name, param in network.named_parameters() if counts(name)]
    logits = network(images)
    rows = [gradients(sample.sum(), weights, retain_graph=True) for sample in logits]
    rows = torch.stack([torch.cat([g.flatten() for g in row]) for row in rows])
    values = torch.linalg.eigvalsh(rows @ rows.T)
    return values[-1] / values[0]


def gradsign(network, images, labels):
    weights = layer_weights(network)
    sums = [torch.zeros_like(weight) for weight in weights]
    for image, label in zip(images, labels):
        loss = F.cross_entropy(network(image[None]), label[None])
        for total, gradient in zip(sums, gradients(loss, weights)):
            total += gradient.sign()
    return sum(total.abs().sum() for total in sums) / sum(total.numel() for total in sums)


def of_attention(network, texts, labels):
    """Metrics of encoders."""
    weights, hidden = [], []

    def keep(_module, _inputs, y):
        y.retain_grad()
        weights.append(y)

    hooks = [m.register_forward_hook(keep) for m in network.modules() if isinstance(m, nn.Softmax)]
    hooks += [
        module.register_forward_hook(lambda _m, inputs, _y: hidden.append(inputs[0].detach().flatten(0, 1)))
        for module in network.modules()
        if isinstance(module, nn.GELU)
    ]
    F.cross_entropy(network(texts), labels).backward()
    for hook in hooks:
        hook.remove()
    network.zero_grad()

    def components(tokens):
        variances = torch.linalg.svdvals(tokens - tokens.mean(0)).square()
        return int((variances.cumsum(0) < 0.99 * variances.sum()).sum()) + 1

    names = ("query", "key", "value", "operation.weight", "conv_kernel_layer", "conv_out_layer")
    attends = [name + ".weight" for name in names] + ["operation.output.dense.weight"]
    absolute = {name: param.detach().abs().requires_grad_() for name, param in network.named_parameters()}
    functional_call(network, absolute, torch.ones_like(texts[:1])).sum().backward()
    layers = {f"{name}.weight" for name, module in network.named_modules() if is_layer(module)}
    dss = 0
    for name, param in absolute.items():
        if name.endswith(tuple(attends)):
            dss += torch.linalg.svdvals(param).sum() * torch.linalg.svdvals(param.grad).sum()
        elif name in layers:
            dss += (param * param.grad).abs().sum()
    return {
        "attention-confidence": sum(w.max(3).values.mean() for w in weights),
        "attention-importance": sum((w * w.grad).abs().sum() for w in weights),
        "w-pca": sum(map(components, hidden)) * sum(param.numel() for param in network.parameters()),
        "dss": dss,
    }


def metrics(network, images):
    """Every image is of class 0, as it is where a file gives the images. Of texts, those that need no gradients by
    images, and whose layers see tokens as they see pixels."""
    labels = torch.zeros(SAMPLES, dtype=torch.long)
    weights, params = layer_weights(network), list(network.parameters())
    loss = F.cross_entropy(network(images), labels)
    of_weights = gradients(loss, weights, retain_graph=True)
    of_params = gradients(loss, params, retain_graph=True)
    bits = signs(network, images)
    alike = (bits[:, None] == bits[None]).sum(2).double()
    of_all = {
        "swap": torch.unique(bits, dim=1).shape[1],
        "standard-patterns": torch.unique(bits, dim=0).shape[0],
        "units": bits.shape[1],
        "params": sum(param.numel() for param in params),
        "nwot": torch.linalg.slogdet(alike).logabsdet,
        "grad_norm": sum(g.norm() for g in of_weights),
        "grad_norm:all=1": torch.cat([g.flatten() for g in of_params]).norm(),
        "snip": sum((w * g).abs().sum() for w, g in zip(weights, of_weights)),
        "plain": sum((w * g).sum() for w, g in zip(weights, of_weights)),
        "grasp": grasp(network, loss),
        "l2_norm": sum(w.norm() for w in weights),
        "ntk": ntk(network, images),
        "gradsign": gradsign(network, images, labels),
    }
    if not images.is_floating_point():
        return of_all | of_attention(network, images, labels)
    moving = images.clone().requires_grad_()
    (jacobian,) = torch.autograd.grad(network(moving).sum(), moving)
    correlated = correlations(jacobian.flatten(1))
    spectrum = torch.linalg.eigvalsh(correlated) + 1e-5
    flow = synaptic_flow(network, images.shape[1:], norms=False)
    with_norms = synaptic_flow(network, images.shape[1:], norms=True)
    return of_all | {
        "fisher": fisher(network, images, labels),
        "synflow": sum((w * g).abs().sum() for w, g in flow),
        "synflow:norm=1": sum((w * g).abs().sum() for w, g in with_norms),
        "logsynflow": sum((w * torch.log1p(g)).abs().sum() for w, g in flow),
        "jacov": -(spectrum.log() + 1 / spectrum).sum(),
        "epe_nas": (correlated.abs() + 1e-5).log().sum().abs(),
    }


# ---------------------------------------------------------------------------------------------------- file


def number(x):
    return float(f"{float(x):.13g}")


def reference(network, rounding=()):
    """Metrics that are nothing but `rounding` are left out."""
    network = network.double().train()
    set_params(network)
    if isinstance(network, Encoder):
        images = ((noise(SAMPLES * TOKENS, 11) + 1) * (VOCABULARY / 2)).long().reshape(SAMPLES, TOKENS)
    else:
        images = (2 * noise(SAMPLES * 3 * 8 * 8, 11)).reshape(SAMPLES, 3, 8, 8).double()
    labels = torch.arange(SAMPLES) * 2 % CLASSES
    moving = images.clone().requires_grad_(images.is_floating_point())
    logits = network(moving)
    loss = F.cross_entropy(logits, labels)
    named = dict(network.named_parameters())
    if moving.requires_grad:
        named = {"images": moving} | named

    def sums(name, gradient):
        """The norm, and the product with noise, which no other order of the numbers would have."""
        gradient = gradient.flatten()
        return [number(gradient.norm()), number(gradient @ noise(gradient.numel(), seed_of(name) + 1).double())]

    return {
        "logits": [number(x) for x in logits.flatten()],
        "loss": number(loss),
        "gradients": {name: sums(name, g) for name, g in zip(named, gradients(loss, list(named.values())))},
        "metrics": {name: number(x) for name, x in metrics(network, images).items() if name not in rounding},
    }


ARCH_201 = "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"

# Every operation, in cells of both kinds.
ARCH_DARTS = {
    "normal": [("sep_conv_3x3", 0), ("skip_connect", 1), ("dil_conv_5x5", 0), ("max_pool_3x3", 2),
               ("avg_pool_3x3", 1), ("sep_conv_5x5", 3), ("dil_conv_3x3", 2), ("skip_connect", 4)],
    "reduce": [("max_pool_3x3", 0), ("sep_conv_5x5", 1), ("skip_connect", 0), ("dil_conv_3x3", 2),
               ("sep_conv_3x3", 1), ("dil_conv_5x5", 0), ("avg_pool_3x3", 1), ("skip_connect", 2)],
}  # fmt: skip

# Every operation.
ARCHS_FLEXIBERT = ["h256:WMA/4/1024x3:DCT/2/512x3:SDP/2/512x1:DSC9/4/1024x1", "h128:DFT/4/512x1:DSC5/2/512x3"]


def main():
    torch.manual_seed(0)
    genotype = ", ".join(f"{kind}={edges}, {kind}_concat=[2, 3, 4, 5]" for kind, edges in ARCH_DARTS.items())
    # Its cells end in normalisations without parameters, so sums over the batch depend on no weight and no image:
    # kernels of gradients have an eigenvalue of zero, and of a single image there is no gradient.
    constant = ("ntk", "synflow:norm=1", "jacov", "epe_nas", "gradsign")
    # Of one image, its last normalisation sees one pixel: what it returns is rounding, and so are signs of gradients.
    one_pixel = ("gradsign",)
    networks = [
        ("nb201", "benchmark", ARCH_201, 1, reference(Network201(ARCH_201, 4))),
        ("darts", "swap", f"Genotype({genotype})", 1, reference(NetworkDarts(ARCH_DARTS, 4, 1, False), one_pixel)),
        ("darts", "benchmark", f"Genotype({genotype})", 3, reference(NetworkDarts(ARCH_DARTS, 4, 3, True), constant)),
    ]
    result = [
        {"space": space, "preset": preset, "arch": arch, "channels": 4, "cells": cells} | numbers
        for space, preset, arch, cells, numbers in networks
    ]
    result += [
        {"space": "flexibert", "preset": "benchmark", "arch": arch, "channels": 8} | reference(Encoder(arch, 8, CLASSES))
        for arch in ARCHS_FLEXIBERT
    ]
    # One line for each list.
    text = json.dumps({"torch": torch.__version__, "networks": result})
    text = text.replace('": {', '": {\n ').replace('], "', '],\n "').replace("}, ", "},\n ")
    Path(__file__).with_name("networks.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
