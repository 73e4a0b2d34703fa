"""Folders that hold both splits: which photos are kept for judging."""

import pytest

from anyir.model.data.discovery import find_dataset, find_splits
from anyir.model.errors import UserError
from tests.helpers import datasets as made

TAGS = ["people", "night", "text", "people"]


def polyu(root, count):
    names = [(f"{i:02d}.JPG", f"{i:02d}.JPG") for i in range(count)]
    made.write_pairs(root / "pairs/polyu", "input", "target", names, size=16)


def collection(root, count=12, one_missing=False):
    lines = ["file\ttag"]
    for i in range(count):
        made.write(root / f"train/photos/{i:02d}.png", made.photo(i, 16))
        if not (one_missing and i == 3):
            lines.append(f"photos/{i:02d}.png\t{TAGS[i % 4]}")
    (root / "train/index.tsv").write_text("\n".join(lines) + "\n")


def test_the_last_pairs_by_name_are_judged_and_the_others_trained_on(tmp_path):
    polyu(tmp_path, 75)
    test, train = (find_dataset("polyu", split, tmp_path) for split in ("test", "train"))
    assert [pair.name for pair in test.pairs] == [f"{i}.JPG" for i in range(60, 75)]
    assert [pair.name for pair in train.pairs] == [f"{i:02d}.JPG" for i in range(60)]
    assert not test.notes + train.notes
    assert {(each.split, len(each.pairs)) for each in find_splits("polyu", tmp_path)} == {
        ("test", 15),
        ("train", 60),
    }


def test_a_folder_of_another_count_is_named(tmp_path):
    polyu(tmp_path, 20)
    (note,) = find_dataset("polyu", "test", tmp_path).notes
    assert "polyu: 20 photos in" in note
    assert "where 75 are due; those that are kept for judging may be others" in note


def test_pairs_of_ones_own_are_all_judged(tmp_path):
    made.write_pairs(tmp_path / "mine", "input", "target", [("1.png", "1.png"), ("2.png", "2.png")], size=16)
    assert len(find_dataset("polyu", "test", tmp_path / "mine").pairs) == 2


def test_the_kept_photos_are_spread_over_the_tags(tmp_path, monkeypatch):
    from anyir.model.data import dataset_registry, discovery

    rule = dataset_registry.Kept(4, of=12, by_tag=True)
    layout = dataset_registry.Layout("train/photos", "**", kept=rule)
    info = dataset_registry.DatasetInfo("collection", train=(layout,), test=(layout,))
    monkeypatch.setitem(discovery.DATASETS, "collection", info)
    collection(tmp_path)
    test, train = (find_dataset("collection", split, tmp_path) for split in ("test", "train"))
    # In the order of their tags: night 1 5 9, people 0 3 4 7 8 11, text 2 6 10; every third from 1 on.
    assert [pair.name for pair in test.pairs] == ["05.png", "03.png", "08.png", "06.png"]
    assert [TAGS[int(pair.clean.stem) % 4] for pair in test.pairs] == [
        "night",
        "people",
        "people",
        "text",
    ]
    assert {p.clean for p in test.pairs} | {p.clean for p in train.pairs} == set(
        (tmp_path / "train/photos").iterdir()
    )
    assert len(train.pairs) == 8


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (None, "photos has no index.tsv, in it or beside it"),
        ("file\tlicence\na\tMIT\n", "index.tsv needs the columns file and tag in every line"),
        ("", "index.tsv needs the columns file and tag"),
        (b"\xff\xfe\x00", "index.tsv is no table of tab-separated values"),
    ],
)
def test_an_index_that_cannot_be_used_is_one_line(tmp_path, index, message):
    made.write(tmp_path / "train/photos/1.png", made.photo(0, 16))
    if index is not None:
        data = index if isinstance(index, bytes) else index.encode()
        (tmp_path / "train/index.tsv").write_bytes(data)
    with pytest.raises(UserError, match=message):
        find_dataset("collection", "test", tmp_path)
