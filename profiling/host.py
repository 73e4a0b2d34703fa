"""What this machine is: processor, system, versions, and how much memory a process has taken."""

from __future__ import annotations

import os
import platform
import re
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from anyir.profiling.environment import HostEnvironment

PACKAGES = (
    *("anyir", "torch", "executorch", "torchao", "coremltools", "litert-torch", "ai-edge-litert"),
    *("ai-edge-quantizer", "numpy", "scikit-image", "pillow"),
)


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
        packages={name: found for name in PACKAGES if (found := package_version(name))},
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


def peak_memory() -> int:
    """Bytes of memory that this process has had resident at most, so far.

    On Linux this is VmHWM; ``ru_maxrss`` there would include what the parent had when it forked.
    """
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text()
        match = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
        if match:
            return int(match.group(1)) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def current_memory() -> int:
    """Bytes of memory that this process has resident now."""
    import psutil

    return int(psutil.Process().memory_info().rss)
