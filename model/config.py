"""Shapes of AnyIR as data: one frozen dataclass and the presets built from it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, NamedTuple

MOST_THREADS = 1024
"""CPU threads that a command may be asked for; far more of them end the process by a signal."""
SIZE_MULTIPLE = 8
"""Height and width of the network's input are multiples of this: the U-shape halves them three times."""
DEFAULT_TILE = 256
DEFAULT_OVERLAP = 32
"""Side of the tiles that photos are cut into, and the pixels that neighbours share, unless told otherwise."""


class TileSize(NamedTuple):
    """Height and width of a tile, in pixels."""

    height: int
    width: int

    @classmethod
    def of(cls, tile: int | TileSize) -> TileSize:
        """Of a tile that is given by its side, or as it is."""
        return cls(tile, tile) if isinstance(tile, int) else tile

    def __str__(self) -> str:
        return f"{self.height}x{self.width}"


def default_overlap(tile: int) -> int:
    """Pixels that neighbouring tiles of this side share, unless told otherwise."""
    return min(DEFAULT_OVERLAP, tile // 4)


@dataclass(frozen=True)
class AnyIRConfig:
    """Everything that determines AnyIR's parameters and graph.

    The defaults are the paper's network: PromptIR's shape at half its width, which gives
    6.36 M parameters and 19.1 GMACs at 224x224 against Table 6's 6.29 M and 19 G.

    Attributes:
        dim: channels at level 1; level ``i`` has ``dim * 2 ** (i - 1)``.
        blocks: DABs in the encoder levels 1-3 and in the latent level 4.
        decoder: DABs in the decoder levels 3, 2, 1 (in the order they run).
        refinement: DABs after the decoder, at level 1.
        heads: attention heads at levels 1-4.
        ffn_expansion: hidden width of the feed-forward network over its input width.
        split: how eq. 1 divides the channels: ``skip`` (every other one) or ``half``.
        gated_da: whether the second half of the channels passes through algorithm 1;
            without it, it passes unchanged (Table 7 a, b).
        fusion: whether algorithm 2 joins the halves; without it they are concatenated.
        gate_parts: widths of alpha, beta and gamma as multiples of the half width C
            (Table 8 writes them as shares of hidden = 4 C).
        depthwise_kernel: kernel of W_depth in algorithm 1, line 7.
    """

    dim: int = 24
    blocks: tuple[int, int, int, int] = (4, 6, 6, 8)
    decoder: tuple[int, int, int] = (6, 6, 4)
    refinement: int = 4
    heads: tuple[int, int, int, int] = (1, 2, 4, 8)
    ffn_expansion: float = 2.66
    split: Literal["skip", "half"] = "skip"
    gated_da: bool = True
    fusion: bool = True
    gate_parts: tuple[int, int, int] = (1, 1, 2)
    depthwise_kernel: int = 3

    def __post_init__(self) -> None:
        self._check_values()
        for level, heads in enumerate(self.heads):
            half = self.dim * 2**level // 2
            if self.dim % 2 or half % heads:
                raise ValueError(
                    f"dim {self.dim} does not divide into two halves of {heads} heads at level {level + 1}"
                )
        if self.split not in ("skip", "half"):
            raise ValueError(f"split is {self.split!r}; it must be 'skip' or 'half'")
        alpha, beta, gamma = self.gate_parts
        if min(self.gate_parts) < 0 or alpha + beta == 0 or gamma not in (0, alpha + beta):
            raise ValueError(f"gate_parts {self.gate_parts}: gamma must be 0 or alpha + beta, which it gates")

    def _check_values(self) -> None:
        """Raises ValueError: a value of another type or size; a config may come from a damaged file."""

        def whole(name: str, low: int, count: int = 0) -> None:
            """Whether a field is a whole number, or so many of them, from ``low`` to a thousand."""
            value = getattr(self, name)
            numbers = value if count and isinstance(value, tuple | list) else (value,)
            fits = all(type(number) is int and low <= number <= 1000 for number in numbers)
            if not fits or len(numbers) != max(count, 1):
                what = f"{count} whole numbers" if count else "a whole number"
                raise ValueError(f"{name} is {value!r}; it must be {what} in {low}..1000")

        whole("dim", 2)
        whole("blocks", 0, count=4)
        whole("decoder", 0, count=3)
        whole("refinement", 0)
        whole("heads", 1, count=4)
        whole("gate_parts", 0, count=3)
        whole("depthwise_kernel", 1)
        if self.depthwise_kernel % 2 == 0:
            raise ValueError(f"depthwise_kernel is {self.depthwise_kernel}; it must be odd")
        expansion = self.ffn_expansion
        if type(expansion) not in (int, float) or not 0 < expansion <= 100:
            raise ValueError(f"ffn_expansion is {expansion!r}; it must be a number above 0, up to 100")
        if type(self.gated_da) is not bool or type(self.fusion) is not bool:
            raise ValueError("gated_da and fusion must be true or false")

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON types; ``from_dict`` reads them back."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AnyIRConfig:
        """Build a config from ``to_dict``'s output.

        Raises:
            ValueError: a key that is no field, or values that do not fit together.
        """
        if not isinstance(data, dict):
            raise ValueError(f"a config is keys and values, not {type(data).__name__}")
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise ValueError(f"unknown config key {unknown[0]!r}; known: {', '.join(sorted(known))}")
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        return cls(**values)


_PAPER = AnyIRConfig()


def _paper_but(**changes: Any) -> AnyIRConfig:
    return AnyIRConfig(**{**asdict(_PAPER), **changes})


PRESETS: dict[str, AnyIRConfig] = {
    "anyir": _PAPER,
    # A third of the work, with the same three parts in every block: what a CPU can train.
    "small": _paper_but(blocks=(1, 1, 2, 4), decoder=(1, 1, 1), refinement=1, ffn_expansion=2.0),
    # Fewer and wider blocks than the paper's, for runtimes that pay per operator.
    "phone": _paper_but(dim=32, blocks=(2, 3, 4, 4), decoder=(4, 4, 2), refinement=4, ffn_expansion=2.0),
    # For tests: every operator of the network once or twice, nothing more.
    "tiny": _paper_but(
        dim=8, blocks=(1, 1, 1, 1), decoder=(1, 1, 1), refinement=1, heads=(1, 2, 2, 2), ffn_expansion=2.0
    ),
    # Table 7; its row (e), the whole network, is `anyir`.
    "ablation-a": _paper_but(split="half", gated_da=False, fusion=False),
    "ablation-b": _paper_but(split="skip", gated_da=False, fusion=False),
    "ablation-c": _paper_but(split="half", gated_da=True, fusion=False),
    "ablation-d": _paper_but(split="skip", gated_da=True, fusion=False),
    # Table 8, "without the Alg. 2": (alpha, beta, gamma) as shares of hidden; its row (1/4, 1/4, 1/2) is
    # `ablation-d`.
    "ratio-1": _paper_but(fusion=False, gate_parts=(0, 2, 2)),
    "ratio-2": _paper_but(fusion=False, gate_parts=(2, 0, 2)),
    "ratio-3": _paper_but(fusion=False, gate_parts=(2, 2, 0)),
}


def preset_name(config: AnyIRConfig) -> str | None:
    """The preset that has this config; None if none has."""
    return next((name for name, preset in PRESETS.items() if preset == config), None)
