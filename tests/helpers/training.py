"""What tests of training share: a config of the tiny network, data that stays the same, a CPU trainer."""

import time
from pathlib import Path

import torch
from lightning_fabric import Fabric
from PIL import Image
from skimage import data as photos

from anyir.model.training.config import TrainConfig, make_config, merge
from anyir.model.training.data import DataModule, Fingerprint
from anyir.model.training.trainer import Trainer

CPU = torch.device("cpu")
TINY = {
    "preset": "tiny",
    "max_steps": 8,
    "precision": "32-true",
    "data": {"batch_size": 2, "crop": 32},
}


def tiny_config(**changes) -> TrainConfig:
    """A short run of the tiny network, but for the keys that are given."""
    return make_config(merge(TINY, changes))


class FixedData(DataModule):
    """Two images: the same batch at every step, each image degraded into the other."""

    def __init__(self, make=None):
        generator = torch.Generator().manual_seed(0)
        self.images = torch.rand(2, 3, 32, 32, generator=generator)
        self.make = make or (lambda step: (self.images.flip(0), self.images))
        super().__init__(self.images[:1], 2, 0, Fingerprint(training=(2,), validation="first"))

    def batch(self, step, rows):
        degraded, clean = self.make(step)
        return degraded[rows], clean[rows]


class Clock:
    """Seconds that pass so many at a time."""

    def __init__(self, step=1.0):
        self.now, self.step = 0.0, step

    def __call__(self):
        self.now += self.step
        return self.now


def make_trainer(folder, module=None, clock=time.monotonic, **changes) -> Trainer:
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    return Trainer(tiny_config(**changes), module or FixedData(), folder, fabric, clock=clock)


def weights_of(trainer) -> torch.Tensor:
    return torch.cat([parameter.flatten() for parameter in trainer.network.parameters()])


def write_photos(folder: Path, *names: str, side: int = 128) -> Path:
    """scikit-image's photos as PNG files, cut to a square; two of them by default."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or ("astronaut", "coffee"):
        Image.fromarray(getattr(photos, name)()[:side, :side]).save(folder / f"{name}.png")
    return folder
