"""Programs by their arm64 libraries, where QEMU and what it needs are there."""

import numpy as np
import pytest

from anyir.conversion import contract
from anyir.conversion.artifact import open_artifact
from anyir.conversion.elsewhere import arm64
from anyir.conversion.manifest import verify_artifact
from anyir.model.errors import UserError
from tests.helpers.tiny import TILE


@pytest.mark.skipif(arm64.why_not_ready() is not None, reason=str(arm64.why_not_ready()))
@pytest.mark.parametrize(
    "name", ["tiny_litert_cpu_fp32_64x64.tflite", "tiny_executorch_xnnpack_fp32_64x64.pte"]
)
def test_arm64_computes_what_this_machine_does(tiny_artifacts, name):
    path = tiny_artifacts / name
    manifest = verify_artifact(path)
    tiles = list(np.random.default_rng(5).random((1, *contract.shape(TILE)), dtype=np.float32))
    program = arm64.arm64_program(path, manifest.runtime, manifest.backend, TILE)
    [output] = program.run(tiles)
    difference = np.abs(output - open_artifact(path)(tiles[0])).max()
    assert 0 < difference < 1e-4  # sums in another order: the same bits would be this machine's own code
    assert program.runtime.split()[0] in ("ai-edge-litert", "executorch")


def test_what_is_missing_is_named_with_its_packages(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UserError, match=r"qemu-aarch64-static.*install qemu-user-static g\+\+-aarch64"):
        arm64.arm64_program("x.pte", "executorch", "xnnpack", TILE)
    assert "debootstrap" in arm64.why_not_ready()


def test_a_root_that_is_named_must_be_one(monkeypatch, tmp_path):
    monkeypatch.setenv("ANYIR_ARM64_ROOT", str(tmp_path))
    with pytest.raises(UserError, match=r"is no Debian root with python3.11 in it"):
        arm64.find_root()
    (tmp_path / "usr/bin").mkdir(parents=True)
    (tmp_path / "usr/bin/python3.11").touch()
    assert arm64.find_root() == tmp_path


def test_programs_that_no_arm64_linux_runs_are_left_out():
    assert arm64.arm64_program("x.mlpackage", "coreml", "mlprogram", TILE) is None
    assert arm64.arm64_program("x.tflite", "litert", "gpu", TILE) is None


def test_what_cannot_be_made_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def fail(folder):
        (folder / "half").touch()
        arm64.call("sh", "-c", "echo first; echo 'no space left' >&2; exit 1")

    with pytest.raises(UserError, match=r"^sh failed: no space left$"):
        arm64.made_once("thing", fail)
    assert not [path for path in (tmp_path / "anyir").iterdir() if path.suffix != ".lock"]
    made = arm64.made_once("thing", lambda folder: (folder / "whole").touch())
    assert (made / "whole").exists()
    assert arm64.made_once("thing", fail) == made


def test_a_cache_that_cannot_be_written_is_one_line(monkeypatch, tmp_path):
    (tmp_path / "anyir").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(UserError, match="anyir cannot be written"):
        arm64.made_once("thing", lambda folder: None)
