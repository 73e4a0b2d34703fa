"""Which convolutions of some weights are computed in 8 bits, and the measurements that chose them.

``anyir sensitivity`` writes one such file beside the weights; the precision ``mixed`` is built by it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from anyir.model.errors import UserError
from anyir.model.files import write_atomically

SUFFIX = ".mixed.json"
"""Instead of the weights' own."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Gates(Strict):
    """What all convolutions in 8 bits together may cost."""

    loss: float = Field(description="PSNR against the truth that the worst degradation may lose, dB")
    clean: float = Field(description="PSNR that a clean photo keeps, dB, unless it loses less than `loss`")
    colour: float = Field(description="shift of a channel's mean over a tile, of 255")


class Cost(Strict):
    """What some convolutions in 8 bits cost, over all photos: float against fake quantization."""

    loss: dict[str, float] = Field(description="PSNR lost against the truth by kind of degradation, dB")
    clean: float = Field(description="PSNR of the clean photos against the truth, dB")
    colour: float = Field(description="largest shift of a channel's mean over a tile, of 255")

    @property
    def worst(self) -> tuple[str, float]:
        """The kind that loses most, and its loss."""
        return max(self.loss.items(), key=lambda item: item[1])

    def passes(self, gates: Gates) -> bool:
        degraded = [loss for kind, loss in self.loss.items() if kind != "clean"]
        clean = self.clean >= gates.clean or self.loss.get("clean", 0.0) <= gates.loss
        return max(degraded) <= gates.loss and clean and self.colour <= gates.colour


class ModuleCost(Strict):
    """One convolution in 8 bits, all others in float."""

    name: str
    values: int = Field(description="of its kernel")
    macs: int = Field(description="multiply-adds of a tile; of `look` where `restore` has no such module")
    cost: Cost

    @property
    def saved_bytes(self) -> int:
        """Of float32 weights that become 8-bit integers."""
        return 3 * self.values


class Point(Strict):
    """The cheapest so many convolutions in 8 bits at once."""

    modules: int
    macs_share: float = Field(description="of all convolutions' multiply-adds")
    saved_bytes: int
    cost: Cost


class Choice(Strict):
    """All that was measured, and what was chosen by it."""

    schema_version: Literal[1] = 1
    weights_sha256: str
    tile: int
    photos: str
    gates: Gates
    modules: list[ModuleCost] = Field(description="the cheapest first")
    front: list[Point] = Field(description="of the sets that were tried, by their size")
    chosen: int = Field(description="so many of `modules`, from the first, are computed in 8 bits")
    kept_float: list[str] = Field(description="convolutions that stay in float")

    @classmethod
    def load(cls, path: Path, weights_sha256: str) -> Choice:
        """Read the choice for some weights.

        Raises:
            UserError: there is none, it is of other weights, or it is damaged.
        """
        again = "`anyir sensitivity` makes one"
        try:
            choice = cls.model_validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise UserError(f"no choice of convolutions for these weights at {path.name}; {again}") from error
        except OSError as error:
            raise UserError(f"{path.name} cannot be read: {error.strerror}") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise UserError(f"{path.name} is damaged: {where}: {first['msg']}; {again}") from error
        if choice.weights_sha256 != weights_sha256:
            raise UserError(
                f"{path.name} was made for weights {choice.weights_sha256[:12]}, not {weights_sha256[:12]}; "
                f"{again} for these"
            )
        return choice

    def save(self, path: Path) -> None:
        write_atomically(path, (self.model_dump_json(indent=1) + "\n").encode())


def choice_path(weights: Path) -> Path:
    """Where the choice for a weights file lies."""
    return weights.with_suffix(SUFFIX)
