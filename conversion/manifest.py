"""The JSON file beside every artifact: what it is, where it comes from and how exact it is.

``manifest.schema.json`` in this folder is its published schema, which the apps read too; write it anew
with ``python -m anyir.conversion.manifest``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from anyir.conversion import contract
from anyir.conversion.recipes import Bounds
from anyir.conversion.restore_size import RestoreSize, Side, tile_size
from anyir.conversion.runtimes import RUNTIMES, SUFFIXES
from anyir.conversion.tree import check_utf8, tree_bytes, tree_sha256
from anyir.model.config import TileSize
from anyir.model.errors import UserError, unknown

SCHEMA_FILE = Path(__file__).with_name("manifest.schema.json")
SCHEMA_VERSION: Final = 2

if TYPE_CHECKING:
    RuntimeName = str
else:
    RuntimeName = Literal[tuple(RUNTIMES)]

# Checked here and not in the published schema, which the apps' readers follow to the letter.
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$"), WithJsonSchema({"type": "string"})]
Count = Annotated[NonNegativeInt, WithJsonSchema({"type": "integer"})]
Length = Annotated[PositiveInt, WithJsonSchema({"type": "integer"})]
_BOUND = {"anyOf": [{"type": "number"}, {"type": "null"}]}
PublishedBounds = Annotated[
    Bounds, WithJsonSchema({"additionalProperties": _BOUND, "title": "Bounds", "type": "object"})
]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Weights(Strict):
    """The weights an artifact was made from."""

    file: str
    sha256: Sha256
    preset: str = Field(description="'custom' for a config that is no preset")
    config: dict[str, Any]


class Tensor(Strict):
    name: str
    shape: list[Length]
    dtype: str
    layout: str = Field(description="'opaque' for statistics: as `look` gives them, `restore` takes them")
    range: list[float] | None = Field(
        description="least and largest value, to which outputs are not clamped; null for statistics"
    )


class Operators(Strict):
    """How much of the graph the backend takes; null where only the device can tell."""

    total: Count
    delegated: Count | None
    partitions: Count | None

    @model_validator(mode="after")
    def _a_part_of_all(self) -> Operators:
        if (self.delegated or 0) > self.total:
            raise ValueError("more operators delegated than there are")
        return self


class Entry(Strict):
    """One of an artifact's two programs: what it takes and gives, each in order."""

    inputs: list[Tensor]
    outputs: list[Tensor]
    operators: Operators


class Entries(Strict):
    """ExecuTorch methods, LiteRT signatures, Core ML and Core AI functions of these names."""

    look: Entry = Field(description="once a photo: a sheet of its crops -> statistics")
    restore: Entry = Field(description="every tile: a tile and the statistics -> the tile restored")

    @model_validator(mode="after")
    def _statistics_fit(self) -> Entries:
        if self.look.outputs != self.restore.inputs[1:]:
            raise ValueError("`restore` does not take what `look` gives")
        return self

    @property
    def tensors(self) -> list[Tensor]:
        """All that go in and out."""
        return [one for entry in (self.look, self.restore) for one in (*entry.inputs, *entry.outputs)]

    @property
    def statistics(self) -> list[tuple[int, ...]]:
        """Shapes of the statistics, in order."""
        return [tuple(tensor.shape) for tensor in self.look.outputs]


class Origin(NamedTuple):
    """What statistics belong to: only a program of the same can use them."""

    weights: str
    runtime: str
    precision: str
    tile: int

    def __str__(self) -> str:
        return f"{self.runtime} {self.precision}, tile {self.tile}, weights {self.weights[:12]}"


class Quantization(Strict):
    method: str
    bits: int
    details: str
    calibration: str | None = Field(description="the photos that fixed the ranges; null for weights alone")
    kept_float: list[str] = Field(description="modules, as shell patterns, that stay in float")


class Stage(Strict):
    """Outputs of one stage of the conversion against another's, over all parity photos.

    Of ``restore``: tiles, with the stage's own statistics. Of ``look``: the statistics, each divided by its
    largest value, so that 1 is the range of all.
    """

    stage: str
    entry: Literal["look", "restore"]
    against: str
    max_error: float
    psnr: float | None = Field(description="dB; null: the outputs are identical")


class Degradation(Strict):
    """PSNR against the truth, in dB, clamped to 0..1 as a photo is."""

    kind: str
    literal_psnr: float
    artifact_psnr: float
    loss: float


OutputValue = Annotated[float, Field(ge=-1e6, le=1e6), WithJsonSchema({"type": "number"})]
"""Far more than an image near 0..1 holds, and so little that its square is a float32."""


class Sample(Strict):
    """Values of the literal network's output for one parity photo, evenly spaced in memory order."""

    case: Count
    values: list[OutputValue]


class Parity(Strict):
    status: Literal["measured", "evaluated", "not measured"] = Field(
        description="measured: run by its runtime; evaluated: computed operator by operator instead"
    )
    reason: str | None = Field(description="why its runtime did not run it")
    bounds: PublishedBounds
    stages: list[Stage]
    degradations: list[Degradation]
    samples: list[Sample]

    @property
    def literal(self) -> Stage | None:
        """The artifact against the literal network; None where it was neither run nor evaluated."""
        return next((s for s in self.stages if (s.stage, s.against) == ("artifact", "literal")), None)


class OtherSize(RestoreSize):
    """Another size of tiles that ``restore`` takes, and how exact it is with them."""

    parity: Parity


OPTIONAL = ("restore_size", "other_sizes", "oldest_runtime")
"""Entries of a manifest that are left out where there is nothing to say."""


