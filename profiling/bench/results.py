"""What ``anyir bench`` found, as JSON, as a table and in sentences."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

from pydantic import ValidationError

from anyir.model.errors import UserError
from anyir.profiling.environment import Bytes, Count, HostEnvironment, Milliseconds, Strict

FP32, INT8 = "gemm fp32", "gemm int8"


class BenchRow(Strict):
    """One program; without samples it does not convert, and ``error`` says why.

    ``samples_ms`` is processor time with one thread, and the clock's with several.
    """

    network: str
    runtime: str
    precision: str
    tile: Count
    parameters: Count | None
    multiply_adds: Count | None
    bytes: Bytes | None
    error: str | None
    calls: Count | None
    delegated: Count | None
    total: Count | None
    samples_ms: list[Milliseconds]
    operators_ms: dict[str, Milliseconds] | None


class Gemm(Strict):
    """A matrix product that was timed in turn with the programs."""

    multiply_adds: Count
    samples_ms: list[Milliseconds]


class BenchResults(Strict):
    schema_version: int
    environment: HostEnvironment
    note: str
    threads: Count
    cores_allowed: Count
    rows: list[BenchRow]
    products: dict[str, Gemm]

    @classmethod
    def load(cls, path: Path) -> BenchResults:
        """Read what ``anyir bench`` wrote.

        Raises:
            UserError: no such file, or not by the schema.
        """
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}") from error
        except (ValidationError, UnicodeDecodeError) as error:
            raise UserError(f"{path} holds no results of `anyir bench`") from error

    def to_json(self) -> bytes:
        return (json.dumps(self.model_dump(mode="json"), indent=1) + "\n").encode()


def figures(results: BenchResults, row: BenchRow) -> dict[str, float]:
    """By medians: ``ms``, ``ms_per_gmac``, and the ``share`` of the fp32 product's rate."""
    ms = median(row.samples_ms)
    gmacs = (row.multiply_adds or 0) / 1e9
    return {"ms": ms, "ms_per_gmac": ms / gmacs, "share": gmacs / ms / rate(results, FP32)}


def rate(results: BenchResults, product: str) -> float:
    """Giga multiply-adds a millisecond of a product, by the median."""
    gemm = results.products[product]
    return gemm.multiply_adds / 1e9 / median(gemm.samples_ms)


HEADINGS = (
    *("network", "runtime", "precision", "M", "GMAC", "MB", "calls", "ms", "ms/GMAC"),
    *("of fp32 product", "of int8 product"),
)


def table(results: BenchResults) -> list[tuple[str, ...]]:
    """A row a program, in the order of ``HEADINGS``; where it does not run, the error in the ms column."""
    rows: list[tuple[str, ...]] = []
    for row in results.rows:
        size = "" if row.parameters is None else f"{row.parameters / 1e6:.2f}"
        work = "" if row.multiply_adds is None else f"{row.multiply_adds / 1e9:.2f}"
        first = (row.network, row.runtime, row.precision, size, work)
        if not row.samples_ms:
            rows.append((*first, "", "", f"no: {row.error}", "", "", ""))
            continue
        found = figures(results, row)
        int8_share = found["share"] * rate(results, FP32) / rate(results, INT8)
        rows.append(
            (
                *first,
                f"{(row.bytes or 0) / 1e6:.1f}",
                str(row.calls),
                f"{found['ms']:.1f}",
                f"{found['ms_per_gmac']:.1f}",
                f"{100 * found['share']:.0f} %",
                "" if row.precision == "fp32" else f"{100 * int8_share:.0f} %",
            )
        )
    return rows


def findings(results: BenchResults) -> list[str]:
    """What the rows say beside each other, a sentence each: what has no figures, and ratios of medians."""
    timed = {(row.network, row.runtime, row.precision): row for row in results.rows if row.samples_ms}
    ms = {key: figures(results, row)["ms"] for key, row in timed.items()}
    each = {key: figures(results, row)["ms_per_gmac"] for key, row in timed.items()}
    said = []
    refused: dict[str, list[str]] = {}
    for row in results.rows:
        if not row.samples_ms:
            refused.setdefault(f"{row.network} ({row.precision})", []).append(row.runtime)
    for network, runtimes in refused.items():
        said.append(f"{network} has no figures by {' and '.join(runtimes)}: its row says why.")
    for network, runtime, precision in timed:
        if runtime == "executorch" and (other := (network, "litert", precision)) in timed:
            ratio = ms[other] / ms[network, runtime, precision]
            said.append(f"{network} by ExecuTorch takes {1 / ratio:.2f} of the time by LiteRT.")
    ours = [key for key in timed if key[0].startswith("anyir") and key[2] == "fp32"]
    for peer in dict.fromkeys(key[0] for key in timed if not key[0].startswith("anyir")):
        pairs = [(key, (peer, *key[1:])) for key in ours if (peer, *key[1:]) in timed]
        ratios = [f"{each[own] / each[theirs]:.2f} ({own[0]}, {own[1]})" for own, theirs in pairs]
        if ratios:
            said.append(f"A multiply-add of ours takes, in times of one of {peer}'s: {', '.join(ratios)}.")
    for network, runtime, precision in timed:
        if precision != "fp32" and (float32 := (network, runtime, "fp32")) in timed:
            ratio = ms[float32] / ms[network, runtime, precision]
            said.append(f"{network} in {precision} by {runtime} is {ratio:.2f} times as fast as in float32.")
    times = rate(results, INT8) / rate(results, FP32)
    said.append(f"The 8-bit product is {times:.2f} times as fast as the float32 one.")
    return said
