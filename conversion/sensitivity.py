"""What 8 bits cost, measured convolution by convolution, and which of them are worth it.

Fake quantization in PyTorch does what ``executorch.quantize`` makes XNNPACK do: weights symmetric a channel,
a convolution's input and output affine a tensor, with ranges from the calibration photos.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from anyir.conversion import contract
from anyir.conversion.choice import Choice, Cost, Gates, ModuleCost, Point
from anyir.conversion.gates import banding, colour_shift
from anyir.conversion.samples import (
    Case,
    as_input,
    calibration_pairs,
    describe_sensitivity,
    ramps,
    sensitivity_cases,
)
from anyir.model.files import sha256
from anyir.model.metrics import EQUAL, psnr

if TYPE_CHECKING:
    from anyir.model.network import AnyIR

GATES = Gates(loss=0.15, clean=46.0, colour=0.19, banding=0.75)
"""About three quarters of what an artifact of such a choice may cost (``recipes.CHOSEN8``): that is compared
on other photos, at another tile size."""
NEVER = ("*norm*", "*.query.*", "*.key.*")
"""Convolutions that are no candidates, as shell patterns: the normalisations' constant ones, whose share 1/96
of a mean would be a fourth off, and queries and keys, which run once a photo and save no tile any time."""


class FakeQuantized(nn.Module):
    """A convolution that is computed in float, or as in 8 bits, as it is told."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv, self.in_8_bits = conv, False
        self.ranges = {"input": (0.0, 0.0), "output": (0.0, 0.0)}
        largest = conv.weight.flatten(1).abs().amax(1).clamp(min=1e-12)
        self.weight = torch.fake_quantize_per_channel_affine(
            conv.weight, largest / 127, torch.zeros(len(largest), dtype=torch.int32), 0, -127, 127
        )
        self.macs = 0

    def observe(self, x: Tensor) -> Tensor:
        """Compute in float, and widen the ranges."""
        y: Tensor = self.conv(x)
        for name, value in (("input", x), ("output", y)):
            low, high = self.ranges[name]
            self.ranges[name] = (min(low, float(value.min())), max(high, float(value.max())))
        self.macs = self.weight[0].numel() * y[0].numel()
        return y

    def forward(self, x: Tensor) -> Tensor:
        if not self.in_8_bits:
            return self.observe(x) if self.training else self.conv(x)
        y = self.conv._conv_forward(self._rounded(x, "input"), self.weight, self.conv.bias)
        return self._rounded(y, "output")

    def _rounded(self, x: Tensor, name: str) -> Tensor:
        low, high = self.ranges[name]
        scale = max(high - low, 1e-12) / 255
        return torch.fake_quantize_per_tensor_affine(x, scale, round(-128 - low / scale), -128, 127)


class Bench:
    """Both entries of a network with switches at their convolutions, and the photos to measure on."""

    def __init__(self, network: AnyIR, tile: int) -> None:
        from anyir.model.deploy.network import to_deploy_pair

        self.entries = dict(zip(contract.ENTRIES, to_deploy_pair(network, tile, tile), strict=True))
        self.switches: dict[str, list[FakeQuantized]] = {}
        for entry in (contract.RESTORE, contract.LOOK):
            for name, module in list(self.entries[entry].named_modules()):
                if isinstance(module, nn.Conv2d):
                    parent, _, own = name.rpartition(".")
                    switch = FakeQuantized(module)
                    setattr(self.entries[entry].get_submodule(parent), own, switch)
                    self.switches.setdefault(name, []).append(switch)
        self.cases = sensitivity_cases(tile)
        self._calibrate(tile)
        self.images = [as_input(case.degraded) for case in self.cases]
        self.float_outputs = self._run(self.images)
        self.ramps = [as_input(ramp) for ramp in ramps(tile)]
        self.float_ramps = self._run(self.ramps)
        self.float_psnr = [_quality(o, c) for o, c in zip(self.float_outputs, self.cases, strict=True)]

    def measure(self, names: Iterable[str]) -> Cost:
        """What these convolutions, of both entries, cost in 8 bits."""
        chosen = set(names)
        for name, switches in self.switches.items():
            for switch in switches:
                switch.in_8_bits = name in chosen
        losses: dict[str, list[float]] = {}
        clean, colour = EQUAL, 0.0
        for case, output, before, exact in zip(
            self.cases, self._run(self.images), self.float_psnr, self.float_outputs, strict=True
        ):
            after = _quality(output, case)
            losses.setdefault(case.kind, []).append(before - after)
            clean = min(clean, after) if case.kind == "clean" else clean
            colour = max(colour, colour_shift(output, exact))
        steps = max(map(banding, self._run(self.ramps), self.float_ramps))
        mean = {kind: round(float(np.mean(values)), 4) for kind, values in losses.items()}
        return Cost(loss=mean, clean=round(clean, 2), colour=round(colour, 4), banding=round(steps, 4))

    def _calibrate(self, tile: int) -> None:
        look, restore = (self.entries[entry] for entry in contract.ENTRIES)
        with torch.inference_mode():
            for module in (look, restore):
                module.train()
            for sheet, image in calibration_pairs(tile):
                restore(image, *look(sheet))
            for module in (look, restore):
                module.eval()

    def _run(self, inputs: list[np.ndarray]) -> list[np.ndarray]:  # type: ignore[type-arg]
        look, restore = (self.entries[entry] for entry in contract.ENTRIES)
        with torch.inference_mode():
            return [restore(image, *look(image)).numpy() for image in map(torch.from_numpy, inputs)]


