"""Degradations in torch: batched, on the tensor's own device, repeatable from a seed.

Each is a physical or customary model whose strength is one number, the severity, in 0..1;
directions, layers, depth maps and the like are drawn from the seed. docs/explanation/degradations.md shows
every kind and gives its ranges and sources.

Images are (B, 3, H, W), RGB in sRGB's encoding, 0..1. The same seed gives the same result on the
same kind of device; CPU and GPU draw different random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from anyir.model.data.camera import GAMMA, jpeg_round_trip, sensor_noise
from anyir.model.data.degradation_registry import find_degradation, parse_kind
from anyir.model.data.draw import Draw, per_image
from anyir.model.data.exposure import underexposure
from anyir.model.data.grain import grain, impulse_noise, web_copy
from anyir.model.data.kernels import disk_kernels, filter_each, path_kernels
from anyir.model.data.weather import dense_haze, fine_rain, heavy_rain, near_snow

__all__ = [
    "degradation",
    "degrade",
    "degrade_by",
    "dense_haze",
    "fine_rain",
    "grain",
    "heavy_rain",
    "impulse_noise",
    "near_snow",
    "underexposure",
    "web_copy",
]


def noise(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """Gaussian noise, sigma 0..50 on the 0..255 scale, independent, not clipped."""
    return images + per_image(severity) * (50 / 255) * draw.normal(*images.shape[1:])


def rain(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """Additive streaks around one direction, within 40 degrees of vertical (as in Rain100).

    In half of the photos (Rain100H) three dense layers of short streaks, 5 to 31 pixels; in all of them
    (Rain100L) a sparse layer of long and thin ones, 25 to 75 pixels, which let the photo through.
    """
    h, w = images.shape[-2:]
    direction = math.pi / 2 + draw.uniform(-0.7, 0.7)
    strength = 0.4 + 0.6 * severity
    dense = (draw.uniform(0, 1) < 0.5).float()
    layers = ((11, 0.62, dense), (19, 0.78, dense), (31, 1.02, dense), (79, 0.6, torch.ones_like(dense)))
    streaks = torch.zeros_like(images[:, :1])
    for size, across, present in layers:
        length = (0.45 + 0.5 * draw.uniform(0, 1)) * size if size < 79 else draw.uniform(25, 75)
        angle = direction + draw.uniform(-0.08, 0.08)
        kernels = path_kernels(length, angle, torch.zeros_like(length), size, width=across)
        density = (0.02 + 0.13 * severity) * draw.uniform(0.5, 1.0) / size
        # A kernel sums to 1: scaled by the length, a streak is as bright as its point was.
        layer = filter_each(draw.points(h, w, density), kernels * length[:, None, None])
        brightness = draw.uniform(0.6, 1.0) if size < 79 else draw.uniform(0.25, 0.8)
        streaks = streaks + per_image(present * brightness * strength) * layer.clamp(0, 1)
    return (images + streaks).clamp(0, 1)


def haze(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """Atmospheric scattering I = J t + A (1 - t), t = exp(-beta d), in RESIDE-OTS's ranges.

    A 0.8 to 1.0, beta 0.04 to 0.2; the procedural depth d (up to 10) grows towards the top of the
    photo, tilts sideways and undulates.
    """
    h, w = images.shape[-2:]
    y = torch.linspace(1, 0, h, device=images.device)[:, None]
    x = torch.linspace(-0.5, 0.5, w, device=images.device)[None]
    near = per_image(draw.uniform(0.0, 0.8))
    slope = per_image(draw.uniform(0.2, 1.0)) * y + per_image(draw.uniform(-0.4, 0.4)) * x
    depth = near + (1 - near) * slope + 0.15 * draw.field(h, w, 3) + 0.05 * draw.field(h, w, 12)
    beta = per_image(0.04 + 0.16 * severity)
    transmission = torch.exp(-beta * 10 * depth.clamp(0.05, 1))
    airlight = per_image(draw.uniform(0.8, 1.0))
    return images * transmission + airlight * (1 - transmission)


def _blur(images: Tensor, kernels: Tensor) -> Tensor:
    linear = images.clamp(0, 1) ** GAMMA
    return filter_each(linear, kernels).clamp(0, 1) ** (1 / GAMMA)


def motion_blur(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """Camera shake in linear light: a bent path of 2 to 25 pixels in any direction."""
    length = 2 + 23 * severity * draw.uniform(0.6, 1.0)
    return _blur(images, path_kernels(length, draw.uniform(0, math.pi), draw.uniform(-0.3, 0.3), 31))


def defocus_blur(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """An unfocused lens in linear light: a disk of radius 0.5 to 5 pixels."""
    return _blur(images, disk_kernels(0.5 + 4.5 * severity * draw.uniform(0.7, 1.0), 13))


def low_light(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """Too little light, as Retinex has it (reflectance times illumination), seen by a camera.

    In linear light: exposure down 0.5 to 4 stops, an illumination that varies by a third over the
    photo, then shot noise (variance 0 to 0.002 of the signal) and read noise (deviation 0 to 0.004);
    encoded with an exponent off by up to 10 %.
    """
    h, w = images.shape[-2:]
    stops = 0.5 + 3.5 * severity * draw.uniform(0.7, 1.0)
    illumination = torch.exp2(-per_image(stops)) * (1 + 0.33 * draw.field(h, w, 2))
    light = images.clamp(0, 1) ** GAMMA * illumination
    variance = per_image(severity) * 0.002 * light + (per_image(severity) * 0.004) ** 2
    light = light + variance.clamp_min(0).sqrt() * draw.normal(*images.shape[1:])
    exponent = per_image(draw.uniform(0.9, 1.1)) / GAMMA
    return light.clamp(1e-6, 1) ** exponent


def snow(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """Flakes in three layers, small and sharp to large and faint, over a thin veil (as in CSD)."""
    h, w = images.shape[-2:]
    result = images + per_image(0.15 * severity) * (0.9 - images)
    direction = math.pi / 2 + draw.uniform(-0.6, 0.6)
    for radius, share in ((0.9, 0.012), (1.8, 0.005), (3.5, 0.0012)):
        disks = disk_kernels(radius * draw.uniform(0.7, 1.3), 13)
        paths = path_kernels(radius * draw.uniform(0.5, 3.0), direction, torch.zeros_like(direction), 13)
        density = share * (0.15 + 0.85 * severity)
        flakes = filter_each(draw.points(h, w, density), disks / disks.amax((1, 2), keepdim=True))
        flakes = filter_each(flakes.clamp(0, 1), paths)
        cover = (per_image(draw.uniform(0.6, 1.0)) * flakes).clamp(0, 1)
        result = result + cover * (per_image(draw.uniform(0.85, 1.0)) - result)
    return result.clamp(0, 1)


def camera_noise(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """Noise of a sensor after the camera's pipeline: coloured, in patches, stronger in the light.

    Shot noise of variance 0.0001 to 0.012 of the signal in linear light, with the read noise that such a
    sensor has (Brooks et al. 2019), white balance gains of red and blue 1.2 to 2.4, linear demosaicing.
    """
    shot = 1e-4 * 120**severity
    read = torch.exp(2.18 * torch.log(shot) + 1.2)
    red, blue = draw.uniform(1.2, 2.4), draw.uniform(1.2, 2.4)
    gains = torch.stack([red, torch.ones_like(red), blue], dim=1)
    return sensor_noise(images, gains, shot, read, draw.normal(1, *images.shape[-2:]), GAMMA)


def jpeg(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """Baseline JPEG, 4:2:0, quality 90 to 10 on libjpeg's scale, its grid starting anywhere."""
    rows, columns = draw.uniform(0, 16)[0], draw.uniform(0, 16)[0]
    return jpeg_round_trip(images, 90 - 80 * severity, (int(rows), int(columns)))


