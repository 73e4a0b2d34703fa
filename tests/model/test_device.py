"""The device is chosen once, from what torch finds, and named as what ran."""

import torch

from anyir.model.config import PRESETS
from anyir.model.device import choose_device, device_label
from anyir.model.network import AnyIR
from anyir.model.restore.tile_models import TorchModel


def finds(monkeypatch, device):
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: device)


def test_whatever_accelerator_torch_finds_is_taken(monkeypatch):
    finds(monkeypatch, torch.device("mps"))
    assert choose_device().type == "mps"
    finds(monkeypatch, None)
    assert choose_device().type == "cpu"


def test_the_label_says_what_runs(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H200")
    devices = ("cuda", "mps", "xpu", "cpu")
    assert [device_label(torch.device(kind)) for kind in devices] == [
        "PyTorch CUDA (NVIDIA H200)",
        "PyTorch MPS (Apple GPU)",
        "PyTorch XPU",
        "PyTorch CPU",
    ]


def test_a_network_runs_on_the_accelerator_and_says_so(monkeypatch):
    finds(monkeypatch, torch.device("meta"))  # an accelerator that every machine has
    model = TorchModel(AnyIR(PRESETS["tiny"]))
    assert {parameter.device.type for parameter in model.network.parameters()} == {"meta"}
    assert model.accelerator == "PyTorch META"
