"""``results.json``: what profiling measured, as a strict and versioned format.

``results.schema.json`` beside this file is the same as JSON Schema, for other languages;
``python -m anyir.profiling.schema`` writes it anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from anyir.conversion.restore_size import RestoreSize, tile_size
from anyir.conversion.runtimes import RUNTIMES
from anyir.model.checkpoint import check_amounts
from anyir.model.config import TileSize
from anyir.model.data.degradation_registry import CLEAN
from anyir.model.errors import UserError
from anyir.profiling.environment import (
    Bytes,
    Conditions,
    Count,
    Decibels,
    Environment,
    Milliseconds,
    PictureFile,
    Sha256,
    Strict,
    Sustained,
)

SCHEMA_VERSION = 3
SCHEMA_FILE = Path(__file__).parent / "results.schema.json"

PERCENTILES = (50, 90, 99)
"""Of a program's samples."""

PYTORCH = "pytorch"
"""The runtime of the network itself, beside those that artifacts are made for."""
if TYPE_CHECKING:
    RuntimeName = str
else:
    RuntimeName = Literal[(PYTORCH, *RUNTIMES)]


def percentiles(samples_ms: list[float]) -> list[float]:
    """``PERCENTILES`` of at least one sample, interpolated between neighbours (numpy's default, type 7).

    With fewer than 100 samples p99 lies between the two largest. The app has the same in ``Statistics.kt``.
    """
    return np.percentile(samples_ms, PERCENTILES).tolist()


class DegradationInput(Strict):
    """The degraded tiles themselves against the truth: what a restoration has to beat."""

    tiles: Count
    psnr_truth: Decibels | None = Field(
        description="dB, mean over tiles, of which identical ones count as 100; null: all are identical."
    )
    ssim_truth: float
    degraded: PictureFile | None
    truth: PictureFile | None


OWN_SIZE = Field(default=None, description="Of tiles; null, or absent: `tile` x `tile`.")


class ReferenceSummary(Strict):
    """The literal float32 PyTorch network whose outputs the programs are compared with."""

    weights: str
    weights_sha256: Sha256
    preset: str | None
    notes: dict[str, Any] = Field(
        description="What training noted in the weights' header; steps and samples are whole numbers, hours "
        "a number, all in 0..10^15."
    )

    @field_validator("notes")
    @classmethod
    def _amounts_are_amounts(cls, notes: dict[str, Any]) -> dict[str, Any]:
        check_amounts({key: value for key, value in notes.items() if value is not None})
        return notes

    accelerator: str
    torch: str
    tile: Count
    restore_size: RestoreSize | None = OWN_SIZE
    cases_sha256: Sha256 = Field(description="Over the hashes of all inputs, truths and outputs.")
    inputs: dict[str, DegradationInput] = Field(description="By degradation.")

    @property
    def tile_size(self) -> TileSize:
        """Of the tiles."""
        return tile_size(self.tile, self.restore_size)


class Artifact(Strict):
    name: str
    sha256: Sha256
    bytes: Bytes


class Split(Strict):
    """Where each timed run's time went, as far as the runtime lets it be told; in the order measured."""

    copy_in_ms: list[Milliseconds]
    run_ms: list[Milliseconds]
    read_back_ms: list[Milliseconds] = Field(description="Waits for the run where that only started it.")


class Latency(Strict):
    """Time for one run of an entry, from the input arrays to the output arrays."""

    warmups: Count
    n: Count
    p50_ms: Milliseconds
    p90_ms: Milliseconds
    p99_ms: Milliseconds
    samples_ms: list[Milliseconds] = Field(min_length=1, description="Every sample, in the order measured.")
    split: Split | None = Field(description="Null where it was not taken apart, as on a host.")

    @model_validator(mode="after")
    def _agrees_with_its_samples(self) -> Latency:
        if self.n != len(self.samples_ms):
            raise ValueError("n is not the number of samples")
        given = (self.p50_ms, self.p90_ms, self.p99_ms)
        for percent, value, due in zip(PERCENTILES, given, percentiles(self.samples_ms), strict=True):
            if abs(value - due) > 1e-3:
                raise ValueError(f"p{percent}_ms is not that percentile of the samples")
        if self.p50_ms < 1e-6:
            raise ValueError("p50_ms is less than a nanosecond: a run takes time")
        if self.split is not None:
            parts = (self.split.copy_in_ms, self.split.run_ms, self.split.read_back_ms)
            if {len(part) for part in parts} != {self.n}:
                raise ValueError("split does not have a value for every sample")
            for sample, *split in zip(self.samples_ms, *parts, strict=True):
                if sum(split) > sample + 0.01:
                    raise ValueError("the parts of a sample are longer than the sample")
        return self


class Look(Strict):
    """What ``look`` costs, which runs once a photo; the rest of the row is of ``restore``, once a tile."""

    delegated: Count | None
    operators: Count | None
    partitions: Count | None = Field(description="Calls into the delegate; 1 is ideal.")
    first_run_ms: Milliseconds
    latency: Latency


class NeedFigures(Strict):
    """How much a picture needs to be restored, as ``anyir.model.restore.need``: what changes, of 255."""

    change: float = Field(ge=0)
    brightness: float
    contrast: float
    detail: float


class Quality(Strict):
    """One degradation: outputs, clipped to 0..1, against the reference's and against the truth.

    Each tile is restored with its own statistics, as a photo of its size is.
    """

    psnr_reference: Decibels | None = Field(description="dB, over all pixels of all tiles; null: identical.")
    ssim_reference: float | None = Field(description="Null where it was not computed, as on phones.")
    max_error_reference: float = Field(description="Largest difference, before clipping.")
    psnr_truth: Decibels | None = Field(
        description="dB, mean over tiles, of which identical ones count as 100; null: all are identical."
    )
    ssim_truth: float | None
    picture: PictureFile | None
    need: NeedFigures | None = Field(
        default=None,
        description="Of the tile in the picture; left out where there is none.",
    )


