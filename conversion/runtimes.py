"""The runtimes that artifacts are made for: an entry each, and a folder with what exports and runs them.

A new one needs an entry here, its folder beside this file, recipes, and its suffix in pyproject.toml. This
file imports none of the folders: they are named, and imported where they are asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

from anyir.model.errors import UserError, unknown

Value = TypeVar("Value")


GPU_DRIVERS = tuple(Path(folder) / "vulkan/icd.d" for folder in ("/usr/share", "/usr/local/share", "/etc"))
"""Where Linux lists the GPU drivers that Vulkan programs use."""
DRIVER_NAMED = ("VK_DRIVER_FILES", "VK_ICD_FILENAMES")
"""Environment variables that name such drivers."""


IN_SOFTWARE = ("swiftshader", "lvp_")
"""Parts of the names of drivers that no GPU belongs to."""


def has_gpu_driver() -> bool:
    """Whether a GPU's driver for Vulkan is installed, or named; other systems have drivers of their own."""
    if sys.platform != "linux":
        return True
    named = [name for variable in DRIVER_NAMED for name in os.environ.get(variable, "").split(":") if name]
    found = named or [path.name for folder in GPU_DRIVERS for path in folder.glob("*.json")]
    return any(not any(part in name for part in IN_SOFTWARE) for name in found)


@dataclass(frozen=True)
class Backend:
    """What runs a runtime's programs.

    Attributes:
        label: what people call it; empty where the runtime's label says it all.
        runner: ``module:class`` of a ``Runner``; None: its programs are built here and run elsewhere.
        evaluator: ``module:class`` of a ``Runner`` that computes what a program says, where the backend does
            not exist. It says nothing of how fast the program is.
        elsewhere: why its programs are never run here, or on which systems alone they are, in words.
        system: ``sys.platform`` of the only machines that run its programs; None: all do, or none.
        needs_gpu: its programs run where a GPU has a driver.
    """

    label: str = ""
    runner: str | None = None
    evaluator: str | None = None
    elsewhere: str | None = None
    system: str | None = None
    needs_gpu: bool = False

    @property
    def why_not_here(self) -> str | None:
        """Why this machine cannot run its programs, whatever is installed with pip; None if it can."""
        if self.runner is None:
            return self.elsewhere
        if self.system is not None and self.system != sys.platform:
            return f"{self.elsewhere}, not on {sys.platform}"
        if self.needs_gpu and not has_gpu_driver():
            return "no GPU with a driver for Vulkan is here"
        return None

    @property
    def is_evaluated(self) -> bool:
        """Whether this machine computes what its programs say and cannot run them."""
        return self.why_not_here is not None and self.evaluator is not None


@dataclass(frozen=True)
class Runtime:
    """One runtime.

    Attributes:
        name: as recipes, manifests and files have it.
        label: as people have it.
        suffix: of its artifacts.
        backends: what runs its programs, by name.
        packages: whose versions decide what an artifact is.
        package: whose version is the runtime's on this machine.
        exporter: ``module:class`` of an ``Exporter``.
        extra: of this project, with which pip installs the packages.
        one_conversion: its precisions start from one converted program, so one process builds them all.
        takes_threads: it runs on as many CPU threads as it is told.
    """

    name: str
    label: str
    suffix: str
    backends: Mapping[str, Backend]
    packages: tuple[str, ...]
    package: str
    exporter: str
    extra: str = "convert"
    one_conversion: bool = True
    takes_threads: bool = True

    @property
    def install(self) -> str:
        """The command that installs its packages."""
        return f"pip install -c constraints.txt -e '.[{self.extra}]'"

    @property
    def missing(self) -> str | None:
        """Which of its packages is not installed, and the command that installs it; None if all are."""
        for package in self.packages:
            try:
                version(package)
            except PackageNotFoundError:
                return f"{package} is not installed: {self.install}"
        return None


RUNTIMES: dict[str, Runtime] = {
    runtime.name: runtime
    for runtime in (
        Runtime(
            name="executorch",
            label="ExecuTorch",
            suffix=".pte",
            backends={
                "xnnpack": Backend("XNNPACK", "anyir.conversion.executorch.runner:ExecuTorchModel"),
                "vulkan": Backend(
                    "Vulkan",
                    elsewhere="Vulkan programs run on Android: ExecuTorch's Python package has no Vulkan",
                ),
            },
            packages=("torch", "executorch", "torchao"),
            package="executorch",
            exporter="anyir.conversion.executorch.exporter:ExecuTorchExporter",
            one_conversion=False,
        ),
        Runtime(
            name="litert",
            label="LiteRT",
            suffix=".tflite",
            backends={
                "cpu": Backend(runner="anyir.conversion.litert.runner:LiteRtModel"),
                "gpu": Backend(
                    "GPU",
                    runner="anyir.conversion.litert.gpu:LiteRtGpuModel",
                    evaluator="anyir.conversion.litert.gpu:LiteRtGpuModel",
                    needs_gpu=True,
                ),
            },
            packages=("torch", "litert-torch", "ai-edge-litert", "ai-edge-quantizer"),
            package="ai-edge-litert",
            exporter="anyir.conversion.litert.exporter:LiteRtExporter",
        ),
        Runtime(
            name="coreml",
            label="Core ML",
            suffix=".mlpackage",
            backends={
                "mlprogram": Backend(
                    runner="anyir.conversion.coreml.runner:CoreMlModel",
                    evaluator="anyir.conversion.coreml.evaluated:EvaluatedCoreMl",
                    elsewhere="Core ML runs on macOS and iOS only",
                    system="darwin",
                )
            },
            packages=("torch", "coremltools"),
            package="coremltools",
            exporter="anyir.conversion.coreml.exporter:CoreMlExporter",
            takes_threads=False,
        ),
        Runtime(
            name="coreai",
            label="Core AI",
            suffix=".aimodel",
            backends={"aimodel": Backend(runner="anyir.conversion.coreai.runner:CoreAiModel")},
            packages=("torch", "coreai-torch", "coreai-core"),
            package="coreai-core",
            exporter="anyir.conversion.coreai.exporter:CoreAiExporter",
            extra="coreai",
            takes_threads=False,
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


def find_backend(runtime: str, backend: str) -> Backend:
    """The backend of that name.

    Raises:
        UserError: there is no such runtime, or it has no such backend; it lists what there is.
    """
    return by_name(find_runtime(runtime).backends, f"backend of {runtime}", backend)
