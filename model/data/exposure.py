"""Darkness that a camera's user meets: up to 7 stops under, with noise, a cast, a tone curve and a file.

Called by ``anyir.model.data.degradations``, whose conventions hold here.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from anyir.model.data.camera import GAMMA, jpeg_round_trip
from anyir.model.data.draw import Draw, per_image
from anyir.model.data.kernels import filter_each, gaussian_kernels

MAX_LAMPS = 0.05
"""Largest share of pixels that may be lamps: where more is as bright, the photo is lit from behind, and its
dark part may well be meant."""


def underexposure(images: Tensor, severity: Tensor, draw: Draw) -> Tensor:
    """A photo 2 to 7 stops too dark, as a phone would have stored it: less may well be meant.

    In linear light: less of it, unevenly; in some photos lamps that stay as bright as they are; a white
    balance off by up to 20 %. Shot and read noise, which for one photo's ISO do not depend on its
    darkness: once the photo is pushed back, the noise has grown with the push. Then black that is cut,
    an exponent off by 15 %, a contrast curve, JPEG in half of the photos and 8 bits in all.
    """
    h, w = images.shape[-2:]
    stops = 2 + 5 * per_image(severity) * draw.maps(0.8, 1.0)
    light = images.clamp(0, 1) ** GAMMA
    light = light * (1 + _lamps(light, draw) * (torch.exp2(stops * draw.maps(0.5, 1.1)) - 1))
    uneven = 0.5 * draw.field(h, w, 2) - draw.chance(0.3) * draw.maps(0, 2) * _distance(h, w, draw)
    light = light * torch.exp2(uneven - stops)
    casts = draw.chance(0.6) * 0.3
    red, blue = torch.exp2(casts * draw.maps(-1, 1)), torch.exp2(casts * draw.maps(-1, 1))
    light = light * torch.cat([red, torch.ones_like(red), blue], dim=1)
    light = light + _sensor(light, draw)
    light = (light - draw.chance(0.3) * draw.maps(0, 0.001)).clamp(1e-7, 1)
    encoded = light ** (draw.maps(0.85, 1.15) / GAMMA)
    curve = draw.chance(0.4) * draw.maps(0, 0.7)
    encoded = encoded + curve * (encoded**2 * (3 - 2 * encoded) - encoded)
    filed = draw.chance(0.5)
    quality = draw.uniform(60, 97)
    if bool(filed.any()):
        encoded = torch.where(filed > 0, jpeg_round_trip(encoded, quality), encoded)
    return (encoded.clamp(0, 1) * 255).round() / 255


def _lamps(light: Tensor, draw: Draw) -> Tensor:
    """(B, 1, H, W): where a photo's few brightest places are lamps, in 0..1; 0 in many photos."""
    bright = ((light.mean(dim=1, keepdim=True) - 0.55) / 0.25).clamp(0, 1)
    few = (bright.mean(dim=(2, 3), keepdim=True) < MAX_LAMPS).float()
    return bright * few * draw.chance(0.6)


def _distance(height: int, width: int, draw: Draw) -> Tensor:
    """(B, 1, H, W): squared distance to a place in the photo that is lit best, about 1 at its far edge."""
    y = torch.linspace(0, 1, height, device=draw.device)[:, None]
    x = torch.linspace(0, 1, width, device=draw.device)[None]
    return (y - draw.maps(0.2, 0.8)) ** 2 + (x - draw.maps(0.2, 0.8)) ** 2


def _sensor(light: Tensor, draw: Draw) -> Tensor:
    """Shot and read noise in linear light, as coarse and as coloured as a camera leaves it."""
    shot = 10 ** draw.maps(-5.4, -3.2)
    read = 10 ** draw.maps(-4.3, -2.8)
    noise = draw.normal(*light.shape[1:])
    grey = draw.maps(0, 0.7)
    noise = (1 - grey) * noise + grey * noise.mean(dim=1, keepdim=True) * 3**0.5
    noise = noise * torch.cat([draw.maps(0.9, 1.6), torch.ones_like(grey), draw.maps(0.9, 1.9)], dim=1)
    coarse = filter_each(noise, gaussian_kernels(draw.uniform(0.5, 1.3), 7))
    coarse = coarse / coarse.std(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)
    noise = torch.where(draw.chance(0.6) > 0, coarse, noise)
    return noise * (shot * F.relu(light) + read**2).sqrt()
