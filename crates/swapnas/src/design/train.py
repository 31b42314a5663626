"""Trains the network of network.py on the pictures that it was designed for, and prints its accuracy.

    python train.py                 # goes on from checkpoint.pt, if there is one
    python train.py --epochs 200 --batch 128

It needs PyTorch and torchvision.
"""

import argparse
import os
import pathlib

import torch
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

from network import Network

TRAIN = ""
VALIDATION = None
CHANNELS, SIDE = 3, 32

# As the pictures were normalised when architectures were scored.
MEAN, STD = [0.485, 0.456, 0.406][:CHANNELS], [0.229, 0.224, 0.225][:CHANNELS]
HERE = pathlib.Path(__file__).parent


def pictures(folder, augment):
    steps = [transforms.Grayscale()] if CHANNELS == 1 else []
    if augment:
        steps += [transforms.RandomResizedCrop(SIDE, scale=(0.5, 1.0)), transforms.RandomHorizontalFlip()]
    else:
        steps += [transforms.Resize(SIDE), transforms.CenterCrop(SIDE)]
    steps += [transforms.ToTensor(), transforms.Normalize(MEAN, STD)]
    return datasets.ImageFolder(folder, transforms.Compose(steps))


def parts(seed):
    """What to train with, and what to validate on: a tenth of it if there is nothing else."""
    train, plain = pictures(TRAIN, augment=True), pictures(TRAIN, augment=False)
    if VALIDATION is not None:
        validation = pictures(VALIDATION, augment=False)
        # Numbers of classes are those of the folder to train with.
        numbers = [train.class_to_idx[name] for name in validation.classes]
        validation.target_transform = numbers.__getitem__
        return train, validation
    order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed)).tolist()
    held_out = max(1, len(order) // 10)
    return Subset(train, order[held_out:]), Subset(plain, order[:held_out])


@torch.no_grad()
def accuracy(network, loader, device):
    network.eval()
    right = total = 0
    for x, y in loader:
        right += (network(x.to(device)).argmax(1) == y.to(device)).sum().item()
        total += len(y)
    return 100 * right / total


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.05, help="the highest learning rate")
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--checkpoint", type=pathlib.Path, default=HERE / "checkpoint.pt")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    train, validation = parts(args.seed)
    batch = min(args.batch, len(train))
    train = DataLoader(train, batch, shuffle=True, drop_last=True, num_workers=args.workers)
    validation = DataLoader(validation, batch, num_workers=args.workers)

    network = Network().to(device)
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimiser = torch.optim.SGD(
        network.parameters(), args.rate, momentum=0.9, weight_decay=5e-4, nesterov=True
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, args.epochs * len(train))
    done = 0
    if args.checkpoint.exists():
        saved = torch.load(args.checkpoint, map_location=device)
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        schedule.load_state_dict(saved["schedule"])
        done = saved["epochs"]

    for epoch in range(done, args.epochs):
        network.train()
        mean = 0.0
        for x, y in train:
            optimiser.zero_grad()
            error = loss(network(x.to(device)), y.to(device))
            error.backward()
            optimiser.step()
            schedule.step()
            mean += error.item() / len(train)
        state = {
            "network": network.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "epochs": epoch + 1,
        }
        # Whatever ends the program, one of both is whole.
        torch.save(state, f"{args.checkpoint}.new")
        os.replace(f"{args.checkpoint}.new", args.checkpoint)
        print(
            f"epoch {epoch + 1}: loss {mean:.4f}, accuracy {accuracy(network, validation, device):.2f} %",
            flush=True,
        )
    print(f"accuracy {accuracy(network, validation, device):.2f} %")


if __name__ == "__main__":
    main()
