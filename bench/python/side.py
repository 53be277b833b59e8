"""What the Python sides share: the request, threads, the closing line."""

import json
import resource
import sys
import time

import torch


def read_request():
    with open(sys.argv[1]) as file:
        request = json.load(file)
    torch.set_num_threads(request["threads"])
    return request


def peak_rss_mb():
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def free_mb():
    """Memory that can still be had, in MB (Linux)."""
    with open("/proc/meminfo") as file:
        for line in file:
            if line.startswith("MemAvailable"):
                return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/meminfo does not say MemAvailable")


class Stopwatch:
    def __enter__(self):
        self.began = time.perf_counter()
        return self

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self.began


def finish(packages, **result):
    import importlib.metadata

    versions = {name: importlib.metadata.version(name) for name in ["torch", "transformers", *packages]}
    print(json.dumps({**result, "peak_rss_mb": peak_rss_mb(), "versions": versions}))
