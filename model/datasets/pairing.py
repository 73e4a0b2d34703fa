"""Which clean photo belongs to which degraded one, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
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
    """

    pairs: list[tuple[Path, Path]]
    without_clean: list[Path]
    without_degraded: list[Path]


def match_files(degraded: Iterable[Path], clean: Iterable[Path]) -> Matching:
    """Pair files by ``stem_key``, and by ``reside_id`` where that fails.

    Of several clean files with one key the first is taken.
    """
    clean = list(clean)
    by_key: dict[str, Path] = {}
    by_id: dict[str, Path] = {}
    for path in clean:
        by_key.setdefault(stem_key(path.stem), path)
        # MIR-L's copies of RESIDE have one clean file a hazy one, under the hazy one's name.
        if (photo := reside_id(path.stem)) is not None:
            by_id.setdefault(photo, path)
    result = Matching([], [], [])
    used: set[Path] = set()
    for path in degraded:
        photo = reside_id(path.stem)
        partner = by_key.get(stem_key(path.stem))
        if partner is None and photo is not None:
            partner = by_key.get(photo) or by_id.get(photo)
        if partner is None:
            result.without_clean.append(path)
        else:
            result.pairs.append((path, partner))
            used.add(partner)
    result.without_degraded = [path for path in clean if path not in used]
    return result
