"""Skies and other bright, even things that look hazy and are not, to be left as they are.

Pale blue, little contrast, no dark pixel: a sky with thin clouds has what haze has, most of all in a small
photo that shows nothing else. Weights trained without such photos darken it (docs/lab/teachers.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

BLOCK = 32
"""Side in pixels of the blocks of which some show sky."""
LEAST_SHARE = 0.3
"""Share of such blocks, those at the top counted up to 1.5 times, from which on a photo is taken."""
SHORT_SIDE = 336
"""Of the whole photo shrunk: the largest region that several crops of one photo come from is 320."""
ENLARGED = (330, 480)
"""Pixels that a part is enlarged to, as soft as what a phone's full size shows."""


def sky_share(pixels: NDArray[np.uint8]) -> float:
    """How much of (H, W, 3) is bright, even, and not warmer than grey; 0 to 1, the top counted most."""
    high, wide = (side // BLOCK for side in pixels.shape[:2])
    if not high or not wide:
        return 0.0
    blocks = pixels[: high * BLOCK, : wide * BLOCK].reshape(high, BLOCK, wide, BLOCK, 3).astype(np.float32)
    red, green, blue = np.moveaxis(blocks.mean((1, 3)), 2, 0)
    even = blocks.mean(4).std((1, 3)) < 14
    bright = (red + green + blue) / 3 > 90
    sky = even & bright & (blue >= red - 4) & (green <= blue + 6)
    return float((sky * np.linspace(1.5, 0.5, high)[:, None]).mean())


def sky_parts(pixels: NDArray[np.uint8], generator: np.random.Generator) -> list[NDArray[np.uint8]]:
    """A photo with much sky as three: the whole of it small, and two squares of its upper part enlarged.
    Nothing if it shows less sky.

    Args:
        pixels: (H, W, 3), 8 bits, no side below 64.
        generator: draws the squares.
    """
    if sky_share(pixels) < LEAST_SHARE:
        return []
    photo = Image.fromarray(pixels)
    width, height = photo.size
    scale = SHORT_SIDE / min(width, height)
    whole = photo.resize((round(width * scale), round(height * scale)), Image.Resampling.LANCZOS)
    parts = [np.asarray(whole)]
    for _ in range(2):
        side = int(min(width, height) * generator.uniform(0.45, 0.75))
        left = int(generator.integers(width - side + 1))
        top = int(generator.integers((height - side) // 3 + 1))
        enlarged = int(generator.integers(*ENLARGED))
        square = photo.crop((left, top, left + side, top + side))
        parts.append(np.asarray(square.resize((enlarged, enlarged), Image.Resampling.BICUBIC)))
    return parts


def drawn_sky(generator: np.random.Generator, side: int = 400) -> NDArray[np.uint8]:
    """A sky with clouds, (side, side, 3): some with a sun's glow, some with dark land or trees before it."""
    uniform = generator.uniform
    down, across = np.mgrid[0:side, 0:side] / side
    zenith = np.sort([uniform(40, 130), uniform(90, 165), uniform(130, 225)])
    horizon = zenith + uniform(10, 70) * np.array([1, 1, 0.8])
    share = (down ** uniform(0.7, 2))[..., None]
    clouds = _spectral_noise(generator, side, uniform(1.1, 1.9), uniform(0.4, 2.5))[..., None]
    relief = _spectral_noise(generator, side, uniform(1.3, 2))[..., None]
    opacity = uniform(0.3, 1) / (1 + np.exp(-(clouds - uniform(-0.6, 1.6)) * uniform(1, 4)))
    white = uniform(190, 250) + 18 * relief - uniform(0, 60) * np.clip(clouds - 0.8, 0, 3)
    sky = (zenith * (1 - share) + horizon * share) * (1 - opacity) + white * opacity
    if uniform() < 0.4:
        far = np.hypot(across - uniform(0, 1), down - uniform(0, 0.7))
        sky += (np.exp(-far / uniform(0.08, 0.3)) * uniform(60, 200))[..., None]
    sky *= 1 - uniform(0, 0.35) * ((across - 0.5) ** 2 + (down - 0.5) ** 2)[..., None]  # a lens's falloff
    if uniform() < 0.5:
        sky = _before_it(generator, sky)
    sky += generator.normal(0, uniform(0.2, 1.5), (side, side, 1))
    return np.clip(np.rint(sky), 0, 255).astype(np.uint8)


def _before_it(generator: np.random.Generator, sky: NDArray[np.floating]) -> NDArray[np.floating]:
    """Something dark below a rough line, its edge as soft as a lens makes it."""
    side = len(sky)
    ragged = 12 * np.abs(_spectral_noise(generator, side, 0.8)[0])
    line = side - (generator.uniform(20, 140) + generator.normal(0, 3, side).cumsum() + ragged)
    land = generator.uniform(4, 45) * generator.uniform(0.7, 1.3, 3)
    texture = generator.uniform(2, 12) * _spectral_noise(generator, side, 0.7)[..., None]
    below = (np.arange(side)[:, None] > line)[..., None]
    both = np.clip(np.where(below, land + texture, sky), 0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(both).filter(ImageFilter.GaussianBlur(0.7)), np.float64)


def _spectral_noise(
    generator: np.random.Generator, side: int, falloff: float, stretch: float = 1.0
) -> NDArray[np.float64]:
    """(side, side) of mean 0 and deviation 1, its amplitude falling with frequency ** falloff."""
    rows, columns = np.fft.fftfreq(side)[:, None] * stretch, np.fft.fftfreq(side)[None]
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = 1
    noise = np.fft.ifft2(np.fft.fft2(generator.normal(size=(side, side))) * frequency**-falloff).real
    return (noise - noise.mean()) / noise.std()
