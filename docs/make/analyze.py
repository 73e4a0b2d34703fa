"""Make docs/guides/analyze.md and its pictures from the shipped weights.

Run `.venv/bin/python docs/make/analyze.py`.

The words of the page are in docs/make/analyze.txt; they describe what the weights show, so read the pictures
and the table again after shipping other weights.
"""

import json
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

import torch
from PIL import Image
from skimage import data
from torch import Tensor

from anyir.model.checkpoint import find_weights, load_weights
from anyir.model.data.degradations import degrade
from anyir.model.evaluation import features as analysis
from anyir.model.evaluation.features import block_names, record
from anyir.model.evaluation.figures import analyze
from anyir.model.model_card import card_path

HERE = Path(__file__).parent
DOCS = HERE.parent
KINDS = ("noise", "rain", "haze", "snow", "low_light")
PICTURES = {
    "snow": ("coffee", "snow", "encoder.1.0", (6, 7, 8, 9)),
    "low_light": ("astronaut", "low_light", "decoder.1.0", (9,)),
}
"""Name of a picture -> photo, degradation, block, and which figures the page shows."""
MOST_BYTES = 80_000


def pictures() -> None:
    """Draw the page's pictures by the command's own function, and make them small."""
    with tempfile.TemporaryDirectory() as folder:
        for name, (photo, kind, block, numbers) in PICTURES.items():
            source, out = Path(folder) / f"{photo}.png", Path(folder) / name
            Image.fromarray(getattr(data, photo)()).save(source)
            analyze(source, out, weights=None, block=block, kind=kind)
            for number in numbers:
                suffix = ".png" if number in (7, 8) else ".jpg"
                shrink(out / f"figure{number}.png", DOCS / "images" / f"analyze-{number}-{name}{suffix}")


def shrink(source: Path, target: Path) -> None:
    """Save curves with a palette; photos and maps as JPEG, of fewer pixels until it is small enough."""
    image = Image.open(source).convert("RGB")
    if target.suffix == ".png":
        image.quantize(64).save(target, optimize=True)
        return
    for share in (1.0, 0.9, 0.8, 0.7):
        size = (round(image.width * share), round(image.height * share))
        image.resize(size, Image.Resampling.LANCZOS).save(target, quality=80)
        if target.stat().st_size <= MOST_BYTES:
            return
    raise SystemExit(f"{target} is above {MOST_BYTES} bytes")


def block_rows() -> list[str]:
    """One row of Markdown a block: means over two photos under five degradations."""
    network = load_weights().use_additive_fusion()
    crops = [getattr(data, name)()[60:316, 100:356].copy() for name in ("astronaut", "coffee")]
    photos = [torch.from_numpy(crop).permute(2, 0, 1).float() / 255 for crop in crops]
    return [
        block_row(name, [look(network, name, photo) for photo in photos]) for name in block_names(network)
    ]


def look(network: Any, block: str, photo: Tensor) -> list[dict[str, Any]]:
    found = []
    for kind in KINDS:
        image = degrade(photo[None], kind, severity=0.6, seed=0)[0]
        features = record(network, image, block)
        height, width = features.gate.shape[-2:]
        error = analysis.error_map(image, photo, (height, width))
        found.append(
            {
                "splits": analysis.compare_splits(features.stream),
                "components": [
                    analysis.spectrum(part)["components_90"]
                    for part in (features.attention, features.gate, features.fused)
                ],
                "error": analysis.correlations(analysis.activation_map(features.gate), error)["spearman"],
            }
        )
    return found


def block_row(name: str, photos: list[list[dict[str, Any]]]) -> str:
    found = [entry for photo in photos for entry in photo]
    distances = [mean(f["splits"][split]["distance"] for f in found) for split in ("skip", "half", "random")]
    components = [mean(f["components"][i] for f in found) for i in range(3)]
    errors = [mean(photo[i]["error"] or 0.0 for photo in photos) for i in range(len(KINDS))]
    cells = [f"`{name}`", *(f"{d:.3f}" for d in distances), " / ".join(f"{c:.1f}" for c in components)]
    return f"| {' | '.join([*cells, *(f'{e:+.2f}' for e in errors)])} |"


def main() -> None:
    pictures()
    weights = find_weights()
    training = json.loads(card_path(weights).read_text())["training"]
    words = (HERE / "analyze.txt").read_text()
    rows = "\n".join(block_rows())
    page = words.replace("@WEIGHTS@", weights.stem).replace("@HOURS@", f"{training['hours']:g}")
    (DOCS / "guides" / "analyze.md").write_text(page.replace("@ROWS@", rows))


if __name__ == "__main__":
    main()
