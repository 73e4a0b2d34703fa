"""Opening an artifact: checked against its manifest, its runtime imported, loaded to be run."""

from __future__ import annotations

from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from anyir.conversion.base import THREADS, Runner, Unsupported
from anyir.conversion.manifest import verify_artifact
from anyir.conversion.runtimes import find_runtime
from anyir.model.errors import UserError

if TYPE_CHECKING:
    from anyir.model.restore.tile_models import TileModel


def open_artifact(path: Path, *, threads: int = THREADS) -> TileModel:
    """Load an artifact after checking it against its manifest.

    Args:
        path: ``.pte``, ``.tflite`` or ``.mlpackage``, with its manifest beside it.
        threads: CPU threads for the runtime; of the whole process in ExecuTorch.

    Raises:
        Unsupported: the runtime or the backend does not exist on this machine.
        UserError: missing, changed since it was built, or refused by its runtime.
    """
    manifest = verify_artifact(path)
    import_runtime(manifest.runtime, manifest.backend)
    return load_artifact(
        path, manifest.runtime, tile=manifest.tile, operators=manifest.operators.total, threads=threads
    )


def import_runtime(runtime: str, backend: str) -> None:
    """Import what runs a runtime's programs, so that loading one can be measured alone.

    Raises:
        Unsupported: it does not exist on this machine.
        UserError: an unknown runtime, or one that is installed and cannot be imported.
    """
    entry = find_runtime(runtime)
    if entry.why_not_here:
        raise Unsupported(entry.why_not_here)
    if backend not in entry.backends:
        known = ", ".join(entry.backends)
        raise Unsupported(f"nothing here runs {runtime} programs for {backend!r}; known: {known}")
    try:
        _runner(runtime).prepare()
    except ModuleNotFoundError as error:
        raise Unsupported(
            f"{error.name} is not installed: pip install -c constraints.txt -e '.[convert]'"
        ) from error
    except ImportError as error:  # it is there and broken, such as for want of a shared library
        raise UserError(f"what runs {runtime} programs cannot be imported: {error}") from error


def load_artifact(
    path: Path, runtime: str, *, tile: int, operators: int, threads: int = THREADS
) -> TileModel:
    """Load an artifact whose runtime is imported and whose file was checked.

    Args:
        tile: side of the tiles that it must take.
        operators: how many it had when it was converted; ExecuTorch does not tell.

    Raises:
        UserError: its runtime refuses it, or it takes other tiles.
    """
    try:
        return _runner(runtime)(path, tile=tile, operators=operators, threads=threads)
    except (RuntimeError, ValueError, OSError) as error:
        raise UserError(f"{runtime} refuses {path.name}: {error}") from error


def _runner(runtime: str) -> type[Runner]:
    runner: type[Runner] = resolve_name(find_runtime(runtime).runner)
    return runner
