"""What turns gradients into steps: AdamW, or Muon for the convolutions and AdamW for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from anyir.model.network import AnyIR
from anyir.model.precision import has_bfloat16
from anyir.model.training_settings import Settings

MOMENTUM = 0.95
_ITERATIONS = 5
_POLYNOMIAL = (3.4445, -4.7750, 2.0315)
"""Of Keller Jordan's Muon (2024): steep at 0, so that five rounds bring every singular value near 1."""
_ADAMW_SIZE = 0.2
"""Root mean square of an AdamW step, as a share of the learning rate (Moonshot's Moonlight, 2025): a step of
Muon is scaled to it, so that both take the same learning rate."""


def make_optimizers(network: AnyIR, settings: Settings, device: torch.device) -> dict[str, Optimizer]:
    """The optimizers that share a network's parameters: ``adamw``, and ``muon`` with it if asked for."""
    matrices = hidden_matrices(network) if settings.optimizer == "muon" else []
    taken = {id(weight) for weight in matrices}
    made: dict[str, Optimizer] = {
        "adamw": torch.optim.AdamW(
            [weight for weight in network.parameters() if id(weight) not in taken],
            lr=settings.learning_rate,
            betas=settings.betas,
            weight_decay=settings.weight_decay,
            fused=device.type == "cuda",  # one launch instead of dozens
        )
    }
    if matrices:
        made["muon"] = Muon(matrices, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    return made


def hidden_matrices(network: AnyIR) -> list[Tensor]:
    """Weights of the convolutions that mix channels, but for those next to the image: a matrix each."""
    ends = (network.patch_embed, network.output)
    return [
        module.weight
        for module in network.modules()
        if isinstance(module, nn.Conv2d) and module.groups == 1 and module not in ends
    ]


class Muon(Optimizer):
    """Momentum whose every matrix is made orthogonal before the step (Jordan et al., 2024).

    A weight (O, I, k, k) counts as a matrix of O by I k k. Matrices of one size are orthogonalized
    together: ``torch.optim.Muon`` takes only weights of two dimensions, one after the other, which for the
    preset ``small`` on two CPU cores was half as fast.

    Args:
        weights: of two dimensions or more.
        lr: the step's size; about that of AdamW at the same value.
        weight_decay: decoupled, as AdamW's.
    """

    def __init__(self, weights: Iterable[Tensor], *, lr: float, weight_decay: float) -> None:
        super().__init__(weights, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One step with the gradients that are there; ``closure`` is not supported."""
        if closure is not None:
            raise ValueError("Muon takes no closure")
        for group in self.param_groups:
            rate, decay = group["lr"], group["weight_decay"]
            by_size: dict[tuple[int, int], list[tuple[Tensor, Tensor]]] = {}
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(weight)
                momentum = state["momentum"]
                momentum.lerp_(weight.grad, 1 - MOMENTUM)
                matrix = weight.grad.lerp(momentum, MOMENTUM).flatten(1)  # Nesterov's
                wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
                by_size.setdefault((wide.shape[0], wide.shape[1]), []).append((weight, wide))
            for (_, longer), pairs in by_size.items():
                steps = orthogonalize(torch.stack([wide for _, wide in pairs]))
                for (weight, _), step in zip(pairs, steps.to(pairs[0][0].dtype), strict=True):
                    matrix = step if step.shape == weight.flatten(1).shape else step.T
                    weight.mul_(1 - rate * decay)
                    weight.add_(matrix.reshape(weight.shape), alpha=-rate * _ADAMW_SIZE * longer**0.5)


def orthogonalize(matrices: Tensor) -> Tensor:
    """Every matrix with its singular values brought near 1 (0.6 to 1.3), by Newton and Schulz's iteration.

    Args:
        matrices: (N, R, C) with R <= C.

    Returns:
        The same shape, in bfloat16, which is exact enough for a direction; in float32 where the device has
        no bfloat16.
    """
    a, b, c = _POLYNOMIAL
    x = matrices.bfloat16() if has_bfloat16(matrices.device) else matrices.float()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(_ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x
