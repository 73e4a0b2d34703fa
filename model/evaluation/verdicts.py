"""What a person says of restored photos: a table to fill in, ``verdicts.tsv``."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from anyir.model.errors import UserError
from anyir.model.files import write_atomically

BETTER, SAME, WORSE, OPEN = "better", "same", "worse", ""
VERDICTS = (BETTER, SAME, WORSE)


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
    """The table's lines; none where it is not there.

    Raises:
        UserError: it cannot be read, or a verdict is none of those that are known.
    """
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is no table of tab-separated values ({error})") from error
    lines = []
    for number, row in enumerate(rows, start=2):
        if not row.get("photo") or row.get("model") is None:
            raise UserError(f"{path}, line {number}: a photo and a model are due, with tabs between")
        verdict = (row.get("verdict") or "").strip().lower()
        if verdict not in (*VERDICTS, OPEN):
            raise UserError(f"{path}, line {number}: {verdict!r} is none of {', '.join(VERDICTS)}")
        lines.append(Verdict(row["photo"], row["model"], verdict, (row.get("why") or "").strip()))
    return lines


def add_lines(path: Path, photos: list[str], model: str) -> dict[str, Verdict]:
    """Add an open line for each photo that has none of this model, and return this model's by photo.

    What is filled in, and other models' lines, stay as they are.

    Raises:
        UserError: as ``read_verdicts``.
    """
    lines = read_verdicts(path)
    there = {line.photo: line for line in lines if line.model == model}
    new = {photo: Verdict(photo, model) for photo in photos if photo not in there}
    if new:
        text = io.StringIO()
        writer = csv.DictWriter(text, [f.name for f in fields(Verdict)], delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(line) for line in (*lines, *new.values()))
        write_atomically(path, text.getvalue().encode())
    return {photo: (there | new)[photo] for photo in photos}
