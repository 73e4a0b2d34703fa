import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from anyir.model import PRESETS, AnyIR, AnyIRConfig, load_weights
from anyir.model.checkpoint import SHIPPED, find_weights, read_header, save_weights, shipped_presets
from anyir.model.config import preset_name
from anyir.model.errors import UserError
from anyir.model.files import sha256


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


def header_of(network):
    return {"config": json.dumps(network.config.to_dict()), "anyir": "{}"}


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
    ("dtype", "said"),
    [
        (torch.float8_e4m3fn, "float8_e4m3fn"),
        (torch.float8_e8m0fnu, "float8_e8m0fnu"),
        (torch.complex64, "complex64"),
        (torch.int32, "int32"),
        (torch.bool, "bool"),
    ],
)
def test_weights_of_other_types_are_refused(tiny, tmp_path, dtype, said):
    """They would lose what they hold, or end in a traceback."""
    network, path = tiny
    tensors = load_file(path)
    name = list(tensors)[3]
    # Ones, as not every type can be made from random numbers.
    tensors[name] = torch.ones(tensors[name].shape).to(dtype)
    save_file(tensors, tmp_path / "typed.st", header_of(network))
    refused(
        tmp_path / "typed.st", f"holds {name} as {said}; weights are float16, bfloat16, float32 or float64"
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_floating_point_types_are_read(tiny, tmp_path, dtype):
    network, path = tiny
    tensors = {name: value.to(dtype) for name, value in load_file(path).items()}
    save_file(tensors, tmp_path / "typed.st", header_of(network))
    loaded = load_weights(tmp_path / "typed.st").state_dict()
    assert all(torch.equal(loaded[name], value.float()) for name, value in tensors.items())


def test_numbers_that_float32_does_not_hold_are_refused(tiny, tmp_path):
    network, path = tiny
    tensors = {name: value.double() for name, value in load_file(path).items()}
    name = next(iter(tensors))
    tensors[name] += 1e300
    save_file(tensors, tmp_path / "huge.st", header_of(network))
    refused(tmp_path / "huge.st", f"NaN or infinity in {name}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": "many"}, "steps is 'many'; it must be a whole number in 0..10\\^15"),
        ({"steps": float("nan")}, "steps is nan; it must be a whole number"),
        ({"steps": True}, "steps is True; it must be a whole number"),
        ({"samples": -1}, "samples is -1; it must be a whole number"),
        ({"samples": 10**30}, "samples is 10+; it must be a whole number"),
        ({"hours": float("inf")}, "hours is inf; it must be a number"),
        ({"hours": None}, "hours is None; it must be a number"),
    ],
)
def test_training_of_no_possible_length_is_one_line(tiny, change, message):
    network, path = tiny
    save_weights(network, path, notes=change)
    refused(path, f"tiny.safetensors has a damaged header: {message}")


def test_equal_weights_are_equal_files(tiny, tmp_path):
    network, path = tiny
    for number in range(8):  # the library's own order of the header is another every time
        save_weights(network, tmp_path / f"{number}.st", notes={"steps": 3})
        assert (tmp_path / f"{number}.st").read_bytes() == path.read_bytes()


def test_every_preset_has_a_network_and_a_name_of_its_own():
    assert len(set(PRESETS.values())) == len(PRESETS)
    assert all(preset_name(config) == name for name, config in PRESETS.items())
    assert preset_name(AnyIRConfig(refinement=3)) is None


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
