"""The runtimes that artifacts are made for: an entry each, and a folder with what exports and runs them.

A new one needs an entry here, its folder beside this file, recipes, and its suffix in pyproject.toml. This
file imports none of the folders: they are named, and imported where they are asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from anyir.model.errors import UserError, unknown

Value = TypeVar("Value")


@dataclass(frozen=True)
class Runtime:
    """One runtime.

    Attributes:
        name: as recipes, manifests and files have it.
        label: as people have it.
        suffix: of its artifacts.
        backends: what runs its programs here -> what people call that; empty where ``label`` says it all.
        packages: whose versions decide what an artifact is.
        package: whose version is the runtime's on this machine.
        exporter: ``module:class`` of an ``Exporter``.
        runner: ``module:class`` of a ``Runner``.
        evaluator: ``module:class`` of a ``Runner`` that computes what a program says, where the runtime does
            not exist. It says nothing of how fast the program is.
        one_conversion: its precisions start from one converted program, so one process builds them all.
        takes_threads: it runs on as many CPU threads as it is told.
        system: ``sys.platform`` of the only machines that run its programs, and their names; None: all do.
    """

    name: str
    label: str
    suffix: str
    backends: Mapping[str, str]
    packages: tuple[str, ...]
    package: str
    exporter: str
    runner: str
    evaluator: str | None = None
    one_conversion: bool = True
    takes_threads: bool = True
    system: tuple[str, str] | None = None

    @property
    def why_not_here(self) -> str | None:
        """Why this system cannot run its programs, whatever is installed; None if it can."""
        if self.system is None or self.system[0] == sys.platform:
            return None
        return f"{self.label} runs on {self.system[1]} only, not on {sys.platform}"

    @property
    def is_evaluated(self) -> bool:
        """Whether this system computes what its programs say and cannot run them."""
        return self.why_not_here is not None and self.evaluator is not None


RUNTIMES: dict[str, Runtime] = {
    runtime.name: runtime
    for runtime in (
        Runtime(
            name="executorch",
            label="ExecuTorch",
            suffix=".pte",
            backends={"xnnpack": "XNNPACK"},
            packages=("torch", "executorch", "torchao"),
            package="executorch",
            exporter="anyir.conversion.executorch.exporter:ExecuTorchExporter",
            runner="anyir.conversion.executorch.runner:ExecuTorchModel",
            one_conversion=False,
        ),
        Runtime(
            name="litert",
            label="LiteRT",
            suffix=".tflite",
            backends={"cpu": ""},
            packages=("torch", "litert-torch", "ai-edge-litert", "ai-edge-quantizer"),
            package="ai-edge-litert",
            exporter="anyir.conversion.litert.exporter:LiteRtExporter",
            runner="anyir.conversion.litert.runner:LiteRtModel",
        ),
        Runtime(
            name="coreml",
            label="Core ML",
            suffix=".mlpackage",
            backends={"mlprogram": ""},
            packages=("torch", "coremltools"),
            package="coremltools",
            exporter="anyir.conversion.coreml.exporter:CoreMlExporter",
            runner="anyir.conversion.coreml.runner:CoreMlModel",
            evaluator="anyir.conversion.coreml.evaluated:EvaluatedCoreMl",
            takes_threads=False,
            system=("darwin", "macOS and iOS"),
        ),
    )
}

SUFFIXES = {runtime.suffix: runtime.name for runtime in RUNTIMES.values()}
"""Suffix of artifacts -> name of their runtime."""


def by_name(table: Mapping[str, Value], what: str, name: str) -> Value:
    """The entry of a table.

    Args:
        what: the entries are, for the message.

    Raises:
        UserError: there is none of that name; it lists what there is.
    """
    if name not in table:
        raise UserError(unknown(what, name, table))
    return table[name]


def find_runtime(name: str) -> Runtime:
    """The runtime of that name.

    Raises:
        UserError: there is none; it lists what there is.
    """
    return by_name(RUNTIMES, "runtime", name)
