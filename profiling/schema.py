"""``results.json``: what profiling measured, as a strict and versioned format.

``results.schema.json`` beside this file is the same as JSON Schema, for other languages.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from anyir.model.errors import UserError
from anyir.profiling.statistics import percentile

SCHEMA_VERSION = 1
SCHEMA_FILE = Path(__file__).parent / "results.schema.json"

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Milliseconds = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Bytes = Annotated[int, Field(ge=0)]
RuntimeName = Literal["pytorch", "executorch", "coreml", "litert"]
PictureFile = Annotated[str, Field(pattern=r"^pictures/[A-Za-z0-9_+-][A-Za-z0-9_+.-]*\.webp$")]


class Strict(BaseModel):
    """No unknown keys, no coercion, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Environment(Strict):
    """The machine on which profiling ran."""

    created: str = Field(description="When, in UTC, ISO 8601.")
    device: str = Field(description="Processor, as the system names it.")
    cores: Count
    memory_bytes: Bytes
    os: str
    python: str
    packages: dict[str, str] = Field(description="Installed versions of what took part.")


class DegradationInput(Strict):
    """The degraded tiles themselves against the truth: what a restoration has to beat."""

    tiles: Count
    psnr_truth: float | None = Field(description="dB, mean over tiles; null: identical.")
    ssim_truth: float
    degraded: PictureFile | None
    truth: PictureFile | None


class ReferenceSummary(Strict):
    """The literal float32 PyTorch network whose outputs the programs are compared with."""

    weights: str
    weights_sha256: Sha256
    preset: str | None
    notes: dict[str, Any] = Field(description="What training noted in the weights' header.")
    accelerator: str
    torch: str
    tile: Count
    cases_sha256: Sha256 = Field(description="Over the hashes of all inputs, truths and outputs.")
    inputs: dict[str, DegradationInput] = Field(description="By degradation.")


class Artifact(Strict):
    name: str
    sha256: Sha256
    bytes: Bytes


class Latency(Strict):
    """Time for one tile, from the input array to the output array."""

    warmups: Count
    n: Count
    p50_ms: Milliseconds
    p90_ms: Milliseconds
    p99_ms: Milliseconds
    samples_ms: list[Milliseconds] = Field(min_length=1, description="Every sample, in the order measured.")

    @model_validator(mode="after")
    def _agrees_with_its_samples(self) -> Latency:
        if self.n != len(self.samples_ms):
            raise ValueError("n is not the number of samples")
        for share, value in ((50, self.p50_ms), (90, self.p90_ms), (99, self.p99_ms)):
            if abs(percentile(self.samples_ms, share) - value) > 1e-3:
                raise ValueError(f"p{share}_ms is not that percentile of the samples")
        return self


class Quality(Strict):
    """One degradation: outputs, clipped to 0..1, against the reference's and against the truth."""

    psnr_reference: float | None = Field(description="dB, over all pixels of all tiles; null: identical.")
    ssim_reference: float
    max_error_reference: float = Field(description="Largest difference, before clipping.")
    psnr_truth: float | None = Field(description="dB, mean over tiles; null: identical.")
    ssim_truth: float
    picture: PictureFile | None


class Row(Strict):
    """One program on one device: measured (``ok``), or why not."""

    status: Literal["ok", "failed", "unsupported"]
    error: str | None = Field(description="Why there are no figures; null if there are.")
    name: str = Field(description="Artifact or recipe, without suffix; unique for a device.")
    artifact: Artifact | None
    preset: str | None
    runtime: RuntimeName
    runtime_version: str | None
    backend: str
    precision: str
    tile: Count | None
    device: str
    os: str
    accelerator: str | None = Field(description="What really ran, not what was asked for.")
    threads: Count | None
    delegated: Count | None = Field(description="Operators that the delegate took, of ``operators``.")
    operators: Count | None
    partitions: Count | None = Field(description="Calls into the delegate for one tile; 1 is ideal.")
    load_ms: Milliseconds | None
    first_run_ms: Milliseconds | None
    latency: Latency | None
    peak_memory_bytes: Bytes | None = Field(
        description="Highest resident memory while loading and running, less what it was before loading."
    )
    output_sha256: Sha256 | None = Field(description="Of all outputs, float32, in the order of the cases.")
    quality: dict[str, Quality] = Field(description="By degradation.")

    @model_validator(mode="after")
    def _figures_or_a_reason(self) -> Row:
        if (self.status == "ok") != (self.error is None):
            raise ValueError("a row is ok without an error, or has one and is not ok")
        figures = (self.accelerator, self.tile, self.load_ms, self.first_run_ms, self.latency)
        if self.status == "ok" and (None in figures or not self.quality or self.output_sha256 is None):
            raise ValueError("an ok row has every figure")
        if (self.delegated or 0) > (self.operators or 0):
            raise ValueError("more operators delegated than there are")
        return self


class Results(Strict):
    """The whole file."""

    model_config = ConfigDict(populate_by_name=True)

    schema_version: Literal[1] = Field(alias="schema")
    environment: Environment
    reference: ReferenceSummary
    rows: list[Row] = Field(min_length=1)

    @model_validator(mode="after")
    def _every_row_once(self) -> Results:
        seen = [(row.name, row.device) for row in self.rows]
        if len(set(seen)) != len(seen):
            raise ValueError("two rows of one name and device")
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
    except ValueError as error:
        raise UserError(f"{path} is damaged: not JSON ({error})") from error
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
