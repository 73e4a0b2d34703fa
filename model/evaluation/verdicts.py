"""What a person says of restored photos: a table to fill in, ``verdicts.tsv``.

Cells are as they stand, without quoting: a person types free text, and no cell holds a tab or a line's end.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from anyir.model.errors import UserError
from anyir.model.files import write_atomically

BETTER, SAME, WORSE, OPEN = "better", "same", "worse", ""
VERDICTS = (BETTER, SAME, WORSE)
COLUMNS = ("photo", "model", "verdict", "why")


@dataclass(frozen=True)
class Verdict:
    """One line of the table.

    Attributes:
        photo: kind and name, ``haze/street.jpg``.
        model: what restored it: name and the first digits of the weights' digest.
        verdict: one of ``VERDICTS``, empty while nobody has looked.
        why: a few words.
    """

    photo: str
    model: str
    verdict: str = OPEN
    why: str = ""


def read_verdicts(path: Path) -> list[Verdict]:
    """The table's lines; none where it is not there, or empty.

    Raises:
        UserError: it cannot be read, is no such table, or a verdict is none of those that are known.
    """
    return [_verdict(path, number, row) for number, row in _read_rows(path)]


def add_lines(path: Path, photos: list[str], model: str) -> dict[str, Verdict]:
    """Add an open line for each photo that has none of this model, and return this model's by photo.

    What is there stays as it is, columns of a person's own too.

    Raises:
        UserError: as ``read_verdicts``; or a photo's name holds what would end its cell.
    """
    there = {line.photo: line for line in read_verdicts(path) if line.model == model}
    new = {photo: Verdict(photo, model) for photo in photos if photo not in there}
    for photo in new:
        if any(c in "\t\r\n" or "\ud800" <= c <= "\udfff" for c in photo):  # the latter are no UTF-8
            raise UserError(f"{photo!r}: a name with such characters has no place in {path}")
    if new:
        text = path.read_bytes().decode() if path.is_file() else ""
        text = text or "\t".join(COLUMNS) + "\n"
        header = text.removeprefix("\ufeff").split("\n", 1)[0].rstrip("\r").split("\t")
        lines = ["\t".join({"photo": p, "model": model}.get(name, "") for name in header) for p in new]
        end = "" if text.endswith("\n") else "\n"
        write_atomically(path, (text + end + "\n".join(lines) + "\n").encode())
    return {photo: (there | new)[photo] for photo in photos}


def _read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Each line's number, and its cells by their column."""
    if not path.is_file():
        return []
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no table of verdicts ({error})") from error
    if not text:
        return []
    header, *lines = (line.rstrip("\r").split("\t") for line in text.removeprefix("\ufeff").split("\n"))
    if missing := [name for name in COLUMNS if name not in header]:
        raise UserError(f"{path} is no table of verdicts: its first line names no column {missing[0]}")
    rows = []
    for number, cells in enumerate(lines, start=2):
        if cells == [""]:
            continue
        if len(cells) > len(header):
            raise UserError(f"{path}, line {number}: {len(cells)} cells; the first line names {len(header)}")
        rows.append((number, dict(zip(header, cells, strict=False))))
    return rows


def _verdict(path: Path, number: int, row: dict[str, str]) -> Verdict:
    if not row.get("photo") or row.get("model") is None:
        raise UserError(f"{path}, line {number}: a photo and a model are due, with tabs between")
    verdict = row.get("verdict", "").strip().lower()
    if verdict not in (*VERDICTS, OPEN):
        raise UserError(f"{path}, line {number}: {verdict!r} is none of {', '.join(VERDICTS)}")
    return Verdict(row["photo"], row["model"], verdict, row.get("why", "").strip())
