"""Training takes bfloat16 only where the device computes it; what is asked for is taken all the same."""

import pytest
import torch

from anyir.model.training import acceleration as precision
from anyir.model.training import optim as optimizers
from anyir.model.training import run as training_run
from anyir.model.training.acceleration import best_precision, has_bfloat16
from anyir.model.training.optim import orthogonalize
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
    assert best_precision(CPU) == ("bf16-mixed" if bfloat16 else "32-true")


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
    took = asked or ("bf16-mixed" if bfloat16 else "32-true")
    assert f", {took}: " in said
    assert ("emulates it: --precision 32-true" in said) == (asked == "bf16-mixed" and not bfloat16)
