"""``look`` for GPUs: the same statistics, no large right side, no mean over many channels."""

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from anyir.conversion.gpu_form import PIXEL, ROWS, StackedAttention, has_pieces, in_pieces, stacked
from anyir.conversion.litert.gpu import check_textures
from anyir.conversion.litert.graph import Graph
from anyir.model import PRESETS, AnyIR
from anyir.model.deploy.attention import LONGEST_SUM
from anyir.model.deploy.network import to_deploy_pair
from anyir.model.errors import UserError

HEIGHT, WIDTH = 48, 64


@pytest.fixture(scope="module")
def look():
    torch.manual_seed(0)
    return to_deploy_pair(AnyIR(PRESETS["tiny"]), HEIGHT, WIDTH)[0].requires_grad_(False)


class Recorder(TorchDispatchMode):
    """Notes the shape of one argument of an operator whenever that runs."""

    def __init__(self, operator, argument):
        super().__init__()
        self.operator, self.argument, self.shapes = operator, argument, []

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        if operator == self.operator:
            self.shapes.append(tuple(args[self.argument].shape))
        return operator(*args, **(kwargs or {}))


def products(module, image):
    """Shapes of the right sides of all products of matrices."""
    with Recorder(torch.ops.aten.bmm.default, 1) as recorder:
        module(image)
    return recorder.shapes


@pytest.mark.parametrize("rows", [64, 700, 1024])
def test_in_pieces_no_right_side_has_more_rows(look, rows):
    image = torch.rand(1, 3, HEIGHT, WIDTH)
    changed = in_pieces(look, rows)
    assert has_pieces(changed)
    assert not has_pieces(look)
    for mine, whole in zip(changed(image), look(image), strict=True):
        torch.testing.assert_close(mine, whole, atol=1e-6, rtol=1e-5)
    sides = products(changed, image)
    assert max(batch * pixels for batch, pixels, _ in sides) <= max(rows, HEIGHT * WIDTH // 64)
    assert max(pixels for _, pixels, _ in sides) <= LONGEST_SUM
    assert max(batch * pixels for batch, pixels, _ in products(look, image)) == HEIGHT * WIDTH


def test_what_fits_a_texture_is_left_as_it_is(look):
    assert HEIGHT * WIDTH <= ROWS
    assert not has_pieces(in_pieces(look))


def test_stacked_has_the_same_statistics_and_no_mean_over_pairs_of_channels(look):
    image = torch.rand(1, 3, HEIGHT, WIDTH)
    changed = stacked(look)
    for mine, whole in zip(changed(image), look(image), strict=True):
        torch.testing.assert_close(mine, whole, atol=1e-6, rtol=1e-5)
    widest = max(m.value[0].out_channels for m in changed.modules() if isinstance(m, StackedAttention))
    with Recorder(torch.ops.aten.mean.dim, 0) as recorder:
        changed(image)
    assert max(shape[1] for shape in recorder.shapes) <= widest


def graph_of(rows):
    node = {"op_name": "BATCH_MATMUL", "inputs": [0, 1], "outputs": [2]}
    return Graph([node], {2: "block/DeployAttention_attention;3"}, {1: (4, rows // 4, 12)})


def test_a_right_side_that_no_texture_holds_is_refused_by_name():
    check_textures({"look": graph_of(ROWS), "restore": graph_of(64)})
    with pytest.raises(UserError) as caught:
        check_textures({"look": graph_of(4 * ROWS), "restore": graph_of(64)})
    assert str(caught.value) == (
        f"look needs a texture {4 * ROWS // PIXEL} high for BATCH_MATMUL DeployAttention_attention; "
        "4096 is the limit"
    )
    check_textures({"look": graph_of(4 * ROWS)}, 16_384)


@pytest.mark.slow
def test_what_a_backend_refuses_is_named_with_its_line():
    from anyir.conversion.executorch.exporter import lower, whole_graph_partitioner

    class Odd(nn.Module):
        def forward(self, x):
            return torch.cumsum(x + x, 1) + x

    lowered = lower({"forward": torch.export.export(Odd(), (torch.rand(2, 3),))}, whole_graph_partitioner())
    [line] = lowered.refused["forward"]
    number = Odd.forward.__code__.co_firstlineno + 1
    assert line == f"aten.cumsum.default of (2, 3) at test_gpu_form.py:{number}"
    assert lowered.operators["forward"].delegated < lowered.operators["forward"].total
