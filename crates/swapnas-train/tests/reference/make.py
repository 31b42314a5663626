"""Makes training.json: what PyTorch's optimisers and schedules make of a small network, step by step.

The numbers in the repository were made with PyTorch 2.15.0 on a CPU, in double precision, by

    python make.py

Images, labels and first weights follow from `noise`, which swapnas-fixtures has as well. Every step sees all images to
train with, so that their order does not matter.
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

MASK = (1 << 64) - 1
TRAIN, VALIDATION, CLASSES, EPOCHS, WARMUP = 20, 7, 4, 8, 2


def noise(count, seed):
    """Numbers from -1 to 1 with 20 bits after the point: SplitMix64 (Steele, Lea, Flood 2014)."""
    state = (seed * 0x9E3779B97F4A7C15 & MASK) | 1
    found = []
    for _ in range(count):
        state = state + 0x9E3779B97F4A7C15 & MASK
        z = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        found.append(((z ^ z >> 31) >> 43) / 2**20 - 1)
    return torch.tensor(found, dtype=torch.float64)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(6)
        self.wide = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.wide_norm = nn.BatchNorm2d(6)
        self.narrow = nn.Conv2d(6, 6, 1)
        self.narrow_norm = nn.BatchNorm2d(6, affine=False)
        self.classifier = nn.Linear(6, CLASSES)

    def forward(self, x):
        x = self.stem_norm(self.stem(x))
        y = F.relu(x)
        y = self.wide_norm(self.wide(y)) + self.narrow_norm(self.narrow(y)) + x
        return self.classifier(F.relu(y).mean((2, 3)))


def trained(make_optimiser, smoothing):
    network = Network().double()
    with torch.no_grad():
        for index, param in enumerate(network.parameters()):
            param.copy_(noise(param.numel(), 100 + index).reshape(param.shape))
    images = noise((VALIDATION + TRAIN) * 3 * 5 * 6, 1).reshape(-1, 3, 5, 6)
    labels = torch.tensor([i * i % CLASSES if i % 3 else i % CLASSES for i in range(VALIDATION + TRAIN)])
    optimiser = make_optimiser(network.parameters())
    schedule = torch.optim.lr_scheduler.SequentialLR(
        optimiser,
        [
            torch.optim.lr_scheduler.LinearLR(optimiser, 1 / (WARMUP + 1), 1, WARMUP),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS - WARMUP),
        ],
        [WARMUP],
    )
    epochs = []
    for _ in range(EPOCHS):
        network.train()
        logits = network(images[VALIDATION:])
        loss = F.cross_entropy(logits, labels[VALIDATION:], label_smoothing=smoothing)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        network.eval()
        with torch.no_grad():
            said = network(images[:VALIDATION])
        right = [
            100 * (said.argmax(1) == labels[:VALIDATION]).double().mean().item(),
            100 * (logits.argmax(1) == labels[VALIDATION:]).double().mean().item(),
        ]
        validation = F.cross_entropy(said, labels[:VALIDATION])
        epochs.append([float(f"{x:.14g}") for x in [loss.item(), validation.item(), *right]])
    tensors = {
        name: [float(f"{x:.13g}") for x in tensor.flatten().tolist()]
        for name, tensor in network.state_dict().items()
        if not name.endswith("tracked")
    }
    return {"epochs": epochs, "tensors": tensors}


found = {
    "sgd": trained(lambda p: torch.optim.SGD(p, 0.2, momentum=0.9, nesterov=True, weight_decay=5e-3), 0.0),
    "heavy-ball": trained(lambda p: torch.optim.SGD(p, 0.1, momentum=0.8, weight_decay=0.0), 0.1),
    "adamw": trained(lambda p: torch.optim.AdamW(p, 0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1), 0.2),
}
Path(__file__).with_name("training.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")
