"""Writes small files in the formats of published benchmarks, into the folder that is given.

The formats are those of the benchmarks' own code: `nats_bench/api_utils.py` of NATS-Bench, `nas_201_api/api_201.py` of
NAS-Bench-201, `nasbench/api.py` and `model_metrics.proto` of NAS-Bench-101, `hw_nas_bench_api.py` of HW-NAS-Bench,
`get_dataset_api.py` of NASLib, and the README of NAS-Bench-Macro. The numbers are made up. Without PyTorch, the files of
NAS-Bench-201 are left out.
"""

import base64
import bz2
import json
import pickle
import struct
import sys
from collections import OrderedDict, defaultdict
from pathlib import Path

import numpy as np

try:
    import torch
except ImportError:
    torch = None

TSS = {
    0: "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
    11: "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|skip_connect~2|",
    284: "|none~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2|",
}
SSS = {0: "8:8:8:8:8", 7: "64:8:16:24:32"}
SETS = {
    "cifar10-valid": ["x-valid", "ori-test"],
    "cifar10": ["ori-test"],
    "cifar100": ["x-valid", "x-test", "ori-test"],
    "ImageNet16-120": ["x-valid", "x-test", "ori-test"],
}


def trial(index, arch, dataset, seed, epochs, number):
    """What was measured in a training: ResultsCount.state_dict()."""
    base = 50.0 + index / 8 + epochs / 16 + len(dataset) + seed / 1000
    measured = range(max(0, epochs - 2), epochs)
    evaluated = OrderedDict()
    for place, images in enumerate(SETS[dataset]):
        for epoch in measured:
            evaluated[f"{images}@{epoch}"] = number(base + place - (epochs - 1 - epoch))
    return {
        "name": "infer.tiny",
        "net_state_dict": None,
        "train_acc1es": {epoch: number(base + 10 + epoch) for epoch in measured},
        "train_acc5es": None,
        "train_losses": {epoch: 1.0 for epoch in measured},
        "train_times": {epoch: 0.5 for epoch in range(epochs)},
        "arch_config": {"channel": 16, "num_cells": 5, "arch_str": arch, "class_num": 10},
        "params": number(0.1 + index / 1024),
        "flop": 15.5 + index,
        "seed": seed,
        "epochs": epochs,
        "latency": [0.0125, 0.0175],
        "eval_names": SETS[dataset],
        "eval_acc1es": evaluated,
        "eval_times": {},
        "eval_losses": {},
    }


def network(index, arch, all_epochs, number):
    """What is in the file of an architecture: ArchResults.state_dict() by the number of epochs."""
    found = OrderedDict()
    for name in all_epochs:
        seeds = {dataset: [777, 888] if int(name) > 100 else [777] for dataset in SETS}
        found[name] = {
            "arch_index": index,
            "arch_str": arch,
            "all_results": {
                (dataset, seed): trial(index, arch, dataset, seed, int(name), number)
                for dataset in SETS
                for seed in seeds[dataset]
            },
            "dataset_seed": defaultdict(list, seeds),
            "clear_net_done": True,
        }
    return found


def nats(folder, archs, all_epochs, protocol, number):
    folder.mkdir(exist_ok=True)
    contents = {index: network(index, arch, all_epochs, number) for index, arch in archs.items()}
    meta = {"meta_archs": list(archs.values()), "total_archs": len(archs)}
    for name, found in [("meta", meta)] + [(f"{index:06d}", found) for index, found in contents.items()]:
        with bz2.BZ2File(folder / f"{name}.pickle.pbz2", "w") as file:
            pickle.dump(found, file, protocol=protocol)
    return {**meta, "arch2infos": contents, "evaluated_indexes": set(archs)}


def nasbench201(path, archs, is_first, **options):
    """All networks in one file of PyTorch. In the first version, networks trained for 12 epochs are of one data set, and
    what was measured is partly missing; in the second, there may be weights."""

    def state(index, arch, epochs):
        datasets = ["cifar10-valid"] if is_first and epochs == 12 else list(SETS)
        results = OrderedDict()
        for dataset in datasets:
            result = trial(index, arch, dataset, 777, epochs, float)
            if is_first:
                result.update(train_times=None, latency=None)
            else:
                result.update(net_state_dict=OrderedDict({"stem.weight": torch.arange(6.0).reshape(2, 3)}))
            results[dataset, 777] = result
        seeds = {dataset: [777] for dataset in datasets}
        return {"arch_index": index, "arch_str": arch, "all_results": results, "dataset_seed": seeds}

    infos = {
        index: {"full": state(index, arch, 200), "less": state(index, arch, 12)} for index, arch in archs.items()
    }
    names = list(archs.values())
    whole = {"meta_archs": names, "total_archs": len(names), "arch2infos": infos, "evaluated_indexes": set(archs)}
    torch.save(whole, path, **options)


