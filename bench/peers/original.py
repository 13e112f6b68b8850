import torch

from arrays import read, write


class Original(torch.nn.Module):
    """The program that this project started from: four layers of LIF neurons with soft spikes."""

    def __init__(self, sizes):
        super().__init__()
        pairs = list(zip(sizes, sizes[1:]))
        self.fc = torch.nn.ModuleList(torch.nn.Linear(i, o) for i, o in pairs)
        self.decay = torch.nn.ParameterList(torch.nn.Parameter(0.5 + 0.5 * torch.rand(o)) for _, o in pairs)
        self.threshold = torch.nn.ParameterList(torch.nn.Parameter(torch.rand(o)) for _, o in pairs)

    def forward(self, x, spikes=None):
        """Sums of the last layer's spikes; the spikes themselves are added to the list `spikes`."""
        v = [torch.zeros(x.shape[1], fc.out_features) for fc in self.fc]
        total = 0
        for s in x.unbind(0):
            for k, fc in enumerate(self.fc):
                u = v[k] * self.decay[k] + fc(s)
                s = torch.sigmoid(5 * (u - self.threshold[k]))
                v[k] = u * (1 - s)
            total = total + s
            if spikes is not None:
                spikes.append(s)
        return total


class OriginalTraining:
    def __init__(self, q):
        self.net = Original(q["sizes"])
        self.names = {}
        for k in range(len(q["sizes"]) - 1):
            self.names.update({f"layers.{k}.weight": self.net.fc[k].weight, f"layers.{k}.bias": self.net.fc[k].bias,
                               f"layers.{k}.decay": self.net.decay[k], f"layers.{k}.threshold": self.net.threshold[k]})
        with torch.no_grad():
            for name, p in self.names.items():
                p.copy_(read(f"{q['dir']}/{name}", *p.shape))
        self.x = read(f"{q['dir']}/input", q["steps"], q["batch"], q["sizes"][0])
        self.y = torch.tensor(q["labels"])
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3)

    def forward(self):
        with torch.no_grad():
            return self.net(self.x)

    def gradients(self, folder):
        self.optimizer.zero_grad()
        spikes = []
        scores = self.net(self.x, spikes)
        torch.nn.functional.cross_entropy(scores, self.y).backward()
        write(f"{folder}/spikes", torch.stack(spikes))
        write(f"{folder}/scores", scores)
        for name, p in self.names.items():
            write(f"{folder}/gradient.{name}", p.grad)

    def run(self):
        self.optimizer.zero_grad()
        torch.nn.functional.cross_entropy(self.net(self.x), self.y).backward()
        self.optimizer.step()
