"""Writes networks of torchvision, timm or transformers as ONNX files, and what PyTorch computes with them.

Arguments are the folder, and which of these. For each network NAME and each exporter, the folder gets
NAME.EXPORTER.onnx, NAME.EXPORTER.buffers with the names of what is not learned, and NAME.EXPORTER.safetensors with
`images`, `logits` (double precision, training mode without dropout) and `parameters` (how many there are,
divided by 2^20, and the rest). Weights of more than 2 GB are in files of their own.
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


class Decoder(nn.Module):
    """A network that makes images smaller and larger again, by transposed convolutions in every way."""

    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList([
            nn.Sequential(nn.Conv2d(channels, 2 * channels, 3, 2, 1), nn.BatchNorm2d(2 * channels), nn.ReLU())
            for channels in (3, 6, 12)
        ])
        self.up = nn.ModuleList([
            nn.ConvTranspose2d(24, 12, 2, 2),
            nn.ConvTranspose2d(24, 6, 3, 2, padding=1, output_padding=1, groups=3, bias=False),
            nn.ConvTranspose2d(12, 8, (4, 3), (2, 3), padding=(1, 0), dilation=(1, 2)),
        ])
        self.norm = nn.BatchNorm2d(6)
        self.line = nn.ConvTranspose1d(8, 10, 5, 2, padding=2, output_padding=1, groups=2)
        self.fc = nn.Linear(10, 7)

    def forward(self, x):
        a = self.down[0](x)
        b = self.down[1](a)
        y = torch.cat([nn.functional.gelu(self.up[0](self.down[2](b))), b], dim=1)
        y = torch.cat([torch.relu(self.norm(self.up[1](y))), a], dim=1)
        y = nn.functional.silu(self.up[2](y)).mean(3)
        return self.fc(torch.tanh(self.line(y)).mean(2))


# Every kind of network that timm has, but for those whose weights or layers depend on more than their images
# (NFNets, LSTMs, lambda layers) and ConViT, some of whose parameters begin as equal tables, which are stored once.
TIMM = """
    vit_tiny_patch16_224 deit_tiny_distilled_patch16_224 deit3_small_patch16_224 beit_base_patch16_224 cait_xxs24_224
    swin_tiny_patch4_window7_224 swinv2_tiny_window8_256 swinv2_cr_tiny_224 convnext_atto convnextv2_atto mobilevit_xxs
    mobilevitv2_050 mixer_s32_224 gmlp_ti16_224 resmlp_12_224 poolformer_s12 poolformerv2_s12 convformer_s18
    caformer_s18 efficientvit_b0 efficientvit_m0 levit_128s edgenext_xx_small xcit_nano_12_p16_224 coat_tiny
    coatnet_nano_rw_224 maxvit_pico_rw_256 pit_ti_224 twins_svt_small visformer_tiny crossvit_tiny_240
    tnt_s_patch16_224 pvt_v2_b0 nest_tiny davit_tiny focalnet_tiny_srf gcvit_xxtiny fastvit_t8 repvit_m0_9 mobileone_s0
    efficientformer_l1 efficientformerv2_s0 tiny_vit_5m_224 hiera_tiny_224 inception_next_tiny mambaout_femto
    resnet18 resnetv2_50 seresnet50 res2net50_26w_4s resnest14d skresnet18 densenet121 dla34 hrnet_w18_small
    mobilenetv4_conv_small mixnet_s cspresnet50 regnetz_b16 regnetx_002