def checksum(data):
    """CRC-32C, turned and moved as TensorFlow does."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF)


def varint(number):
    data = b""
    while number > 127:
        data += bytes([number & 127 | 128])
        number >>= 7
    return data + bytes([number])


def evaluation(epoch, seconds, train, validation, test, checkpoint):
    doubles = [epoch, seconds, train, validation, test]
    data = b"".join(bytes([place << 3 | 1]) + struct.pack("<d", value) for place, value in enumerate(doubles, 1))
    return data + b"\x32" + varint(len(checkpoint)) + checkpoint


def nasbench101(path):
    cells = [
        ("0110000100010000", "input,conv3x3-bn-relu,maxpool3x3,output", 2694282),
        ("010001000", "input,conv1x1-bn-relu,output", 1234567),
    ]
    with open(path, "wb") as file:
        for repeat in range(3):
            for place, (adjacency, operations, params) in enumerate(cells):
                for epochs in [4, 108]:
                    last = 0.5 + epochs / 256 + place / 64 + repeat / 128
                    metrics = b""
                    for step, share in enumerate([0.0, 0.5, 1.0]):
                        data = evaluation(
                            epochs * share, epochs * share * 10, last * share, last * share, last * share - 0.25, b"gs://model"
                        )
                        metrics += b"\x0a" + varint(len(data)) + data
                    metrics += b"\x10" + varint(params) + b"\x19" + struct.pack("<d", 1.5)
                    row = [f"{place:032x}", epochs, adjacency, operations, base64.b64encode(metrics).decode()]
                    record = json.dumps(row).encode()
                    length = struct.pack("<Q", len(record))
                    file.write(length + checksum(length) + record + checksum(record))


def hwnas(path):
    archs = list(TSS.values())
    devices = ["edgegpu_latency", "edgegpu_energy", "raspi4_latency", "fpga_energy"]
    datasets = {}
    for scale, dataset in enumerate(["cifar10", "cifar100", "ImageNet16-120"], 1):
        datasets[dataset] = {
            "config": [{"name": "infer.tiny", "C": 16, "N": 5, "arch_str": arch, "num_classes": 10} for arch in archs],
        }
        for device, name in enumerate(devices):
            kind = [float, np.float64, np.float32, str][device]
            values = [scale * 2.0 + device + place / 4 for place in range(len(archs))]
            datasets[dataset][name] = np.array(values) if kind is str else [kind(value) for value in values]
    blocks = {"edgegpu_latency": {"ConvNorm_H32_W32_Cin3_Cout16_kernel3_stride1_group1": 0.5}}
    with open(path, "wb") as file:
        pickle.dump({"nasbench201": datasets, "fbnet": blocks}, file, protocol=3)


def naslib(path):
    datasets = {}
    for place, dataset in enumerate(["cifar10", "cifar100"]):
        datasets[dataset] = {}
        for index, arch in enumerate([(4, 0, 3, 1, 4, 3), (2, 2, 0, 4, 2, 0)]):
            scores = {
                "nwot": {"score": 700.5 + index, "time": 0.25},
                "grasp": {"score": float("nan") if index else -3.5, "time": 0.5},
            }
            datasets[dataset][str(arch)] = {"id": index, **scores, "val_accuracy": 90.25 - index - 20 * place}
    path.write_text(json.dumps(datasets))


def nasbench_macro(path):
    networks = {
        arch: {"test_acc": [acc - 0.5, acc, acc + 0.5], "mean_acc": acc, "std": 0.5, "params": 3 * 10**6, "flops": 10**8}
        for arch, acc in [("00000000", 90.5), ("21221002", 93.25)]
    }
    path.write_text(json.dumps(networks))


def main(folder):
    whole = nats(folder / "nats-tss", TSS, ["12", "200"], 4, np.float64)
    with bz2.BZ2File(folder / "nats-tss.pickle.pbz2", "w") as file:
        pickle.dump(whole, file, protocol=4)
    sizes = nats(folder / "nats-sss", SSS, ["01", "12", "90"], 2, np.float32)
    if torch is not None:
        nasbench201(folder / "nasbench201-v1_0.pth", TSS, True, _use_new_zipfile_serialization=False)
        two = dict(list(TSS.items())[:2])
        nasbench201(folder / "nasbench201-v1_1.pth", two, False, _use_new_zipfile_serialization=True)
    with bz2.BZ2File(folder / "nats-sss.pickle.pbz2", "w") as file:
        pickle.dump(sizes, file, protocol=2)
    nasbench101(folder / "nasbench101.tfrecord")
    hwnas(folder / "hwnas.pickle")
    naslib(folder / "zc_nasbench201.json")
    nasbench_macro(folder / "nasbench_macro.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
