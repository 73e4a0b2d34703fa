"""Looking through a dataset before it is used: partners, sizes, files that cannot be decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anyir.model.data.decode import BadPhoto, check_sizes, read_pixels
from anyir.model.data.discovery import Dataset, describe_ambiguous
from anyir.model.data.pairing import Pair


@dataclass
class DatasetCheck:
    """What was found out about one split of one dataset; paths as text, problems as lines.

    Attributes:
        pairs: how many pairs, or clean photos, it has.
        kinds: how many of each degradation.
        expected: photos in the published split, or 0 where that is not known.
        without_clean: degraded files that have no clean partner.
        without_degraded: clean files that no degraded one belongs to; no harm.
        ambiguous: degraded files that several clean ones fit equally.
        differ: pairs whose sizes differ.
        unreadable: files that cannot be decoded.
        deep: files with 16 bits a value.
        smallest: width and height of the smallest photo by its shorter side.
    """

    dataset: str
    title: str
    split: str
    folder: str
    paired: bool
    pairs: int
    expected: int
    kinds: dict[str, int]
    without_clean: list[str]
    without_degraded: list[str]
    ambiguous: list[str]
    differ: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    deep: int = 0
    smallest: tuple[int, int] | None = None

    @property
    def problems(self) -> int:
        return sum(map(len, (self.without_clean, self.ambiguous, self.differ, self.unreadable)))

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "problems": self.problems}


def check_dataset(
    dataset: Dataset, *, workers: int = 4, on_photo: Callable[[], None] = lambda: None
) -> DatasetCheck:
    """Decode every file of a dataset once and compare the sizes of its pairs.

    Args:
        dataset: what ``find_all`` or ``find_dataset`` found.
        workers: threads; Pillow decodes outside Python's lock.
        on_photo: called after every file.
    """
    result = DatasetCheck(
        dataset=dataset.name,
        title=dataset.info.title,
        split=dataset.split,
        folder=str(dataset.folder),
        paired=dataset.is_paired,
        pairs=len(dataset.pairs),
        expected=dataset.info.count if dataset.split == "test" else 0,
        kinds=dict(Counter(pair.kind for pair in dataset.pairs if pair.kind)),
        without_clean=[str(path) for path in dataset.without_clean],
        without_degraded=[str(path) for path in dataset.without_degraded],
        ambiguous=[describe_ambiguous(*each) for each in dataset.ambiguous],
    )
    shapes: dict[Path, tuple[int, ...]] = {}
    with ThreadPoolExecutor(workers) as pool:
        for path, shape in pool.map(_shape, files_of(dataset)):
            if isinstance(shape, str):
                result.unreadable.append(shape)
            else:
                shapes[path] = shape[:2]
                result.deep += shape[2]
            on_photo()
    for pair in dataset.pairs:
        _compare(pair, shapes, result)
    sizes = [(width, height) for height, width in shapes.values()]
    result.smallest = min(sizes, key=min, default=None)
    return result


def files_of(dataset: Dataset) -> list[Path]:
    """Every file of a dataset once: many degraded photos may share a clean one."""
    pairs = ((pair.degraded, pair.clean) for pair in dataset.pairs)
    return list(dict.fromkeys(path for pair in pairs for path in pair if path is not None))


def _shape(path: Path) -> tuple[Path, tuple[int, int, bool] | str]:
    """(height, width, whether it has 16 bits), or what is wrong with the file."""
    try:
        pixels = read_pixels(path)
    except BadPhoto as error:
        return path, str(error)
    return path, (pixels.shape[0], pixels.shape[1], pixels.dtype.itemsize == 2)


def _compare(pair: Pair, shapes: dict[Path, tuple[int, ...]], result: DatasetCheck) -> None:
    if pair.degraded in shapes and pair.clean in shapes:
        try:
            check_sizes(pair, shapes[pair.degraded], shapes[pair.clean])
        except BadPhoto as error:
            result.differ.append(str(error))
