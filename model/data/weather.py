"""Haze, rain and snow as in photographs of them: thick, near, out of focus, in a camera's noise.

Called by ``anyir.model.data.degradations``, whose conventions hold here. Its ``haze``, ``rain`` and ``snow``
follow the benchmarks; docs/lab/real-degradations.md compares these with real photos.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from anyir.model.data.draw import Draw, per_image
from anyir.model.data.kernels import disk_kernels, filter_each, gaussian_kernels, path_kernels


def dense_haze(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """Scattering of a mean optical thickness of 0.2 to 2.4, through unevenly dense, tinted and dim air.

    Depth grows towards the top and follows the photo's own large shapes; distant things are blurred by
    scattering; the airlight is 0.5 to 1.0, from bluish to brownish. Weak noise, in part grey, lies over
    all.
    """
    h, w = images.shape[-2:]
    depth = _depth(images, draw)
    thickness = per_image(0.2 + 2.2 * severity**1.4 * draw.uniform(0.75, 1.0))
    thickness = thickness * depth / depth.mean(dim=(2, 3), keepdim=True)
    thickness = thickness * torch.exp2(0.6 * draw.field(h, w, 2) + 0.3 * draw.field(h, w, 6))
    transmission = torch.exp(-thickness)
    air = draw.maps(0.5, 1.0)
    tint = draw.chance(0.7) * draw.maps(-0.1, 0.12)
    green = draw.maps(-0.3, 0.5) * tint.abs()
    air = air * torch.cat([1 + tint, 1 + green, 1 - tint], dim=1)
    far = filter_each(images, gaussian_kernels(draw.uniform(0.6, 2.0), 11))
    share = draw.maps(0, 0.7) * (1 - transmission)
    scene = images + share * (far - images)
    hazy = scene * transmission + air.clamp(0, 1) * (1 - transmission)
    return _seen(hazy, draw, 5 / 255)


def _depth(images: Tensor, draw: Draw) -> Tensor:
    """(B, 1, H, W) in 0.1..1: a plane that rises towards the top, bumps, and the photo's large shapes."""
    h, w = images.shape[-2:]
    y = torch.linspace(1, 0, h, device=images.device)[:, None]
    x = torch.linspace(-0.5, 0.5, w, device=images.device)[None]
    weights = torch.cat([draw.maps(-0.5, 0.5), draw.maps(-0.5, 0.5), draw.maps(-0.3, 0.7)], dim=1)
    shapes = F.avg_pool2d(F.pad(images, (7, 7, 7, 7), mode="replicate"), 15, stride=1)
    shapes = ((shapes - 0.5) * weights).sum(dim=1, keepdim=True)
    plane = draw.maps(0.1, 1.0) * y + draw.maps(-0.4, 0.4) * x
    near = draw.maps(0.0, 0.8)
    depth = near + (1 - near) * (plane + shapes) + 0.1 * draw.field(h, w, 4)
    return depth.clamp(0.1, 1)


def _seen(images: Tensor, draw: Draw, most: float) -> Tensor:
    """With the weak noise that photos have, of a deviation up to ``most``, clipped to 0..1."""
    noise = draw.normal(*images.shape[1:])
    grey = draw.maps(0, 1)
    noise = (1 - grey) * noise + grey * noise.mean(dim=1, keepdim=True) * 3**0.5
    return (images + draw.chance(0.6) * draw.maps(0, most) * noise).clamp(0, 1)


STREAKS = ((13, 0.5, 0.8), (17, 0.45, 0.9), (25, 0.6, 0.8), (41, 0.9, 0.5), (61, 0.6, 0.4), (41, 2.4, 0.3))
"""Layers of heavy rain: side of the kernel, width across (standard deviation) in pixels, brightness; the last
is near the camera and out of focus."""


