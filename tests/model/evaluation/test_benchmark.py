from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from anyir.model.data.decode import read_float
from anyir.model.data.degradation_registry import kinds_of
from anyir.model.data.discovery import find_dataset
from anyir.model.errors import UserError
from anyir.model.evaluation.benchmark import plan_trials, restore_tiled, restore_whole, run_trial
from anyir.model.evaluation.paper import TABLES, find_benchmark
from anyir.model.metrics import EQUAL
from anyir.model.training.validation import degraded_crops, validate
from tests.helpers import datasets as made

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "samples"


class Model:
    """A ``TileModel`` that applies a function and remembers what it was given."""

    name, accelerator = "model", "numpy"

    def __init__(self, function=lambda tile: tile, tile=None):
        self.function, self.tile, self.given = function, tile, []

    def __call__(self, tile):
        self.given.append(tile)
        return self.function(tile)


def identity(image):
    return image.clamp(0, 1)


def trials(folder, name, sigmas=(), **options):
    return plan_trials(find_dataset(name, "test", folder), list(sigmas), **options)


@pytest.fixture
def cat(tmp_path):
    Image.fromarray(data.chelsea()[:101, :99]).save(tmp_path / "cat.png")
    return tmp_path


def test_noise_figures_of_the_identity_are_those_of_the_noise(cat):
    (trial,) = trials(cat, "cbsd68", [25])
    row = run_trial(identity, trial)
    # The output is clipped, which removes a little of the noise; the noise itself is sigma 25.
    assert row["input_psnr"] == pytest.approx(20.17, abs=0.1)
    assert row["input_psnr"] <= row["psnr"] < row["input_psnr"] + 0.5
    assert row["paper"] == {"table": 1, "psnr": 31.46, "ssim": 0.893}
    assert row["gap_psnr"] == pytest.approx(row["psnr"] - 31.46)
    assert (row["photos"], row["expected"]) == (1, 68)
    assert run_trial(identity, trial) == row


def test_every_photo_has_noise_of_its_own(tmp_path):
    """Seeded with the photo's place: equal photos get other noise, and the same one in every run."""
    for name in ("a.png", "b.png"):
        made.write(tmp_path / name, made.photo())
    (trial,) = trials(tmp_path, "cbsd68", [50])
    seen = []
    run_trial(lambda image: seen.append(image) or identity(image), trial)
    clean = read_float(tmp_path / "a.png")
    for seed, image in enumerate(seen):
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(seed)) * (50 / 255)
        torch.testing.assert_close(image, clean + noise)
    assert len(seen) == 2


def test_stored_noise_is_what_an_8_bit_file_holds(cat):
    seen = []

    def restore(image):
        seen.append(image)
        return identity(image)

    for stored in (False, True):
        run_trial(restore, trials(cat, "cbsd68", [50], stored=stored)[0])
    free, cut = seen
    assert free.min() < 0
    assert free.max() > 1
    assert torch.equal((cut * 255).round() / 255, cut)
    assert torch.equal(cut, (free.clamp(0, 1) * 255).floor() / 255)


def test_figures_are_those_of_scikit_image(tmp_path):
    """Full RGB, per photo and on average, on pairs of several sizes and depths."""
    for number, size in enumerate((48, 61)):
        made.write(tmp_path / f"input/{number}.png", made.degraded(number, size))
        made.write(tmp_path / f"target/{number}.png", made.photo(number, size))
    (trial,) = trials(tmp_path, "rain100l")
    row = run_trial(lambda image: (image * 1.3 - 0.1).clamp(0, 1), trial)
    for pair, image in zip(trial.pairs, row["images"], strict=True):
        clean = read_float(pair.clean)[0].permute(1, 2, 0).numpy()
        bad = read_float(pair.degraded)[0].permute(1, 2, 0).numpy()
        restored = np.clip(bad * np.float32(1.3) - np.float32(0.1), 0, 1)
        for prefix, other in (("", restored), ("input_", bad)):
            psnr = peak_signal_noise_ratio(clean, other, data_range=1)
            ssim = structural_similarity(clean, other, data_range=1, channel_axis=2)
            assert image[f"{prefix}psnr"] == pytest.approx(psnr, abs=1e-4)
            assert image[f"{prefix}ssim"] == pytest.approx(ssim, abs=1e-4)
    for key in ("psnr", "ssim", "input_psnr", "input_ssim"):
        assert row[key] == pytest.approx(np.mean([image[key] for image in row["images"]]))


def test_real_pairs_are_read_and_scored():
    """Two pairs each of Rain100L and SOTS outdoor; the hazy names are ``<id>_<A>_<beta>.jpg``."""
    if not SAMPLES.is_dir():
        pytest.skip("no sample data beside the repository")
    rows = [run_trial(identity, trials(SAMPLES, name)[0]) for name in ("rain100l", "sots")]
    assert [row["photos"] for row in rows] == [2, 2]
    assert rows[0]["psnr"] == pytest.approx(26.83, abs=0.01)
    assert rows[1]["psnr"] == pytest.approx(18.25, abs=0.01)
    assert [image["name"] for image in rows[1]["images"]] == ["0001_0.8_0.2.jpg", "0002_0.8_0.08.jpg"]


def test_padding_keeps_the_size_and_feeds_multiples_of_8():
    model = Model()
    image = torch.rand(1, 3, 33, 41)
    assert torch.equal(restore_whole(model)(image), image)
    (padded,) = model.given
    assert (padded == np.pad(image, ((0, 0), (0, 0), (0, 7), (0, 7)), mode="reflect")).all()


