"""Figures of trained weights: CBSD68 by the paper's protocol, and the fixed validation set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from anyir.model.errors import UserError

PAPER_CBSD68 = {15: 34.12, 25: 31.46, 50: 28.20}
"""Table 1: PSNR of AnyIR trained on three degradations."""
NOISE_SEED = 0


def evaluate_noise(
    network: Callable[[Any], Any],
    folder: Path,
    sigmas: list[int],
    *,
    on_photo: Callable[[], None] = lambda: None,
) -> list[dict[str, Any]]:
    """PSNR and SSIM of denoised photos, full RGB, whole photos, as in Table 1.

    The noise is Gaussian, sigma on the 0..255 scale, not clipped before the network; its generator
    is seeded for each photo with ``NOISE_SEED`` plus the photo's place in the sorted folder. The
    output is clipped to 0..1 and not rounded.

    Args:
        network: (1, 3, H, W) float in 0..1 -> the same; H and W are multiples of 8.
        folder: clean photos.
        on_photo: called after each photo and sigma.

    Returns:
        One entry a sigma: ``{"sigma", "psnr", "ssim", "input_psnr", "paper_psnr", "images": [...]}``.

    Raises:
        UserError: no photos there, or one that cannot be read.
    """
    import torch

    from anyir.model.metrics import psnr, ssim
    from anyir.model.photos import list_photos, read_rgb

    results: list[dict[str, Any]] = []
    paths = list_photos([folder])
    for sigma in sigmas:
        images: list[dict[str, Any]] = []
        for place, path in enumerate(paths):
            try:
                clean = read_rgb(path).permute(2, 0, 1)[None].float() / 255
            except OSError as error:
                raise UserError(f"{path} cannot be read ({error})") from error
            if min(clean.shape[-2:]) < 8:
                raise UserError(f"{path} is smaller than 8x8 pixels, which SSIM and padding need")
            generator = torch.Generator().manual_seed(NOISE_SEED + place)
            noisy = clean + torch.randn(clean.shape, generator=generator) * (sigma / 255)
            with torch.inference_mode():
                restored = run_padded(network, noisy).clamp(0, 1)
            images.append(
                {
                    "name": path.name,
                    "psnr": psnr(image=restored, reference=clean, data_range=1.0),
                    "ssim": ssim(image=restored, reference=clean, data_range=1.0),
                    "input_psnr": psnr(image=noisy, reference=clean, data_range=1.0),
                }
            )
            on_photo()
        means = {key: _mean([image[key] for image in images]) for key in ("psnr", "ssim", "input_psnr")}
        results.append({"sigma": sigma, **means, "paper_psnr": PAPER_CBSD68.get(sigma), "images": images})
    return results


def run_padded(network: Callable[[Any], Any], image: Any) -> Any:
    """Run a network on a photo of any size of at least 8x8: reflect up to multiples of 8, then crop."""
    import torch.nn.functional as F

    height, width = image.shape[-2:]
    padded = F.pad(image, (0, -width % 8, 0, -height % 8), mode="reflect")
    return network(padded)[..., :height, :width]


def evaluate_validation(network: Any, folders: list[Path]) -> dict[str, dict[str, float]]:
    """PSNR and SSIM for each degradation on the photos that training with ``folders`` holds out."""
    import torch

    from anyir.model.photos import PhotoBank, hold_out, list_photos
    from anyir.model.validation import CROP, HELD_OUT, validate

    _, held_out = hold_out(list_photos(folders), HELD_OUT)
    bank = PhotoBank.load(held_out, device=torch.device("cpu"), at_least=CROP)
    return validate(network, bank.centre_crops(CROP), with_ssim=True)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