""".split()


def timm_networks():
    import timm

    for name in TIMM:
        network = timm.create_model(name, pretrained=False, num_classes=10)
        yield name, network, network.default_cfg["input_size"][-1]


# One of each family of torchvision, and the sides of its images.
TORCHVISION = {
    64: "resnet18 resnext50_32x4d wide_resnet50_2 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large efficientnet_b0 "
        "efficientnet_v2_s densenet121 squeezenet1_0 squeezenet1_1 shufflenet_v2_x1_0 regnet_x_400mf regnet_y_400mf "
        "mnasnet0_5 mnasnet1_0 convnext_tiny",
    224: "alexnet vgg11 vgg11_bn vit_b_32 swin_t swin_v2_t maxvit_t",
}
# These start slowly unless they are told not to.
INCEPTIONS = {"googlenet": 64, "inception_v3": 96}


def torchvision_networks():
    from torchvision import models

    yield "parts", Parts(), 24
    yield "decoder", Decoder(), 24
    for side, names in TORCHVISION.items():
        for name in names.split():
            yield name, getattr(models, name)(weights=None), side
    for name, side in INCEPTIONS.items():
        yield name, getattr(models, name)(weights=None, aux_logits=False, init_weights=False), side


def other_torchvision_networks():
    """All that torchvision has for images of one class, but for those above."""
    from torchvision import models

    above = {*" ".join(TORCHVISION.values()).split(), *INCEPTIONS}
    for name in models.list_models(module=models):
        if name in above:
            continue
        side = 224 if name.startswith("vgg") else 56 if name == "vit_h_14" else 96 if "swin" in name else 64
        options = {"image_size": side} if name.startswith("vit") else {}
        yield name, getattr(models, name)(weights=None, **options), side


def transformers_networks():
    import transformers as of

    common = {
        "vocab_size": 300, "hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 96,
        "max_position_embeddings": 64,
    }
    gpt2 = of.GPT2Config(vocab_size=300, n_positions=64, n_embd=48, n_layer=3, n_head=4)
    distilbert = of.DistilBertConfig(
        vocab_size=300, dim=48, n_layers=3, n_heads=4, hidden_dim=96, max_position_embeddings=64
    )
    networks = {
        "bert": of.BertForSequenceClassification(of.BertConfig(**common)),
        "bert_words": of.BertForMaskedLM(of.BertConfig(**common)),
        "roberta": of.RobertaForSequenceClassification(of.RobertaConfig(**common)),
        "electra": of.ElectraForSequenceClassification(of.ElectraConfig(**common, embedding_size=32)),
        "albert": of.AlbertForSequenceClassification(of.AlbertConfig(**common, embedding_size=32)),
        "deberta": of.DebertaV2ForSequenceClassification(of.DebertaV2Config(**common)),
        "distilbert": of.DistilBertForSequenceClassification(distilbert),
        "gpt2": of.GPT2LMHeadModel(gpt2),
        "gpt_neox": of.GPTNeoXForCausalLM(of.GPTNeoXConfig(**common)),
        "llama": of.LlamaForCausalLM(of.LlamaConfig(**common, num_key_value_heads=2)),
    }
    for name, network in networks.items():
        network.config.use_cache = False
        # How many tokens there are.
        yield name, network, 24


def export(name, exporter, network, images, path):
    network.eval()
    if exporter == "script":
        torch.onnx.export(
            network, (images,), str(path), dynamo=False, training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,  # of a table of positions, what is taken from it would be left
            input_names=["images"], dynamic_axes={"images": {0: "batch"}} if images.is_floating_point() else None,
        )
    else:
        torch.onnx.export(network, (images,), path, dynamo=True, optimize=False, external_data=False, verbose=False)


def main(folder, zoo):
    torch.manual_seed(0)
    # Names, networks, and the side of their images.
    networks, exporters, samples = {
        "torchvision": (torchvision_networks, ["script", "dynamo"], 6),
        "others of torchvision": (other_torchvision_networks, ["script"], 6),
        "timm": (timm_networks, ["script"], 2),
        "transformers": (transformers_networks, ["script", "dynamo"], 2),
    }[zoo]
    for name, network, side in networks():
        with torch.no_grad():
            # Those that start alike would not show that they are in the wrong place, and those that are alike are
            # stored once, whatever they belong to.
            for parameter in network.parameters():
                if parameter.dim() <= 1 or (parameter == parameter.flatten()[0]).all():
                    parameter.add_(torch.randn_like(parameter) * 0.1)
        for module in network.modules():
            if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm1d)) and module.affine:
                nn.init.uniform_(module.weight, 0.5, 1.5)
                nn.init.normal_(module.bias, std=0.2)
        is_text = zoo == "transformers"
        images = torch.randint(300, (samples, side)) if is_text else torch.randn(samples, 3, side, side)
        written = []
        for exporter in exporters:
            try:
                # Texts are written for one, since masks are.
                example = images[:1] if is_text else images
                export(name, exporter, network, example, folder / f"{name}.{exporter}.onnx")
                written.append(exporter)
            except torch.onnx.errors.UnsupportedOperatorError as error:
                print(f"{name}: the exporter '{exporter}' does not know an operator: {error}")
                (folder / f"{name}.{exporter}.onnx").unlink(missing_ok=True)
        parameters = sum(p.numel() for p in network.parameters())
        tensors = {"images": images.float(), "parameters": torch.tensor(divmod(parameters, 2**20)).float()}
        # Networks of texts have nothing that computes otherwise in training.
        network.double().train(not is_text)
        for module in network.modules():
            if isinstance(getattr(module, "p", None), float):
                module.p = 0.0
            if isinstance(getattr(module, "dropout", None), float):
                module.dropout = 0.0
            if hasattr(module, "drop_prob"):
                module.drop_prob = 0.0
        with torch.no_grad():
            logits = network(images if is_text else images.double())
        # In training, networks that were distilled return what each of their heads says.
        logits = logits[0] if is_text or isinstance(logits, tuple) else logits
        tensors["logits"] = logits.float().contiguous()
        network.float()
        for exporter in written:
            buffers = "\n".join(buffer for buffer, _ in network.named_buffers())
            (folder / f"{name}.{exporter}.buffers").write_text(buffers)
            save_file(tensors, folder / f"{name}.{exporter}.safetensors")


main(Path(sys.argv[1]), sys.argv[2])
