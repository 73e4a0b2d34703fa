"""Size and work of a network, counted as Table 6 counts them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from anyir.model.config import AnyIRConfig

PAPER_PARAMETERS = 6.29e6
PAPER_MULTIPLY_ADDS = 19e9
"""Table 6 at 224x224. It calls them FLOPs; PromptIR's 132 G there are multiply-adds."""

PAPER_TABLE_6 = (
    ("AirNet", 4829, 8.93, "238"),
    ("PromptIR", 9830, 35.59, "132"),
    ("IDR", 4905, 15.34, "98"),
    ("MoCE-IR-S", 4228, 11.47, "36.93 ± 2.32"),
    ("AnyIR (paper)", 3556, 6.29, "19 ± 1.87"),
)
"""Method, memory in M, parameters in M, "FLOPs" in G: on an A100; of what the memory is, it does not say."""

CONVENTION = (
    "multiply-adds of convolutions and matrix products, as torch.utils.flop_counter counts them "
    "(its FLOPs divided by two); element-wise operators and the FFTs are not counted"
)


@dataclass(frozen=True)
class Complexity:
    """Parameters and multiply-adds of one forward pass at one input size."""

    preset: str
    height: int
    width: int
    parameters: int
    multiply_adds: int

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "convention": CONVENTION}


def measure_complexity(preset: str, config: AnyIRConfig, height: int = 224, width: int = 224) -> Complexity:
    """Count a network without computing anything: its tensors have shapes but no values.

    Args:
        height: of the input, a multiple of 8.
        width: likewise.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from anyir.model.network import AnyIR

    with torch.device("meta"):
        network = AnyIR(config)
        image = torch.empty(1, 3, height, width)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(image)
    parameters = sum(p.numel() for p in network.parameters())
    return Complexity(preset, height, width, parameters, counter.get_total_flops() // 2)
