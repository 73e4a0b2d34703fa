"""What happens inside one block of the network, recorded through forward hooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from anyir.model.errors import UserError
from anyir.model.network import DAB, AnyIR, GatedDA, spatial_statistics


@dataclass(frozen=True)
class BlockFeatures:
    """Feature maps of one DAB for one photo, (channels, H, W); C is half the block's width.

    Attributes:
        stream: (2C, H, W), what equation 1 splits.
        attention: (C, H, W), the result of equation 2.
        gate: (C, H, W), the result of algorithm 1.
        fused: (2C, H, W), the result of algorithm 2, before equation 4's projection.
        parts: alpha (as line 7 of algorithm 1 leaves it), beta and gamma: those that the network has.
        restored: (3, H, W), the network's output, not clamped.
    """

    stream: Tensor
    attention: Tensor
    gate: Tensor
    fused: Tensor
    parts: dict[str, Tensor]
    restored: Tensor


def block_names(network: AnyIR) -> list[str]:
    """The names of the blocks, such as ``encoder.0.0`` and ``latent.3``, in the order they run."""
    return [name for name, module in network.named_modules() if isinstance(module, DAB)]


def find_block(network: AnyIR, name: str) -> DAB:
    """The block of that name, which must have a GatedDA.

    Raises:
        UserError: no such block, or a network without GatedDA.
    """
    names = block_names(network)
    if name not in names:
        raise UserError(f"no block {name!r}; the blocks are {', '.join(names)}")
    block = network.get_submodule(name)
    assert isinstance(block, DAB)
    if not isinstance(block.gated_da, GatedDA):
        raise UserError("these weights have no GatedDA (an ablation of Table 7): there is nothing to show")
    return block


@torch.inference_mode()
def record(network: AnyIR, image: Tensor, block: str) -> BlockFeatures:
    """Run the network and keep what one block computes. The network is left as it was.

    Args:
        image: (3, H, W) float in 0..1, H and W multiples of 8.
        block: one of ``block_names``.

    Raises:
        UserError: as ``find_block``.
    """
    dab = find_block(network, block)
    gated_da = dab.gated_da
    assert isinstance(gated_da, GatedDA)
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            seen[name] = output[0].float()

        return hook

    def keep_stream(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen["stream"] = inputs[0][0].float()

    hooks = [
        dab.register_forward_pre_hook(keep_stream),
        dab.attention.register_forward_hook(keep("attention")),
        gated_da.register_forward_hook(keep("gate")),
        dab.fusion.register_forward_hook(keep("fused")),
        gated_da.norm.register_forward_hook(keep("normed")),
        gated_da.expand.register_forward_hook(keep("expanded")),
    ]
    if gated_da.depthwise is not None:
        hooks.append(gated_da.depthwise.register_forward_hook(keep("alpha")))
    try:
        restored = network(image[None])[0].float()
    finally:
        for hook in hooks:
            hook.remove()
    features = {name: seen[name] for name in ("stream", "attention", "gate", "fused")}
    return BlockFeatures(**features, parts=_parts(gated_da, seen), restored=restored)


def _parts(gated_da: GatedDA, seen: dict[str, Tensor]) -> dict[str, Tensor]:
    """Lines 2-7 of algorithm 1, from what was seen of the module's parts."""
    gamma, beta, _ = seen["expanded"].split([gated_da.gamma, gated_da.beta, gated_da.alpha])
    parts = {"beta": beta, "gamma": gamma}
    if "alpha" in seen:
        mean, deviation = spatial_statistics(seen["normed"][None])
        tau = gated_da.tau[:, None, None] * torch.sigmoid(mean + deviation)[0]
        parts["alpha"] = seen["alpha"] * (1 + tau.repeat(gated_da.alpha // len(tau), 1, 1))
    return {name: parts[name] for name in ("alpha", "beta", "gamma") if len(parts.get(name, ()))}