def test_whole_photos_are_clipped():
    for value, clipped in ((1.5, 1), (-0.5, 0)):
        restored = restore_whole(Model(lambda tile, value=value: np.full_like(tile, value)))
        assert (restored(torch.rand(1, 3, 16, 16)) == clipped).all()


def test_tiles_are_the_models_own_and_take_noise_beyond_the_range():
    model = Model(tile=32)
    image = torch.randn(2, 3, 40, 50)
    torch.testing.assert_close(restore_tiled(model)(image), image.clamp(0, 1))
    assert {tile.shape[-2:] for tile in model.given} == {(32, 32)}


def test_a_model_that_fails_is_one_line():
    with pytest.raises(UserError, match="model on numpy returned NaN"):
        restore_whole(Model(lambda tile: tile * float("nan")))(torch.rand(1, 3, 16, 16))


def test_cdd11_is_a_row_a_degradation(tmp_path):
    made.cdd11(tmp_path / "CDD-11_test", 2)
    rows = [run_trial(identity, trial, table=5) for trial in trials(tmp_path, "cdd11")]
    assert [(row["dataset"], row["condition"]) for row in rows] == [
        (b.dataset, b.condition) for b in TABLES[5].benchmarks
    ]
    assert [row["paper"] and row["paper"]["psnr"] for row in rows] == [None] * 9 + [25.57, 25.61]
    assert {(row["photos"], row["expected"]) for row in rows} == {(2, 200)}


def test_the_papers_averages_are_those_of_its_columns():
    for table in (1, 2):
        benchmarks, (psnr, ssim) = TABLES[table].benchmarks, TABLES[table].average
        assert np.mean([b.psnr for b in benchmarks]) == pytest.approx(psnr, abs=0.0051)
        assert np.mean([b.ssim for b in benchmarks]) == pytest.approx(ssim, abs=0.001)
    assert find_benchmark("cbsd68", "sigma 25")[1].psnr == 31.46
    assert find_benchmark("cbsd68", "sigma 25", 3)[1].psnr == 31.63
    assert find_benchmark("photos", "sigma 25") is None


def test_validation_scores_every_kind():
    clean = torch.rand(2, 3, 32, 32)
    scores = validate(torch.nn.Identity(), clean, detailed=True)
    assert list(scores) == ["clean", *kinds_of("validation")]
    assert scores["clean"]["psnr"] == EQUAL
    for kind in kinds_of("validation"):
        assert scores[kind]["psnr"] == scores[kind]["input_psnr"]
        assert scores[kind]["ssim"] == scores[kind]["input_ssim"]
    for kind in scores:
        saved = scores[kind]["saved"]
        assert saved["psnr"] == saved["input_psnr"] < scores[kind]["psnr"] + 1
    assert scores["clean"]["saved"]["psnr"] < 50
    assert not any("saved" in values for values in validate(torch.nn.Identity(), clean).values())


def test_validation_says_what_became_of_the_worst_photo():
    """One of four photos is darkened by a tenth of the range: the means hide it, the worst do not."""
    clean = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 0.6 + 0.3

    def network(images):
        restored = images.clone()
        restored[2] -= 0.1
        return restored

    scores = validate(network, clean)
    assert scores["clean"]["worst"] == pytest.approx(20, abs=0.01)
    assert scores["clean"]["shift"] == pytest.approx(25.5, abs=0.01)
    assert scores["clean"]["worse"] == scores["clean"]["meant"]["worse"] == 0.25
    assert scores["clean"]["psnr"] > 75
    assert scores["jpeg"]["worst"] < -1
    assert scores["jpeg"]["worse"] == 0.25
    same = validate(torch.nn.Identity(), clean)
    assert (same["clean"]["worst"], same["clean"]["meant"]["worst"], same["rain"]["worst"]) == (100, 100, 0)


def test_validation_set_is_fixed():
    clean = torch.rand(2, 3, 32, 32)
    first, second = degraded_crops(clean), degraded_crops(clean)
    assert all(torch.equal(first[kind], second[kind]) for kind in ("clean", *kinds_of("validation")))


def test_validation_crops_are_as_in_8_bit_files_but_for_noise():
    clean = torch.rand(2, 3, 32, 32)  # no multiples of 1/255 themselves
    for kind, images in degraded_crops(clean).items():
        assert torch.equal((images * 255).round() / 255, images) == (kind not in ("clean", "noise")), kind


def test_bad_photos_are_one_line(tmp_path):
    Image.new("RGB", (5, 7)).save(tmp_path / "small.png")
    (trial,) = trials(tmp_path, "photos", [25])
    with pytest.raises(UserError, match=r"small.png is smaller than 8x8"):
        run_trial(identity, trial)
    (tmp_path / "small.png").write_text("text")
    with pytest.raises(UserError, match=r"small.png is no image that can be read"):
        run_trial(identity, trial)


def test_bad_pairs_are_one_line(tmp_path):
    made.write_pairs(tmp_path, "input", "target", [("1.png", "1.png"), ("2.png", "2.png")])
    made.write(tmp_path / "target/1.png", made.photo(0, 40))
    with pytest.raises(UserError, match=r"input/1.png and its clean partner .* differ in size: 48x48 and 40"):
        run_trial(identity, trials(tmp_path, "sots")[0])
    (tmp_path / "target/2.png").unlink()
    with pytest.raises(
        UserError, match=r"1 of 2 degraded photos of sots have no clean partner; first: .*2.png"
    ):
        trials(tmp_path, "sots")
