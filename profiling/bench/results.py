"""What ``anyir bench`` found, as JSON, and as a table."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median
from typing import Any

from pydantic import ValidationError

from anyir.model.errors import UserError
from anyir.profiling.environment import Bytes, Count, HostEnvironment, Milliseconds, Strict

FP32, INT8 = "gemm fp32", "gemm int8"


class BenchRow(Strict):
    """One program; without samples it does not convert, and ``error`` says why.

    ``samples_ms`` is processor time, summed over threads.
    """

    network: str
    runtime: str
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


HEADINGS = ("network", "runtime", "M", "GMAC", "MB", "calls", "ms", "ms/GMAC", "of GEMM")


def table(results: BenchResults) -> list[tuple[str, ...]]:
    """A row a program, in the order of ``HEADINGS``; where it does not run, the error in the ms column."""
    rows: list[tuple[str, ...]] = []
    for row in results.rows:
        size = "" if row.parameters is None else f"{row.parameters / 1e6:.2f}"
        work = "" if row.multiply_adds is None else f"{row.multiply_adds / 1e9:.2f}"
        first = (row.network, row.runtime, size, work)
        if not row.samples_ms:
            rows.append((*first, "", "", f"no: {row.error}", "", ""))
            continue
        found: dict[str, Any] = figures(results, row)
        rows.append(
            (
                *first,
                f"{(row.bytes or 0) / 1e6:.1f}",
                str(row.calls),
                f"{found['ms']:.1f}",
                f"{found['ms_per_gmac']:.1f}",
                f"{100 * found['share']:.0f} %",
            )
        )
    return rows
