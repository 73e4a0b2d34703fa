import json

import pytest
import torch

from anyir.model import PRESETS, AnyIR
from anyir.model.checkpoint import find_weights, read_header, save_weights, shipped_presets
from anyir.model.errors import UserError
from anyir.model.files import sha256
from anyir.model.model_card import Run, Training, add_figures, card_path, read_training
from anyir.model.training.trainer import write_trained


def test_a_card_is_begun_by_training_and_completed_by_evaluation(tmp_path):
    weights = tmp_path / "tiny.safetensors"
    training = Training(steps=7, samples=56, hours=0.5, runs=[Run.model_validate({"minutes": 30})])
    write_trained(AnyIR(PRESETS["tiny"]), training, weights)
    assert read_training(weights) == training
    row = {"dataset": "cbsd68", "condition": "sigma 25", "stored": True, "psnr": 20.0, "images": [{}]}
    add_figures(weights, {"rows": [row], "tile": None, "noise_seed": 0})
    add_figures(weights, {"validation": {"rain": {"psnr": 30.0}}})
    card = json.loads(card_path(weights).read_text())
    assert card["preset"] == "tiny"
    assert card["sha256"] == sha256(weights)
    assert card["training"]["steps"] == 7
    assert card["training"]["hours"] == 0.5
    assert card["training"]["runs"] == [{"minutes": 30}]
    assert list(card["figures"]["benchmarks"]) == ["cbsd68 sigma 25 stored"]
    assert card["figures"]["benchmarks"]["cbsd68 sigma 25 stored"]["psnr"] == 20.0
    assert card["figures"]["validation"]["rain"]["psnr"] == 30.0


def test_figures_of_other_weights_are_not_mixed_in(tmp_path):
    weights = tmp_path / "tiny.safetensors"
    write_trained(AnyIR(PRESETS["tiny"]), Training(), weights)
    torch.manual_seed(1)
    save_weights(AnyIR(PRESETS["tiny"]), weights)
    with pytest.raises(UserError, match="describes other weights"):
        add_figures(weights, {"validation": {}})


@pytest.mark.parametrize(
    "text",
    [
        '{"training":', "[1]", "[]", '{"training": 3}', "caf\xe9",
        '{"figures": [1]}', '{"figures": {"benchmarks": []}}',
        '{"training": {"steps": null}}', '{"training": {"hours": "7"}}', '{"training": {"runs": 5}}',
        '{"training": {"steps": -5}}', '{"training": {"hours": NaN}}', '{"training": {"hours": Infinity}}',
        "[" * 100_000,
        '{"training": {"runs": [{"means": 5}]}}', '{"training": {"steps": true}}',
        '{"training": {"samples": 1000000000000000000000000000000}}',
    ],
)  # fmt: skip
def test_a_damaged_card_is_one_line(tmp_path, text):
    weights = tmp_path / "tiny.safetensors"
    write_trained(AnyIR(PRESETS["tiny"]), Training(), weights)
    card_path(weights).write_bytes(text.encode("latin-1"))
    for use in (lambda: add_figures(weights, {"validation": {}}), lambda: read_training(weights)):
        with pytest.raises(UserError, match=r"^[^\n]*tiny.json is no model card, or damaged[^\n]*$"):
            use()
    assert card_path(weights).read_bytes() == text.encode("latin-1")


@pytest.mark.parametrize("preset", shipped_presets())
def test_the_cards_that_ship_describe_their_weights_and_stay_small(preset):
    weights = find_weights(preset)
    training = read_training(weights)
    assert training.steps == read_header(weights)["steps"] == training.runs[-1].model_dump()["last_step"]
    assert "history" not in training.model_dump()
    assert card_path(weights).stat().st_size < 48_000
