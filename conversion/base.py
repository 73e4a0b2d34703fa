"""What every exporter gives back, and the one place that knows the exporters."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from anyir.conversion.manifest import Operators, Quantization

if TYPE_CHECKING:
    from anyir.conversion.source import Outputs, Source


LEAST_WEIGHTS = 4096
"""Kernels of fewer values stay as they are where the others are compressed. They are a small share of a file,
and among them are those that a photo is most sensitive to: what blocks add to it at full resolution."""


@dataclass
class Export:
    """The result of writing one artifact.

    Attributes:
        operators: how much of the graph the backend takes.
        target: the least system version, where the format fixes one.
        stages: name and outputs of stages between the deploy form and the artifact.
    """

    operators: Operators
    quantization: Quantization | None = None
    target: str | None = None
    stages: list[tuple[str, Outputs]] = field(default_factory=list)


class Exporter(Protocol):
    """Writes artifacts of one runtime from one source; may keep what its precisions share."""

    def export(self, precision: str, path: Path) -> Export:
        """Write the artifact to ``path``."""
        ...


PACKAGES = {
    "executorch": ("torch", "executorch", "torchao"),
    "litert": ("torch", "litert-torch", "ai-edge-litert", "ai-edge-quantizer"),
    "coreml": ("torch", "coremltools"),
}
"""Packages whose version decides what an artifact is."""


def versions(runtime: str) -> dict[str, str]:
    """Installed versions of what makes a runtime's artifacts."""
    return {package: version(package) for package in PACKAGES[runtime]}


def make_exporter(runtime: str, source: Source) -> Exporter:
    """The exporter of a runtime; imports its toolchain."""
    if runtime == "executorch":
        from anyir.conversion.executorch.exporter import ExecuTorchExporter

        return ExecuTorchExporter(source)
    if runtime == "litert":
        from anyir.conversion.litert.exporter import LiteRtExporter

        return LiteRtExporter(source)
    from anyir.conversion.coreml.exporter import CoreMlExporter

    return CoreMlExporter(source)
