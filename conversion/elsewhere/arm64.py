"""Running LiteRT and ExecuTorch programs by their arm64 libraries, with NEON, on a machine that has another
processor: QEMU translates every instruction. It says whether they compute the same, and nothing of speed.

Two folders are made once, in the cache: a Debian root, of which Python and the C and C++ libraries are used,
and the packages' wheels for arm64, in the versions that are installed here. ExecuTorch's Python package
needs PyTorch, whose arm64 wheel needs CUDA; so a small C++ program is compiled against its libraries.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from anyir.conversion.elsewhere.program import OtherProgram, litert_script
from anyir.model.errors import UserError
from anyir.model.files import sha256

PROCESSOR = "cortex-a76"
"""What QEMU stands in for: phones of 2019 on, with 8-bit dot products and float16."""
RELEASE, PYTHON = "bookworm", "python3.11"
"""The Debian release, and its Python, for which the wheels are."""
DEBIAN_PACKAGES = (PYTHON, "libstdc++6", "libgomp1")
PACKAGES = ("ai-edge-litert", "executorch", "numpy")
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")
TOOLS = {
    "qemu-aarch64-static": "qemu-user-static",
    "debootstrap": "debootstrap",
    "aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu",
}
"""Command -> the Debian package that has it."""
ROOT = f"arm64-{RELEASE}"
"""The root's folder in the cache."""
ROOT_VARIABLE, MIRROR_VARIABLE = "ANYIR_ARM64_ROOT", "ANYIR_DEBIAN_MIRROR"
RUNNER_SOURCE = Path(__file__).with_name("executorch_runner.cpp")
EXECUTORCH_LIBRARIES = (
    "executorch",
    "executorch_backend_xnnpack",
    "executorch_kernels_optimized",
    "executorch_kernels_quantized",
    "executorch_threadpool",
)


def arm64_program(artifact: Path, runtime: str, backend: str, tile: int) -> OtherProgram | None:
    """An artifact as an emulated arm64 Linux runs it; None for those that no such system runs.

    Raises:
        UserError: what is missing on this machine, or cannot be made.
    """
    if (runtime, backend) not in (("litert", "cpu"), ("executorch", "xnnpack")):
        return None
    check_tools("qemu-aarch64-static", *(["aarch64-linux-gnu-g++"] if runtime == "executorch" else []))
    root, packages = find_root(), find_packages()
    emulator: list[str | Path] = ["qemu-aarch64-static", "-cpu", PROCESSOR, "-L", root]
    if runtime == "litert":
        python = [*emulator, "-E", f"PYTHONPATH={packages}", root / "usr/bin" / PYTHON]
        command = litert_script(python, tile)
    else:
        libraries = packages / "executorch/lib"
        command = [*emulator, "-E", f"LD_LIBRARY_PATH={libraries}", compile_runner(packages)]
    return OtherProgram(command, artifact, tile, f"an emulated arm64 ({PROCESSOR})")


def missing_tools(*commands: str) -> str | None:
    """What to install for these commands, or for all that a first run needs; None if nothing."""
    missing = [command for command in commands or tuple(TOOLS) if shutil.which(command) is None]
    if not missing:
        return None
    packages = " ".join(TOOLS[command] for command in missing)
    return f"arm64 programs need {', '.join(missing)} (Debian: apt-get install {packages})"


def why_not_ready() -> str | None:
    """Why a program would not run at once; None if all is here. A first run makes what is not."""
    if (missing := missing_tools()) is not None:
        return missing
    if os.environ.get(ROOT_VARIABLE) or ((cache() / ROOT).exists() and packages_path().exists()):
        return None
    return "no Debian root for arm64 yet: `anyir verify --arch arm64` makes it"


def check_tools(*commands: str) -> None:
    """Raise where one of them is not installed.

    Raises:
        UserError: which, and the packages that have them.
    """
    if (missing := missing_tools(*commands)) is not None:
        raise UserError(missing)


