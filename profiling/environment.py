"""Where figures were measured: this machine, or a phone and the state that it was in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from anyir.profiling.fields import Bytes, Count, Milliseconds, Seconds, Strict

ThermalStatus = Literal["none", "light", "moderate", "severe", "critical", "emergency", "shutdown"]


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


Environment = Annotated[HostEnvironment | AndroidEnvironment, Field(discriminator="kind")]


class Reading(Strict):
    """The phone's state at one moment; null where this phone does not tell."""

    thermal_status: ThermalStatus | None = Field(description="Android 10 and later.")
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
