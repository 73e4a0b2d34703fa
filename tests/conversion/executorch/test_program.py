"""What is read from the file of an ExecuTorch program."""

import pytest
import torch

from anyir.conversion.executorch.program import check_identifier, count
from anyir.conversion.manifest import Operators


class Sum(torch.nn.Module):
    def forward(self, left, right):
        return left + right


@pytest.mark.slow
def test_kernels_outside_of_a_delegate_are_counted(tmp_path):
    from executorch.exir import to_edge_transform_and_lower

    example = (torch.ones(2), torch.ones(2))
    program = to_edge_transform_and_lower(torch.export.export(Sum(), example)).to_executorch()
    path = tmp_path / "sum.pte"
    path.write_bytes(program.buffer)
    check_identifier(path)
    assert count(path, total=1) == Operators(total=1, delegated=0, partitions=0)
