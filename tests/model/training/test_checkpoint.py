"""Checkpoints of a run: whole whenever a save ends, refused when damaged or of another network."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from anyir.model.errors import UserError
from anyir.model.training.checkpoint import INDEX, Progress, load_tensors, read_checkpoint, save_checkpoint
from anyir.model.training.data import Fingerprint
from tests.helpers.training import make_trainer, tiny_config


def save(folder, tensors, step=1):
    save_checkpoint(folder, tensors, tiny_config(), Progress(step=step), Fingerprint())


def test_what_a_killed_save_left_is_removed(tmp_path):
    """On a file system without nameless files it has a hidden name."""
    (tmp_path / ".0123456789abcdef.part").write_bytes(b"half")
    save(tmp_path, {"a": torch.ones(3)})
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]


@pytest.mark.slow
def test_killed_without_warning_loses_nothing_that_was_saved(tmp_path):
    """kill -9 in the middle of rapid saving always leaves one whole checkpoint."""
    code = f"""
import torch
from pathlib import Path
from anyir.model.training.checkpoint import Progress, save_checkpoint
from anyir.model.training.data import Fingerprint
from tests.helpers.training import tiny_config
n = 0
while True:
    n += 1
    tensors = {{"a": torch.full((2_000_000,), float(n)), "b": torch.full((6_000_000,), float(n))}}
    save_checkpoint(Path({str(tmp_path / "run")!r}), tensors, tiny_config(), Progress(step=n), Fingerprint())
"""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3])
    while not (tmp_path / "run" / INDEX).exists():
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(1.0)
    process.send_signal(signal.SIGKILL)
    process.wait()
    checkpoint = read_checkpoint(tmp_path / "run")
    tensors = load_tensors(tmp_path / "run", checkpoint)
    assert (tensors["a"] == checkpoint.progress.step).all()
    assert (tensors["b"] == checkpoint.progress.step).all()


def test_whatever_moment_a_save_ends_at_a_whole_checkpoint_is_left(tmp_path, monkeypatch):
    """A stand-in for ``write_atomically`` that dies before or after each of its calls."""
    from anyir.model.training import checkpoint as module

    write = module.write_atomically
    save(tmp_path, {"a": torch.ones(3)}, 1)
    for dies_at in range(4):
        calls = []

        def dying(path, content, dies_at=dies_at, calls=calls):
            for action in (lambda: None, lambda: write(path, content)):
                action()
                calls.append(path)
                if len(calls) == dies_at + 1:
                    raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(module, "write_atomically", dying)
            with pytest.raises(KeyboardInterrupt):
                save(tmp_path, {"a": torch.full((3,), 2.0)}, 2)
        checkpoint = read_checkpoint(tmp_path)
        assert float(load_tensors(tmp_path, checkpoint)["a"][0]) == checkpoint.progress.step
        assert checkpoint.progress.step == (2 if dies_at == 3 else 1)
    save(tmp_path, {"a": torch.full((3,), 3.0)}, 3)
    assert len(list(tmp_path.iterdir())) == 2  # one .safetensors and one JSON


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_damaged_checkpoints_are_refused(tmp_path):
    def load():
        load_tensors(tmp_path, read_checkpoint(tmp_path))

    save(tmp_path, {"a": torch.ones(3)})
    good = (tmp_path / INDEX).read_text()
    (tensors,) = tmp_path.glob("*.safetensors")
    with pytest.raises(UserError, match=r"no checkpoint.json"):
        read_checkpoint(tmp_path / "elsewhere")
    for text in (good[: len(good) // 2], "[" * 100_000, "caf\xe9", "[1]", good.replace(tensors.name, "../x")):
        (tmp_path / INDEX).write_bytes(text.encode("latin-1"))
        with pytest.raises(UserError, match=r"^[^\n]*is damaged[^\n]*$"):
            load()
    (tmp_path / INDEX).write_text(good.replace(tensors.name, "checkpoint-0.safetensors"))
    with pytest.raises(UserError, match=r"names checkpoint-0\.safetensors, which is not in its folder"):
        load()
    (tmp_path / INDEX).write_text(good)
    damage(tensors)
    with pytest.raises(UserError, match="sha256"):
        load()
    save(tmp_path, {"a": torch.tensor([1.0, float("nan")])})
    with pytest.raises(UserError, match="NaN or infinity in a"):
        load()


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    make_trainer(tmp_path / "run").save()
    other = make_trainer(tmp_path / "other", preset="ratio-1")
    with pytest.raises(UserError, match="holds another network's tensors"):
        other.resume(tmp_path / "run")
