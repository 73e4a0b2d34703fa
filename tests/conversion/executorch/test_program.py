"""What is read from the file of an ExecuTorch program."""

import pytest
import torch

from anyir.conversion.executorch.program import check_identifier, count
from anyir.conversion.manifest import Operators
from anyir.model.errors import UserError


class Sum(torch.nn.Module):
    def forward(self, left, right):
        return left + right


@pytest.mark.slow
def test_kernels_outside_of_a_delegate_are_counted(tmp_path):
    from executorch.exir import to_edge_transform_and_lower

    example = (torch.ones(2), torch.ones(2))
    sums = {name: torch.export.export(Sum(), example) for name in ("one", "other")}
    program = to_edge_transform_and_lower(sums).to_executorch()
    path = tmp_path / "sum.pte"
    path.write_bytes(program.buffer)
    check_identifier(path)
    alone = Operators(total=1, delegated=0, partitions=0)
    assert count(path, {"other": 1, "one": 1}) == {"other": alone, "one": alone}
    with pytest.raises(UserError, match=r"sum\.pte has no method look"):
        count(path, {"look": 1})
