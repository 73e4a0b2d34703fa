"""Photos kept for judging, of a folder that holds both splits: by name, or spread over its tags."""

from __future__ import annotations

import csv
from pathlib import Path

from anyir.model.data.dataset_registry import Kept
from anyir.model.data.pairing import Pair
from anyir.model.errors import UserError

INDEX = "index.tsv"


def choose_kept(pairs: list[Pair], rule: Kept, folder: Path) -> list[Pair]:
    """The pairs that are the test split of ``folder``, by name, or by tag and name; all others are its train
    split.

    Args:
        pairs: of both splits, sorted by name.
        rule: how many are kept, and how they are chosen.
        folder: what they lie in.

    Raises:
        UserError: no index where the tags decide, or one that cannot be used.
    """
    if not rule.by_tag:
        return pairs[-rule.count :]
    tags = read_tags(folder)
    ordered = sorted(pairs, key=lambda pair: (tags.get(pair.clean.name, ""), pair.clean.name))
    count = min(rule.count, len(ordered))
    return [ordered[int((i + 0.5) * len(ordered) / count)] for i in range(count)]


def read_tags(folder: Path) -> dict[str, str]:
    """File name -> tag, from ``index.tsv`` in a folder or beside it: a header with ``file`` and ``tag``.

    Raises:
        UserError: there is none, it cannot be read, or it has no such columns.
    """
    found = next((path for path in (folder / INDEX, folder.parent / INDEX) if path.is_file()), None)
    if found is None:
        raise UserError(f"{folder} has no {INDEX}, in it or beside it, which says what its photos show")
    try:
        with found.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{found} is no table of tab-separated values ({error})") from error
    if not rows or not all(row.get("file") and row.get("tag") for row in rows):
        raise UserError(f"{found} needs the columns file and tag in every line")
    return {Path(row["file"]).name: row["tag"] for row in rows}
