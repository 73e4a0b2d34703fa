"""Training takes bfloat16 by itself on a GPU that has it, and what it is asked for unless that is wrong."""

import pytest
import torch

from anyir.model.errors import UserError
from anyir.model.training import acceleration as precision
from anyir.model.training import optim as optimizers
from anyir.model.training import run as training_run
from anyir.model.training import trainer
from anyir.model.training.acceleration import best_precision, has_bfloat16
from anyir.model.training.optim import orthogonalize
from anyir.model.training.trainer import Trainer
from tests.helpers.training import tiny_config, write_photos

CPU = torch.device("cpu")


@pytest.fixture(params=[True, False], ids=["bfloat16", "no bfloat16"])
def bfloat16(request, monkeypatch):
    """Both kinds of CPU, whichever this one is."""
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: request.param)
    for module in (optimizers, training_run):
        monkeypatch.setattr(module, "has_bfloat16", lambda device: request.param)
    return request.param


def test_this_cpu_is_asked():
    found = torch.cpu.get_capabilities()
    if found["architecture"] != "x86_64":
        pytest.skip("what tells bfloat16 apart is known here for x86 only")
    if found["avx512_bf16"]:
        assert has_bfloat16(CPU)
    elif not (found["avx512_f"] or found["avx_ne_convert"]):
        assert not has_bfloat16(CPU)


def test_a_torch_that_cannot_be_asked_has_none(monkeypatch):
    """Builds without oneDNN lack the question."""
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", pytest.fail)
    assert not has_bfloat16(CPU)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_gpu_is_asked():
    device = torch.device("cuda")
    assert has_bfloat16(device) == (torch.cuda.get_device_capability() >= (8, 0))


def test_what_training_takes_by_default(bfloat16):
    assert best_precision(CPU) == "32-true"
    assert best_precision(torch.device("cuda")) == ("bf16-mixed" if bfloat16 else "32-true")


@pytest.mark.parametrize("crops", [1, 2])
@pytest.mark.parametrize("compiles", [True, False])
def test_what_a_cpu_computes_wrongly_is_refused(tmp_path, no_validation, crops, compiles, monkeypatch):
    monkeypatch.setattr(Trainer, "compile_ahead", lambda self: 0.0)
    monkeypatch.setattr(trainer, "compile_blocks", lambda network: None)
    roots = [str(write_photos(tmp_path / "photos"))]
    data = {"roots": roots, "crops_per_photo": crops}
    config = tiny_config(max_steps=1, precision="bf16-mixed", compile=compiles, data=data)
    if compiles and crops > 1:
        with pytest.raises(UserError, match=r"^bf16-mixed with --compile gives wrong .* --precision 32-true"):
            training_run.train(config, tmp_path / "run")
        assert not (tmp_path / "run").exists()
    else:
        training_run.train(config, tmp_path / "run")


def test_muon_computes_in_it_where_it_is_fast(bfloat16):
    made = orthogonalize(torch.randn(3, 8, 20, generator=torch.Generator().manual_seed(0)))
    assert made.dtype == (torch.bfloat16 if bfloat16 else torch.float32)
    values = torch.linalg.svdvals(made.float())
    assert values.min() > 0.6
    assert values.max() < 1.3


@pytest.mark.parametrize("asked", [None, "bf16-mixed", "32-true"])
def test_a_run_says_what_it_took_and_when_that_is_slow(tmp_path, capfd, bfloat16, asked, no_validation):
    roots = [str(write_photos(tmp_path / "photos"))]
    config = tiny_config(max_steps=1, precision=asked, data={"roots": roots})
    training_run.train(config, tmp_path / "run")
    said = capfd.readouterr().err
    took = asked or "32-true"
    assert f", {took}: " in said
    assert ("emulates it: --precision 32-true" in said) == (asked == "bf16-mixed" and not bfloat16)
