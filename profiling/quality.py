"""Outputs against the reference's and against the truth, a figure and a picture for each degradation."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyir.conversion.restore_size import RestoreSize
from anyir.model.errors import UserError
from anyir.model.files import write_atomically
from anyir.model.metrics import EQUAL, psnr, ssim
from anyir.model.restore.need import need_between
from anyir.profiling.reference import Reference
from anyir.profiling.schema import DegradationInput, NeedFigures, Quality, ReferenceSummary

WEBP_QUALITY = 88
"""Of 100. Pictures are for looking at; figures come from the arrays."""
MAX_SIDE = 512
"""Larger tiles are scaled down to this, so that a report with all of them stays below 8 MB."""


class PictureWriter:
    """Writes pictures into one folder and names them as results do.

    A name ends in the picture's own hash: results of several runs in one folder keep each their pictures.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, tile: NDArray[Any]) -> str:
        """Write (3, H, W) values in 0..1 (clipped) as ``name``.HASH.webp.

        Returns:
            The path relative to the results file.

        Raises:
            UserError: a name that leads to another folder.
        """
        if "/" in name or "\\" in name:
            raise UserError(f"{name!r} cannot be part of a picture's name")
        from PIL import Image

        pixels = (np.asarray(tile, np.float32).clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)
        buffer = io.BytesIO()
        picture = Image.fromarray(np.ascontiguousarray(pixels))
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
        picture.save(buffer, "WEBP", quality=WEBP_QUALITY, method=4)
        file = f"{name}.{hashlib.sha256(buffer.getvalue()).hexdigest()[:12]}.webp"
        write_atomically(self.folder / file, buffer.getvalue())
        return f"{self.folder.name}/{file}"


def compare_outputs(
    outputs: NDArray[Any], reference: Reference, name: str, pictures: PictureWriter
) -> dict[str, Quality]:
    """Quality by degradation, and one picture of each.

    Both outputs are clipped to 0..1 first, as a photo would be, except for the largest error.

    Args:
        outputs: (N, 3, H, W) float32, not clamped, in the order of the reference's cases.
        name: the program's; part of the pictures' names.

    Raises:
        UserError: outputs hold NaN or infinity.
    """
    expected, truths = reference.array("outputs"), reference.array("truths")
    inputs = reference.array("inputs")
    result = {}
    for kind, cases in cases_by_kind(reference):
        made = np.asarray(outputs[cases])
        if not np.isfinite(made).all():
            raise UserError(f"returns NaN or infinity for {kind}")
        clipped, wanted = made.clip(0, 1), np.asarray(expected[cases]).clip(0, 1)
        pairs = list(zip(clipped, truths[cases] / np.float32(255), strict=True))
        shown = picture_case(cases)
        before = inputs[shown].astype(np.float32) / np.float32(255)
        need = need_between(*(tile.transpose(1, 2, 0) for tile in (before, outputs[shown])))
        result[kind] = Quality(
            psnr_reference=finite(psnr(image=clipped, reference=wanted, data_range=1.0)),
            ssim_reference=ssim(image=clipped, reference=wanted, data_range=1.0),
            max_error_reference=float(np.abs(made - expected[cases]).max()),
            psnr_truth=truth_psnr(pairs),
            ssim_truth=mean(ssim(image=a, reference=b, data_range=1.0) for a, b in pairs),
            picture=pictures.write(f"{name}.{kind}", outputs[shown]),
            need=NeedFigures(**asdict(need)),
        )
    return result


def summarise_reference(reference: Reference, pictures: PictureWriter | None) -> ReferenceSummary:
    """The reference as results carry it; without a writer it names no pictures."""
    return ReferenceSummary(
        weights=reference.weights,
        weights_sha256=reference.weights_sha256,
        preset=reference.preset,
        notes=reference.notes,
        accelerator=reference.accelerator,
        torch=reference.versions["torch"],
        tile=reference.tile,
        restore_size=RestoreSize.of(reference.restore_size),
        cases_sha256=reference.digest(),
        inputs=degraded_inputs(reference, pictures),
    )


def degraded_inputs(reference: Reference, pictures: PictureWriter | None) -> dict[str, DegradationInput]:
    """What the degraded tiles themselves score against the truth, by degradation, with pictures of both."""
    inputs, truths = reference.array("inputs"), reference.array("truths")
    result = {}
    for kind, cases in cases_by_kind(reference):
        pairs = [(inputs[case] / np.float32(255), truths[case] / np.float32(255)) for case in cases]
        shown = picture_case(cases)
        result[kind] = DegradationInput(
            tiles=len(cases),
            psnr_truth=truth_psnr(pairs),
            ssim_truth=mean(ssim(image=a, reference=b, data_range=1.0) for a, b in pairs),
            degraded=pictures.write(f"degraded.{kind}", inputs[shown] / np.float32(255))
            if pictures
            else None,
            truth=pictures.write(f"truth.{kind}", truths[shown] / np.float32(255)) if pictures else None,
        )
    return result


def cases_by_kind(reference: Reference) -> Iterator[tuple[str, list[int]]]:
    """Each degradation with the places of its tiles in the arrays."""
    for kind in dict.fromkeys(case.kind for case in reference.cases):
        yield kind, [i for i, case in enumerate(reference.cases) if case.kind == kind]


def picture_case(cases: list[int]) -> int:
    """Which tile of a degradation is shown: another photo for each degradation in turn."""
    return cases[(cases[0] // len(cases)) % len(cases)]


def truth_psnr(pairs: list[tuple[NDArray[Any], NDArray[Any]]]) -> float | None:
    """Mean over tiles, in dB, of which equal ones count as ``EQUAL``; None if all are equal."""
    values = [psnr(image=image, reference=truth, data_range=1.0) for image, truth in pairs]
    return mean(min(value, EQUAL) for value in values) if np.isfinite(values).any() else None


def mean(values: Iterator[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)


def finite(value: float) -> float | None:
    """None for infinity: identical images."""
    return value if np.isfinite(value) else None
