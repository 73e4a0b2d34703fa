"""Grey, 16-bit and damaged files, and what ``anyir data check`` says of them."""

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from anyir.model.commands.data import run as data_command
from anyir.model.data.check import check_dataset
from anyir.model.data.decode import BadPhoto, check_sizes, read_float, read_pixels
from anyir.model.data.discovery import find_dataset
from anyir.model.data.pairing import Pair
from anyir.model.photo.pixels import to_8_bits
from tests.helpers import datasets as made


def test_grey_is_repeated_and_alpha_left_out(tmp_path):
    photo = made.photo()
    made.write(tmp_path / "grey.png", photo[..., 0])
    made.write(tmp_path / "alpha.png", np.dstack([photo, photo[..., :1]]))
    made.write(tmp_path / "grey_alpha.png", photo[..., :2])
    Image.fromarray(photo).convert("P").save(tmp_path / "palette.png")
    assert (read_pixels(tmp_path / "grey.png") == photo[..., :1]).all()
    assert (read_pixels(tmp_path / "alpha.png") == photo).all()
    assert (read_pixels(tmp_path / "grey_alpha.png") == photo[..., :1]).all()
    assert read_pixels(tmp_path / "palette.png").shape == photo.shape


@pytest.mark.parametrize("colours", [1, 3])
def test_16_bits_are_kept_for_evaluation_and_rounded_for_training(tmp_path, colours):
    deep = np.random.default_rng(0).integers(0, 65536, (20, 24, colours), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "deep.tif", deep if colours == 3 else deep[..., 0])
    pixels = read_pixels(tmp_path / "deep.tif")
    assert pixels.dtype == np.uint16
    assert (pixels == deep).all()
    exact = read_float(tmp_path / "deep.tif")[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(exact, np.broadcast_to(deep / 65535, exact.shape), atol=1e-7)
    assert (to_8_bits(pixels) == np.rint(deep / 65535 * 255)).all()


def test_avif_and_upright(tmp_path):
    Image.fromarray(made.photo()).save(tmp_path / "a.avif", quality=100)
    assert read_pixels(tmp_path / "a.avif").shape == (48, 48, 3)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(made.photo()[:24]).save(tmp_path / "turned.png", exif=exif)
    assert read_pixels(tmp_path / "turned.png").shape == (48, 24, 3)


def test_bad_pairs_name_their_files(tmp_path):
    good = made.write(tmp_path / "a.png", made.photo())
    small = made.write(tmp_path / "b.png", made.photo()[:40])
    with pytest.raises(BadPhoto, match=r"b.png and its clean partner .*a.png differ in size: 48x40 and"):
        check_sizes(Pair(good, small), (40, 48), (48, 48))
    check_sizes(Pair(good, small), (48, 48), (48, 48))
    with pytest.raises(BadPhoto, match=r"there is no file .*c.png"):
        read_pixels(tmp_path / "c.png")
    small.write_bytes(small.read_bytes()[:300])
    with pytest.raises(BadPhoto, match=r"b.png is damaged or cut short"):
        read_pixels(small)


@pytest.fixture
def faulty(tmp_path):
    """Five rain pairs: one whole, one cut short, one of another size, one of 16 bits, one alone."""
    names = [(f"{n}.png", f"{n}.png") for n in range(1, 6)]
    made.write_pairs(tmp_path, "input", "target", names)
    cut = tmp_path / "input/2.png"
    cut.write_bytes(cut.read_bytes()[:500])
    made.write(tmp_path / "target/3.png", made.photo(3, 40))
    Image.fromarray(np.full((48, 48), 40_000, np.uint16)).save(tmp_path / "target/4.png")
    (tmp_path / "target/5.png").unlink()
    return tmp_path


def test_a_check_finds_every_fault(faulty):
    seen = []
    check = check_dataset(find_dataset("rain100l", "test", faulty), on_photo=lambda: seen.append(1))
    assert check.pairs == 4
    assert len(seen) == 8
    assert check.expected == 100
    assert check.deep == 1
    assert check.smallest == (40, 40)
    assert [len(x) for x in (check.without_clean, check.differ, check.unreadable)] == [1, 1, 1]
    assert "input/2.png is damaged" in check.unreadable[0]
    assert "input/3.png" in check.differ[0]
    assert check.problems == 3


def run(anyir, *arguments):
    return anyir("data", "check", *arguments)


@pytest.fixture
def anyir(anyir, monkeypatch):
    from anyir.model import cli

    monkeypatch.setitem(cli.COMMANDS, "data", data_command.__module__)
    return anyir


def test_the_command_prints_counts_and_names_the_faults(anyir, faulty):
    code, out, err = run(anyir, faulty)
    assert code == 1
    assert out.startswith("pairs test: a folder of pairs, 4 pairs, in ")
    for line in ("1 without a clean partner:", "1 differ in size:", "1 cannot be read:", "1 files with"):
        assert f"  {line}" in out
    assert err == f"anyir: 3 problems in {faulty}\n"
    code, out, _ = run(anyir, faulty, "--dataset", "rain100l", "--json")
    assert code == 1
    (check,) = json.loads(out)
    assert check["without_clean"] == [str(faulty / "input/5.png")]


def test_the_command_names_what_fits_several(anyir, tmp_path):
    made.write_pairs(tmp_path, "input", "target", [("7_snow.png", "7_gt.png"), ("8.png", "8.png")])
    made.write(tmp_path / "target/7_clear.png", made.photo())
    code, out, err = run(anyir, tmp_path)
    assert (code, err) == (1, f"anyir: 1 problem in {tmp_path}\n")
    fits = [tmp_path / "target" / name for name in ("7_clear.png", "7_gt.png")]
    assert (
        f"  1 fit several clean photos:\n    {tmp_path / 'input/7_snow.png'} fits {fits[0]} and {fits[1]}"
        in out
    )


def test_the_command_on_a_whole_tree_and_on_nothing(anyir, tmp_path):
    made.promptir(tmp_path / "data")
    code, out, err = run(anyir, tmp_path / "data")
    assert (code, err) == (0, "")
    assert "ots train: RESIDE OTS, 3 pairs, in " in out
    assert "sots test: RESIDE SOTS outdoor, 2 pairs of 500 published, in " in out
    (tmp_path / "empty").mkdir()
    assert run(anyir, tmp_path / "empty")[::2] == (1, run(anyir, tmp_path / "empty")[2])
    assert run(anyir, tmp_path / "empty")[2].startswith("anyir: no photos below ")
    assert anyir("data", "chek", tmp_path)[0] == 2
