"""One layer n -> n of hard-spiking LIF neurons, read by its spike counts; backward to weights and input.

`loop` and `linear` choose between ways to write the same program. x.unbind(0) has one backward for all steps, while
that of each x[t] makes a gradient of the whole sequence: SpikingJelly's own multi-step loop does that, so its
neuron is also run step by step over unbind. On a GPU it has kernels of its own too, by CuPy or Triton: the loops "cupy"
and "triton".
"""
import torch

from arrays import read, write


class Layer:
    def __init__(self, q):
        n = q["n"]
        self.fc = torch.nn.Linear(n, n)
        with torch.no_grad():
            self.fc.weight.copy_(read(f"{q['dir']}/layers.0.weight", n, n))
            self.fc.bias.copy_(read(f"{q['dir']}/layers.0.bias", n))
        self.x = read(f"{q['dir']}/input", q["steps"], q["batch"], n).requires_grad_()
        self.y = torch.tensor(q["labels"])
        self.decay, self.threshold = float(q["decay"]), float(q["threshold"])
        self.loop, self.at_once = q["loop"], q["linear"] == "sequence"

    def currents(self):
        """The input current of every step."""
        return self.fc(self.x).unbind(0) if self.at_once else (self.fc(x) for x in self.x.unbind(0))

    def score(self):
        spikes = self.spikes()
        return spikes, spikes.sum(0)

    def run(self):
        self.fc.weight.grad = self.fc.bias.grad = self.x.grad = None
        spikes, scores = self.score()
        torch.nn.functional.cross_entropy(scores, self.y).backward()
        return spikes, scores

    def gradients(self, folder):
        spikes, scores = self.run()
        write(f"{folder}/spikes", spikes)
        write(f"{folder}/scores", scores)
        write(f"{folder}/gradient.layers.0.weight", self.fc.weight.grad)
        write(f"{folder}/gradient.layers.0.bias", self.fc.bias.grad)
        write(f"{folder}/gradient.input", self.x.grad)


class SpikingJellyLayer(Layer):
    def __init__(self, q):
        super().__init__(q)
        from spikingjelly.activation_based import functional, neuron, surrogate
        self.functional = functional
        self.node = neuron.LIFNode(tau=1 / (1 - self.decay), decay_input=False, v_threshold=self.threshold, v_reset=0.0,
                                   surrogate_function=surrogate.ATan(alpha=2.0), detach_reset=True,
                                   step_mode="s" if self.loop == "unbind" else "m",
                                   backend=self.loop if self.loop in ("cupy", "triton") else "torch")

    def spikes(self):
        self.functional.reset_net(self.node)
        if self.loop == "unbind":
            return torch.stack([self.node(current) for current in self.currents()])
        return self.node(self.fc(self.x) if self.at_once else torch.stack(list(self.currents())))


class SnnTorchLayer(Layer):
    """With a reset to zero, snnTorch's delay of the reset shows in the state alone: spikes are those of the others."""

    def __init__(self, q):
        super().__init__(q)
        import snntorch
        self.node = snntorch.Leaky(beta=self.decay, threshold=self.threshold, reset_mechanism="zero",
                                   spike_grad=snntorch.surrogate.atan(alpha=2.0))

    def spikes(self):
        mem, out = self.node.init_leaky(), []
        for current in self.currents():
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
