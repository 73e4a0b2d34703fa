"""How far each stage of a conversion is from the one before it, and the artifact from the network."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from anyir.conversion.manifest import Degradation, Parity, Sample, Stage
from anyir.conversion.recipes import Bounds
from anyir.conversion.samples import as_input, parity_cases
from anyir.model.data.degradation_registry import CLEAN
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyir.conversion.source import Outputs, Source
    from anyir.model.config import TileSize

SAMPLES = 48
"""Values of the literal output kept for each photo, so that a file can be checked without the weights."""
DEPLOY_ERROR = 1e-3
"""Largest difference of the deploy form's output from the network's, on the scale 0..1, for any recipe."""
RECHECK_DB = 3.0
"""How far a recheck's PSNR may be below the bound: a few hundred values stand for all of them, and their PSNR
scatters by a decibel or two."""


class OutOfBounds(UserError):
    """What was built is not the network, or too far from it."""


def compare(
    stage: str,
    outputs: list[Any],
    against: str,
    references: list[Any],
    entry: Literal["look", "restore"] = "restore",
) -> Stage:
    """Largest error and PSNR (data range 1) of a stage's outputs over all photos.

    Raises:
        OutOfBounds: NaN or infinity in the outputs.
    """
    from anyir.model.metrics import psnr

    left, right = np.stack(outputs), np.stack(references)
    if not np.isfinite(left).all():
        raise OutOfBounds(f"the {stage}'s output holds NaN or infinity")
    quality = psnr(image=left, reference=right, data_range=1.0)
    error = float(np.abs(left.astype(np.float64) - right).max())
    finite = None if quality == np.inf else quality
    return Stage(stage=stage, entry=entry, against=against, max_error=error, psnr=finite)


def compare_statistics(stage: str, outputs: Outputs, against: str, references: Outputs) -> Stage:
    """The same of statistics, each divided by the largest value that it has in the references."""
    assert outputs.statistics is not None
    assert references.statistics is not None
    by_statistic = zip(*references.statistics, strict=True)
    # One may be zero throughout.
    largest = [max(1e-12, *(np.abs(one).max() for one in photos)) for photos in by_statistic]

    def scaled(photos: list[list[Any]]) -> list[Any]:
        return [
            np.concatenate([np.ravel(one) / scale for one, scale in zip(photo, largest, strict=True)])
            for photo in photos
        ]

    left, right = scaled(outputs.statistics), scaled(references.statistics)
    return compare(stage, left, against, right, "look")


def measure(
    source: Source, bounds: Bounds, stages: list[tuple[str, Outputs]], *, evaluated: str | None = None
) -> Parity:
    """Compare each stage with the one before it and the last, the artifact, with the literal network.

    Args:
        stages: name and outputs of what follows the deploy form, in order; the last is ``artifact``.
        evaluated: why the artifact was computed and not run; None if its runtime ran it.
    """
    artifact = stages[-1][1]
    return Parity(
        status="evaluated" if evaluated else "measured",
        reason=evaluated,
        bounds=bounds,
        stages=[
            *_chain(source, stages),
            compare("artifact", artifact.tiles, "literal", source.literal_outputs.tiles),
        ],
        degradations=[
            _degradation(case, literal, output)
            for case, literal, output in zip(
                source.cases, source.literal_outputs.tiles, artifact.tiles, strict=True
            )
        ],
        samples=samples(source),
    )


def not_measured(source: Source, bounds: Bounds, stages: list[tuple[str, Outputs]], reason: str) -> Parity:
    """Parity of an artifact that this machine cannot run: the stages before it, and why."""
    return Parity(
        status="not measured",
        reason=reason,
        bounds=bounds,
        stages=_chain(source, stages),
        degradations=[],
        samples=samples(source),
    )


def _chain(source: Source, stages: list[tuple[str, Outputs]]) -> list[Stage]:
    """Each stage against the one before it: ``restore`` from the literal network on, with the stage's own
    statistics, and ``look`` from the deploy form on, which is the first that has such statistics."""
    chain = [("literal", source.literal_outputs), ("deploy", source.deployed_outputs), *stages]
    compared = []
    for (before, references), (name, outputs) in pairwise(chain):
        if references.statistics is not None:
            compared.append(compare_statistics(name, outputs, before, references))
        compared.append(compare(name, outputs.tiles, before, references.tiles))
    return compared


def check(parity: Parity) -> None:
    """Raise where a figure is out of bounds.

    Raises:
        OutOfBounds: which figure, its value and its bound.
    """
    bounds = parity.bounds
    deploy = parity.stages[0]
    if deploy.max_error > DEPLOY_ERROR:
        raise OutOfBounds(
            f"the deploy form is {deploy.max_error:.2g} from the network; {DEPLOY_ERROR:g} is the bound"
        )
    for stage in parity.stages[1:]:
        if stage.psnr is not None and stage.psnr < bounds.psnr:
            raise OutOfBounds(
                f"PSNR {stage.psnr:.1f} dB of the {stage.stage}'s {stage.entry} against the {stage.against} "
                f"is below the bound {bounds.psnr:.1f} dB"
            )
    literal = parity.literal
    if literal is None:
        return
    if bounds.max_error is not None and literal.max_error > bounds.max_error:
        raise OutOfBounds(f"max error {literal.max_error:.2g} is above the bound {bounds.max_error:.2g}")
    if mean_loss(parity) > bounds.loss:
        raise OutOfBounds(
            f"mean PSNR loss {mean_loss(parity):.2f} dB is above the bound {bounds.loss:.2f} dB"
        )
    for degradation in parity.degradations:
        _check_degradation(degradation, bounds)


def _check_degradation(degradation: Degradation, bounds: Bounds) -> None:
    """The bound of each degradation by itself: what is lost; a clean photo may lose more while it is good."""
    if bounds.worst is None or degradation.loss <= bounds.worst:
        return
    least, after = bounds.clean, degradation.artifact_psnr
    if degradation.kind == CLEAN and least is not None:
        if after < least:
            raise OutOfBounds(
                f"a clean photo keeps {after:.1f} dB and loses {degradation.loss:.2f} dB; {least:.1f} dB, "
                f"or a loss of {bounds.worst:.2f} dB, is the bound"
            )
        return
    raise OutOfBounds(
        f"PSNR loss {degradation.loss:.2f} dB of {degradation.kind} is above the bound {bounds.worst:.2f} dB"
    )


def mean_loss(parity: Parity) -> float:
    """Mean over the degradations of the PSNR that the artifact loses against the literal network, dB."""
    return float(np.mean([d.loss for d in parity.degradations]))


def samples(source: Source) -> list[Sample]:
    """Values of the literal outputs, for ``recheck``."""
    return [
        Sample(case=i, values=[round(float(v), 7) for v in _pick(output)])
        for i, output in enumerate(source.literal_outputs.tiles)
    ]


def recheck(parity: Parity, tile_size: TileSize, run: Callable[[Any], Any]) -> Stage:
    """Run an artifact again on the parity photos and compare it with the samples in its manifest.

    Raises:
        UserError: out of the bounds that it was built with, or samples that are not of the parity photos.
    """
    cases = parity_cases(tile_size)
    if [(s.case, len(s.values)) for s in parity.samples] != [(i, SAMPLES) for i in range(len(cases))]:
        raise UserError("its manifest does not hold the samples that a comparison needs; build it again")
    outputs = [_pick(run(as_input(cases[s.case].degraded))) for s in parity.samples]
    stage = compare("artifact", outputs, "literal", [np.array(s.values, np.float32) for s in parity.samples])
    bounds = parity.bounds
    if stage.psnr is not None and stage.psnr < bounds.psnr - RECHECK_DB:
        raise UserError(f"parity PSNR {stage.psnr:.1f} dB is below the bound {bounds.psnr:.1f} dB")
    if bounds.max_error is not None and stage.max_error > bounds.max_error:
        raise UserError(f"max error {stage.max_error:.2g} is above the bound {bounds.max_error:.2g}")
    return stage


def _pick(output: Any) -> Any:
    flat = np.asarray(output).reshape(-1)
    return flat[np.linspace(0, flat.size - 1, SAMPLES).round().astype(int)]


def _degradation(case: Any, literal: Any, output: Any) -> Degradation:
    from anyir.model.metrics import EQUAL, psnr

    truth = case.truth[None].astype(np.float64) / 255

    def quality(image: Any) -> float:
        return min(EQUAL, psnr(image=np.clip(image, 0, 1), reference=truth, data_range=1.0))

    before, after = quality(literal), quality(output)
    return Degradation(kind=case.kind, literal_psnr=before, artifact_psnr=after, loss=before - after)
