"""What happens inside one block of the network, and the numbers behind the paper's figures 6 to 9."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
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


SHUFFLES = 1000
"""Random splits that the two real ones are compared with."""


def activation_map(features: Tensor) -> Tensor:
    """(C, H, W) -> (H, W): the mean over channels of the absolute value."""
    return features.abs().mean(dim=0)


def error_map(image: Tensor, truth: Tensor, size: tuple[int, int] | None = None) -> Tensor:
    """Mean absolute difference over the colours, (H, W); averaged down to ``size`` if that is given."""
    error = (image - truth).abs().mean(dim=0)
    return error if size is None else F.adaptive_avg_pool2d(error[None, None], size)[0, 0]


def correlations(a: Tensor, b: Tensor) -> dict[str, float | None]:
    """Pearson's and Spearman's correlation of two maps of one shape; None if one of them is constant."""

    def pearson(x: Tensor, y: Tensor) -> float | None:
        value = float(torch.corrcoef(torch.stack([x, y]))[0, 1])
        return value if value == value else None

    x, y = a.flatten().double(), b.flatten().double()
    return {"pearson": pearson(x, y), "spearman": pearson(_ranks(x), _ranks(y))}


def _ranks(values: Tensor) -> Tensor:
    """Places in rising order; equal values, such as pixels without error, share the middle of theirs."""
    _, place, count = values.unique(return_inverse=True, return_counts=True)
    return (count.cumsum(0) - (count - 1) / 2)[place]


def splits(channels: int) -> dict[str, tuple[Tensor, Tensor]]:
    """The channels that go to attention and to GatedDA under equation 1 and under a half-split."""
    every = torch.arange(channels)
    half = channels // 2
    return {"skip": (every[0::2], every[1::2]), "half": (every[:half], every[half:])}


def channel_activations(stream: Tensor) -> Tensor:
    """(2C, H, W) -> (2C,): the mean over pixels of each channel's absolute value."""
    return stream.abs().mean(dim=(1, 2)).double()


def compare_splits(stream: Tensor) -> dict[str, Any]:
    """How evenly both splits share the channels of a block's input between its two paths.

    Returns:
        ``activations`` of the 2C channels, and for ``skip`` and ``half``: ``distance``, the Wasserstein
        distance between the two paths' distributions of channel activations over the mean activation
        (0: the same distribution), and ``redundancy``, the mean absolute correlation of two channels of
        one path over pixels (0: none repeats another). ``random`` has, for splits by chance, the mean
        distance and its 5th and 95th percentile.
    """
    activations = channel_activations(stream)
    correlation = torch.corrcoef(stream.flatten(1).double()).nan_to_num().abs()
    result: dict[str, Any] = {"activations": activations.tolist()}
    for name, (first, second) in splits(len(stream)).items():
        result[name] = {
            "distance": float(_distance(activations[first], activations[second], activations)),
            "redundancy": (_off_diagonal(correlation, first) + _off_diagonal(correlation, second)) / 2,
        }
    generator = torch.Generator().manual_seed(0)
    shuffled = [torch.randperm(len(stream), generator=generator) for _ in range(SHUFFLES)]
    half = len(stream) // 2
    chance = torch.stack(
        [_distance(activations[order[:half]], activations[order[half:]], activations) for order in shuffled]
    )
    low, high = chance.quantile(torch.tensor([0.05, 0.95], dtype=chance.dtype)).tolist()
    result["random"] = {"distance": float(chance.mean()), "distance_5": low, "distance_95": high}
    return result


def _distance(a: Tensor, b: Tensor, all_values: Tensor) -> Tensor:
    apart = (a.sort().values - b.sort().values).abs().mean()
    return apart / all_values.mean() if apart > 0 else apart  # a black photo's channels are all silent


def _off_diagonal(matrix: Tensor, rows: Tensor) -> float:
    part = matrix[rows][:, rows]
    count = len(rows)
    return float((part.sum() - part.diagonal().sum()) / (count * (count - 1)))


def spectrum(features: Tensor) -> dict[str, Any]:
    """Singular values of (C, H, W) features as a (C, H W) matrix, each channel less its mean.

    Returns:
        ``singular_values`` over the greatest, falling; ``cumulative_variance``, the share of the
        variance in the first components; ``components_90``, how many hold 90 % of it; ``effective_rank``,
        the exponential of the entropy of the shares.
    """
    matrix = features.flatten(1).double()
    matrix = matrix - matrix.mean(dim=1, keepdim=True)
    variance = torch.linalg.svdvals(matrix @ matrix.T)  # those of the matrix, squared
    if float(variance[0]) == 0:
        count = len(variance)
        zeros = [0.0] * count
        return {
            "singular_values": zeros,
            "cumulative_variance": zeros,
            "components_90": 0,
            "effective_rank": 0.0,
        }
    shares = variance / variance.sum()
    cumulative = shares.cumsum(0)
    entropy = -(shares * shares.clamp_min(1e-300).log()).sum()
    return {
        "singular_values": (variance / variance[0]).sqrt().tolist(),
        "cumulative_variance": cumulative.tolist(),
        "components_90": int((cumulative < 0.9).sum()) + 1,
        "effective_rank": float(entropy.exp()),
    }