def heavy_rain(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """Rain as dense as Rain100H's, and as photos of downpours have it.

    Six layers of streaks, each in more than half of the photos, in gusts; laid on by screen, by addition or
    as a grey cover; before it a veil, thicker towards the ground in some photos, for the drops too far to
    be seen.
    """
    h, w = images.shape[-2:]
    strength = per_image(severity)
    direction = math.pi / 2 + draw.uniform(-0.6, 0.6) * draw.uniform(0.2, 1.0)
    gusts = torch.exp2(0.7 * draw.field(h, w, 3))
    veil = draw.chance(0.6) * draw.maps(0, 0.8) * strength * (1 + 0.4 * draw.field(h, w, 3))
    ground = torch.linspace(0, 1, h, device=images.device)[:, None] ** 3
    veil = (veil + draw.chance(0.25) * draw.maps(0, 0.7) * strength * ground).clamp_min(0)
    transmission = torch.exp(-veil)
    images = images * transmission + draw.maps(0.55, 0.95) * (1 - transmission)
    streaks = torch.zeros_like(images[:, :1])
    for size, across, brightness in STREAKS:
        length = (0.3 + 0.6 * draw.uniform(0, 1)) * (size - 2)
        angle = direction + draw.uniform(-0.07, 0.07)
        kernels = path_kernels(length, angle, torch.zeros_like(length), size, width=across)
        density = (0.03 + 0.3 * severity * draw.uniform(0.3, 1.0)) / (size * max(across, 0.7) * 1.6)
        layer = filter_each(draw.points(h, w, density), kernels / kernels.amax((1, 2), keepdim=True))
        present = draw.chance(0.6) if size != 17 else 1.0
        streaks = streaks + present * brightness * draw.maps(0.12, 0.85) * layer.clamp(0, 1)
    streaks = (streaks * gusts * (0.35 + 0.65 * strength)).clamp(0, 1)
    how = draw.maps(0, 1)
    screened = 1 - (1 - images) * (1 - streaks)
    covered = images + 0.9 * streaks * (draw.maps(0.65, 1.0) - images)
    added = images + streaks
    rainy = torch.where(how < 0.4, screened, torch.where(how < 0.7, covered, added))
    return _seen(rainy.clamp(0, 1), draw, 4 / 255)


FINE_STREAKS = ((37, 0.5, 1.0), (59, 0.7, 0.8), (79, 0.9, 0.7), (99, 1.4, 0.5))
"""Layers of fine rain: longest streak, width across (standard deviation), both in pixels, and brightness."""
STEEPEST = 0.5
"""Of fine rain: how far a streak leans at most, pixels aside for each pixel down (27 degrees)."""


def fine_rain(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """Many long streaks, most of them faint, as in Rain100L and in a shower before a dark background.

    Their brightness has a long tail, fades towards both ends and flickers along the way. They are drawn
    upright, where two filters along the axes make them, and then sheared.
    """
    h, w = images.shape[-2:]
    lean = draw.uniform(-0.92, 0.92) * STEEPEST
    wide = w + 2 * math.ceil(STEEPEST * h / 2)
    streaks = torch.zeros_like(images[:, :1])
    for longest, across, brightness in FINE_STREAKS:
        length = (0.35 + 0.6 * draw.uniform(0, 1)) * longest
        density = (0.08 + 0.35 * severity) * draw.uniform(0.3, 1.0) / (longest * across * 2)
        drops = draw.points(h, wide, density)
        drops = ((drops - 0.5).clamp_min(0) * 2) ** 3 + 0.12 * (drops > 0)
        upright = _across(_down(drops, length, longest), across)
        layer = _sheared(upright, lean + 0.04 * STEEPEST * draw.uniform(-2, 2), w)
        flicker = torch.exp2(0.9 * draw.field(h, w, max(4, h // 12)))
        present = draw.chance(0.75) if longest != 59 else 1.0
        streaks = streaks + present * brightness * draw.maps(0.4, 1.0) * layer * flicker
    gusts = torch.exp2(0.5 * draw.field(h, w, 3))
    streaks = (streaks * gusts * per_image(0.25 + 0.65 * severity)).clamp(0, 1)
    screened = 1 - (1 - images) * (1 - streaks)
    return torch.where(draw.maps(0, 1) < 0.7, images + streaks, screened).clamp(0, 1)


def _down(points: Tensor, length: Tensor, longest: int) -> Tensor:
    """Points (B, 1, H, W) as upright streaks of lengths (B,), bright in the middle, faint at the ends."""
    along = torch.arange(longest, device=points.device) - longest // 2
    inside = (along.abs() <= length[:, None] / 2).float()
    profile = inside * torch.exp(-0.5 * (along / (0.22 * length[:, None])) ** 2)
    return F.conv2d(
        points.transpose(0, 1), profile[:, None, :, None], padding=(longest // 2, 0), groups=len(points)
    ).transpose(0, 1)


def _across(streaks: Tensor, deviation: float) -> Tensor:
    """Streaks (B, 1, H, W) made wider, as bright in their middle as they were."""
    aside = torch.arange(-4, 5, device=streaks.device)
    return F.conv2d(streaks, torch.exp(-0.5 * (aside / deviation) ** 2)[None, None, None], padding=(0, 4))


def _sheared(images: Tensor, lean: Tensor, width: int) -> Tensor:
    """The middle (B, 1, H, width) of images (B, 1, H, W), each row moved aside by its ``lean`` (B,)."""
    b, _, h, wide = images.shape
    matrix = torch.zeros(b, 2, 3, device=images.device)
    matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 1] = width / wide, -lean * h / wide, 1
    grid = F.affine_grid(matrix, [b, 1, h, width], align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


FLAKES = ((0.9, 1, 0.024), (1.7, 1, 0.009), (1.2, 3, 0.02), (2.0, 4, 0.01), (2.5, 8, 0.008))
"""Layers of snow: radius, in units of so many pixels, and the share of such units that is a flake's middle.
The last two, of radius 9 and 20 pixels, are near and out of focus."""


def near_snow(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """Snow with flakes near the camera: radius 1 to 25 pixels, the larger the softer and fainter.

    Small layers are drawn at the photo's scale, large ones at a third to an eighth of it, which makes
    them soft; each is there in three photos of four, over a veil of up to 35 %.
    """
    h, w = images.shape[-2:]
    strength = per_image(severity)
    veil = draw.chance(0.6) * draw.maps(0, 0.35) * strength
    result = images + veil * (draw.maps(0.75, 1.0) - images)
    direction = math.pi / 2 + draw.uniform(-0.9, 0.9)
    speed = draw.uniform(0.2, 3.0)
    for radius, scale, share in FLAKES:
        small = (math.ceil(h / scale) + 2, math.ceil(w / scale) + 2)
        disks = disk_kernels(radius * draw.uniform(0.6, 1.3), 9)
        paths = path_kernels(0.5 + radius * speed, direction, draw.uniform(-0.2, 0.2), 13, width=0.5)
        density = share * (0.15 + 0.85 * severity) * draw.uniform(0.4, 1.0)
        flakes = filter_each(draw.points(*small, density), disks / disks.amax((1, 2), keepdim=True))
        flakes = filter_each(flakes.clamp(0, 1), paths)
        if scale > 1:
            flakes = F.interpolate(flakes, scale_factor=scale, mode="bicubic", align_corners=False)
        opacity = draw.maps(0.5, 1.0) if scale == 1 else draw.maps(0.25, 0.85)
        cover = (draw.chance(0.75) * opacity * flakes[..., :h, :w]).clamp(0, 1)
        result = result + cover * (draw.maps(0.75, 1.0) - result)
    return _seen(result.clamp(0, 1), draw, 4 / 255)
