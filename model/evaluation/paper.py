"""The paper's own figures for AnyIR: what a reproduction is compared with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Benchmark:
    """One column of a table of the paper.

    Attributes:
        dataset: its name in ``anyir.model.data.dataset_registry.DATASETS``.
        condition: ``sigma 25`` for noise, a degradation in a dataset of several, otherwise empty.
        psnr: AnyIR's, in dB; None where the table has none.
        ssim: likewise.
    """

    dataset: str
    condition: str
    psnr: float | None = None
    ssim: float | None = None


@dataclass(frozen=True)
class PaperTable:
    """A table of results: what it shows, its columns, and the mean that it states."""

    title: str
    benchmarks: tuple[Benchmark, ...]
    average: tuple[float, float] | None = None


_CDD11 = (
    "low_light", "haze", "rain", "snow", "low_light+haze", "low_light+rain", "low_light+snow",
    "haze+rain", "haze+snow",
)  # fmt: skip

TABLES: dict[int, PaperTable] = {
    1: PaperTable(
        "three degradations",
        (
            Benchmark("sots", "", 31.75, 0.981),
            Benchmark("rain100l", "", 38.61, 0.984),
            Benchmark("cbsd68", "sigma 15", 34.12, 0.936),
            Benchmark("cbsd68", "sigma 25", 31.46, 0.893),
            Benchmark("cbsd68", "sigma 50", 28.20, 0.804),
        ),
        (32.83, 0.920),
    ),
    2: PaperTable(
        "five degradations",
        (
            Benchmark("sots", "", 31.41, 0.980),
            Benchmark("rain100l", "", 38.51, 0.983),
            Benchmark("cbsd68", "sigma 25", 31.37, 0.891),
            Benchmark("gopro", "", 28.85, 0.883),
            Benchmark("lol", "", 23.11, 0.856),
        ),
        (30.65, 0.919),
    ),
    3: PaperTable(
        "single degradations, a network for each",
        (
            Benchmark("sots", "", 31.37, 0.979),
            Benchmark("rain100l", "", 37.99, 0.982),
            Benchmark("cbsd68", "sigma 15", 34.23, 0.937),
            Benchmark("cbsd68", "sigma 25", 31.63, 0.897),
            Benchmark("cbsd68", "sigma 50", 28.37),
        ),
    ),
    4: PaperTable("snow, unseen in training", (Benchmark("csd", "", 21.64, 0.787),)),
    5: PaperTable(
        "mixed degradations",
        (
            *(Benchmark("cdd11", kind) for kind in _CDD11),
            Benchmark("cdd11", "low_light+haze+rain", 25.57, 0.792),
            Benchmark("cdd11", "low_light+haze+snow", 25.61, 0.791),
        ),
    ),
}
"""Tables 1-5, AnyIR's row. Table 5 prints two of CDD-11's eleven; Table 3's last SSIM is not legible."""


def find_benchmark(dataset: str, condition: str, table: int | None = None) -> tuple[int, Benchmark] | None:
    """The table and the column that a result is compared with: in ``table``, or the first that has it."""
    for number, contents in TABLES.items():
        if table in (None, number):
            for benchmark in contents.benchmarks:
                if (benchmark.dataset, benchmark.condition) == (dataset, condition):
                    return number, benchmark
    return None
