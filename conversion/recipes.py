"""What can be built, as data. Names are computed from it and never parsed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from anyir.conversion.runtimes import find_backend, find_runtime
from anyir.model.config import TileSize


@dataclass(frozen=True)
class Bounds:
    """How far an artifact's output may be from the literal float32 network's.

    Attributes:
        max_error: largest absolute difference of a value, on the scale 0..1; None: no bound.
        psnr: least PSNR between the two, in dB.
        loss: largest mean loss of PSNR against the truth over the degradations, in dB.
        worst: largest loss of one degradation, in dB.
        clean: least PSNR of a clean photo against the truth, in dB; below it may lose at most ``worst``.
        colour: largest shift of a channel's mean over a tile, of 255.
        banding: largest new step between neighbouring columns of a smooth ramp, of 255.
            Of these four None is no bound.
    """

    max_error: float | None
    psnr: float
    loss: float
    worst: float | None = None
    clean: float | None = None
    colour: float | None = None
    banding: float | None = None


FLOAT32 = Bounds(max_error=1e-3, psnr=80.0, loss=0.01)
FLOAT16 = Bounds(max_error=0.05, psnr=55.0, loss=0.05)
WEIGHTS8 = Bounds(max_error=None, psnr=38.0, loss=0.2)
WEIGHTS4 = Bounds(max_error=None, psnr=28.0, loss=1.0)
STATIC8 = Bounds(max_error=None, psnr=30.0, loss=1.0)
CHOSEN8 = Bounds(max_error=None, psnr=30.0, loss=0.2, worst=0.2, clean=45.0, colour=0.25, banding=1.0)
"""One of 255 is the step that every 8-bit picture has."""


@dataclass(frozen=True)
class Recipe:
    """One kind of artifact.

    Attributes:
        runtime: one of ``runtimes.RUNTIMES``.
        backend: one of the runtime's, which runs it.
        precision: ``fp32``; ``fp16``; ``int8`` (weights and activations, static); ``int16x8`` (so, with
            16-bit activations); ``mixed`` (``int8`` where that costs little); ``int8w`` (weights alone);
            ``pal6`` and ``pal4`` (weights alone: 64 or 16 shared values a tensor); ``pal6g`` and ``pal4g``
            (so many a group of channels). The runtime's exporter refuses others.
        bounds: of its parity; beyond them the build fails.
        calls: into the backend that each entry takes, where they can be counted; of others the build fails.
        default: built where nobody asks for recipes by name.

    Raises:
        UserError: an unknown runtime or backend; it lists what there is.
    """

    runtime: str
    backend: str
    precision: str
    bounds: Bounds
    calls: int = 1
    default: bool = True

    def __post_init__(self) -> None:
        find_backend(self.runtime, self.backend)

    @property
    def name(self) -> str:
        return f"{self.runtime}_{self.backend}_{self.precision}"

    def file_name(
        self,
        preset: str,
        tile: int,
        tile_size: TileSize | None = None,
        other_sizes: Sequence[TileSize] = (),
    ) -> str:
        """For example ``small_litert_cpu_fp32_256x256.tflite``; of other tiles than its sheets, such as
        192x320, ``small_litert_cpu_fp32_256x256_restore192x320.tflite``; of several, such as
        ``small_coreml_mlprogram_fp16_256x256_also128x128_384x384.mlpackage``."""
        restore = "" if tile_size in (None, (tile, tile)) else f"_restore{tile_size}"
        also = f"_also{'_'.join(map(str, other_sizes))}" if other_sizes else ""
        return f"{preset}_{self.name}_{tile}x{tile}{restore}{also}{find_runtime(self.runtime).suffix}"


MIXED = "mixed"
"""The precision whose 8-bit convolutions are chosen by measurement, for each weights file."""
PRECISION_LABELS = {
    MIXED: "mixed int8",
    "int8w": "int8 weights",
    "pal6": "6-bit palette",
    "pal4": "4-bit palette",
    "pal6g": "6-bit palettes",
    "pal4g": "4-bit palettes",
}
"""What people call a precision where its name says too little."""

RECIPES: tuple[Recipe, ...] = (
    Recipe("executorch", "xnnpack", "fp32", FLOAT32),
    Recipe("executorch", "xnnpack", "int8", STATIC8),
    Recipe("executorch", "xnnpack", MIXED, CHOSEN8, default=False),
    Recipe("executorch", "vulkan", "fp32", FLOAT32, default=False),
    Recipe("executorch", "vulkan", "fp16", FLOAT16, default=False),
    Recipe("litert", "cpu", "fp32", FLOAT32),
    Recipe("litert", "cpu", "fp16", FLOAT16),
    Recipe("litert", "cpu", "int8w", WEIGHTS8),
    Recipe("litert", "cpu", "int8", STATIC8, default=False),
    Recipe("litert", "cpu", "int16x8", STATIC8, default=False),
    Recipe("litert", "cpu", MIXED, CHOSEN8, default=False),
    Recipe("litert", "gpu", "fp32", FLOAT32, default=False),
    Recipe("litert", "gpu", "fp16", FLOAT16, default=False),
    Recipe("coreml", "mlprogram", "fp16", FLOAT16),
    Recipe("coreml", "mlprogram", "int8w", WEIGHTS8),
    Recipe("coreml", "mlprogram", "pal6", WEIGHTS8),
    Recipe("coreml", "mlprogram", "pal6g", WEIGHTS8, default=False),
    Recipe("coreml", "mlprogram", "pal4", WEIGHTS4, default=False),
    Recipe("coreml", "mlprogram", "pal4g", WEIGHTS4, default=False),
    Recipe("coreml", "mlprogram", "int8", STATIC8, default=False),
    Recipe("coreai", "aimodel", "fp32", FLOAT32, default=False),
    Recipe("coreai", "aimodel", "fp16", FLOAT16, default=False),
)


def select_recipes(patterns: list[str]) -> list[Recipe]:
    """Recipes whose name matches one of some shell patterns such as ``litert_*``; for none the default ones.

    A pattern that matches default recipes selects these alone: ``litert_*`` builds what it did before there
    were others, and ``litert_gpu_*`` the others.

    Raises:
        ValueError: a pattern that matches nothing; the message lists the recipes.
    """
    chosen: set[str] = set()
    for pattern in patterns or ["*"]:
        matching = [recipe for recipe in RECIPES if fnmatchcase(recipe.name, pattern)]
        if not matching:
            known = ", ".join(recipe.name for recipe in RECIPES)
            raise ValueError(f"no recipe matches {pattern!r}; recipes: {known}")
        default = [recipe for recipe in matching if recipe.default]
        chosen.update(recipe.name for recipe in default or matching)
    return [recipe for recipe in RECIPES if recipe.name in chosen]
