import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from anyir.model import degrade, psnr
from anyir.model.data.camera import bayer_masks, demosaic, jpeg_round_trip, quantization_tables, sensor_noise


def as_tensor(pixels):
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize("quality", [10, 50, 75, 90])
def test_jpeg_is_what_an_encoder_leaves(quality):
    photo = data.chelsea()[:200, :251]
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=quality)
    decoded = as_tensor(Image.open(file))
    modelled = jpeg_round_trip(as_tensor(photo), torch.tensor([float(quality)]))
    loss = psnr(image=decoded, reference=as_tensor(photo), data_range=1.0)
    # The encoder's integer transforms and rounding remain: far below what the quantization costs.
    assert psnr(image=modelled, reference=decoded, data_range=1.0) > max(loss + 8, 43)
    assert float((modelled - decoded).mean().abs()) < 2e-4


def test_quantization_tables_are_those_in_a_file():
    file = io.BytesIO()
    Image.fromarray(data.chelsea()[:16, :16]).save(file, "JPEG", quality=35)
    with Image.open(file) as image:
        tables = image.quantization
    ours = quantization_tables(torch.tensor([35.0]))[0]
    assert sorted(tables[0]) == sorted(ours[0].flatten().int().tolist())
    assert sorted(tables[1]) == sorted(ours[1].flatten().int().tolist())


def test_jpeg_grid_starts_where_it_is_told():
    photo = as_tensor(data.coffee()[:96, :96])
    shifted = jpeg_round_trip(photo[..., 5:, 3:], torch.tensor([20.0]), (5, 3))
    whole = jpeg_round_trip(photo, torch.tensor([20.0]))
    # From the second unit on, the crop's blocks hold the same pixels as the whole photo's.
    assert torch.equal(shifted[..., 16:70, 16:70], whole[..., 21:75, 19:73])


def test_demosaicing_keeps_flat_colours_and_slopes():
    rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(18.0), indexing="ij")
    image = torch.stack([rows / 16, columns / 18, (rows + columns) / 34])[None]
    mosaic = (image * bayer_masks(16, 18, image.device)).sum(1, keepdim=True)
    assert bayer_masks(16, 18, image.device).sum(0).eq(1).all()
    inner = demosaic(mosaic)[..., 1:-1, 1:-1]
    torch.testing.assert_close(inner, image[..., 1:-1, 1:-1], rtol=0, atol=1e-5)


def test_sensor_noise_has_the_stated_variance_in_linear_light():
    count = 256
    gains, zero = torch.ones(2, 3), torch.zeros(2)
    gaussian = torch.randn(2, 1, count, count, generator=torch.Generator().manual_seed(0))
    grey = torch.tensor([0.25, 0.5])[:, None, None, None].expand(2, 3, count, count)

    def variance(shot, read):
        noisy = sensor_noise(grey, gains, torch.full((2,), shot), torch.full((2,), read), gaussian, 1.0)
        red = noisy[:, 0, ::2, ::2]  # where the sensor saw red, so that nothing was averaged
        # The kernel's centre alone: its neighbours of the same colour are two pixels away.
        return red.var(dim=(1, 2))

    torch.testing.assert_close(variance(0.01, 0.0), torch.tensor([0.0025, 0.005]), rtol=0.05, atol=0)
    torch.testing.assert_close(variance(0.0, 0.001), torch.tensor([0.001, 0.001]), rtol=0.05, atol=0)
    assert torch.equal(sensor_noise(grey, gains, zero, zero, gaussian, 1.0), grey)


def test_camera_noise_is_correlated_and_jpeg_takes_its_place_last():
    grey = torch.full((1, 3, 128, 128), 0.5)
    noisy = (degrade(grey, "camera_noise", severity=0.9, seed=0) - grey)[0]
    neighbours = (noisy[..., :-1] * noisy[..., 1:]).mean() / noisy.square().mean()
    assert neighbours > 0.2  # independent noise has 0
    both = degrade(grey, "jpeg+camera_noise", severity=0.9, seed=0)
    assert torch.equal(both, degrade(grey, "camera_noise+jpeg", severity=0.9, seed=0))
