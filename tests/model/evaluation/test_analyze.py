import copy
import errno
import json
import math
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from skimage import data

from anyir.model import PRESETS, AnyIR, cli
from anyir.model import checkpoint as checkpoints
from anyir.model.checkpoint import save_weights
from anyir.model.evaluation import features as analysis
from anyir.model.evaluation.features import block_names, record
from anyir.model.photo.reader import Photo
from tests.helpers.command_checks import fails, files, save

BLOCK = "encoder.1.0"


@pytest.fixture
def anyir(anyir, monkeypatch):
    monkeypatch.setitem(cli.COMMANDS, "analyze", "anyir.model.commands.analyze")
    return anyir


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(3)
        network = AnyIR(PRESETS["tiny"]).eval()
        for parameter in network.parameters():
            if parameter.ndim < 4:
                parameter += 0.1 * torch.randn(parameter.shape)
    return network


@pytest.fixture(scope="module")
def image():
    return torch.from_numpy(data.astronaut()[100:164, 180:268].copy()).permute(2, 0, 1).float() / 255


def test_features_are_what_the_block_computes(network, image):
    """Put together again by equations 1, 3 and 4 and by algorithm 1's last lines, they give its output."""
    features = record(network, image, BLOCK)
    block = network.get_submodule(BLOCK)
    with torch.inference_mode():
        stream = features.stream[None]
        assert torch.equal(block.attention(block.attention_norm(stream[:, 0::2]))[0], features.attention)
        gated = torch.cat([features.parts["beta"], features.parts["alpha"]])
        gated = torch.nn.functional.gelu(features.parts["gamma"]) * gated
        gated_da = block.gated_da
        gate = gated_da.project(gated_da.gate(gated[None]) + stream[:, 1::2])[0]
        torch.testing.assert_close(gate, features.gate, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(block.fusion(features.attention[None], gate[None])[0], features.fused)
        assert torch.equal(network(image[None])[0], features.restored)


def test_recording_leaves_no_hook_behind(network, image):
    record(network, image, BLOCK)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_every_block_can_be_looked_at(network, image):
    names = block_names(network)
    assert len(names) == 8
    for name in names:
        assert record(network, image, name).stream.shape[0] == 2 * record(network, image, name).gate.shape[0]


def test_parts_that_a_network_lacks_are_left_out(image):
    for preset, parts in (("ratio-1", ["beta", "gamma"]), ("ratio-2", ["alpha", "gamma"])):
        config = PRESETS[preset]
        small = type(config)(**{**vars(PRESETS["tiny"]), "gate_parts": config.gate_parts, "fusion": False})
        features = record(AnyIR(small).eval(), image, BLOCK)
        assert list(features.parts) == parts
        assert features.fused.shape[0] == 2 * features.gate.shape[0]


def test_spectrum_of_known_features():
    """Two independent channels of variance 4 and 1, each twice: rank 2, shares 0.8 and 0.2."""
    grid = torch.arange(16).reshape(4, 4)
    a, b = 2.0 * (grid % 2) - 1, 1.0 * (grid // 2 % 2) - 0.5
    found = analysis.spectrum(torch.stack([a + 7, b, a, b - 3]))
    assert found["singular_values"][:2] == pytest.approx([1, 0.5])
    assert found["singular_values"][2:] == pytest.approx([0, 0], abs=1e-6)
    assert found["cumulative_variance"] == pytest.approx([0.8, 1, 1, 1])
    assert found["components_90"] == 2
    expected = math.exp(-0.8 * math.log(0.8) - 0.2 * math.log(0.2))
    assert found["effective_rank"] == pytest.approx(expected)
    assert analysis.spectrum(torch.ones(3, 4, 4))["components_90"] == 0


def test_splits_of_known_channels():
    """Channels in pairs, each like its neighbour: skip-split gives both paths the same, half-split not."""
    generator = torch.Generator().manual_seed(0)
    strong, weak = torch.randn(2, 32, 32, generator=generator)
    found = analysis.compare_splits(torch.stack([3 * strong, 3 * strong, weak, weak]))
    assert found["skip"]["distance"] == pytest.approx(0, abs=1e-6)
    assert found["half"]["distance"] == pytest.approx(1, abs=0.1)
    assert found["half"]["redundancy"] == pytest.approx(1)
    assert found["skip"]["redundancy"] < 0.2
    assert found["random"]["distance_5"] <= found["random"]["distance"] <= found["random"]["distance_95"]


def test_channels_that_are_all_silent_are_shared_evenly():
    """A black photo before the first block: JSON knows no NaN."""
    found = analysis.compare_splits(torch.zeros(4, 8, 8))
    assert [found[name]["distance"] for name in ("skip", "half", "random")] == [0, 0, 0]


def test_correlation_of_maps():
    rising = torch.arange(12.0).reshape(3, 4)
    assert analysis.correlations(rising, rising**3)["spearman"] == pytest.approx(1)
    assert analysis.correlations(rising, rising**3)["pearson"] < 0.97
    assert analysis.correlations(rising, -rising)["pearson"] == pytest.approx(-1)
    assert analysis.correlations(rising, torch.ones(3, 4))["pearson"] is None
    assert analysis.correlations(rising, torch.ones(3, 4))["spearman"] is None
    a, b = torch.tensor([[0.0, 0.0, 1.0, 3.0]]), torch.tensor([[0.0, 2.0, 2.0, 5.0]])
    expected = stats.spearmanr(a.flatten(), b.flatten()).statistic
    assert analysis.correlations(a, b)["spearman"] == pytest.approx(expected)


@pytest.mark.slow
def test_the_command_draws_four_figures(anyir, folder, tiny_weights):
    save(folder / "photo.png", Photo(data.astronaut()[:100, :130]))
    arguments = ("analyze", "photo.png", "--out", "figures", "--weights", tiny_weights, "--kind", "rain")
    code, out, err = anyir(*arguments, "--json")
    assert code == 0, err
    result = json.loads(out)
    assert result == json.loads((folder / "figures" / "figures.json").read_text())
    assert result["size"] == [128, 96]
    assert result["block"] == BLOCK
    assert result["degradation"] == {"kind": "rain", "severity": 0.6, "seed": 0}
    assert sorted(result["figure6"]) == ["alpha", "beta", "gamma"]
    assert len(result["figure7"]["activations"]) == 16
    assert result["figure8"]["attention"]["cumulative_variance"][-1] == pytest.approx(1)
    assert 0 < result["figure9"]["mean_error"] < 1
    assert -1 <= result["figure9"]["gate_to_error"]["spearman"] <= 1
    for name in ("figure6.png", "figure7.png", "figure8.png", "figure9.png"):
        picture = np.asarray(Image.open(folder / "figures" / name).convert("RGB"))
        assert min(picture.shape[:2]) > 200
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50  # something is drawn

    before = files(folder)
    fails(anyir(*arguments), folder, before, "figures holds figures", "--overwrite")
    again = ("analyze", "photo.png", "--out", "figures", "--weights", tiny_weights, "--overwrite")
    code, out, _ = anyir(*again, "--block", "latent.0")
    assert code == 0
    assert "figure 9 was left out: it needs --kind or --truth" in out
    assert not (folder / "figures" / "figure9.png").exists()  # that of the run before


def test_the_command_takes_a_truth(anyir, folder, tiny_weights):
    photo = data.astronaut()[:64, :64]
    save(folder / "clean.png", Photo(photo))
    save(folder / "dark.png", Photo(photo // 2))
    arguments = ("analyze", "dark.png", "--truth", "clean.png", "--out", "out", "--weights", tiny_weights)
    code, out, err = anyir(*arguments, "--json")
    assert code == 0, err
    expected = float(np.abs(photo / 255 - (photo // 2) / 255).mean())
    assert json.loads(out)["figure9"]["mean_error"] == pytest.approx(expected, abs=1e-5)


@pytest.mark.slow
def test_what_cannot_be_written_leaves_the_earlier_figures(anyir, folder, tiny_weights, monkeypatch):
    save(folder / "photo.png", Photo(data.astronaut()[:64, :64]))
    arguments = ("analyze", "photo.png", "--out", "figures", "--weights", tiny_weights, "--overwrite")
    assert anyir(*arguments, "--kind", "rain")[0] == 0
    (folder / "figures" / "figure8.png").unlink()
    (folder / "figures" / "figure8.png").mkdir()
    before = files(folder)
    fails(anyir(*arguments), folder, before, "figures/figure8.png is a folder")

    (folder / "figures" / "figure8.png").rmdir()
    before = files(folder)
    write_bytes = Path.write_bytes

    def full(path, content):
        if "figure8" in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    fails(anyir(*arguments), folder, before, "No space left on device")
    assert "figure9.png" in os.listdir(folder / "figures")
    assert not [name for name in os.listdir(folder / "figures") if name.startswith(".")]


def test_features_that_overflow_are_one_line(anyir, folder, network):
    """Finite weights whose features are not, or whose sums are not."""
    save(folder / "photo.png", Photo(data.astronaut()[:64, :64]))
    arguments = ("analyze", "photo.png", "--out", "figures", "--weights", "large.safetensors")
    for factor in (1e38, 1e36):
        large = copy.deepcopy(network)
        with torch.no_grad():
            large.get_submodule(BLOCK).gated_da.project.weight.mul_(factor)
        save_weights(large, folder / "large.safetensors", half=False)
        fails(anyir(*arguments), folder, files(folder), "large.safetensors", "overflow")


def test_weights_that_change_while_they_are_read(anyir, folder, tiny_weights, monkeypatch):
    """figures.json never names others than those that were loaded."""
    save(folder / "photo.png", Photo(data.astronaut()[:64, :64]))
    shutil.copy(tiny_weights, folder / "best.safetensors")
    load = checkpoints.load_weights

    def load_and_train_on(path):
        network = load(path)
        path.write_bytes(b"what a training that goes on has written")
        return network

    monkeypatch.setattr(checkpoints, "load_weights", load_and_train_on)
    code, _, err = anyir("analyze", "photo.png", "--out", "figures", "--weights", "best.safetensors")
    assert (code, err) == (1, "anyir: best.safetensors changed while it was read; try again\n")
    assert not (folder / "figures").exists()


def test_bad_input_is_one_line(anyir, folder, tiny_weights):
    photo = data.astronaut()
    save(folder / "photo.png", Photo(photo[:128, :128]))
    save(folder / "other.png", Photo(photo[:128, :136]))
    save(folder / "small.png", Photo(photo[:128, :60]))
    small = type(PRESETS["tiny"])(**{**vars(PRESETS["tiny"]), "gated_da": False, "fusion": False})
    save_weights(AnyIR(small), folder / "plain.safetensors")
    before = files(folder)

    def analyze(*arguments, weights=tiny_weights):
        return anyir("analyze", *arguments, "--out", "figures", "--weights", weights)

    fails(analyze("small.png"), folder, before, "small.png has 60x128 pixels; at least 64 a side")
    fails(analyze("photo.png", "--block", "encoder.9"), folder, before, "no block 'encoder.9'", "latent.0")
    fails(analyze("photo.png", weights="plain.safetensors"), folder, before, "have no GatedDA")
    fails(
        analyze("photo.png", "--truth", "other.png"),
        folder, before, "other.png has 136x128 pixels and photo.png 128x128",
    )  # fmt: skip
    fails(analyze("missing.png"), folder, before, "there is no file missing.png")
    for arguments, words in (
        (("--kind", "fog"), "unknown degradation 'fog'"),
        (("--kind", "rain", "--truth", "other.png"), "give one"),
        (("--severity", 0.6), "--severity means nothing without --kind"),
        (("--seed", 0, "--truth", "photo.png"), "--seed means nothing without --kind"),
    ):
        code, _, err = analyze("photo.png", *arguments)
        assert code == 2
        assert words in err
        assert err.count("\n") == 1
    assert files(folder) == before
