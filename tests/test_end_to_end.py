"""The whole line at full size, once, through the command line: shipped weights to a report."""

import json

import numpy as np
import pytest
from PIL import Image
from skimage import data

from anyir.model import degrade, psnr
from anyir.model.checkpoint import find_weights
from anyir.model.files import sha256
from tests.helpers.command_line import anyir_process

TILE = 128


def anyir(*arguments):
    process = anyir_process(*arguments)
    assert process.returncode == 0, process.stdout + process.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Artifacts, reference, results and report of the shipped weights, for ExecuTorch and LiteRT."""
    folder = tmp_path_factory.mktemp("line")
    anyir("reference", "--tile", TILE, "--out", folder / "reference")
    anyir("convert", "--tile", TILE, "--out", folder / "artifacts", "--only", "*_fp32")
    results = folder / "report" / "results.json"
    anyir(
        *("profile", "--artifacts", folder / "artifacts", "--reference", folder / "reference"),
        *("--runs", 3, "--out", results),
    )
    anyir("report", results, "--out", folder / "report" / "index.html")
    return folder


@pytest.mark.slow
def test_every_program_is_the_network(built):
    results = json.loads((built / "report" / "results.json").read_text())
    rows = {row["artifact"]["name"]: row for row in results["rows"] if row["artifact"]}
    assert {name.rpartition(".")[2] for name in rows} >= {"pte", "tflite"}
    for name, row in rows.items():
        assert row["status"] == "ok", row["error"]
        if name.endswith((".pte", ".tflite")):
            assert row["artifact"]["sha256"] == sha256(built / "artifacts" / name)
            assert row["partitions"] == 1
    assert (built / "report" / "index.html").stat().st_size > 10_000


@pytest.mark.slow
def test_a_photo_restored_by_each_program_is_the_one_pytorch_restores(built, tmp_path):
    import torch

    clean = data.chelsea()[20:220, 60:330]
    tensor = torch.from_numpy(clean.copy()).permute(2, 0, 1)[None].float() / 255
    noisy = degrade(tensor, "noise", severity=0.5, seed=0).clamp(0, 1)
    pixels = (noisy[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noisy.png")
    arguments = ["restore", tmp_path / "noisy.png"]
    own = ("--statistics", "tile")  # with weights the sheet has another size, and so other crops
    anyir(*arguments, tmp_path / "torch.png", "--with", find_weights(), "--tile", TILE, *own)
    reference = np.asarray(Image.open(tmp_path / "torch.png"))
    gain = psnr(image=reference, reference=clean, data_range=255) - psnr(
        image=pixels, reference=clean, data_range=255
    )
    assert gain > 3
    for artifact in sorted((built / "artifacts").glob("*.*")):
        if artifact.suffix in (".pte", ".tflite"):
            anyir(*arguments, tmp_path / f"{artifact.stem}.png", "--with", artifact, *own)
            restored = np.asarray(Image.open(tmp_path / f"{artifact.stem}.png"))
            assert psnr(image=restored, reference=reference, data_range=255) > 60
            anyir(*arguments, tmp_path / f"look{artifact.suffix}.png", "--with", artifact)
    one, other = (np.asarray(Image.open(tmp_path / f"look.{suffix}.png")) for suffix in ("pte", "tflite"))
    assert psnr(image=one, reference=other, data_range=255) > 60
    assert psnr(image=one, reference=reference, data_range=255) < 60