class Row(Strict):
    """One program on one device: measured (``ok``), its output alone (``evaluated``), or why not."""

    status: Literal["ok", "evaluated", "failed", "unsupported"]
    error: str | None = Field(description="Why figures are missing; null if there are all.")
    name: str = Field(description="Artifact or recipe, without suffix; unique for a device and engine.")
    engine: str | None = Field(description="What the app ran it through; null on a host.")
    artifact: Artifact | None
    preset: str | None
    runtime: RuntimeName
    runtime_version: str | None
    backend: str
    precision: str
    tile: Count | None
    restore_size: RestoreSize | None = OWN_SIZE
    device: str
    os: str
    accelerator: str | None = Field(
        description="What ran, as far as the runtime tells; what was only asked for says so."
    )
    threads: Count | None
    delegated: Count | None = Field(
        description="Operators that the delegate took, of ``operators``; null where nobody tells."
    )
    operators: Count | None
    partitions: Count | None = Field(description="Calls into the delegate for one tile; 1 is ideal.")
    load_ms: Milliseconds | None = Field(description="Of the file, both entries ready.")
    load_again_ms: Milliseconds | None = Field(description="Loading it a second time; null on a host.")
    first_run_ms: Milliseconds | None
    latency: Latency | None = Field(description="Of a tile, its statistics given.")
    look: Look | None
    peak_memory_bytes: Bytes | None = Field(
        description="Highest resident memory while loading and running, less what it was before loading."
    )
    pss_bytes: Bytes | None = Field(
        description="Memory of the process, once loaded and run: the proportional share on Android, "
        "the physical footprint on iOS; null on a host."
    )
    output_sha256: Sha256 | None = Field(description="Of all outputs, float32, in the order of the cases.")
    quality: dict[str, Quality] = Field(description="By degradation.")
    conditions: Conditions | None = Field(description="The phone's state; null on a host.")
    sustained: Sustained | None = Field(description="Null where no series was asked for.")

    @model_validator(mode="after")
    def _figures_or_a_reason(self) -> Row:
        if (self.status == "ok") != (self.error is None):
            raise ValueError("a row is ok without an error, or has one and is not ok")
        figures = (self.accelerator, self.tile, self.load_ms, self.first_run_ms, self.latency, self.look)
        if self.status == "ok" and (None in figures or not self.quality or self.output_sha256 is None):
            raise ValueError("an ok row has every figure")
        if self.status == "evaluated":
            if self.accelerator is None or not self.quality or self.output_sha256 is None:
                raise ValueError("an evaluated row says how far its output is")
            if (self.load_ms, self.first_run_ms, self.latency, self.look) != (None,) * 4:
                raise ValueError("an evaluated row has no times: its runtime did not run")
        if (self.delegated or 0) > (self.operators or 0):
            raise ValueError("more operators delegated than there are")
        return self

    @property
    def is_compared(self) -> bool:
        """Whether its output was compared with the reference's."""
        return self.status in ("ok", "evaluated")

    @property
    def key(self) -> str:
        """Name and, where there is one, engine: unique for a device."""
        return self.name if self.engine is None else f"{self.name}@{self.engine}"


class Results(Strict):
    """The whole file."""

    model_config = ConfigDict(populate_by_name=True)

    schema_version: Literal[3] = Field(alias="schema")
    environment: Environment
    reference: ReferenceSummary
    rows: list[Row] = Field(min_length=1)

    @model_validator(mode="after")
    def _every_row_once(self) -> Results:
        seen = [(row.key, row.device) for row in self.rows]
        if len(set(seen)) != len(seen):
            raise ValueError("two rows of one name and device")
        return self

    @model_validator(mode="after")
    def _every_degradation_in_every_row(self) -> Results:
        inputs = self.reference.inputs
        for row in self.rows:
            if row.is_compared and set(row.quality) != set(inputs):
                raise ValueError(f"{row.key} does not have the reference's degradations")
            if row.is_compared and not any(kind != CLEAN for kind in row.quality):
                raise ValueError(f"{row.key} has no figure against the truth but of clean tiles")
        return self

    @model_validator(mode="after")
    def _phones_say_more(self) -> Results:
        if self.environment.kind != "host":
            for row in self.rows:
                if row.status == "ok" and (None in (row.engine, row.conditions, row.load_again_ms)):
                    raise ValueError("a phone's ok row has an engine, conditions and a second load")
        return self

    def to_json(self) -> bytes:
        return (self.model_dump_json(by_alias=True, indent=1) + "\n").encode()


def load_results(path: Path) -> Results:
    """Read and check ``results.json``.

    Raises:
        UserError: missing, damaged, of another version, or not by the schema; names the first fault.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder; results.json is due, which `anyir profile` writes")
    if not path.is_file():
        raise UserError(f"there is no {path}; `anyir profile` writes it")
    try:
        data = json.loads(path.read_bytes())
        json.dumps(data, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is damaged: not JSON in UTF-8 ({error})") from error
    version = data.get("schema") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        raise UserError(
            f"{path} has schema version {version}, not {SCHEMA_VERSION}; make it anew with `anyir profile`"
        )
    try:
        return Results.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UserError(f"{path} is not by the schema: {where}: {first['msg']}") from error


def json_schema() -> str:
    """The text of ``results.schema.json``."""
    schema = Results.model_json_schema(by_alias=True)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, indent=1) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(json_schema())
