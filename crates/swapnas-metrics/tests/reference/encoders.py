"""Encoders of the space flexibert, as `swapnas spaces flexibert` and the papers describe them."""

import math

import torch
from torch import nn

VOCABULARY, POSITIONS = 30522, 512


def heads_of(x, heads):
    """Tokens and features of each head."""
    return x.unflatten(2, (heads, -1)).transpose(1, 2)


def together(x):
    return x.transpose(1, 2).flatten(2)


class Attention(nn.Module):
    def __init__(self, hidden, heads, size, weighted=False):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(hidden, heads * size) for _ in range(3))
        self.weight = nn.Linear(heads * size, heads * size, bias=False) if weighted else nn.Identity()
        self.softmax = nn.Softmax(3)

    def attend(self, x):
        query, key, value = (
            heads_of(y, self.heads) for y in (self.weight(self.query(x)), self.key(x), self.value(x))
        )
        scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[3])
        return together(self.softmax(scores) @ value)

    def forward(self, x):
        return self.attend(x)


class Fourier(nn.Module):
    def __init__(self, hidden, heads):
        super().__init__()
        self.heads = heads
        self.input = nn.Linear(hidden, hidden)

    def transform(self, x):
        return torch.fft.fft2(x).real

    def forward(self, x):
        return together(self.transform(heads_of(self.input(x), self.heads)))


class Cosine(Fourier):
    def transform(self, x):
        def along_rows(x):
            """DCT-II: the real part of the Fourier transform of the row and its mirror image, turned by half a step."""
            length = x.shape[-1]
            mirrored = torch.fft.fft(torch.cat([x, x.flip(-1)], -1))[..., :length]
            steps = torch.arange(length, dtype=x.dtype)
            return (mirrored * torch.exp(-0.5j * math.pi * steps / length)).real

        return along_rows(along_rows(x).transpose(2, 3)).transpose(2, 3)


class Separable(nn.Module):
    def __init__(self, hidden, out, kernel):
        super().__init__()
        self.depthwise = nn.Conv1d(hidden, hidden, kernel, padding=kernel // 2, groups=hidden, bias=False)
        self.pointwise = nn.Conv1d(hidden, out, 1, bias=False)
        self.bias = nn.Parameter(torch.zeros(out, 1))

    def forward(self, x):
        return (self.pointwise(self.depthwise(x.transpose(1, 2))) + self.bias).transpose(1, 2)


class Convolution(Attention):
    """Half of the heads attend; as many others convolve tokens with kernels made of them."""

    def __init__(self, hidden, heads, kernel):
        heads, size = heads // 2, hidden // heads
        super().__init__(hidden, heads, size)
        self.kernel = kernel
        self.key_conv_attn_layer = Separable(hidden, heads * size, kernel)
        self.conv_kernel_layer = nn.Linear(heads * size, heads * kernel)
        self.conv_out_layer = nn.Linear(hidden, heads * size)
        self.softmax_of_kernels = nn.Softmax(3)

    def forward(self, x):
        kernels = self.conv_kernel_layer(self.key_conv_attn_layer(x) * self.query(x))
        kernels = self.softmax_of_kernels(kernels.unflatten(2, (self.heads, self.kernel)))
        margin = self.kernel // 2
        points = nn.functional.pad(self.conv_out_layer(x), (0, 0, margin, margin))
        around = points.unfold(1, self.kernel, 1).unflatten(2, (self.heads, -1))
        convolved = (around @ kernels[..., None])[..., 0].flatten(2)
        return torch.cat([self.attend(x), convolved], 2)


class Output(nn.Module):
    def __init__(self, features, hidden):
        super().__init__()
        self.dense = nn.Linear(features, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=1e-12)

    def forward(self, x, beside):
        return self.LayerNorm(self.dense(x) + beside)


class Operation(nn.Module):
    def __init__(self, name, hidden, heads):
        super().__init__()
        self.operation = {
            "SDP": lambda: Attention(hidden, heads, hidden // heads),
            "WMA": lambda: Attention(hidden, heads, hidden // heads, weighted=True),
            "DFT": lambda: Fourier(hidden, heads),
            "DCT": lambda: Cosine(hidden, heads),
            "DSC5": lambda: Convolution(hidden, heads, 5),
            "DSC9": lambda: Convolution(hidden, heads, 9),
        }[name]()
        self.output = None if name in ("DFT", "DCT") else Output(hidden, hidden)

    def forward(self, x):
        y = self.operation(x)
        return y if self.output is None else self.output(y, x)


class Intermediate(nn.Module):
    def __init__(self, hidden, width, stacks):
        super().__init__()
        self.dense_in = nn.Linear(hidden, width)
        self.dense_list = nn.ModuleList(nn.Linear(width, width) for _ in range(stacks - 1))
        self.intermediate_act_fn = nn.GELU()

    def forward(self, x):
        for dense in [self.dense_in, *self.dense_list]:
            x = self.intermediate_act_fn(dense(x))
        return x


class Layer(nn.Module):
    def __init__(self, text, hidden, scale):
        super().__init__()
        name, heads, sizes = text.split("/")
        width, stacks = (int(number) for number in sizes.split("x"))
        self.operation = Operation(name, hidden, int(heads))
        self.intermediate = Intermediate(hidden, int(width * scale), stacks)
        self.output = Output(int(width * scale), hidden)

    def forward(self, x):
        x = self.operation(x)
        return self.output(self.intermediate(x), x)


class Embeddings(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.word_embeddings = nn.Embedding(VOCABULARY, features)
        self.token_type_embeddings = nn.Embedding(2, features)
        self.position_embeddings = nn.Embedding(POSITIONS, features)
        self.LayerNorm = nn.LayerNorm(features, eps=1e-12)

    def forward(self, tokens):
        places = torch.arange(tokens.shape[1])
        types = torch.zeros_like(tokens)
        return self.LayerNorm(
            self.word_embeddings(tokens) + self.token_type_embeddings(types) + self.position_embeddings(places)
        )


class Encoder(nn.Module):
    """All widths are `features` for 128."""

    def __init__(self, arch, features, classes):
        super().__init__()
        size, *layers = arch.split(":")
        scale = features / 128
        hidden = int(int(size[1:]) * scale)
        self.embeddings = Embeddings(features)
        self.embeddings_project = nn.Linear(features, hidden) if hidden != features else nn.Identity()
        self.encoder = nn.Module()
        self.encoder.layer = nn.Sequential(*(Layer(layer, hidden, scale) for layer in layers))
        self.classifier = nn.Linear(hidden, classes)

    def forward(self, tokens):
        x = self.encoder.layer(self.embeddings_project(self.embeddings(tokens)))
        return self.classifier(x[:, 0])
