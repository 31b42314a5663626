"""Makes operators.json, what PyTorch computes of a small network with every operation, transposed.json, the same of
transposed convolutions, and padding.json, what it computes of convolutions with far more padding than their kernels need.

The numbers in the repository were made with PyTorch 2.15.0 on a CPU, in double precision, by

    python make.py

The first two files hold images, labels and weights as well, rounded to four digits, so that nothing depends on the
random numbers of another version. Those of the last follow from `noise`, which tests/truth/numbers.rs has as well.
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(4, 6, 3, padding=1)
        self.stem_norm = nn.BatchNorm2d(6)
        # Everything up to `join` makes 5x4 pixels of 9x8; `padded` has more padding than it needs.
        self.dilated = nn.Conv2d(6, 6, 3, stride=2, padding=2, dilation=2, groups=2, bias=False)
        self.dilated_norm = nn.BatchNorm2d(6, eps=0.01)
        self.padded = nn.Conv2d(6, 4, 3, stride=(3, 4), padding=4)
        self.padded_norm = nn.BatchNorm2d(4)
        self.depthwise = nn.Conv2d(6, 6, 3, stride=2, padding=1, groups=6, bias=False)
        self.pointwise = nn.Conv2d(6, 6, 1)
        self.max = nn.MaxPool2d(3, stride=2, padding=1)
        self.mean = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)
        self.counted = nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=True)
        self.join = nn.Conv2d(34, 12, 1, bias=False)
        self.join_norm = nn.BatchNorm2d(12)
        self.square = nn.Conv2d(12, 12, 3, padding=1, bias=False)
        self.square_norm = nn.BatchNorm2d(12, affine=False)
        self.squeeze = nn.Linear(12, 3)
        self.excite = nn.Linear(3, 12)
        self.classifier = nn.Linear(8, 5)

    def forward(self, x):
        x = F.relu(self.stem_norm(self.stem(x)))
        dilated = F.silu(self.dilated_norm(self.dilated(x)))
        padded = F.relu6(self.padded_norm(self.padded(x)))
        separable = F.gelu(self.pointwise(self.depthwise(x)))
        joined = torch.cat([self.max(x), dilated, self.mean(x), padded, self.counted(x), separable], 1)
        y = F.hardswish(self.join_norm(self.join(joined)))
        z = F.relu(self.square_norm(self.square(y)))
        y = y + z
        gate = torch.sigmoid(self.excite(F.relu(self.squeeze(y.mean((2, 3))))))
        y = y * gate[:, :, None, None]
        y = y * F.relu6(z + 3) / 6  # F.hardsigmoid, of which PyTorch has no second derivative.
        return self.classifier(y[:, 3:11].mean((2, 3)))


class Transposed(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(6, 4, 4, stride=2, padding=1)
        self.up_norm = nn.BatchNorm2d(4)
        self.grouped = nn.ConvTranspose2d(
            4, 6, 3, stride=(2, 1), padding=(1, 2), output_padding=(1, 0), groups=2, dilation=(1, 2), bias=False
        )
        self.depthwise = nn.ConvTranspose2d(6, 6, (1, 3), stride=(1, 3), groups=6)
        self.classifier = nn.Linear(6, 5)

    def forward(self, x):
        x = F.gelu(self.down(x))
        x = F.silu(self.up_norm(self.up(x)))
        x = F.silu(self.depthwise(self.grouped(x)))
        return self.classifier(x.mean((2, 3)))


def rounded(tensor):
    return (tensor * 1e4).round().div(1e4).float().double()


def numbers(tensor, digits):
    return [float(f"{x:.{digits}g}") for x in tensor.detach().flatten().tolist()]


MASK = (1 << 64) - 1


def noise(count, seed):
    """Numbers from -1 to 1 with 20 bits after the point: SplitMix64 (Steele, Lea, Flood 2014)."""
    state = (seed * 0x9E3779B97F4A7C15 & MASK) | 1
    found = []
    for _ in range(count):
        state = state + 0x9E3779B97F4A7C15 & MASK
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        found.append(((z ^ z >> 31) >> 43) / 2**20 - 1)
    return torch.tensor(found, dtype=torch.float32)


def named_noise(name, param):
    seed = 100
    for byte in name.encode():
        seed = seed * 31 + byte & MASK
    scale = torch.tensor(1.5 if name.endswith("weight") else 0.5)
    if param.dim() > 1:
        scale = 2 / torch.tensor(param[0].numel(), dtype=torch.float32).sqrt()
    return (noise(param.numel(), seed) * scale).reshape(param.shape).double()


def padded(samples, shape, conv):
    """A convolution of what BatchNorm and ReLU make of images."""
    network = nn.Sequential()
    network.add_module("norm", nn.BatchNorm2d(shape[0]))
    network.add_module("relu", nn.ReLU())
    network.add_module("conv", conv)
    network = network.double().train()
    params = dict(network.named_parameters())
    with torch.no_grad():
        for name, param in params.items():
            param.copy_(named_noise(name, param))
    images = noise(samples * shape[0] * shape[1] * shape[2], 11).reshape(samples, *shape).double().requires_grad_()
    y = network(images)
    gradients = torch.autograd.grad((y.flatten() * noise(y.numel(), 5).double()).sum(), [images, *params.values()])
    # Where windows see anything but padding; without a bias, all else is zero.
    rows, columns = [sorted(set(places.tolist())) for places in y.abs().sum((0, 1)).nonzero().T]
    seen = y[:, :, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return {
        "image": list(shape),
        "output": list(y.shape),
        "stride": conv.stride[0],
        "padding": conv.padding[0],
        "first": [rows[0], columns[0]],
        "size": list(seen.shape[2:]),
        "seen": numbers(seen, 10),
        # The norm, and the product with noise, which no other order of the numbers would have.
        "gradients": {
            name: numbers(torch.stack([g.norm(), g.flatten() @ noise(g.numel(), 6).double()]), 12)
            for name, g in zip(["images", *params], gradients)
        },
    }


def main():
    cases = [
        padded(2, (4, 32, 32), nn.Conv2d(4, 4, 3, stride=4, padding=8, bias=False)),
        padded(2, (3, 5, 4), nn.Conv2d(3, 2, 3, padding=100, bias=False)),
    ]
    text = json.dumps(cases).replace('], "', '],\n "').replace("}, ", "},\n ")
    Path(__file__).with_name("padding.json").write_text(text + "\n")

    for seed, network, name in [(1, Network, "operators.json"), (2, Transposed, "transposed.json")]:
        torch.manual_seed(seed)
        reference(network().double().train(), Path(__file__).with_name(name))


def reference(network, path):
    with torch.no_grad():
        for name, param in network.named_parameters():
            if "norm" in name:
                # So far from 1 and 0 that ReLU6 and the hard activations are met beyond both bounds.
                param.copy_(1 + 3 * torch.rand_like(param) if name.endswith("weight") else torch.randn_like(param))
            param.copy_(rounded(param))
    images = rounded(torch.randn(3, 4, 9, 8, dtype=torch.double)).requires_grad_()
    labels = torch.tensor([0, 3, 1])

    logits = network(images)
    loss = F.cross_entropy(logits, labels)
    params = dict(network.named_parameters())
    gradients = torch.autograd.grad(loss, list(params.values()), create_graph=True)
    (of_images,) = torch.autograd.grad(loss, images, retain_graph=True)
    # The Hessian times the gradient.
    product = sum((g * g.detach()).sum() for g in gradients)
    hessian = torch.autograd.grad(product, list(params.values()))
    # Every sample as a batch of its own: the norm of each parameter's gradient.
    norms = {name: [] for name in params}
    for image, label in zip(images, labels):
        alone = F.cross_entropy(network(image[None]), label[None])
        for name, gradient in zip(params, torch.autograd.grad(alone, list(params.values()))):
            norms[name].append(gradient.norm())

    result = {
        "torch": torch.__version__,
        "images": numbers(images, 5),
        "labels": labels.tolist(),
        "logits": numbers(logits, 13),
        "loss": loss.item(),
        "images_gradient": numbers(of_images, 8),
        "params": {
            name: {
                "shape": list(param.shape),
                "numbers": numbers(param, 5),
                "gradient": numbers(gradient, 8),
                # Of the Hessian product, its norm and its product with the parameter.
                "hessian": numbers(torch.stack([second.norm(), (second * param).sum()]), 11),
                "sample_norms": numbers(torch.stack(norms[name]), 11),
            }
            for (name, param), gradient, second in zip(params.items(), gradients, hessian)
        },
    }
    # One line for each list.
    text = json.dumps(result).replace('": {', '": {\n ').replace('], "', '],\n "').replace("}, ", "},\n ")
    path.write_text(text + "\n")


if __name__ == "__main__":
    main()
