"""What turns gradients into steps: AdamW, or Muon for the convolutions and AdamW for the rest,
and a constraint on the upsampling's weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from anyir.model.network import AnyIR, Upsample
from anyir.model.training.acceleration import has_bfloat16
from anyir.model.training.config import OptimConfig

MOMENTUM = 0.95
_ITERATIONS = 5
_POLYNOMIAL = (3.4445, -4.7750, 2.0315)
"""Of Keller Jordan's Muon (2024): steep at 0, so that five rounds bring every singular value near 1."""
_ADAMW_SIZE = 0.2
"""Root mean square of an AdamW step, as a share of the learning rate (Moonshot's Moonlight, 2025): a step of
Muon is scaled to it, so that both take the same learning rate."""


def make_optimizers(network: AnyIR, config: OptimConfig, device: torch.device) -> dict[str, Optimizer]:
    """The optimizers that share a network's parameters: ``adamw``, and ``muon`` with it if asked for."""
    matrices = hidden_matrices(network) if config.name == "muon" else []
    taken = {id(weight) for weight in matrices}
    cuda = device.type == "cuda"

    def rate() -> float | Tensor:  # on a GPU a tensor, which a recorded step reads anew every time
        return torch.tensor(config.learning_rate, device=device) if cuda else config.learning_rate

    made: dict[str, Optimizer] = {
        "adamw": torch.optim.AdamW(
            [weight for weight in network.parameters() if id(weight) not in taken],
            lr=rate(),
            betas=config.betas,
            weight_decay=config.weight_decay,
            fused=cuda,  # one launch instead of dozens
            capturable=cuda,
        )
    }
    if matrices:
        made["muon"] = Muon(matrices, lr=rate(), weight_decay=config.weight_decay)
    return made


def set_rate(optimizers: Iterable[Optimizer], rate: float) -> None:
    """Give all of them a learning rate, in the tensor that holds it if there is one."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate


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

    def __init__(self, weights: Iterable[Tensor], *, lr: float | Tensor, weight_decay: float) -> None:
        super().__init__(weights, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> None:  # type: ignore[override]
        """One step with the gradients that are there; ``closure`` is not supported."""
        if closure is not None:
            raise ValueError("Muon takes no closure")
        for group in self.param_groups:
            pairs = [(weight, weight.grad) for weight in group["params"] if weight.grad is not None]
            if pairs:
                weights, gradients = ([pair[which] for pair in pairs] for which in (0, 1))
                self._step(weights, gradients, group["lr"], group["weight_decay"])

    def _step(
        self, weights: list[Tensor], gradients: list[Tensor], rate: float | Tensor, decay: float
    ) -> None:
        # Lists of tensors at once where that is possible: a launch for each takes longer than the work.
        for weight in weights:
            if "momentum" not in self.state[weight]:
                self.state[weight]["momentum"] = torch.zeros_like(weight)
        momenta = [self.state[weight]["momentum"] for weight in weights]
        torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
        ahead = torch._foreach_lerp(gradients, momenta, MOMENTUM)  # Nesterov's
        by_size: dict[tuple[int, int], list[int]] = {}
        for place, weight in enumerate(weights):
            rows, columns = weight.flatten(1).shape
            by_size.setdefault((min(rows, columns), max(rows, columns)), []).append(place)
        torch._foreach_mul_(weights, 1 - rate * decay)
        for (_, longer), places in by_size.items():
            matrices = [ahead[place].flatten(1) for place in places]
            wide = [matrix if matrix.shape[1] == longer else matrix.T for matrix in matrices]
            size = rate * (_ADAMW_SIZE * longer**0.5)
            steps = orthogonalize(torch.stack(wide)).to(matrices[0].dtype) * size
            torch._foreach_sub_(
                [weights[place] for place in places],
                [
                    (step if step.shape == matrix.shape else step.T).reshape(weights[place].shape)
                    for step, matrix, place in zip(steps, matrices, places, strict=True)
                ],
            )


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


_PHASES = 4
"""Pixels of the finer map that pixel shuffle makes of one, each from a kernel of its own."""


@torch.no_grad()
def even_out_upsampling(network: AnyIR) -> None:
    """Let the four kernels behind every shuffled channel answer alike to a map that does not vary.

    Where the features are even, the four pixels differ by what the kernels' sums differ, and a grid of 2, 4
    or 8 pixels shows. Each kernel is moved, by the same number in all its places, to the mean of the four
    sums; what they make of edges and texture stays. Called after every step it is a projected gradient.
    """
    for module in network.modules():
        if not isinstance(module, Upsample):
            continue
        weight = module.conv.weight  # (4 N, C, k, k); pixel shuffle takes its outputs four by four
        sums = weight.unflatten(0, (-1, _PHASES)).sum(dim=(-1, -2), keepdim=True)
        excess = (sums - sums.mean(dim=1, keepdim=True)) / weight[0, 0].numel()
        weight.sub_(excess.flatten(0, 1).expand_as(weight))
