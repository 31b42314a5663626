"""Measures how long networks take, for `swapnas latency`.

    python measure.py RUNTIME THREADS BATCH

Reads requests as lines of JSON, each of networks to be measured side by side, and answers each with a line. It needs
ONNX Runtime or PyTorch.
"""

import json
import os
import statistics
import sys
import time

# Runs of each network before the clock runs, and fewest runs with it.
WARM_UP, FEWEST = 3, 15


def pin(threads):
    """Keeps the process on as many processors as it has threads: the last ones, since the first serves the system."""
    if not hasattr(os, "sched_setaffinity"):
        return
    processors = sorted(os.sched_getaffinity(0))
    if threads > len(processors):
        raise ValueError(f"{threads} threads are more than the {len(processors)} processors that there are")
    os.sched_setaffinity(0, processors[-threads:])


def clock(threads):
    """With one thread, its own time, so that other programs do not count; Windows counts that in steps of 16 ms."""
    return time.thread_time_ns if threads == 1 and os.name == "posix" else time.perf_counter_ns


def onnxruntime_loader(threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Numbers of an untrained network may become so small that processors are slow with them.
    options.add_session_config_entry("session.set_denormal_as_zero", "1")

    def load(path, array):
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        inputs = {session.get_inputs()[0].name: array}
        return lambda: session.run(None, inputs)

    return f"onnxruntime {onnxruntime.__version__}", load


def torch_loader(threads):
    import torch

    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.set_grad_enabled(False)

    def load(path, array):
        names = {"__name__": "network"}
        with open(path, encoding="utf-8") as file:
            exec(compile(file.read(), path, "exec"), names)
        network = names["Network"]().eval()
        images = torch.from_numpy(array)
        return lambda: network(images)

    return f"torch {torch.__version__}", load


def measure(networks, seconds, now):
    """Medians in milliseconds. Runs of all networks alternate, so that what changes in the machine changes for all."""
    times = [[] for _ in networks]
    end = time.perf_counter() + seconds
    while len(times[0]) < FEWEST or time.perf_counter() < end:
        for run, own in zip(networks, times):
            start = now()
            run()
            own.append(now() - start)
    return [statistics.median(own) / 1e6 for own in times]


def answer(request, batch, load, now):
    import numpy

    random = numpy.random.default_rng(0)
    shape = (batch, *request["input"])
    if request["vocabulary"] is None:
        array = random.standard_normal(shape, dtype=numpy.float32)
    else:
        array = random.integers(request["vocabulary"], size=shape, dtype=numpy.int64)
    networks = []
    for number, path in enumerate(request["files"]):
        try:
            run = load(path, array)
            for _ in range(WARM_UP):
                run()
        except Exception as error:
            return {"failed": [number, f"{type(error).__name__}: {error}"]}
        networks.append(run)
    return {"ms": measure(networks, request["seconds"], now)}


def say(answer):
    print(json.dumps(answer), flush=True)


def main():
    runtime, threads, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    loader = {"onnxruntime": onnxruntime_loader, "torch": torch_loader}[runtime]
    try:
        pin(threads)
        version, load = loader(threads)
        import numpy  # noqa: F401
    except ImportError as error:
        return say({"missing": error.name or runtime})
    except (OSError, ValueError) as error:
        return say({"refused": str(error)})
    now = clock(threads)
    say({"ready": version})
    for line in sys.stdin:
        say(answer(json.loads(line), batch, load, now))


if __name__ == "__main__":
    main()
