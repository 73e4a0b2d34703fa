"""Opening an artifact: checked against its manifest, its runtime imported, loaded to be run."""

from __future__ import annotations

from pathlib import Path
from pkgutil import resolve_name

from anyir.conversion.base import THREADS, Promise, Runner, Unsupported
from anyir.conversion.manifest import verify_artifact
from anyir.conversion.runtimes import find_backend, find_runtime
from anyir.model.errors import UserError


def open_artifact(path: Path, *, threads: int = THREADS) -> Runner:
    """Load an artifact after checking it against its manifest.

    Where its runtime does not exist and something computes its programs, that does: ``accelerator`` says so.

    Args:
        path: ``.pte``, ``.tflite``, ``.mlpackage`` or ``.aimodel``, with its manifest beside it.
        threads: CPU threads for the runtime; of the whole process in ExecuTorch.

    Raises:
        Unsupported: the runtime or the backend does not exist on this machine.
        UserError: missing, changed since it was built, or refused by its runtime.
    """
    manifest = verify_artifact(path)
    import_runtime(manifest.runtime, manifest.backend)
    return load_artifact(path, Promise.of(manifest), threads=threads)


def import_runtime(runtime: str, backend: str) -> None:
    """Import what runs a runtime's programs, so that loading one can be measured alone.

    Raises:
        Unsupported: it does not exist on this machine.
        UserError: an unknown runtime or backend, or one that is installed and cannot be imported.
    """
    entry = find_backend(runtime, backend)
    if entry.why_not_here and not entry.is_evaluated:
        raise Unsupported(entry.why_not_here)
    try:
        _runner(runtime, backend).prepare()
    except ModuleNotFoundError as error:
        raise Unsupported(f"{error.name} is not installed: {find_runtime(runtime).install}") from error
    except ImportError as error:  # it is there and broken, such as for want of a shared library
        raise UserError(f"what runs {runtime} programs cannot be imported: {error}") from error


def load_artifact(path: Path, promise: Promise, *, threads: int = THREADS, both: bool = False) -> Runner:
    """Load an artifact whose runtime is imported and whose file was checked.

    Args:
        promise: what its manifest says.
        both: see ``Runner``.

    Raises:
        UserError: its runtime refuses it, or it is not what was promised.
    """
    runtime = promise.origin.runtime
    try:
        return _runner(runtime, promise.backend)(path, promise, threads=threads, both=both)
    except (RuntimeError, ValueError, OSError) as error:
        raise UserError(f"{runtime} refuses {path.name}: {error}") from error


def load_evaluator(path: Path, promise: Promise, *, threads: int = THREADS) -> Runner:
    """As ``load_artifact``, to compute what the program says, whether or not its runtime exists here.

    Raises:
        UserError: what is wrong with the file, or nothing here computes such programs.
    """
    entry = find_backend(promise.origin.runtime, promise.backend)
    if entry.evaluator is None:
        label = find_runtime(promise.origin.runtime).label
        raise UserError(f"nothing here computes {label} programs but {label}")
    runner: type[Runner] = resolve_name(entry.evaluator)
    return runner(path, promise, threads=threads)


def _runner(runtime: str, backend: str) -> type[Runner]:
    """Where the backend is evaluated, what evaluates it.

    Raises:
        Unsupported: its programs run elsewhere.
    """
    entry = find_backend(runtime, backend)
    name = entry.evaluator if entry.is_evaluated else entry.runner
    if name is None:
        raise Unsupported(str(entry.elsewhere))
    runner: type[Runner] = resolve_name(name)
    return runner