class Manifest(Strict):
    schema_version: Literal[2]
    name: str
    file: str
    sha256: Sha256 = Field(description="of the file; of a folder, see tree_sha256")
    bytes: Count
    source: Weights
    runtime: RuntimeName
    backend: str
    precision: str
    target: str | None = Field(description="the least system version, where the format fixes one")
    tile: Side = Field(
        description="height and width of the sheet in pixels; of the tile, too, if there is no `restore_size`"
    )
    restore_size: RestoreSize | None = Field(
        default=None, description="absent: the tile is as large as the sheet"
    )
    other_sizes: list[OtherSize] | None = Field(
        default=None, description="of tiles that `restore` takes, too; absent: it takes tiles of one size"
    )
    entries: Entries
    quantization: Quantization | None
    parity: Parity
    versions: dict[str, str]
    code_sha256: str = Field(description="of the code that rewrote, converted and measured")
    seconds: float = Field(description="what building took")
    oldest_runtime: str | None = Field(
        default=None, description="the oldest that `anyir verify --python` saw run it; absent: none was tried"
    )

    @model_validator(mode="after")
    def _takes_images_of_its_sizes(self) -> Manifest:
        look, restore = self.entries.look, self.entries.restore
        sheet, tile = list(contract.shape(self.tile)), list(contract.shape(self.tile_size))
        for what, images, due in (
            ("`look` takes", look.inputs, sheet),
            ("`restore` takes", restore.inputs[:1], tile),
            ("`restore` gives", restore.outputs, tile),
        ):
            if (shapes := [image.shape for image in images]) != [due]:
                raise ValueError(f"{what} {', '.join(map(str, shapes)) or 'nothing'}; {due} is due")
        return self

    @model_validator(mode="after")
    def _names_each_size_once(self) -> Manifest:
        others = [other.size for other in self.other_sizes or ()]
        if len({self.tile_size, *others}) <= len(others):
            raise ValueError("other_sizes has a size twice, or that of all tiles")
        return self

    @property
    def tile_size(self) -> TileSize:
        """Of the tiles that ``restore`` takes."""
        return tile_size(self.tile, self.restore_size)

    @property
    def origin(self) -> Origin:
        """What statistics of this artifact belong to."""
        return Origin(self.source.sha256, self.runtime, self.precision, self.tile)

    @classmethod
    def load(cls, path: Path) -> Manifest:
        """Read a manifest.

        Raises:
            UserError: missing, of another version, or not by the schema.
        """
        try:
            text = path.read_text(encoding="utf-8")
            check_version(path, text)
            return cls.model_validate_json(text)
        except FileNotFoundError as error:
            raise UserError(f"no manifest at {path}; build the artifact with `anyir convert`") from error
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path} cannot be read ({error})") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise UserError(
                f"{path} is not a manifest by schema {SCHEMA_VERSION}: {where}: {first['msg']}"
            ) from error

    def to_json(self) -> str:
        absent = {name for name in OPTIONAL if getattr(self, name) is None}
        return self.model_dump_json(indent=1, exclude=absent) + "\n"


def check_version(path: Path, text: str) -> None:
    """Refuse a manifest of another version by its version, not by its first unknown entry.

    Raises:
        UserError: which version it is of, and what to do.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return  # that it is no JSON, the schema's reader says
    if isinstance(data, dict) and (version := data.get("schema_version", 1)) != SCHEMA_VERSION:
        raise UserError(
            f"{path} is a manifest of schema {version}; {SCHEMA_VERSION} is due: "
            "build the artifact again with `anyir convert`"
        )


def manifest_path(artifact: Path) -> Path:
    return artifact.with_suffix(".json")


def verify_artifact(path: Path) -> Manifest:
    """The manifest of an artifact, after checking that the artifact is the one that it describes.

    Raises:
        UserError: a missing or unreadable artifact or manifest, another schema or file, or other bytes.
    """
    if path.suffix not in SUFFIXES:
        raise UserError(f"{path} is no artifact; these are: {', '.join(SUFFIXES)}")
    if not path.exists():
        raise UserError(f"no artifact at {path}")
    check_utf8(path)
    manifest = Manifest.load(manifest_path(path))
    if manifest.file != path.name:
        raise UserError(f"{manifest_path(path)} describes {manifest.file!r}, not {path.name!r}")
    if manifest.name != path.stem:
        raise UserError(f"{manifest_path(path)} names the program {manifest.name!r}, not {path.stem!r}")
    if SUFFIXES[path.suffix] != manifest.runtime:
        raise UserError(
            f"{manifest_path(path)} says {manifest.runtime}, whose programs end in "
            f"{RUNTIMES[manifest.runtime].suffix}, not in {path.suffix}"
        )
    if manifest.backend not in (known := RUNTIMES[manifest.runtime].backends):
        which = unknown(f"backend of {manifest.runtime}", manifest.backend, known)
        raise UserError(f"{manifest_path(path)} names an {which}")
    try:
        found, size = tree_sha256(path), tree_bytes(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error})") from error
    if found != manifest.sha256:
        raise UserError(
            f"{path} changed since it was built: sha256 {found[:12]}.., {manifest.sha256[:12]}.. is due"
        )
    if size != manifest.bytes:
        raise UserError(f"{path} has {size} bytes; its manifest says {manifest.bytes}")
    return manifest


def schema_text() -> str:
    """The published JSON Schema, as text."""
    return json.dumps(Manifest.model_json_schema(), indent=1) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
