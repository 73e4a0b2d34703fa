"""Finding datasets below a root: folders by their patterns, files by their suffixes, then pairs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path

from anyir.model.data.dataset_registry import DATASETS, GENERIC, DatasetInfo, Kept, Layout, find_dataset_info
from anyir.model.data.kept import choose_kept
from anyir.model.data.pairing import Pair, match_files, stem_key
from anyir.model.data.photo_bank import PHOTO_SUFFIXES, is_photo
from anyir.model.errors import UserError


@dataclass
class Dataset:
    """One split of one dataset, as it was found; nothing has been decoded.

    Attributes:
        name: its key in ``DATASETS``.
        split: ``train`` or ``test``.
        folder: the folder that all its files lie below.
        pairs: its photos, sorted by name; those that are kept for judging by their tags, first by tag.
        without_clean: degraded files without a partner.
        without_degraded: clean files without a partner.
        ambiguous: degraded files that several clean ones fit equally, with these.
        notes: what to know of its figures, one line each.
    """

    name: str
    split: str
    folder: Path
    pairs: list[Pair] = field(default_factory=list)
    without_clean: list[Path] = field(default_factory=list)
    without_degraded: list[Path] = field(default_factory=list)
    ambiguous: list[tuple[Path, list[Path]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def info(self) -> DatasetInfo:
        return DATASETS[self.name]

    @property
    def is_paired(self) -> bool:
        alone = self.without_clean or self.ambiguous
        return bool(alone) or any(pair.degraded is not None for pair in self.pairs)

    def check_partners(self) -> None:
        """Raises UserError: degraded photos without a clean partner, or with several; the first is named."""
        count = len(self.pairs) + len(self.without_clean) + len(self.ambiguous)
        see = f"see anyir data check {self.folder}"
        if self.without_clean:
            raise UserError(
                f"{len(self.without_clean)} of {count} degraded photos of {self.name} have no clean partner; "
                f"first: {self.without_clean[0]}; {see}"
            )
        if self.ambiguous:
            raise UserError(
                f"{len(self.ambiguous)} of {count} degraded photos of {self.name} fit several clean ones; "
                f"first: {describe_ambiguous(*self.ambiguous[0])}; {see}"
            )


def describe_ambiguous(degraded: Path, clean: list[Path]) -> str:
    """A degraded photo and the clean ones of which nothing tells which is its own."""
    return f"{degraded} fits {' and '.join(map(str, clean))}"


def find_dataset(name: str, split: str, *roots: Path) -> Dataset:
    """One split of a dataset below one of the roots, or in a root itself.

    It is looked for by its folders' names in all roots first. Failing that, a root of the right shape is
    what it is said to be, whatever its name, unless it is known to be the other split.

    Raises:
        UserError: an unknown name, a dataset without that split, no root that is a folder, or nothing
            there; the message says where it was looked for.
    """
    info = find_dataset_info(name)
    layouts: tuple[Layout, ...] = getattr(info, split)
    other = "train" if split == "test" else "test"
    if not layouts:
        raise UserError(f"{name} has no {split} split, only {other}")
    folders = [root for root in roots if root.is_dir()]
    if not folders:
        raise UserError(f"{roots[0]} is not a folder" if roots else f"no folder to look for {name} in")
    shapes = [Layout(".", layout.clean, layout.degraded) for layout in layouts if layout.clean != "**"]
    if info.kind:
        shapes += DATASETS["pairs"].test
    nameless = [f for f in folders if not _first_of(name, other, f, getattr(info, other))]
    found = (_first_of(name, split, folder, layouts) for folder in folders)
    shaped = (_first_of(name, split, folder, shapes) for folder in nameless)
    for dataset in chain(found, shaped):
        if dataset:
            return dataset
    places = "; ".join(_describe(layout) for layout in layouts)
    where = ", ".join(map(str, folders))
    raise UserError(f"no {split} photos of {name} below {where}; looked for {places}")


def _first_of(name: str, split: str, root: Path, layouts: Iterable[Layout]) -> Dataset | None:
    return next((d for layout in layouts if (d := _read_layout(name, split, root, layout))), None)


def find_splits(name: str, root: Path) -> list[Dataset]:
    """The splits of a dataset that lie below ``root``, at least one.

    A folder that is recognised by its shape alone counts as the test split.

    Raises:
        UserError: an unknown name, or neither split is there.
    """
    found: list[Dataset] = []
    missing: list[str] = []
    for split in ("test", "train"):
        if not getattr(find_dataset_info(name), split):
            continue
        try:
            dataset = find_dataset(name, split, root)
        except UserError as error:
            missing.append(str(error))
        else:
            if all(dataset.pairs != other.pairs for other in found):
                found.append(dataset)
    if not found:
        raise UserError("; ".join(dict.fromkeys(missing)))
    return found


def find_all(root: Path) -> list[Dataset]:
    """Every dataset below ``root``; a folder of pairs or of photos if it is none that is known.

    Raises:
        UserError: a root that is no folder or holds no photos.
    """
    if not root.is_dir():
        raise UserError(f"{root} is not a folder")
    found: list[Dataset] = []
    for name, info in DATASETS.items():
        for split in ("train", "test"):
            layouts: tuple[Layout, ...] = getattr(info, split)
            if name not in GENERIC and (dataset := _first_of(name, split, root, layouts)):
                found.append(dataset)
    for name in GENERIC:
        if not found and (dataset := _read_layout(name, "test", root, DATASETS[name].test[0])):
            found.append(dataset)
    if not found:
        raise UserError(f"no photos below {root} ({', '.join(sorted(PHOTO_SUFFIXES))})")
    return found


def count_others(root: Path, found: list[Dataset]) -> dict[Path, int]:
    """Photos below ``root`` that are in none of the datasets found there, by the folder right below it."""
    known = {path for dataset in found for pair in dataset.pairs for path in (pair.clean, pair.degraded)}
    known |= {path for each in found for path in (*each.without_clean, *each.without_degraded)}
    known |= {path for each in found for bad, fits in each.ambiguous for path in (bad, *fits)}
    others: dict[Path, int] = {}
    for path in _images(root):
        if path not in known:
            below = path.relative_to(root).parts
            folder = root / below[0] if len(below) > 1 else root
            others[folder] = others.get(folder, 0) + 1
    return others


def _describe(layout: Layout) -> str:
    if layout.degraded:
        return f"{layout.base}/{{{layout.degraded}}} with {{{layout.clean}}}"
    return layout.base + ("" if layout.files == "*" else f"/{layout.files}")


def _read_layout(name: str, split: str, root: Path, layout: Layout) -> Dataset | None:
    info = DATASETS[name]
    bases = _bases(root, layout.base)
    dataset = Dataset(name, split, bases[0] if len(bases) == 1 else root)
    for base in bases:
        if not layout.degraded:
            deep = layout.clean == "**"
            files = [p for p in _images(base, deep=deep) if fnmatchcase(p.name.lower(), layout.files)]
            dataset.pairs += [Pair(path) for path in files]
            continue
        folders = {folder: list(_images(folder)) for folder in _expand(base, layout.degraded)}
        clean_folder = next(_expand(base, layout.clean), None)
        if not folders or clean_folder is None:
            continue
        clean = list(_images(clean_folder, deep=layout.clean != "."))
        if layout.clean == ".":
            clean = _without_copies(clean, {path.name for degraded in folders.values() for path in degraded})
        unused = set(clean)
        for folder, degraded in folders.items():
            matching = match_files(degraded, clean, below=(folder, clean_folder), reside=info.reside)
            kind = info.kinds.get(folder.name.lower(), info.kind)
            dataset.pairs += [Pair(good, bad, kind) for bad, good in matching.pairs]
            dataset.without_clean += matching.without_clean
            dataset.ambiguous += matching.ambiguous
            unused.intersection_update(matching.without_degraded)
        dataset.without_degraded += sorted(unused)
    if layout.kept and dataset.pairs:
        _split(dataset, layout.kept)
    return dataset if dataset.pairs or dataset.without_clean or dataset.ambiguous else None


def _split(dataset: Dataset, rule: Kept) -> None:
    """Leave only the photos of the dataset's split."""
    there = len(dataset.pairs)
    kept = choose_kept(dataset.pairs, rule, dataset.folder)
    others = [pair for pair in dataset.pairs if pair not in kept]
    dataset.pairs = kept if dataset.split == "test" else others
    if there != rule.of:
        dataset.notes.append(
            f"{dataset.name}: {there} photos in {dataset.folder} where {rule.of} are due; "
            "those that are kept for judging may be others"
        )


