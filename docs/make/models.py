"""Make docs/explanation/models.md from the shipped model cards: `.venv/bin/python docs/make/models.py`."""

import json
from pathlib import Path
from typing import Any

from anyir.model.checkpoint import SHIPPED, shipped_presets

PAGE = Path(__file__).parents[1] / "explanation" / "models.md"

INTRODUCTION = """# Shipped weights

This page is made from the model cards beside the weights (`model/weights/<preset>.json`) by
`docs/make/models.py`; `anyir eval --card` writes the figures. PSNR is in dB on full RGB; SSIM is
scikit-image's default.

`small` is what the commands take where no weights are named, as it has a third of the work of the others.
`phone` (`--with phone`, `--weights phone`), which is wider and was grown from a later `small` that does not
ship, is the best of the three: over `small` it gains 0.22 dB on CBSD68 at sigma 25, 1.7 on defocus, 1.2 on
haze, 1.1 on the three mixed, 0.8 on snow, 0.7 on camera noise, 0.3 on motion blur, rain and haze with snow,
and it is the first to remove JPEG artifacts, if slightly (0.43 dB). Darkness gains as much as with `small` on
the held-out photos (0.1 less; 0.4 to 0.6 less in tiles of 512 and 128), clean photos are changed a little
more (46.2 dB, 47.9 with `small`), and one that was saved as JPEG can come back darker.
`anyir` has the paper's size and as much work as `phone`, in more and narrower blocks, and was trained less:
it changes clean photos least, is 1.4 dB better in the dark in tiles of 128, and on the held-out photos and
the benchmarks it is below `phone` in everything else but haze with snow.
"""

COMMON = """
## Before and after

Made by `docs/make/before_after.py` with the default weights. Photos that came with scikit-image,
degraded at severity 0.5, PSNR against the truth:

![noise, haze, low light, snow: before, after, truth](../images/before-after.jpg)

Photos restored by each of the weights:

![defocus, rain, haze, camera noise, JPEG: before, small, phone, anyir, truth](../images/presets.jpg)

Photos that nobody degraded, so that there is no truth to compare with (a hazy lake, a rocket at dusk, a
clock taken with a moving camera):

![real photos: before and after](../images/real.jpg)

The first is by danielbuechele (CC BY 2.0, from scikit-learn), the second SpaceX's (public domain), the
third Stefan van der Walt's (CC0, both from scikit-image). `docs/make/before_after.py rain100l/input
rain100l/target` makes such a sheet of pairs that you have.

## Known failures

Of three photos under eleven degradations at four severities, the worst photo and severity of the four
degradations that come back worst with `small`:

![failures: before, after, truth](../images/failures.jpg)

The same of `phone`, and of `anyir`:

![failures of phone: before, after, truth](../images/failures-phone.jpg)

![failures of anyir: before, after, truth](../images/failures-anyir.jpg)

- **Some photos that have nothing wrong come back darker**, most where nothing in them is dark: they seem to
  be taken for hazy. Of the 12 held out, cut to 128x128, two did by 4 and 5 of 255 with `small`, by 1 and 2
  with `anyir`, and one by 3 with `phone`; saved as JPEG, with `small` one came back brighter by 4, with
  `anyir` two by 2 and 3, and with `phone` one darker by 7. Look before you replace a photo.
- A photo that was saved as JPEG, as cameras do, gains less: 5.8 dB instead of 9.1 in noise, 10 instead of
  12.7 in darkness and 2.3 instead of 5 in camera noise, in the mean of `small`'s table ("as JPEG", quality
  90; `phone`: 6.2 instead of 9.4, 10.9 of 12.7 and 2.8 of 5.7); snow, rain and haze gain somewhat less. In
  the pictures below, of quality 95, it hardly matters.
- A photo that is meant to be dark (dusk, night) is taken for one in low light: it comes back brighter, as
  the bluer rocket above. One without dark parts is taken for hazy: the clock's wall comes back
  darker by some 20 of 255, and darker still around the clock.
  `anyir restore --strength 0.5` and the app's slider keep more of the photo
  ([strength](../guides/restore.md#strength)).
- Motion blur stays: 0.5 dB is gained in the mean, 0.8 with `phone`, and a photo that is blurred by a little
  can come back worse (the cat above, by 1 dB with `phone`).
- Mixed degradations can come back with colours too strong (the last row of `phone`).
- Thick haze and thick snow are thinned, not removed; large flakes leave grey marks, long rain
  streaks stay faintly.
- Tiles see only their part of the photo. Haze and darkness are judged by all that is seen, so small tiles
  can come back with another brightness than large ones; the figures stand in the sections above.
  On dark photos `small` loses 5.7 dB in tiles of 128 and 0.7 in tiles of 256 against photos of 481x321 seen
  whole, on hazy ones 3.2 and 0.3; `phone` 5.9 and nothing, 4.6 and 1.1.

The same photos restored from a file without loss and from a JPEG of quality 95:

![noise, low light, haze: before, restored, restored from JPEG](../images/stored.jpg)

## What the weights were trained on

Clean photos, degraded on the fly ([degradations.md](degradations.md)): 432 photos of BSDS500 without
the 68 of CBSD68, and 60 of Urban100 at half size; 12 of them are held out. Both sets are published for
research; none of their photos is in this repository. The weights are released under the project's
licence (Apache-2.0); mind the data sets' own terms if you ship a product.

Nothing else was seen: no real rain, haze, snow, blur or darkness; camera noise and JPEG are modelled.
Expect less on real photos than the tables say. How the recipe was found: [training.md](../lab/training.md).
"""


