"""Makes autoformer.json: what PyTorch computes of networks of AutoFormer's spaces, scaled down.

The numbers in the repository were made with PyTorch 2.15.0 on a CPU, in double precision, by

    python make.py

Images and weights follow from `noise`, which the test has as well, so that the file holds logits only. The network
is written from the paper's description, with an embedding of the offset between every two tokens.
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

MASK = (1 << 64) - 1
FARTHEST = 14
PATCH = 16


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


def filled(name, count):
    """The numbers of a parameter: those of a normalisation's weights are about 1."""
    seed = 100
    for byte in name.encode():
        seed = seed * 31 + byte & MASK
    numbers = noise(count, seed)
    if "norm" in name and name.endswith("weight"):
        return 1 + numbers / 4
    return numbers if "embed" in name and "proj" not in name else numbers / 4


class Offsets(nn.Module):
    """Embeddings of the offsets between all tokens of a grid behind a class token: [from][to][feature]."""

    def __init__(self, features):
        super().__init__()
        self.embeddings_table_v = nn.Parameter(torch.empty(2 * FARTHEST + 2, features))
        self.embeddings_table_h = nn.Parameter(torch.empty(2 * FARTHEST + 2, features))

    def forward(self, rows, columns):
        row, column = (x.flatten() for x in torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij"))
        embeddings = 0
        for table, place in [(self.embeddings_table_v, row), (self.embeddings_table_h, column)]:
            index = torch.zeros(len(place) + 1, len(place) + 1, dtype=torch.long)
            offsets = place[None] - place[:, None]
            index[1:, 1:] = offsets.clamp(-FARTHEST, FARTHEST) + FARTHEST + 1
            embeddings = embeddings + table[index]
        return embeddings


class Attention(nn.Module):
    def __init__(self, embed, heads, head):
        super().__init__()
        self.heads, self.head = heads, head
        self.qkv = nn.Linear(embed, 3 * heads * head)
        self.rel_pos_embed_k = Offsets(head)
        self.rel_pos_embed_v = Offsets(head)
        self.proj = nn.Linear(heads * head, embed)

    def forward(self, x, grid):
        batch, tokens, _ = x.shape
        q, k, v = self.qkv(x).view(batch, tokens, 3, self.heads, self.head).permute(2, 0, 3, 1, 4)
        scores = torch.einsum("bhnd,bhmd->bhnm", q, k)
        scores = scores + torch.einsum("bhnd,nmd->bhnm", q, self.rel_pos_embed_k(*grid))
        attention = (scores / self.head**0.5).softmax(-1)
        y = torch.einsum("bhnm,bhmd->bnhd", attention, v)
        y = y + torch.einsum("bhnm,nmd->bnhd", attention, self.rel_pos_embed_v(*grid))
        return self.proj(y.reshape(batch, tokens, -1))


class Block(nn.Module):
    def __init__(self, embed, ratio, heads, head):
        super().__init__()
        self.attn_layer_norm = nn.LayerNorm(embed)
        self.attn = Attention(embed, heads, head)
        self.ffn_layer_norm = nn.LayerNorm(embed)
        self.fc1 = nn.Linear(embed, int(embed * ratio))
        self.fc2 = nn.Linear(int(embed * ratio), embed)

    def forward(self, x, grid):
        x = x + self.attn(self.attn_layer_norm(x), grid)
        return x + self.fc2(F.gelu(self.fc1(self.ffn_layer_norm(x))))


class Network(nn.Module):
    def __init__(self, image, embed, head, ratios, heads, classes):
        super().__init__()
        self.grid = [max(side // PATCH, 1) for side in image[1:]]
        self.patch_embed_super = nn.ModuleDict({"proj": nn.Conv2d(image[0], embed, PATCH, stride=PATCH)})
        self.cls_token = nn.Parameter(torch.empty(1, 1, embed))
        self.pos_embed = nn.Parameter(torch.empty(1, self.grid[0] * self.grid[1] + 1, embed))
        self.blocks = nn.ModuleList(Block(embed, *choices, head) for choices in zip(ratios, heads))
        self.norm = nn.LayerNorm(embed)
        self.head = nn.Linear(embed, classes)

    def forward(self, x):
        # An image of less than a patch has zeros at its end.
        x = F.pad(x, (0, max(PATCH - x.shape[3], 0), 0, max(PATCH - x.shape[2], 0)))
        x = self.patch_embed_super["proj"](x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x, self.grid)
        return self.head(self.norm(x)[:, 1:].mean(1))


def case(space, widest, embed, ratios, heads, channels, image, samples=2, classes=5):
    """The logits of a network whose widths are `channels / widest` of those of the paper."""
    scaled = lambda width: max((width * channels + widest // 2) // widest, 1)
    network = Network(image, scaled(embed), scaled(64), ratios, heads, classes).double()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(filled(name, parameter.numel()).view_as(parameter))
        images = noise(samples * image[0] * image[1] * image[2], 11).view(samples, *image)
        logits = network(images)
    return {
        "space": space,
        "arch": str((len(ratios), *ratios, *heads, embed)),
        "channels": channels,
        "input": image,
        "classes": classes,
        "params": sum(parameter.numel() for parameter in network.parameters()),
        "logits": logits.tolist(),
    }


TINY = ([4, 3.5, 3.5, 3.5, 4, 3.5, 4, 4, 3.5, 4, 3.5, 4], [3, 4, 3, 3, 4, 4, 3, 4, 4, 3, 4, 3])
SMALL = ([3, 3.5, 3, 3.5, 4, 4, 4, 4, 4, 4, 4, 3.5, 4], [6, 6, 5, 7, 5, 5, 5, 6, 6, 7, 7, 6, 7])
BASE = ([3.5, 3.5, 4, 3.5, 4, 3.5, 3.5, 3, 4, 4, 3, 4, 3, 3.5], [9, 9, 9, 9, 9, 10, 9, 9, 10, 9, 10, 9, 9, 10])

if __name__ == "__main__":
    cases = [
        case("autoformer-tiny", 240, 216, *TINY, 20, [3, 64, 64]),
        # More rows than the tables have offsets.
        case("autoformer-small", 448, 384, *SMALL, 28, [1, 272, 32]),
        # Less than a patch in one direction, and what is left of a patch in the other.
        case("autoformer-base", 624, 576, *BASE, 13, [3, 9, 55]),
    ]
    path = Path(__file__).with_name("autoformer.json")
    path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
