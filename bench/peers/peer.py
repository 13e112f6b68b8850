"""The other side of the bench: PyTorch programs that do the same work as sonospike.

Reads one JSON request a line from standard input and answers with one JSON line. Arrays travel in files of raw
little-endian float32. Needs torch; torchaudio, snntorch and spikingjelly are used if they can be imported.
"""
import importlib
import json
import sys
import time

import torch

from arrays import use, wait
from audio import Mfcc, Resample
from layers import Products, SnnTorchLayer, SpikingJellyLayer
from memory import added_by
from original import OriginalTraining

KINDS = {"original": OriginalTraining, "spikingjelly": SpikingJellyLayer, "snntorch": SnnTorchLayer,
         "products": Products, "mfcc": Mfcc, "resample": Resample}
LIBRARIES = {"spikingjelly": "spikingjelly.activation_based", "snntorch": "snntorch", "torchaudio": "torchaudio"}


def can_import(name):
    try:
        importlib.import_module(name)
        return True
    except Exception:
        return False


def timed(work):
    wait()
    start = time.perf_counter()
    work()
    wait()
    return {"seconds": time.perf_counter() - start}


class Session:
    work = None

    def info(self, q):
        return {"torch": torch.__version__, "peers": [name for name, path in LIBRARIES.items() if can_import(path)]}

    def make(self, q):
        self.work = None  # the arrays of the one before are given back first
        use(q["device"])
        torch.set_num_threads(q["threads"])
        self.work = KINDS[q["kind"]](q)
        return {}

    def gradients(self, q):
        """Computes once and leaves what there is to compare in files."""
        self.work.gradients(q["dir"])
        return {}

    def forward(self, q):
        return timed(self.work.forward)

    def run(self, q):
        with torch.set_grad_enabled(q.get("grad", True)):
            return timed(self.work.run)

    def memory(self, q):
        """Peak memory of making the work and running it a few times."""
        def work():
            self.make(q)
            for _ in range(q["runs"]):
                self.work.run()
        return added_by(work)


def main():
    torch.set_flush_denormal(True)
    session = Session()
    for line in sys.stdin:
        q = json.loads(line)
        try:
            answer = getattr(session, q["op"])(q)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
