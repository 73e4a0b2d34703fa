"""Moving a finished artifact to where an earlier one may be, and removing one that is no good."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from anyir.conversion.manifest import Manifest, manifest_path


def put_in_place(path: Path, manifest: Manifest, target: Path) -> None:
    """Move a new artifact and its manifest to where an earlier pair may be.

    All is written before the first move. Between the moves the artifact is not the one that the manifest
    beside it describes, as its sha256 shows.
    """
    described = manifest_path(path)
    described.write_text(manifest.to_json(), encoding="utf-8")
    earlier = path.with_suffix(".earlier")
    if target.is_dir():  # the system replaces files and empty folders only
        os.replace(target, earlier)
    try:
        os.replace(path, target)
    except OSError:
        if earlier.is_dir():
            os.replace(earlier, target)
        raise
    os.replace(described, manifest_path(target))


def discard(target: Path) -> None:
    """Remove an artifact and its manifest, the manifest first: what has none is no artifact."""
    manifest_path(target).unlink(missing_ok=True)
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
