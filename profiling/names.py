"""What a person calls programs and degradations."""

from __future__ import annotations

from anyir.conversion.samples import SEVERITY
from anyir.profiling.candidates import UNKNOWN
from anyir.profiling.schema import CLEAN, Row

RUNTIMES = {"pytorch": "PyTorch", "executorch": "ExecuTorch", "coreml": "Core ML", "litert": "LiteRT"}
BACKENDS = {"xnnpack": "XNNPACK"}
PRECISIONS = {"int8w": "int8 weights", "pal6": "6-bit palette"}
KINDS = {
    "noise": f"Noise, \u03c3 {SEVERITY * 50:g}",
    "low_light": "Low light",
    "motion_blur": "Motion blur",
    "defocus_blur": "Defocus blur",
    CLEAN: "Clean, nothing to restore",
}


def label(row: Row) -> str:
    """What a person calls a program: runtime, backend where it says more, precision, the app's engine."""
    parts = (RUNTIMES[row.runtime], BACKENDS.get(row.backend), PRECISIONS.get(row.precision, row.precision))
    name = row.name if row.precision == UNKNOWN else " ".join(part for part in parts if part)
    return name if row.engine is None else f"{name}, {row.engine}"


def kind_title(kind: str) -> str:
    """A degradation in words."""
    return KINDS.get(kind) or kind.replace("_", " ").replace("+", " + ").capitalize()
