"""Peak memory of a network in training and in inference, each measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

from anyir.model.errors import UserError

MODES = ("inference", "training")
MIB = 2**20


@dataclass(frozen=True)
class Memory:
    """Peak memory of one mode, batch 1, float32.

    Attributes:
        mode: ``inference`` (one forward pass), or ``training`` (two steps: loss, gradients, AdamW).
        device: what it ran on.
        peak_mib: the highest amount held.
        before_mib: of which, on a CPU, what Python and torch hold before there is a network; 0 on a GPU.
        measure: what was counted.
    """

    mode: str
    device: str
    peak_mib: float
    before_mib: float
    measure: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def measure_memory(preset: str, mode: str, height: int = 224, width: int = 224) -> Memory:
    """Measure in a child process, which has done nothing else before.

    Args:
        preset: which network.
        mode: one of ``MODES``.
        height, width: of the input, multiples of 8.

    Raises:
        UserError: the child failed, as where memory does not suffice.
    """
    # -P: modules of the folder that the command is run in are not imported.
    command = [
        sys.executable,
        "-P",
        "-m",
        "anyir.model.evaluation.memory",
        preset,
        mode,
        str(height),
        str(width),
    ]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        last = (result.stderr.strip().splitlines() or [f"it ended with {result.returncode}"])[-1]
        raise UserError(f"{mode} of {preset} at {width}x{height} could not be measured: {last}")
    return Memory(**json.loads(result.stdout))


def _measure_here(preset: str, mode: str, height: int, width: int) -> Memory:
    import torch

    from anyir.model.config import PRESETS
    from anyir.model.device import choose_device, peak_memory
    from anyir.model.network import AnyIR

    device = choose_device()
    cuda = device.type == "cuda"
    if not cuda:  # of the others' allocators, torch tells no peak
        device = torch.device("cpu")
    before = 0.0 if cuda else peak_memory() / MIB
    network = AnyIR(PRESETS[preset]).use_additive_fusion().to(device)
    image = torch.rand(1, 3, height, width, device=device)
    if mode == "inference":
        with torch.inference_mode():
            network.eval()(image)
    else:
        optimizer = torch.optim.AdamW(network.parameters())
        for _ in range(2):  # the second has AdamW's moments from the start
            optimizer.zero_grad()
            (network(image) - image).abs().mean().backward()
            optimizer.step()
    if cuda:
        peak, name = torch.cuda.max_memory_allocated() / MIB, torch.cuda.get_device_name()
        return Memory(mode, name, peak, before, "tensors, by CUDA's allocator")
    return Memory(mode, "CPU", peak_memory() / MIB, before, "the whole process's resident memory")


if __name__ == "__main__":
    _, wanted_preset, wanted_mode, rows, columns = sys.argv
    print(json.dumps(_measure_here(wanted_preset, wanted_mode, int(rows), int(columns)).to_dict()))
