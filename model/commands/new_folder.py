"""What the commands that make training photos out of a folder's are given."""

from __future__ import annotations

from pathlib import Path

import typer

from anyir.model.errors import UserError


def split_paths(paths: list[Path]) -> tuple[list[Path], Path]:
    """``PHOTOS... OUT`` -> folders of photos, and the new folder.

    Raises:
        typer.BadParameter: a single path.
        UserError: the last is there already, and not an empty folder.
    """
    *folders, out = paths
    if not folders:
        raise typer.BadParameter("name folders of photos, and last the folder to write to")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} is there already; name a new folder")
    return folders, out
