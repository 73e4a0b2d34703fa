"""What the parts of the results format share: strict models and the kinds of values."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
LARGEST = 2**53
"""Whole numbers that JSON's readers keep exactly."""

Milliseconds = Annotated[float, Field(ge=0, le=1e9)]
Seconds = Annotated[float, Field(ge=0, le=1e9)]
Decibels = Annotated[float, Field(ge=-1000, le=1000)]
Count = Annotated[int, Field(ge=0, le=LARGEST)]
Bytes = Annotated[int, Field(ge=0, le=LARGEST)]
PictureFile = Annotated[str, Field(pattern=r"^pictures/[A-Za-z0-9_+-][A-Za-z0-9_+.-]*\.webp$")]


class Strict(BaseModel):
    """No unknown keys, no coercion, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
