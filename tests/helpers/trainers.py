"""A training that takes milliseconds."""

from pathlib import Path

import torch
from lightning.fabric import Fabric

from anyir.model.training.settings import Settings
from anyir.model.training.trainer import Trainer


def make_trainer(folder: Path, steps: int = 3, **options) -> Trainer:
    """Of the tiny network on two 32x32 images of noise, on the CPU; ``options`` are those of ``Settings``."""
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    settings = Settings("tiny", minutes=0.0, steps=steps, batch=2, crop=32, **options)
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    return Trainer(settings, lambda step: (images, images.flip(0)), images[:1], folder, fabric)