def degradation(name: str) -> Callable[[Tensor, Tensor, Draw], Tensor]:
    """What applies a single degradation: the function of this file that has its name.

    Raises:
        ValueError: there is none; the message lists them.
    """
    return globals()[find_degradation(name).name]


def degrade(images: Tensor, kind: str, *, severity: float | Tensor, seed: int) -> Tensor:
    """Degrade a batch of photos.

    Args:
        images: (B, 3, H, W), float, 0..1.
        kind: one of ``single_kinds()``, or a mixture such as ``low_light+haze+rain``.
        severity: 0..1, one for all or (B,).
        seed: what the random parts are drawn from.

    Returns:
        The same shape, dtype and device; in 0..1 except for noise, which is not clipped.

    Raises:
        ValueError: unknown kind, severity out of range, or a tensor that is not (B, 3, H, W).
    """
    parts = parse_kind(kind)
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images must be (B, 3, H, W), not {tuple(images.shape)}")
    strength = torch.as_tensor(severity, dtype=torch.float32, device=images.device)
    if not bool(((strength >= 0) & (strength <= 1)).all()):
        raise ValueError(f"severity must lie in 0..1, not {severity}")
    draw = Draw(len(images), Generator(images.device).manual_seed(seed))
    result = images.float()
    for part in parts:
        result = degradation(part)(result, strength.expand(len(images)), draw)
    return result.to(images.dtype)


def degrade_by(images: Tensor, part: str, severity: Tensor, seed: int) -> Tensor:
    """``degrade`` by a single kind, for those who know that (B,) severities lie in 0..1: looking at them
    would make the CPU wait for a GPU."""
    return degradation(part)(images, severity, Draw(len(images), Generator(images.device).manual_seed(seed)))
