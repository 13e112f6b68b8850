import numpy as np
import torch


device = "cpu"


def use(name):
    """Where tensors are made from now on."""
    global device
    device = name
    if name != "cpu":  # older versions of PyTorch do not have it
        torch.set_default_device(name)


def wait():
    """Until the device has done what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


def read(path, *shape):
    return torch.from_numpy(np.fromfile(path, dtype=np.float32).reshape(shape)).to(device)


def write(path, tensor):
    tensor.detach().contiguous().cpu().numpy().tofile(path)
