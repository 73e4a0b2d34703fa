"""Where figures were measured: this machine, or a phone and the state that it was in.

Also what all parts of the results format share: strict models and the kinds of values.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from anyir.conversion.runtimes import RUNTIMES

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
LARGEST = 2**53
"""Whole numbers that JSON's readers keep exactly."""

Milliseconds = Annotated[float, Field(ge=0, le=1e9)]
Seconds = Annotated[float, Field(ge=0, le=1e9)]
Decibels = Annotated[float, Field(ge=-1000, le=1000)]
Count = Annotated[int, Field(ge=0, le=LARGEST)]
Bytes = Annotated[int, Field(ge=0, le=LARGEST)]
PictureFile = Annotated[str, Field(pattern=r"^pictures/[A-Za-z0-9_+-][A-Za-z0-9_+.-]*\.webp$")]
ThermalStatus = Literal["none", "light", "moderate", "severe", "critical", "emergency", "shutdown"]


class Strict(BaseModel):
    """No unknown keys, no coercion, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Machine(Strict):
    """What every device can say of itself."""

    created: str = Field(description="When, in UTC, ISO 8601.")
    device: str = Field(description="Processor or phone, as the system names it.")
    cores: Count
    memory_bytes: Bytes
    os: str


class HostEnvironment(Machine):
    """The computer on which ``anyir profile`` ran."""

    kind: Literal["host"]
    python: str
    packages: dict[str, str] = Field(description="Installed versions of what took part.")


class AndroidEnvironment(Machine):
    """The phone on which the app's benchmark ran."""

    kind: Literal["android"]
    app_version: str
    soc: str | None = Field(description="Maker and model of the chip; null before Android 12.")
    build_fingerprint: str
    abi: str = Field(description="Of the process, such as arm64-v8a.")
    page_bytes: Count = Field(description="Size of a memory page: 4096 or 16384.")
    android_version: str
    api_level: Count
    governors: list[str | None] = Field(description="By core; null where an app may not read it.")


class IosEnvironment(Machine):
    """The iPhone or iPad on which the app's benchmark ran."""

    kind: Literal["ios"]
    app_version: str
    os_build: str = Field(description="The system's build, such as 22C152.")
    low_power_mode: bool = Field(description="Whether it was on when the benchmark began.")


Environment = Annotated[HostEnvironment | AndroidEnvironment | IosEnvironment, Field(discriminator="kind")]


class Reading(Strict):
    """The phone's state at one moment; null where this phone does not tell."""

    thermal_status: ThermalStatus | None = Field(
        description="Android 10 and later. iOS: nominal is none, fair is light, serious is severe."
    )
    thermal_headroom: float | None = Field(
        ge=0, description="Forecast for 10 s ahead; severe throttling starts at 1. Android 11 and later."
    )
    battery_percent: float | None = Field(ge=0, le=100)
    battery_celsius: float | None
    plugged: Literal["none", "ac", "usb", "wireless", "dock"] | None


class Conditions(Strict):
    """The phone before the program was loaded and after its last timed run."""

    before: Reading
    after: Reading


class SustainedRun(Strict):
    """One run of a program that runs without a pause."""

    at_s: Seconds = Field(description="When it ended, from the start of the series.")
    ms: Milliseconds
    thermal_status: ThermalStatus | None
    thermal_headroom: float | None = Field(ge=0, description="Read at most once a second; null between.")


class Sustained(Strict):
    """A program alone, without pauses: the first minute says little about the tenth."""

    seconds: Count = Field(description="How long was asked for.")
    runs: list[SustainedRun] = Field(min_length=1)


VERSIONED = tuple(
    dict.fromkeys(
        [
            *("anyir", "torch", "numpy", "scikit-image", "pillow"),
            *(package for runtime in RUNTIMES.values() for package in runtime.packages),
        ]
    )
)
"""Packages whose versions results name."""


def describe_host() -> HostEnvironment:
    """This machine, as results name it."""
    import psutil

    return HostEnvironment(
        kind="host",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        device=processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        os=operating_system(),
        python=platform.python_version(),
        packages={name: found for name in VERSIONED if (found := package_version(name))},
    )


def package_version(name: str) -> str | None:
    """Installed version of a distribution, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """The processor's name as the system gives it, with its architecture."""
    name = ""
    if sys.platform == "linux":
        match = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        name = match.group(1) if match else ""
    elif sys.platform == "darwin":
        import subprocess

        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        name = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return f"{name or platform.processor() or 'unknown processor'} ({platform.machine()})"


def operating_system() -> str:
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    try:
        distribution = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        distribution = platform.system()
    return f"{distribution}, {platform.system()} {platform.release()}"


def current_memory() -> int:
    """Bytes of memory that this process has resident now."""
    import psutil

    return int(psutil.Process().memory_info().rss)
