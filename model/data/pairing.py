"""Which clean photo belongs to which degraded one, by their names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

_MARKS = re.compile(
    r"[-_ ](rainy|rain|hazy|haze|blurry|blur|snowy|snow|noisy|low|input|gt|clean|clear|target)$"
)
_RESIDE = re.compile(r"(.+?)_\d*\.?\d+_\d*\.?\d+")


@dataclass(frozen=True)
class Pair:
    """A photo of a dataset.

    Attributes:
        clean: the clean photo.
        degraded: the same photo degraded; None in a dataset of clean photos.
        kind: the degradation, as ``degrade`` names it; empty for clean photos and where it is unknown.
    """

    clean: Path
    degraded: Path | None = None
    kind: str = ""

    @property
    def name(self) -> str:
        """The file that the network is given, or is degraded for it."""
        return (self.degraded or self.clean).name


def stem_key(stem: str) -> str:
    """What a degraded photo's name and its partner's have in common.

    ``rain-001``/``norain-001``, ``rain-5_rainy``/``rain-5_gt``, and any two equal names.
    """
    key = _MARKS.sub("", stem.lower())
    return key.removeprefix("no") if key.startswith(("norain", "nohaze", "nosnow")) else key


def reside_id(stem: str) -> str | None:
    """The photo's id in RESIDE's ``<id>_<A>_<beta>``, of which many belong to one clean photo; or None."""
    match = _RESIDE.fullmatch(stem_key(stem))
    return match[1] if match else None


@dataclass
class Matching:
    """The outcome of pairing two lists of files.

    Attributes:
        pairs: (degraded, clean), in the order of the degraded files.
        without_clean: degraded files that no clean one belongs to.
        without_degraded: clean files that no degraded one belongs to.
        ambiguous: degraded files that several clean ones fit equally, with these.
    """

    pairs: list[tuple[Path, Path]]
    without_clean: list[Path]
    without_degraded: list[Path]
    ambiguous: list[tuple[Path, list[Path]]]


def match_files(
    degraded: Iterable[Path],
    clean: Iterable[Path],
    *,
    below: tuple[Path, Path] = (Path(), Path()),
    reside: bool = False,
) -> Matching:
    """Pair files by their names: equal ones first, then equal but for case, then by ``stem_key``.

    Each time those in equal folders come first: ``1.png`` may lie in many. A clean file that has found its
    partner is not given to a name that is less like its own, whose partner is missing.

    Args:
        degraded: paths below the first folder of ``below``.
        clean: paths below the second.
        reside: whether what is left is paired by ``reside_id``, many degraded files with one clean file.
    """
    degraded, clean = list(degraded), list(clean)
    found: dict[Path, list[Path]] = {}
    free = clean
    forms: tuple[Callable[[str], str], ...] = (str, str.lower, stem_key)
    for form, with_folder in product(forms, (True, False)):
        by_key = _group(free, partial(_key, below[1], form, with_folder))
        for path in degraded:
            if path not in found and (fits := by_key.get(_key(below[0], form, with_folder, path))):
                found[path] = fits
        taken = {path for fits in found.values() for path in fits}
        free = [path for path in free if path not in taken]
    if reside:
        found |= _match_ids([path for path in degraded if path not in found], clean)
    used = {path for fits in found.values() for path in fits}
    return Matching(
        pairs=[(path, found[path][0]) for path in degraded if len(found.get(path, ())) == 1],
        without_clean=[path for path in degraded if path not in found],
        without_degraded=[path for path in clean if path not in used],
        ambiguous=[(path, found[path]) for path in degraded if len(found.get(path, ())) > 1],
    )


def _match_ids(hazy: list[Path], clean: list[Path]) -> dict[Path, list[Path]]:
    """The clean files of RESIDE's hazy ones: those named by the photo's id."""
    by_key = _group(clean, lambda path: stem_key(path.stem))
    by_id = _group(clean, lambda path: reside_id(path.stem))
    found: dict[Path, list[Path]] = {}
    for path in hazy:
        if (photo := reside_id(path.stem)) is not None:
            # MIR-L's copies have one clean file a hazy one, under its name: all of an id are one photo.
            found[path] = by_key.get(photo) or by_id.get(photo, [])[:1]
    return {path: fits for path, fits in found.items() if fits}


def _key(folder: Path, form: Callable[[str], str], with_folder: bool, path: Path) -> tuple[str, str]:
    inner = path.relative_to(folder).parent.as_posix().lower() if with_folder else ""
    return inner, form(path.stem)


def _group(paths: Iterable[Path], key: Callable[[Path], object]) -> dict[object, list[Path]]:
    groups: dict[object, list[Path]] = {}
    for path in paths:
        groups.setdefault(key(path), []).append(path)
    return groups
