"""Writes networks of torchvision or timm as ONNX files, and what PyTorch computes with them.

Arguments are the folder, and which of both. For each network NAME and each exporter, the folder gets NAME.EXPORTER.onnx and NAME.EXPORTER.safetensors with
`images`, `logits` (double precision, training mode without dropout) and `parameters` (how many there are).
"""

import sys
import warnings
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

warnings.filterwarnings("ignore")


class Parts(nn.Module):
    """What networks of torchvision have not."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, (3, 5), stride=(2, 1), padding=(2, 0), dilation=(1, 2), bias=False)
        self.norm = nn.BatchNorm2d(8, affine=False, eps=1e-2)
        self.pad = nn.ZeroPad2d((1, 2, 3, 0))
        self.second = nn.Conv2d(8, 12, 3, groups=4)
        self.gelu = nn.GELU()
        self.pools = nn.ModuleList([
            nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.AvgPool2d(3, 2, padding=1, count_include_pad=False, ceil_mode=True),
            nn.AvgPool2d(3, 2, padding=1),
        ])
        self.crop = nn.Conv2d(12, 12, 1, stride=2)
        self.fc = nn.Linear(12 * 2 * 3, 20, bias=False)
        self.fc_norm = nn.BatchNorm1d(20)
        self.out = nn.Linear(20, 7)

    def forward(self, x):
        x = nn.functional.relu(self.norm(self.first(x)))
        x = self.second(self.pad(x))
        x = torch.cat([self.gelu(x), x * torch.sigmoid(x), nn.functional.hardswish(x)], dim=1)
        a, b, c = x.chunk(3, dim=1)
        a = self.pools[0](a)[:, :, :7, :8]
        b = self.pools[1](b)[:, :, :7, :8]
        c = self.pools[2](c)[:, :, :7, :8]
        x = nn.functional.relu6(a + b) + c * c.mean((2, 3), keepdim=True)
        x = self.crop(x[:, :, 1:, 1:])
        x = nn.functional.max_pool2d(x, 2, 1)
        x = torch.relu(self.fc_norm(self.fc(x.flatten(1))))
        return torch.softmax(self.out(x), dim=1) if torch.onnx.is_in_onnx_export() else self.out(x)


# Transformers, and networks of convolutions with what torchvision's have not.
TIMM = [
    "vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "beit_base_patch16_224", "cait_xxs24_224",
    "swin_tiny_patch4_window7_224", "swinv2_tiny_window8_256", "convnext_atto", "convnextv2_atto", "mobilevit_xxs",
    "mobilevitv2_050", "mixer_s32_224", "gmlp_ti16_224", "resmlp_12_224", "poolformer_s12", "convformer_s18",
    "efficientvit_b0", "efficientvit_m0", "levit_128s",
]


def timm_networks():
    import timm

    for name in TIMM:
        network = timm.create_model(name, pretrained=False, num_classes=10)
        with torch.no_grad():
            # Biases and scales that start alike, so that those in the wrong place would not show.
            for parameter in network.parameters():
                if parameter.dim() <= 1 or (parameter == parameter.flatten()[0]).all():
                    parameter.add_(torch.randn_like(parameter) * 0.1)
        yield name, network, network.default_cfg["input_size"][-1]


def torchvision_networks():
    import torchvision

    yield "parts", Parts(), 24
    for name in [
        "resnet18", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0",
        "densenet121", "squeezenet1_1", "shufflenet_v2_x1_0", "regnet_x_400mf", "regnet_y_400mf", "mnasnet1_0",
    ]:
        yield name, getattr(torchvision.models, name)(weights=None), 64
    options = {"weights": None, "aux_logits": False, "init_weights": False}
    yield "googlenet", torchvision.models.googlenet(**options), 64
    yield "inception_v3", torchvision.models.inception_v3(**options), 96


def export(name, exporter, network, images, path):
    network.eval()
    if exporter == "script":
        torch.onnx.export(
            network, (images,), path, dynamo=False, training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,  # of a table of positions, what is taken from it would be left
            input_names=["images"], dynamic_axes={"images": {0: "batch"}},
        )
    else:
        torch.onnx.export(network, (images,), path, dynamo=True, optimize=False, external_data=False, verbose=False)


def main(folder, zoo):
    torch.manual_seed(0)
    # Names, networks, and the side of their images.
    networks, exporters, samples = {
        "torchvision": (torchvision_networks, ["script", "dynamo"], 6),
        "timm": (timm_networks, ["script"], 2),
    }[zoo]
    for name, network, side in networks():
        for module in network.modules():
            if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d)) and module.affine:
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, std=0.2)
        images = torch.randn(samples, 3, side, side)
        for exporter in exporters:
            export(name, exporter, network, images, folder / f"{name}.{exporter}.onnx")
        network.double().train()
        for module in network.modules():
            if isinstance(getattr(module, "p", None), float):
                module.p = 0.0
            if hasattr(module, "drop_prob"):
                module.drop_prob = 0.0
        with torch.no_grad():
            logits = network(images.double())
        # In training, networks that were distilled return what each of their heads says.
        logits = logits[0] if isinstance(logits, tuple) else logits
        network.float()
        parameters = torch.tensor([sum(p.numel() for p in network.parameters())], dtype=torch.float32)
        tensors = {"images": images, "logits": logits.float(), "parameters": parameters}
        for exporter in exporters:
            save_file(tensors, folder / f"{name}.{exporter}.safetensors")


main(Path(sys.argv[1]), sys.argv[2])
