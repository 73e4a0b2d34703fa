import pytest
import torch
from PIL import Image
from skimage import data

from anyir.model.errors import UserError
from anyir.model.evaluation import evaluate_noise, run_padded
from anyir.model.validation import VALIDATION_KINDS, degraded_crops, validate


def test_noise_figures_of_the_identity_are_those_of_the_noise(tmp_path):
    Image.fromarray(data.chelsea()[:101, :99]).save(tmp_path / "cat.png")
    (row,) = evaluate_noise(lambda image: image, tmp_path, [25])
    # The output is clipped, which removes a little of the noise; the noise itself is sigma 25.
    assert row["input_psnr"] == pytest.approx(20.17, abs=0.1)
    assert row["input_psnr"] <= row["psnr"] < row["input_psnr"] + 0.5
    assert row["paper_psnr"] == 31.46
    assert evaluate_noise(lambda image: image, tmp_path, [25]) == [row]


def test_padding_keeps_the_size_and_feeds_multiples_of_8():
    def network(image):
        assert image.shape[-2] % 8 == image.shape[-1] % 8 == 0
        return image

    image = torch.rand(1, 3, 33, 41)
    assert torch.equal(run_padded(network, image), image)


def test_validation_scores_every_kind():
    clean = torch.rand(2, 3, 32, 32)
    scores = validate(torch.nn.Identity(), clean, with_ssim=True)
    assert list(scores) == list(VALIDATION_KINDS)
    assert scores["clean"]["psnr"] == float("inf")
    for kind in VALIDATION_KINDS[1:]:
        assert scores[kind]["psnr"] == scores[kind]["input_psnr"]
        assert scores[kind]["ssim"] == scores[kind]["input_ssim"]


def test_validation_set_is_fixed():
    clean = torch.rand(2, 3, 32, 32)
    first, second = degraded_crops(clean), degraded_crops(clean)
    assert all(torch.equal(first[kind], second[kind]) for kind in VALIDATION_KINDS)


def test_bad_photos_are_one_line(tmp_path):
    Image.new("RGB", (5, 7)).save(tmp_path / "small.png")
    with pytest.raises(UserError, match=r"small.png is smaller than 8x8"):
        evaluate_noise(lambda image: image, tmp_path, [25])
    (tmp_path / "small.png").write_text("text")
    with pytest.raises(UserError, match=r"small.png cannot be read"):
        evaluate_noise(lambda image: image, tmp_path, [25])
