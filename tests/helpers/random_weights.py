"""Weights that hide no mistakes."""

import torch


@torch.no_grad()
def randomised(module, seed=0):
    """The module in float64 with every parameter random, so that none hides at its initial value."""
    generator = torch.Generator().manual_seed(seed)
    module = module.double().eval()
    for parameter in module.parameters():
        parameter += 0.3 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return module