def _without_copies(clean: list[Path], degraded: set[str]) -> list[Path]:
    """Rain100L's folder may hold ``rain-1`` beside ``norain-1``, and again in ``rainy/``: it is not clean."""
    others = {stem_key(path.stem) for path in clean if path.name not in degraded}
    return [path for path in clean if path.name not in degraded or stem_key(path.stem) not in others]


def _bases(root: Path, pattern: str) -> list[Path]:
    """The folders that ``pattern`` means, ``root`` being any of the folders on the way to them.

    With ``test/derain/Rain100L`` the user may name the folder above ``test``, ``test`` itself, ...
    """
    parts = pattern.split("/")
    above = [part.lower() for part in root.resolve().parts]
    for done in range(len(parts), -1, -1):
        fits = done <= len(above) and all(
            _fits(part, name) for part, name in zip(parts[:done], above[len(above) - done :], strict=True)
        )
        if fits and (found := list(_expand(root, "/".join(parts[done:])))):
            return found
    return []


def _fits(part: str, name: str) -> bool:
    return any(fnmatchcase(name, option.lower()) for option in part.split("|"))


def _expand(folder: Path, pattern: str) -> Iterator[Path]:
    """Folders below ``folder`` along a pattern, sorted; the pattern's order does not matter."""
    part, _, rest = pattern.partition("/")
    if part in ("", "."):
        yield folder
        return
    for child in sorted(folder.iterdir()):
        if _fits(part, child.name.lower()) and child.is_dir():
            yield from _expand(child, rest)


def _images(folder: Path, *, deep: bool = True) -> Iterator[Path]:
    """Images in a folder, sorted, hidden ones left out; with those of its subfolders if ``deep``."""
    for path in sorted(folder.rglob("*") if deep else folder.iterdir()):
        if is_photo(path, folder):
            yield path