def choose(
    weights: Path,
    tile: int,
    *,
    gates: Gates = GATES,
    on_start: Callable[[int], None] = lambda steps: None,
    on_step: Callable[[str], None] = lambda text: None,
) -> Choice:
    """Measure every convolution alone, then sets of the cheapest, and choose the largest set in the gates.

    A convolution's price is the largest share of a gate that it takes alone, for each of its multiply-adds,
    which is what 8 bits make faster. By the loss alone, one that hardly loses and shifts colours came first.

    Args:
        tile: side in pixels of the photos' tiles.
        on_start: called with an estimate of the number of measurements.
        on_step: called with what is measured.

    Raises:
        UserError: weights that cannot be loaded.
    """
    from fnmatch import fnmatchcase

    from anyir.model.checkpoint import load_weights

    bench = Bench(load_weights(weights), tile)
    names = [name for name in bench.switches if not any(fnmatchcase(name, pattern) for pattern in NEVER)]
    on_start(len(names) + len(names).bit_length())
    alone = []
    for name in names:
        on_step(name)
        switch = bench.switches[name][0]
        values = switch.conv.weight.numel()
        alone.append(ModuleCost(name=name, values=values, macs=switch.macs, cost=bench.measure([name])))
    return search_all(alone, bench, weights, tile, gates, on_step)


def search_all(
    alone: list[ModuleCost],
    bench: Bench,
    weights: Path,
    tile: int,
    gates: Gates,
    on_step: Callable[[str], None],
) -> Choice:
    """The choice by measurements of each convolution alone; arguments as ``choose`` has them."""
    alone = sorted(alone, key=lambda module: module.cost.used(gates) / module.macs)
    front = search(alone, bench, gates, on_step)
    chosen = max((point.modules for point in front if point.cost.passes(gates)), default=0)
    in_8_bits = {module.name for module in alone[:chosen]}
    return Choice(
        weights_sha256=sha256(weights),
        tile=tile,
        photos=describe_sensitivity(),
        gates=gates,
        modules=alone,
        front=front,
        chosen=chosen,
        kept_float=[name for name in bench.switches if name not in in_8_bits],
    )


def search(
    modules: list[ModuleCost], bench: Bench, gates: Gates, on_step: Callable[[str], None]
) -> list[Point]:
    """Halve towards the largest number of the first modules that pass together; every set that was tried."""
    total = sum(switches[0].macs for switches in bench.switches.values())
    low, high = 0, len(modules) + 1
    points: list[Point] = []
    while high - low > 1:
        size = (low + high) // 2 if points else len(modules)
        on_step(f"{size} of {len(modules)} together")
        taken = modules[:size]
        cost = bench.measure(module.name for module in taken)
        points.append(
            Point(
                modules=size,
                macs_share=round(sum(module.macs for module in taken) / total, 4),
                saved_bytes=sum(module.saved_bytes for module in taken),
                cost=cost,
            )
        )
        low, high = (size, high) if cost.passes(gates) else (low, size)
    return sorted(points, key=lambda point: point.modules)


def _quality(output: np.ndarray, case: Case) -> float:  # type: ignore[type-arg]
    truth = case.truth[None].astype(np.float64) / 255
    return min(EQUAL, psnr(image=np.clip(output, 0, 1), reference=truth, data_range=1.0))
