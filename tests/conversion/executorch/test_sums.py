"""How exact XNNPACK's sums over many pixels are."""

import pytest
import torch

from anyir.conversion.executorch.exporter import lower, whole_graph_partitioner
from anyir.model.deploy.rewrites import LONGEST_MEAN, pixel_mean


class Plain(torch.nn.Module):
    def forward(self, x):
        return x.mean((2, 3), keepdim=True)


class InParts(torch.nn.Module):
    def forward(self, x):
        return pixel_mean(x)


def error(module, x):
    """The largest relative error of a module's means by XNNPACK, and how often the program enters it."""
    from executorch.runtime import Runtime

    program = torch.export.export(module, (x,)).run_decompositions({})
    lowered = lower({"forward": program}, whole_graph_partitioner())
    (means,) = Runtime.get().load_program(lowered.data).load_method("forward").execute([x])
    exact = x.double().mean((2, 3), keepdim=True)
    return (means.double() / exact - 1).abs().max().item(), lowered.operators["forward"].partitions


@pytest.mark.parametrize(("height", "width"), [(256, 256), (264, 256), (257, 256), (512, 384)])
def test_a_mean_in_parts_is_the_mean(height, width):
    x = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert (pixel_mean(x) - x.mean((2, 3), keepdim=True)).abs().max() < 1e-12


@pytest.mark.slow
def test_means_of_many_pixels_lose_less_in_parts():
    x = torch.rand(1, 4, 512, 512, generator=torch.Generator().manual_seed(0))
    assert x[0, 0].numel() > LONGEST_MEAN
    plain, _ = error(Plain(), x)
    in_parts, partitions = error(InParts(), x)
    assert partitions == 1
    assert in_parts < plain / 2
