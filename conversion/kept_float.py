"""Which convolutions stay in float where the others' inputs and weights are 8-bit integers."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

KEPT_FLOAT = (
    "patch_embed",
    "output",
    "down.*",
    "*norm*",
    "*.attention.*",
    *(
        f"{level}.*.{last}"
        for level in ("encoder.0", "decoder.2", "refinement")
        for last in ("fuse", "fuse_sigmoid", "ffn.project")
    ),
)
"""Modules whose int8 costs more quality than it gains time: the first and the last convolution, those that
begin a level's residual stream, the normalisations' constant ones, attention, whose Gram matrix multiplies
errors, and what a block adds to the residual stream at full resolution, which cost the most of all when the
modules were rounded one by one (docs/lab/conversion.md)."""


def is_kept_float(module: str, patterns: Sequence[str] = KEPT_FLOAT) -> bool:
    """Whether a module of the deploy form, such as ``encoder.0.0.fuse``, is one of those."""
    return any(fnmatchcase(module, pattern) for pattern in patterns)
