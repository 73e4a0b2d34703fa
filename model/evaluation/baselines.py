"""What a textbook does about a fault, to be seen beside the network: a method or two for each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from anyir.model.evaluation.conditions import luma
from anyir.model.evaluation.photo_figures import dark_channel, noise_level

Baseline = Callable[[Tensor], Tensor]
"""(1, 3, H, W) in 0..1 -> the same."""

KEPT_HAZE = 0.05
"""Share of the haze that stays, so that what is far looks far (He, Sun, Tang 2009: omega 0.95)."""
LEAST_TRANSMISSION = 0.1
BRIGHTEST = 0.001
"""Share of the haziest pixels among which the air's light is looked for."""
GUIDE_RADIUS, GUIDE_EPSILON = 30, 1e-3
BRIGHT_MEDIAN = 0.4
"""Median brightness that a gamma is chosen for."""


def dehaze(photo: Tensor) -> Tensor:
    """Dark channel prior, its transmission refined with a guided filter (He, Sun, Tang 2009, 2010)."""
    dark = dark_channel(photo).flatten()
    haziest = dark.topk(max(1, int(BRIGHTEST * len(dark)))).indices
    pixels = photo.flatten(2)[0][:, haziest]
    air = pixels[:, pixels.sum(dim=0).argmax()].clamp_min(0.1).view(1, 3, 1, 1)
    transmission = 1 - (1 - KEPT_HAZE) * dark_channel(photo / air)
    transmission = guided_filter(luma(photo), transmission).clamp(LEAST_TRANSMISSION, 1)
    return ((photo - air) / transmission + air).clamp(0, 1)


def guided_filter(
    guide: Tensor, image: Tensor, radius: int = GUIDE_RADIUS, epsilon: float = GUIDE_EPSILON
) -> Tensor:
    """Smooth ``image`` but for the edges of ``guide``, both (1, 1, H, W)."""

    def mean(x: Tensor) -> Tensor:
        padded = F.pad(x.double(), (radius,) * 4, mode="replicate")
        return F.avg_pool2d(padded, 2 * radius + 1, stride=1)

    mean_guide, mean_image = mean(guide), mean(image)
    variance = mean(guide * guide) - mean_guide**2
    slope = (mean(guide * image) - mean_guide * mean_image) / (variance + epsilon)
    offset = mean_image - slope * mean_guide
    return (mean(slope) * guide + mean(offset)).to(image.dtype)


def gamma(photo: Tensor) -> Tensor:
    """A power that takes the median brightness to ``BRIGHT_MEDIAN``; brighter photos stay."""
    median = float(luma(photo).median().clamp(1e-3, 1))
    if median >= BRIGHT_MEDIAN:
        return photo
    return photo ** float(np.log(BRIGHT_MEDIAN) / np.log(median))


def clahe(photo: Tensor) -> Tensor:
    """Contrast limited adaptive histogram equalization of the brightness (scikit-image)."""
    from skimage.color import hsv2rgb, rgb2hsv
    from skimage.exposure import equalize_adapthist

    hsv = rgb2hsv(_to_array(photo))
    hsv[..., 2] = equalize_adapthist(hsv[..., 2])
    return _to_tensor(hsv2rgb(hsv))


def non_local_means(photo: Tensor) -> Tensor:
    """Means of patches that look alike (scikit-image), for as much noise as the photo seems to have."""
    from skimage.restoration import denoise_nl_means

    sigma = noise_level(luma(photo)) / 255
    options: dict[str, Any] = {"patch_size": 5, "patch_distance": 6, "fast_mode": True, "channel_axis": 2}
    return _to_tensor(denoise_nl_means(_to_array(photo), h=max(0.8 * sigma, 1e-4), sigma=sigma, **options))


def sharpen(photo: Tensor) -> Tensor:
    """An unsharp mask of radius 2 (scikit-image)."""
    from skimage.filters import unsharp_mask

    return _to_tensor(unsharp_mask(_to_array(photo), radius=2, amount=1.0, channel_axis=2))


def total_variation(photo: Tensor) -> Tensor:
    """Chambolle's total variation (scikit-image), weak: it takes blocks and ringing with fine detail."""
    from skimage.restoration import denoise_tv_chambolle

    return _to_tensor(denoise_tv_chambolle(_to_array(photo), weight=0.03, channel_axis=2))


BASELINES: dict[str, dict[str, Baseline]] = {
    "haze": {"dark channel prior": dehaze},
    "low_light": {"gamma": gamma, "CLAHE": clahe},
    "noise": {"non-local means": non_local_means},
    "blur": {"unsharp mask": sharpen},
    "jpeg_web": {"total variation": total_variation},
}
"""Kind of fault, as folders of photos are named -> title -> method. Rain and snow have none in a library."""


def _to_array(photo: Tensor) -> NDArray[np.float32]:
    return photo[0].permute(1, 2, 0).contiguous().numpy()


def _to_tensor(pixels: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels, np.float32)).permute(2, 0, 1)[None].clamp(0, 1)