def noise_table(benchmarks: dict[str, dict[str, Any]]) -> list[str]:
    lines = [
        "Benchmarks. Noise: Gaussian, one seed a photo, not clipped (`stored`: clipped and cut to 8 bits):",
        "",
        "| photos | input | restored | SSIM | paper (Table 1) |",
        "|---|---|---|---|---|",
    ]
    for name, row in benchmarks.items():
        paper = "" if row["paper"] is None else f"{row['paper']['psnr']:.2f}"
        figures = f"{row['input_psnr']:.2f} | {row['psnr']:.2f} | {row['ssim']:.4f}"
        part = f" ({row['photos']} of {row['expected']} photos)" if row["photos"] != row["expected"] else ""
        lines.append(f"| {name}{part} | {figures} | {paper} |")
    return [*lines, ""]


def validation_table(scores: dict[str, dict[str, Any]]) -> list[str]:
    lines = [
        "Held-out photos, PSNR (SSIM) of the degraded photo and of the restored one, and the gain in dB: of "
        "all, by severity, and of all once more where the degraded photo was saved as JPEG of quality 90:",
        "",
        "| degradation | input | restored | gain | 0.25 | 0.5 | 0.75 | 1 | as JPEG |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, s in scores.items():
        restored = f"{s['psnr']:.2f} ({s['ssim']:.3f})"
        saved = f"{s['saved']['psnr'] - s['saved']['input_psnr']:+.2f}" if "saved" in s else ""
        if "input_psnr" not in s:
            lines.append(f"| {kind} (do no harm) | | {restored} | | | | | | {saved} |")
            continue
        split = s.get("by_severity", {})
        gains = " | ".join(
            f"{split[key]['psnr'] - split[key]['input_psnr']:+.2f}" if key in split else ""
            for key in ("0.25", "0.5", "0.75", "1.0")
        )
        before = f"{s['input_psnr']:.2f} ({s['input_ssim']:.3f})"
        lines.append(
            f"| {kind} | {before} | {restored} | {s['psnr'] - s['input_psnr']:+.2f} | {gains} | {saved} |"
        )
    return [*lines, ""]


def artefact_list(found: dict[str, Any]) -> list[str]:
    cast, grid, flat, tiles = (found[key] for key in ("colour_cast", "grid", "flat_surfaces", "tiles"))
    changes = ", ".join(f"{level}: {shift:+.1f}" for level, shift in flat["shift"].items())
    shift = ", ".join(f"{v:+.2f}" for v in cast["shift"])
    worst = max(tiles["kinds"], key=lambda kind: tiles["kinds"][kind]["spread"])
    return [
        f"What a mean hides, on {cast['photos']} photos of {found['folder']}:",
        "",
        f"- colour cast at sigma {cast['sigma']}: {shift} of 255 (red, green, blue);",
        f"- a grid of 8 pixels or less in flat areas: {grid['mean_db']:+.2f} dB above its surroundings in "
        f"the mean, {grid['largest_db']:+.2f} dB at most (chance alone gives about +2); "
        f"its amplitude is {grid['amplitude']:.2f} of 255;",
        f"- smooth grey surfaces with nothing wrong, by their level in 0..1, change by, of 255: {changes};",
        "- tiles of 128, 256 and 512 pixels, PSNR apart by at most, in dB: "
        + ", ".join(f"{kind} {row['spread']:.2f}" for kind, row in tiles["kinds"].items())
        + f" (worst: {worst}).",
        "",
    ]


def section(preset: str) -> list[str]:
    card = json.loads((SHIPPED / f"{preset}.json").read_text())
    training = card["training"]
    lines = [
        f"## `{preset}`",
        "",
        f"`{preset}.safetensors`, float16, {card['bytes'] / 1e6:.1f} MB, sha256 `{card['sha256']}`.",
        "",
        f"Trained for {training['hours']:.2f} hours, {training['steps']:,} steps, "
        f"{training['samples']:,} patches:",
        "",
        "| minutes | hardware | precision | batch | crop | optimizer, rate | loss | patches/s | last loss |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for c in training["chunks"]:
        lines.append(
            f"| {round(c['minutes'], 2):g} | {c['hardware']} | {c['precision']} | "
            f"{c['batch']} | {c['crop']} | "
            f"{c.get('optimizer', 'adamw')}, {c['learning_rate']:g} | "
            f"{c.get('distance', 'l1')}, {c.get('loss_scale', 'linear')}, balance {c['balance']}"
            f"{', colour ' + str(c['colour']) if c.get('colour') else ''} | "
            f"{c['samples_per_second']} | "
            f"{'' if c['loss'] is None else round(c['loss'], 4)} |"
        )
    lines += ["", *(f"{note}\n" for note in card.get("notes", []))]
    figures = card.get("figures", {})
    if "benchmarks" in figures:
        lines += noise_table(figures["benchmarks"])
    if "validation" in figures:
        lines += validation_table(figures["validation"])
    if "artefacts" in figures:
        lines += artefact_list(figures["artefacts"])
    return lines


def render() -> str:
    """The whole page."""
    lines = [INTRODUCTION]
    for preset in shipped_presets():
        lines += section(preset)
    return "\n".join(lines).rstrip() + "\n" + COMMON


if __name__ == "__main__":
    PAGE.write_text(render())
