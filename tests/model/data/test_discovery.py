"""Datasets are recognised by their folders and paired by their names."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from anyir.model.data.dataset_registry import DATASETS, DatasetInfo, Layout
from anyir.model.data.discovery import count_others, find_all, find_dataset, find_splits
from anyir.model.data.pairing import match_files, reside_id, stem_key
from anyir.model.errors import UserError
from tests.helpers import datasets as made

SAMPLES = Path(__file__).parents[4] / "shared" / "data"


def counts(root):
    return {(found.name, found.split): len(found.pairs) for found in find_all(root)}


def test_promptir_tree(tmp_path):
    assert counts(made.promptir(tmp_path)) == {
        ("bsd400", "train"): 2,
        ("wed", "train"): 1,
        ("cbsd68", "test"): 1,
        ("rain100l", "train"): 2,
        ("rain100l", "test"): 1,
        ("ots", "train"): 3,
        ("sots", "test"): 2,
        ("gopro", "train"): 1,
        ("gopro", "test"): 1,
        ("lol", "train"): 1,
        ("lol", "test"): 1,
    }
    rain = find_dataset("rain100l", "train", tmp_path)
    assert [(p.degraded.name, p.clean.name, p.kind) for p in rain.pairs] == [
        ("rain-1.png", "norain-1.png", "rain"),
        ("rain-2.png", "norain-2.png", "rain"),
    ]
    assert not rain.without_clean + rain.without_degraded


def test_moce_ir_tree(tmp_path):
    found = counts(made.moce_ir(tmp_path))
    assert found == {
        ("bsd400", "train"): 1,
        ("wed", "train"): 1,
        ("cbsd68", "test"): 1,
        ("rain100l", "train"): 1,
        ("rain100l", "test"): 1,
        ("ots", "train"): 2,
        ("sots", "test"): 1,
        ("gopro", "train"): 1,
        ("gopro", "test"): 1,
        ("lol", "train"): 1,
        ("lol", "test"): 1,
        ("cdd11", "train"): 22,
        ("cdd11", "test"): 11,
    }
    mixed = find_dataset("cdd11", "test", tmp_path)
    assert {p.degraded.parent.name: p.kind for p in mixed.pairs}["low_haze_rain"] == "low_light+haze+rain"
    assert len({p.kind for p in mixed.pairs}) == 11


def test_mir_l_tree(tmp_path):
    marks = [("rain-101_rainy.png", "rain-101_gt.png")]
    made.write_pairs(tmp_path / "train/derain/Rain100L", "input", "target", marks)
    hazy = [("0001_0.8_0.2_hazy.jpg", "0001_0.8_0.2_gt.png"), ("0001_1_0.2_hazy.jpg", "0001_1_0.2_gt.png")]
    made.write_pairs(tmp_path / "test/dehaze/SOTS", "input", "target", hazy)
    made.write(tmp_path / "train/denoise/WED/00007.bmp", made.photo())
    assert counts(tmp_path) == {("wed", "train"): 1, ("rain100l", "train"): 1, ("sots", "test"): 2}


def test_trees_as_published(tmp_path):
    frames = [("000047.png", "000047.png")]
    for scene in ("GOPR0372_07_00", "GOPR0374_11_00"):
        made.write_pairs(tmp_path / "GOPRO_Large/train" / scene, "blur", "sharp", frames)
        made.write(tmp_path / "GOPRO_Large/train" / scene / "blur_gamma/000047.png", made.photo())
    made.write_pairs(tmp_path / "lol_dataset/our485", "low", "high", [("2.png", "2.png")])
    made.write_pairs(tmp_path / "lol_dataset/eval15", "low", "high", [("1.png", "1.png")])
    made.write_pairs(tmp_path / "Rain100L", "rainy", ".", [("rain-001.png", "norain-001.png")])
    made.write_pairs(tmp_path / "OTS_BETA", "hazy", "clear", [("0005_0.85_0.04.jpg", "0005.jpg")])
    made.cdd11(tmp_path / "CDD-11_test", 1)
    made.csd(tmp_path)
    assert counts(tmp_path) == {
        ("rain100l", "test"): 1,
        ("ots", "train"): 1,
        ("gopro", "train"): 2,
        ("lol", "train"): 1,
        ("lol", "test"): 1,
        ("csd", "train"): 2,
        ("csd", "test"): 1,
        ("cdd11", "test"): 11,
    }
    gopro = find_dataset("gopro", "train", tmp_path)
    assert all(p.degraded.parents[1] == p.clean.parents[1] for p in gopro.pairs)


@pytest.mark.parametrize("below", ["", "test", "test/derain", "test/derain/Rain100L"])
def test_any_folder_on_the_way_may_be_the_root(tmp_path, below):
    made.promptir(tmp_path)
    assert len(find_dataset("rain100l", "test", tmp_path / below).pairs) == 1


def test_a_folder_of_the_right_shape_is_what_it_is_said_to_be(tmp_path):
    made.write_pairs(tmp_path / "mine", "input", "gt", [("a.png", "a.png")])
    assert find_dataset("rain100l", "test", tmp_path / "mine").pairs[0].kind == "rain"
    made.write(tmp_path / "cats/a.png", made.photo())
    assert len(find_dataset("cbsd68", "test", tmp_path / "cats").pairs) == 1
    assert counts(tmp_path / "mine") == {("pairs", "test"): 1}
    assert counts(tmp_path / "cats") == {("photos", "test"): 1}
    assert len(find_dataset("photos", "train", tmp_path).pairs) == 3


def test_hidden_files_and_other_files_are_left_out(tmp_path):
    made.write(tmp_path / "a.png", made.photo())
    made.write(tmp_path / "._a.png", made.photo())
    made.write(tmp_path / ".thumbnails/b.png", made.photo())
    (tmp_path / "Thumbs.db").write_text("x")
    (tmp_path / "list.txt").write_text("x")
    assert [p.name for p in find_dataset("photos", "test", tmp_path).pairs] == ["a.png"]


def test_what_is_not_there_is_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="unknown dataset 'rain'; known: bsd400, wed"):
        find_dataset("rain", "test", tmp_path)
    with pytest.raises(UserError, match="ots has no test split, only train"):
        find_dataset("ots", "test", tmp_path)
    with pytest.raises(UserError, match=r"no test photos of sots below .*empty; looked for test/dehaze"):
        find_dataset("sots", "test", tmp_path / "empty")
    with pytest.raises(UserError, match="no photos below"):
        find_all(tmp_path / "empty")
    with pytest.raises(UserError, match="is not a folder"):
        find_all(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"no test photos of lol .*; no train photos of lol "):
        find_splits("lol", tmp_path / "empty")


def test_photos_in_no_dataset_are_counted_by_folder(tmp_path):
    root = made.promptir(tmp_path)
    assert count_others(root, find_all(root)) == {}
    for name in ("a.png", "deeper/one.png", "deeper/still/two.png", ".hidden.png"):
        made.write(root / name, made.photo())
    assert count_others(root, find_all(root)) == {root: 1, root / "deeper": 2}


def test_files_without_a_partner_are_kept_apart(tmp_path):
    made.write_pairs(tmp_path, "input", "target", [("1.png", "1.png"), ("2.png", "2.png")])
    (tmp_path / "target/2.png").unlink()
    made.write(tmp_path / "target/3.png", made.photo())
    found = find_dataset("pairs", "test", tmp_path)
    assert [p.name for p in found.pairs] == ["1.png"]
    assert [p.name for p in found.without_clean] == ["2.png"]
    assert [p.name for p in found.without_degraded] == ["3.png"]


def test_equal_names_belong_together_whatever_marks_they_bear(tmp_path):
    names = ["beach.png", "beach_clear.png", "beach_snow.png", "nosnow.png", "snow.png"]
    made.write_pairs(tmp_path, "input", "target", [(name, name) for name in names])
    found = find_dataset("pairs", "test", tmp_path)
    assert [(p.degraded.name, p.clean.name) for p in found.pairs] == [(name, name) for name in names]
    for name in ("beach_snow.png", "nosnow.png"):
        (tmp_path / "target" / name).unlink()
    found = find_dataset("pairs", "test", tmp_path)
    assert [(p.degraded.name, p.clean.name) for p in found.pairs] == [
        (name, name) for name in ("beach.png", "beach_clear.png", "snow.png")
    ]
    assert [p.name for p in found.without_clean] == ["beach_snow.png", "nosnow.png"]


def test_equal_names_in_folders_belong_together(tmp_path):
    names = [(f"{scene}/1.png", f"{scene}/1.png") for scene in ("a", "b", "c")]
    made.write_pairs(tmp_path, "input", "target", names)
    (tmp_path / "target/b/1.png").unlink()
    found = find_dataset("pairs", "test", tmp_path)
    assert [p.degraded.parent.name for p in found.pairs] == ["a", "c"]
    assert [p.clean.parent.name for p in found.pairs] == ["a", "c"]
    assert found.without_clean == [tmp_path / "input/b/1.png"]


def test_a_photo_that_several_clean_ones_fit_is_not_paired(tmp_path):
    names = [("beach_snow.png", "beach_gt.png"), ("2.png", "2.png"), ("beach_snow.png", "beach_clear.png")]
    made.write_pairs(tmp_path, "input", "target", [*names, ("2.png", "2.jpg")])
    found = find_dataset("pairs", "test", tmp_path)
    assert not found.pairs + found.without_clean
    fits = {bad.name: [path.name for path in clean] for bad, clean in found.ambiguous}
    assert fits == {"2.png": ["2.jpg", "2.png"], "beach_snow.png": ["beach_clear.png", "beach_gt.png"]}
    assert count_others(tmp_path, [found]) == {}
    reason = (
        r"2 of 2 degraded photos of pairs fit several clean ones; first: .*2.png fits .*2.jpg and .*2.png;"
    )
    with pytest.raises(UserError, match=reason):
        found.check_partners()


def test_frames_that_look_like_hazy_names_have_their_own_partners(tmp_path):
    """``scene_1_2`` is no ``<id>_<A>_<beta>`` but in RESIDE."""
    frames = [(f"scene_1_{number}.png", f"scene_1_{number}.png") for number in range(1, 5)]
    made.write_pairs(tmp_path, "input", "target", frames)
    (tmp_path / "target/scene_1_2.png").unlink()
    for name in ("pairs", "gopro"):
        found = find_dataset(name, "test", tmp_path)
        assert [p.degraded.name for p in found.pairs] == [f"scene_1_{number}.png" for number in (1, 3, 4)]
        assert [p.name for p in found.without_clean] == ["scene_1_2.png"]
    assert len(find_dataset("sots", "test", tmp_path).pairs) == 4


def test_rainy_photos_beside_the_clean_ones_are_not_taken_for_clean(tmp_path):
    made.write_pairs(tmp_path / "Rain100L", "rainy", ".", [("rain-1.png", "norain-1.png")])
    made.write(tmp_path / "Rain100L/rain-1.png", made.degraded())
    (pair,) = find_dataset("rain100l", "test", tmp_path).pairs
    assert pair.clean.name == "norain-1.png"
    made.write_pairs(tmp_path / "own/Rain100L", "rainy", ".", [("1.png", "1.png")])
    (pair,) = find_dataset("rain100l", "test", tmp_path / "own").pairs
    assert (pair.degraded.parent.name, pair.clean.parent.name) == ("rainy", "Rain100L")


def test_real_samples():
    if not SAMPLES.is_dir():
        pytest.skip("no sample data beside the repository")
    assert counts(SAMPLES / "samples") == {("rain100l", "test"): 2, ("sots", "test"): 2}
    hazy = find_dataset("sots", "test", SAMPLES / "samples").pairs[0]
    assert (hazy.degraded.name, hazy.clean.name) == ("0001_0.8_0.2.jpg", "0001.png")
    assert len(find_dataset("cbsd68", "test", SAMPLES).pairs) == DATASETS["cbsd68"].count


names = st.text("abcdefgh0123456789-", min_size=1, max_size=8)
numbers = st.floats(0.01, 9.99).map(lambda value: f"{value:g}")


@given(st.lists(names.map(stem_key).filter(bool), unique=True, max_size=6), numbers, numbers)
def test_every_hazy_name_finds_its_clean_photo(ids, a, beta):
    clean = [Path(f"{photo}.png") for photo in ids]
    hazy = [Path(f"{photo}_{a}_{beta}.jpg") for photo in ids]
    matching = match_files(hazy, clean, reside=True)
    assert matching.pairs == list(zip(hazy, clean, strict=True))
    assert not matching.without_clean + matching.without_degraded
    assert all(reside_id(path.stem) == photo for path, photo in zip(hazy, ids, strict=True))


@given(st.lists(names, unique_by=stem_key), st.sets(st.integers(0, 20)))
def test_nothing_is_lost_and_nothing_is_paired_twice(ids, gone):
    degraded = [Path("in") / f"{photo}.png" for photo in ids]
    clean = [Path("gt") / f"{photo}_gt.png" for place, photo in enumerate(ids) if place not in gone]
    matching = match_files(degraded, clean)
    assert [pair[0] for pair in matching.pairs] + matching.without_clean == sorted(
        degraded, key=lambda path: path in matching.without_clean
    )
    assert {pair[1] for pair in matching.pairs} | set(matching.without_degraded) == set(clean)
    assert all(stem_key(bad.stem) == stem_key(good.stem) for bad, good in matching.pairs)


marked = st.lists(
    st.sampled_from(["no", "snow", "rain", "_gt", "_snow", "-1", "_1_2"]), min_size=1, max_size=4
)


@given(st.lists(marked.map("".join), unique=True, max_size=8), st.sets(st.integers(0, 8)))
def test_among_equal_names_no_other_photo_takes_a_missing_ones_place(stems, gone):
    degraded = [Path("in") / f"{stem}.png" for stem in stems]
    clean = [Path("gt") / path.name for place, path in enumerate(degraded) if place not in gone]
    matching = match_files(degraded, clean, below=(Path("in"), Path("gt")))
    assert matching.pairs == [(Path("in") / path.name, path) for path in clean]
    assert matching.without_clean == [path for place, path in enumerate(degraded) if place in gone]
    assert not matching.without_degraded + matching.ambiguous


@pytest.mark.parametrize(
    ("degraded", "clean"),
    [
        ("rain-001", "norain-001"),
        ("rain-101_rainy", "rain-101_gt"),
        ("0001_0.8_0.2_hazy", "0001_0.8_0.2_gt"),
        ("IMG_7", "img_7"),
    ],
)
def test_names_that_people_have(degraded, clean):
    assert stem_key(degraded) == stem_key(clean)


def test_names_in_any_root_come_before_shapes(tmp_path):
    roots = [made_pairs(tmp_path / name) for name in ("SOTS", "Rain100L")]
    for order in (roots, roots[::-1]):
        assert find_dataset("rain100l", "test", *order).folder == roots[1]
        assert find_dataset("sots", "test", *order).folder == roots[0]


def test_a_known_test_split_is_not_taken_for_training(tmp_path):
    folder = made_pairs(tmp_path / "test" / "derain" / "Rain100L")
    assert len(find_dataset("rain100l", "test", folder).pairs) == 1
    with pytest.raises(UserError, match="no train photos of rain100l below"):
        find_dataset("rain100l", "train", folder)


def made_pairs(folder):
    for side in ("input", "target"):
        (folder / side).mkdir(parents=True)
        Image.new("RGB", (16, 16)).save(folder / side / "1.png")
    return folder


def test_one_entry_adds_a_dataset(tmp_path, monkeypatch):
    made.write_pairs(tmp_path / "Dust100/test", "dusty", "clean", [("1.png", "1.png"), ("2.png", "2.png")])
    entry = DatasetInfo("Dust100", "haze", test=(Layout("Dust100/test", "clean", "dusty"),), count=2)
    monkeypatch.setitem(DATASETS, "dust100", entry)
    assert [pair.kind for pair in find_dataset("dust100", "test", tmp_path).pairs] == ["haze", "haze"]
    assert counts(tmp_path)["dust100", "test"] == 2
    with pytest.raises(UserError, match=r"known: .*dust100"):
        find_dataset("sand", "test", tmp_path)
