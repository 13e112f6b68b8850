import numpy as np
import torch


def read(path, *shape):
    return torch.from_numpy(np.fromfile(path, dtype=np.float32).reshape(shape))


def write(path, tensor):
    tensor.detach().contiguous().numpy().tofile(path)
