"""The other side of the bench: PyTorch programs that do the same work as sonospike.

Reads one JSON request a line from standard input and answers with one JSON line. Arrays travel in files of raw
little-endian float32. Needs torch; torchaudio, snntorch and spikingjelly are used if they can be imported.
"""
import importlib
import json
import sys
import time

import numpy as np
import torch


def load(name):
    try:
        return importlib.import_module(name)
    except Exception:
        return None


def floats(path, *shape):
    return torch.from_numpy(np.fromfile(path, dtype=np.float32).reshape(shape))


def timed(work):
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


class Original(torch.nn.Module):
    """The program that this project started from: four layers of LIF neurons with soft spikes."""

    def __init__(self, sizes):
        super().__init__()
        pairs = list(zip(sizes, sizes[1:]))
        self.fc = torch.nn.ModuleList(torch.nn.Linear(i, o) for i, o in pairs)
        self.decay = torch.nn.ParameterList(torch.nn.Parameter(0.5 + 0.5 * torch.rand(o)) for _, o in pairs)
        self.threshold = torch.nn.ParameterList(torch.nn.Parameter(torch.rand(o)) for _, o in pairs)

    def forward(self, x):
        v = [torch.zeros(x.shape[1], fc.out_features) for fc in self.fc]
        total = 0
        for s in x.unbind(0):
            for k, fc in enumerate(self.fc):
                u = v[k] * self.decay[k] + fc(s)
                s = torch.sigmoid(5 * (u - self.threshold[k]))
                v[k] = u * (1 - s)
            total = total + s
        return total


class OriginalTraining:
    def __init__(self, q):
        self.net = Original(q["sizes"])
        names = [p for k in range(len(q["sizes"]) - 1) for p in (
            (self.net.fc[k].weight, f"layers.{k}.weight"), (self.net.fc[k].bias, f"layers.{k}.bias"),
            (self.net.decay[k], f"layers.{k}.decay"), (self.net.threshold[k], f"layers.{k}.threshold"))]
        self.names = dict((name, p) for p, name in names)
        with torch.no_grad():
            for name, p in self.names.items():
                p.copy_(floats(f"{q['dir']}/{name}", *p.shape))
        self.x = floats(f"{q['dir']}/input", q["steps"], q["batch"], q["sizes"][0])
        self.y = torch.tensor(q["labels"])
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3)

    def forward(self):
        with torch.no_grad():
            return self.net(self.x)

    def gradients(self, folder):
        self.optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(self.net(self.x), self.y)
        loss.backward()
        for name, p in self.names.items():
            p.grad.numpy().tofile(f"{folder}/{name}")
        return float(loss)

    def run(self):
        self.optimizer.zero_grad()
        torch.nn.functional.cross_entropy(self.net(self.x), self.y).backward()
        self.optimizer.step()


class Layer:
    """One layer n -> n of hard-spiking LIF neurons, read by its spike counts. Backward to weights and input."""

    def __init__(self, q):
        n = q["n"]
        self.fc = torch.nn.Linear(n, n)
        with torch.no_grad():
            self.fc.weight.copy_(floats(f"{q['dir']}/layers.0.weight", n, n))
            self.fc.bias.copy_(floats(f"{q['dir']}/layers.0.bias", n))
        self.x = floats(f"{q['dir']}/input", q["steps"], q["batch"], n).requires_grad_()
        self.y = torch.tensor(q["labels"])
        self.decay, self.threshold = float(q["decay"]), float(q["threshold"])

    def loss(self):
        return torch.nn.functional.cross_entropy(self.spikes().sum(0), self.y)

    def clear(self):
        self.fc.weight.grad = self.fc.bias.grad = self.x.grad = None

    def run(self):
        self.clear()
        self.loss().backward()

    def gradients(self, folder):
        self.run()
        self.fc.weight.grad.numpy().tofile(f"{folder}/layers.0.weight")
        self.fc.bias.grad.numpy().tofile(f"{folder}/layers.0.bias")
        self.x.grad.numpy().tofile(f"{folder}/input")
        return float(self.loss())


class SpikingJellyLayer(Layer):
    def __init__(self, q):
        super().__init__(q)
        from spikingjelly.activation_based import functional, neuron, surrogate
        self.functional = functional
        self.node = neuron.LIFNode(tau=1 / (1 - self.decay), decay_input=False, v_threshold=self.threshold, v_reset=0.0,
                                   surrogate_function=surrogate.ATan(alpha=2.0), step_mode="m", backend="torch")

    def spikes(self):
        self.functional.reset_net(self.node)
        return self.node(self.fc(self.x))


class SnnTorchLayer(Layer):
    def __init__(self, q):
        super().__init__(q)
        import snntorch
        self.node = snntorch.Leaky(beta=self.decay, threshold=self.threshold, reset_mechanism="zero",
                                   spike_grad=snntorch.surrogate.atan(alpha=2.0))

    def spikes(self):
        mem, out = self.node.init_leaky(), []
        for current in self.fc(self.x).unbind(0):
            s, mem = self.node(current, mem)
            out.append(s)
        return torch.stack(out)


class Products:
    """The three dense matrix products of such a layer alone: forward, to the weights, to the input."""

    def __init__(self, q):
        rows = q["steps"] * q["batch"]
        self.x, self.w, self.d = torch.rand(rows, q["n"]), torch.rand(q["n"], q["n"]), torch.rand(rows, q["n"])

    def run(self):
        torch.mm(self.x, self.w.t())
        torch.mm(self.d.t(), self.x)
        torch.mm(self.d, self.w)


class Mfcc:
    def __init__(self, q):
        import torchaudio
        self.x = floats(f"{q['dir']}/input", -1)
        self.transform = torchaudio.transforms.MFCC(sample_rate=16000, n_mfcc=20, melkwargs={"n_mels": 64})

    def run(self):
        return self.transform(self.x)

    def gradients(self, folder):
        self.run().T.contiguous().numpy().tofile(f"{folder}/output")
        return 0.0


class Resample:
    def __init__(self, q):
        import torchaudio
        self.x = floats(f"{q['dir']}/input", -1)
        self.transform = torchaudio.transforms.Resample(q["from"], q["to"])

    def run(self):
        return self.transform(self.x)

    def gradients(self, folder):
        self.run().numpy().tofile(f"{folder}/output")
        return 0.0


KINDS = {"original": OriginalTraining, "spikingjelly": SpikingJellyLayer, "snntorch": SnnTorchLayer,
         "products": Products, "mfcc": Mfcc, "resample": Resample}


def main():
    torch.set_flush_denormal(True)
    work = None
    for line in sys.stdin:
        q = json.loads(line)
        if q["op"] == "info":
            answer = {"torch": torch.__version__, "threads": torch.get_num_threads(),
                      "peers": [name for name, module in (("spikingjelly", "spikingjelly.activation_based"),
                                                          ("snntorch", "snntorch"), ("torchaudio", "torchaudio"))
                                if load(module)]}
        elif q["op"] == "make":
            torch.set_num_threads(q["threads"])
            work = KINDS[q["kind"]](q)
            answer = {}
        elif q["op"] == "gradients":
            answer = {"loss": work.gradients(q["dir"])}
        elif q["op"] == "forward":
            answer = {"seconds": timed(work.forward)[0]}
        else:
            with torch.set_grad_enabled(q.get("grad", True)):
                answer = {"seconds": timed(work.run)[0]}
        print(json.dumps(answer), flush=True)


main()
