"""Which convolutions of some weights are computed in 8 bits, and the measurements that chose them.

``anyir sensitivity`` writes one such file beside the weights; the precision ``mixed`` is built by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError

from anyir.conversion.manifest import Quantization, Strict
from anyir.model.errors import UserError
from anyir.model.files import write_atomically

if TYPE_CHECKING:
    from torch import nn

SUFFIX = ".mixed.json"
"""Instead of the weights' own."""


class Gates(Strict):
    """What all convolutions in 8 bits together may cost."""

    loss: float = Field(description="PSNR against the truth that the worst degradation may lose, dB")
    clean: float = Field(description="PSNR that a clean photo keeps, dB, unless it loses less than `loss`")
    colour: float = Field(description="shift of a channel's mean over a tile, of 255")
    banding: float = Field(description="new steps between neighbouring columns of a smooth ramp, of 255")


class Cost(Strict):
    """What some convolutions in 8 bits cost, over all photos: float against fake quantization."""

    loss: dict[str, float] = Field(description="PSNR lost against the truth by kind of degradation, dB")
    clean: float = Field(description="PSNR of the clean photos against the truth, dB")
    colour: float = Field(description="largest shift of a channel's mean over a tile, of 255")
    banding: float = Field(description="largest new step between neighbouring columns of a ramp, of 255")

    @property
    def worst(self) -> tuple[str, float]:
        """The kind that loses most, and its loss."""
        return max(self.loss.items(), key=lambda item: item[1])

    def used(self, gates: Gates) -> float:
        """The largest share of a gate that this takes; 1 is all of it."""
        return max(0.0, self.worst[1] / gates.loss, self.colour / gates.colour, self.banding / gates.banding)

    def passes(self, gates: Gates) -> bool:
        degraded = [loss for kind, loss in self.loss.items() if kind != "clean"]
        clean = self.clean >= gates.clean or self.loss.get("clean", 0.0) <= gates.loss
        looks = self.colour <= gates.colour and self.banding <= gates.banding
        return max(degraded) <= gates.loss and clean and looks


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
    weights_sha256: str = Field(description="of the weights that were measured")
    tile: int
    photos: str
    gates: Gates
    modules: list[ModuleCost] = Field(description="the cheapest first")
    front: list[Point] = Field(description="of the sets that were tried, by their size")
    chosen: int = Field(description="so many of `modules`, from the first, are computed in 8 bits")
    kept_float: list[str] = Field(description="convolutions that stay in float")

    @classmethod
    def load(cls, path: Path) -> Choice:
        """Read the choice that lies beside some weights.

        Weights that were trained a little further may keep it: an artifact by it is compared and has to
        pass the gates like any other.

        Raises:
            UserError: there is none, or it is damaged.
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
        return choice

    def check_network(self, convolutions: set[str]) -> None:
        """Refuse a choice of another network, of which it would leave some convolutions undecided.

        Args:
            convolutions: names of all of the network's.

        Raises:
            UserError: one that only one of both knows.
        """
        decided = {*self.kept_float, *(module.name for module in self.modules[: self.chosen])}
        if other := sorted(decided ^ convolutions):
            raise UserError(
                f"the choice of convolutions is of another network: {other[0]} "
                f"{'is not in this one' if other[0] in decided else 'is not in it'}; "
                "`anyir sensitivity` makes one for these weights"
            )

    def described(self, quantization: Quantization) -> Quantization:
        """A manifest's words, and which weights the choice was measured with."""
        details = f"{quantization.details}; chosen with weights {self.weights_sha256[:12]}"
        return quantization.model_copy(update={"details": details})

    def of_other_weights(self, weights_sha256: str) -> str | None:
        """What a person is told where the choice was measured with other weights than these."""
        if self.weights_sha256 == weights_sha256:
            return None
        return (
            f"its 8-bit convolutions were chosen with weights {self.weights_sha256[:12]}, not with these, "
            f"{weights_sha256[:12]}; `anyir sensitivity` chooses anew"
        )

    def save(self, path: Path) -> None:
        write_atomically(path, (self.model_dump_json(indent=1) + "\n").encode())


def load_choice(weights: Path, entries: Mapping[str, nn.Module]) -> Choice:
    """The choice beside some weights, for the network of these entries of the deploy form.

    Raises:
        UserError: there is none, it is damaged, or it is of another network.
    """
    from torch import nn

    choice = Choice.load(choice_path(weights))
    parts = [part for module in entries.values() for part in module.named_modules()]
    choice.check_network({name for name, part in parts if isinstance(part, nn.Conv2d)})
    return choice


def is_chosen(quantization: Quantization | None, weights: Path) -> bool:
    """Whether an artifact keeps those convolutions in float that the choice beside its weights keeps.

    Args:
        quantization: what its manifest says.

    Raises:
        UserError: there is no choice beside these weights.
    """
    kept = quantization.kept_float if quantization else []
    return kept[:-1] == Choice.load(choice_path(weights)).kept_float


def choice_path(weights: Path) -> Path:
    """Where the choice for a weights file lies."""
    return weights.with_suffix(SUFFIX)