def cache() -> Path:
    """The folder that outlives checkouts."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "anyir"


def find_root() -> Path:
    """A Debian root for arm64: the one that ``ANYIR_ARM64_ROOT`` names, or the cache's, made if need be.

    Raises:
        UserError: the one named has no Python, or none can be made.
    """
    if named := os.environ.get(ROOT_VARIABLE):
        root = Path(named)
        if not (root / "usr/bin" / PYTHON).exists():
            raise UserError(f"{ROOT_VARIABLE}={root} is no Debian root with {PYTHON} in it")
        root = root.resolve()
        try:
            hide_processors(root)
        except OSError as error:
            raise UserError(f"{root} cannot be written: {error.strerror}") from error
        return root
    return made_once(ROOT, make_root)


def make_root(folder: Path) -> None:
    """Unpack the packages of a minimal arm64 Debian with Python, without running anything of it.

    Raises:
        UserError: no debootstrap, no right to use it, or its last line.
    """
    check_tools("debootstrap")
    if os.getuid() != 0:
        raise UserError(f"making a Debian root for arm64 needs root, once; or name one by {ROOT_VARIABLE}")
    mirror = os.environ.get(MIRROR_VARIABLE, "http://deb.debian.org/debian")
    call(
        "debootstrap",
        "--arch=arm64",
        "--variant=minbase",
        "--download-only",
        f"--include={','.join(DEBIAN_PACKAGES)}",
        RELEASE,
        folder,
        mirror,
    )
    archives = folder / "var/cache/apt/archives"
    for archive in sorted(archives.glob("*.deb")):
        call("dpkg-deb", "--extract", archive, folder)
    shutil.rmtree(archives)
    hide_processors(folder)


def hide_processors(root: Path) -> None:
    """Have programs in a root see one processor whose caches are not known.

    QEMU opens a file of this machine's where the root has none. LiteRT's cpuinfo then reads the caches of
    processors that it has not found in the list of arm64 ones, and crashes. A folder in a file's place
    cannot be read.
    """
    processors = root / "sys/devices/system/cpu"
    (processors / "cpu0/cache/index2/level").mkdir(parents=True, exist_ok=True)
    for name in ("possible", "present"):
        (processors / name).write_text("0\n")


def find_packages() -> Path:
    """The wheels for arm64 in the versions installed here, unpacked.

    Raises:
        UserError: pip's last line.
    """
    wanted = [f"{package}=={version(package)}" for package in PACKAGES]

    def make(folder: Path) -> None:
        platforms = [f"--platform={platform}" for platform in PLATFORMS]
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--python-version=3.11", *platforms]
        call(sys.executable, "-m", "pip", "install", *options, "--target", folder, *wanted)

    return made_once(packages_path().name, make)


def packages_path() -> Path:
    """Where the wheels are unpacked, or will be."""
    return cache() / "-".join(["arm64", *(f"{package}-{version(package)}" for package in PACKAGES)])


def compile_runner(packages: Path) -> Path:
    """The program that runs ExecuTorch's.

    Raises:
        UserError: the compiler's last line.
    """
    executorch = packages / "executorch"
    include = executorch / "include"

    def make(folder: Path) -> None:
        call(
            "aarch64-linux-gnu-g++",
            *("-std=c++17", "-O1", "-w", "-DC10_USING_CUSTOM_GENERATED_MACROS"),
            f'-DVERSION="{version("executorch")}"',
            f"-I{include}",
            f"-I{include / 'executorch/runtime/core/portable_type/c10'}",
            RUNNER_SOURCE,
            *("-o", folder / "run", f"-L{executorch / 'lib'}"),
            "-Wl,--no-as-needed",  # backends and kernels register themselves as they are loaded
            *(f"-l{library}" for library in EXECUTORCH_LIBRARIES),
        )

    name = f"arm64-runner-{version('executorch')}-{sha256(RUNNER_SOURCE)[:12]}"
    return made_once(name, make) / "run"


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """The cache's folder of that name, which ``make`` fills if it is not there; never half of it.

    Raises:
        UserError: the cache cannot be written, or ``make``'s.
    """
    target = cache() / name
    if target.exists():
        return target
    with _locked(target):
        if not target.exists():
            folder = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=target.parent))
            try:
                make(folder)
                folder.chmod(0o755)
                os.replace(folder, target)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
    return target


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    from filelock import FileLock

    lock = FileLock(target.parent / f"{target.name}.lock")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise UserError(f"{target.parent} cannot be written: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()


def call(*command: str | Path) -> None:
    """Run a tool to its end.

    Raises:
        UserError: its last line, if it fails.
    """
    try:
        ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, errors="replace")
    except OSError as error:
        raise UserError(f"{command[0]} cannot be run: {error.strerror}") from error
    if ended.returncode != 0:
        lines = (ended.stderr.strip() or ended.stdout.strip() or f"exit code {ended.returncode}").splitlines()
        raise UserError(f"{Path(command[0]).name} failed: {lines[-1]}")
