import errno
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from anyir.model import PRESETS, AnyIR, load_weights
from anyir.model.checkpoints import (
    SHIPPED,
    find_weights,
    read_header,
    save_weights,
    sha256,
    shipped_presets,
    write_atomically,
)
from anyir.model.errors import UserError


@pytest.fixture
def tiny(tmp_path):
    torch.manual_seed(0)
    network = AnyIR(PRESETS["tiny"]).eval()
    save_weights(network, tmp_path / "tiny.safetensors", notes={"steps": 3})
    return network, tmp_path / "tiny.safetensors"


def test_round_trip(tiny):
    network, path = tiny
    loaded = load_weights(path, preset="tiny")
    assert not loaded.training
    assert loaded.config == PRESETS["tiny"]
    assert {"preset": "tiny", "steps": 3}.items() <= read_header(path).items()
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float())


def test_full_precision_round_trip(tiny, tmp_path):
    network, _ = tiny
    save_weights(network, tmp_path / "full.safetensors", half=False)
    loaded = load_weights(tmp_path / "full.safetensors").state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in network.state_dict().items())


def refused(path, message, preset=None):
    with pytest.raises(UserError, match=message) as caught:
        load_weights(path, preset=preset)
    assert "\n" not in str(caught.value)


def test_bad_files_are_one_line(tiny, tmp_path):
    _, path = tiny
    refused(tmp_path / "none.safetensors", "no weights at")
    refused(tmp_path, "is a folder")
    refused(path, "holds weights of preset 'tiny', not of 'small'", preset="small")
    content = path.read_bytes()
    (tmp_path / "text.safetensors").write_text("hello")
    refused(tmp_path / "text.safetensors", "not a readable safetensors file")
    (tmp_path / "short.safetensors").write_bytes(content[: len(content) // 2])
    refused(tmp_path / "short.safetensors", "not a readable safetensors file")
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    refused(tmp_path / "foreign.safetensors", "carries no AnyIR config")


def test_wrong_tensors_are_refused(tiny, tmp_path):
    _, path = tiny
    tensors = load_file(path)
    metadata = {"config": json.dumps(PRESETS["tiny"].to_dict()), "anyir": json.dumps({"preset": "tiny"})}
    name = next(iter(tensors))
    save_file({**tensors, name: torch.full_like(tensors[name], float("nan"))}, tmp_path / "nan.st", metadata)
    refused(tmp_path / "nan.st", f"NaN or infinity in {name}")
    del tensors[name]
    save_file(tensors, tmp_path / "less.st", metadata)
    refused(tmp_path / "less.st", "does not hold the tensors")
    metadata["config"] = json.dumps({**PRESETS["tiny"].to_dict(), "new": 1})
    save_file(tensors, tmp_path / "future.st", metadata)
    refused(tmp_path / "future.st", "unknown config key 'new'")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dim": "x"}, "dim is 'x'; it must be a whole number in 2..1000"),
        ({"dim": -8}, "dim is -8; it must be a whole number in 2..1000"),
        ({"dim": 10**7}, "dim is 10000000; it must be"),
        ({"dim": 800}, "does not hold the tensors of the config"),
        ({"blocks": 5}, "blocks is 5; it must be 4 whole numbers"),
        ({"heads": []}, r"heads is \(\); it must be 4 whole numbers"),
        ({"decoder": [1, 1, 1.5]}, "decoder is .*; it must be 3 whole numbers"),
        ({"ffn_expansion": None}, "ffn_expansion is None; it must be a number"),
        ({"depthwise_kernel": 2}, "depthwise_kernel is 2; it must be odd"),
        ({"fusion": 1}, "gated_da and fusion must be true or false"),
        ({"split": []}, "split is"),
        ([1], "a config is keys and values, not list"),
    ],
)
def test_a_damaged_config_is_one_line(tiny, tmp_path, change, message):
    _, path = tiny
    config = {**PRESETS["tiny"].to_dict(), **change} if isinstance(change, dict) else change
    metadata = {"config": json.dumps(config), "anyir": "{}"}
    save_file(load_file(path), tmp_path / "damaged.st", metadata)
    refused(tmp_path / "damaged.st", message)


def test_a_damaged_header_is_one_line(tiny, tmp_path):
    _, path = tiny
    save_file(load_file(path), tmp_path / "damaged.st", {"config": "{}", "anyir": "[1]"})
    refused(tmp_path / "damaged.st", "carries no AnyIR config")


@pytest.mark.parametrize("preset", shipped_presets())
def test_shipped_weights_match_their_card(preset):
    card = json.loads((SHIPPED / f"{preset}.json").read_text())
    path = find_weights(preset)
    assert card["sha256"] == sha256(path)
    assert card["config"] == read_header(path)["config"]
    assert load_weights(preset, preset=preset).config == PRESETS[preset]


def test_small_is_taken_where_no_weights_are_named():
    assert find_weights() == SHIPPED / "small.safetensors"


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "folder" / "file").mkdir(parents=True)
    with pytest.raises(OSError, match="directory") as caught:
        write_atomically(tmp_path / "folder" / "file", b"new")
    assert caught.value.filename == str(tmp_path / "folder" / "file")
    assert len(list((tmp_path / "folder").iterdir())) == 1


def test_a_read_only_file_system_is_said_of_the_file_itself(tmp_path, monkeypatch):
    def refuse(path, *_, **__):
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OSError, match="Read-only") as caught:
        write_atomically(tmp_path / "file", b"new")
    assert caught.value.filename == str(tmp_path / "file")
