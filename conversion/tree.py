"""Artifacts as files and folders: their digest and their size."""

from __future__ import annotations

import hashlib
from pathlib import Path

from anyir.model.errors import UserError
from anyir.model.files import sha256


def check_utf8(path: Path) -> None:
    """Refuse a place that runtimes cannot open, as they take its name as UTF-8.

    Raises:
        UserError: its name is none.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{path}: a name in UTF-8 is due") from error


def tree_sha256(path: Path) -> str:
    """Hex digest of a file, or of a folder such as an ``.mlpackage`` or an ``.aimodel``.

    A folder's is the sha256 of one line ``<sha256>  <path inside the folder>\\n`` for each of its files,
    sorted by path: what ``sha256sum`` prints.

    Raises:
        UserError: the folder holds a link: what lies behind it is no part of the folder, and may change.
    """
    if path.is_file():
        return sha256(path)
    names = {p.relative_to(path).as_posix(): p for p in path.rglob("*")}
    link = next((name for name, inside in sorted(names.items()) if inside.is_symlink()), None)
    if link is not None:
        raise UserError(f"{path} holds a link, {link}; files and folders are due")
    lines = "".join(
        f"{sha256(inside)}  {name}\n" for name, inside in sorted(names.items()) if inside.is_file()
    )
    return hashlib.sha256(lines.encode()).hexdigest()


def tree_bytes(path: Path) -> int:
    """Size of a file, or of the files in a folder."""
    return sum(p.stat().st_size for p in ([path] if path.is_file() else path.rglob("*")) if p.is_file())
