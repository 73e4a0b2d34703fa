"""Recipes: every one is read and trains; every mistake in one is a line that names the key."""

import json
from dataclasses import replace
from functools import partial

import pytest
import torch
import yaml
from lightning.fabric import Fabric
from rich.console import Console

from anyir.model.config import PRESETS
from anyir.model.data.mixture import Sampler
from anyir.model.errors import UserError
from anyir.model.training.config import load_recipe, make_settings, recipe_names
from anyir.model.training.data import Supply
from anyir.model.training.trainer import Trainer
from tests.helpers import datasets as made

PAPER = {
    "three-degradations",
    "five-degradations",
    "single-denoise",
    "single-derain",
    "single-dehaze",
    "cdd11",
}
SHAPE = ("dim", "blocks", "decoder", "refinement", "heads", "ffn_expansion")
TINY = {name: getattr(PRESETS["tiny"], name) for name in SHAPE}
ABLATIONS = {f"ablation-{letter}" for letter in "abcde"} | {f"ratio-{number}" for number in range(1, 5)}


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """Every dataset that a recipe names, with photos large enough to validate with."""
    root = tmp_path_factory.mktemp("datasets")
    made.promptir(root, 130)
    made.cdd11(root / "CDD-11_train", 3, 130)
    return root


def test_the_recipes_are_those_of_the_paper_and_our_own():
    assert set(recipe_names()) == PAPER | ABLATIONS | {"procedural"}
    for name in ABLATIONS:
        assert load_recipe(name).values["preset"] == name
        assert load_recipe(name).sources == load_recipe("three-degradations").sources


def test_table_1_names_everything():
    recipe = load_recipe("three-degradations")
    settings, precision = make_settings(recipe, {})
    assert (settings.crop, settings.batch, settings.epochs, settings.minutes) == (128, 32, 120, 0)
    assert (settings.learning_rate, settings.betas, settings.weight_decay) == (2e-4, (0.9, 0.999), 0.01)
    assert (settings.recipe, precision) == ("three-degradations", None)
    samples = {(s.dataset, s.sigma): s.repeat for s in recipe.sources}
    assert samples == {
        **{(name, sigma): 3 for name in ("bsd400", "wed") for sigma in (15, 25, 50)},
        ("rain100l", None): 120,
        ("ots", None): 1,
    }


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_trains_two_steps(name, datasets, tmp_path, monkeypatch):
    recipe = load_recipe(name)
    preset = recipe.values["preset"]
    monkeypatch.setitem(PRESETS, preset, replace(PRESETS[preset], **TINY))  # its parts, at tiny's size
    explicit = {"batch": 2, "crop": 32, "steps": 2, "precision": "32-true"}
    settings, precision = make_settings(recipe, explicit)
    console = Console(quiet=True)
    material = Supply(recipe.sources, [datasets], workers=2).load(console, torch.device("cpu"), settings)
    fabric = Fabric(accelerator="cpu", devices=1, precision=precision)
    trainer = Trainer(settings, material.sampler, material.validation, tmp_path, fabric)
    assert trainer.network.config == PRESETS[preset]
    losses = [float(trainer._step(share)) for share in (0.0, 0.5)]
    material.close()
    assert all(0 < loss < 2 for loss in losses)
    assert isinstance(material.sampler, Sampler) == (name == "procedural")


def write(path, **changes):
    content = {"about": "A test.", "sources": [{"dataset": "rain100l"}], "epochs": 1, **changes}
    path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bacth": 8}, "unknown key 'bacth' (did you mean 'batch'?); known: about, base, sources, preset"),
        ({"preset": "huge"}, "preset is 'huge': unknown value 'huge'; known: anyir, small"),
        ({"loss_scale": "l2"}, "loss_scale is 'l2': unknown value 'l2'; known: linear, log"),
        ({"precision": "fp8"}, "precision is 'fp8': unknown value 'fp8'; known: bf16-mixed, 32-true"),
        ({"batch": "8"}, "batch is '8': it must be a whole number in 1..65536"),
        ({"batch": True}, "batch is True: it must be a whole number"),
        ({"crop": 100}, "crop is 100: it must be a whole number in 16..4096, a multiple of 8"),
        ({"learning_rate": "2e-4"}, "learning_rate is '2e-4': YAML takes it for text: write 0.0002"),
        ({"learning_rate": 0}, "learning_rate is 0: it must be a number in 0..1, above 0"),
        ({"betas": 0.9}, "betas is 0.9: it must be a list of two numbers"),
        ({"compile": "yes please"}, "compile is 'yes please': it must be true or false"),
        ({"about": 3}, "about is 3: it must be text"),
        ({"steps": 3}, "has several of epochs, steps, minutes"),
        ({"epochs": None}, "does not say how long it runs: epochs, steps, minutes"),
        ({"sources": None}, "lacks 'sources'"),
        ({"sources": []}, "sources must be a list of datasets"),
        ({"sources": ["rain100l"]}, "source 1: it must name a dataset"),
        ({"sources": [{"dataset": "rain"}]}, "source 1: unknown dataset 'rain'; known: bsd400"),
        ({"sources": [{"dataset": "sots"}]}, "source 1: sots has no train split"),
        (
            {"sources": [{"dataset": "ots", "repeats": 2}]},
            "source 1: unknown key 'repeats' (did you mean 'repeat'?); known: dataset, folder",
        ),
        ({"sources": [{"dataset": "ots", "repeat": 0}]}, "source 1: repeat is 0: it must be a whole number"),
        (
            {"sources": [{"dataset": "wed", "degrade": "fog"}]},
            "source 1: unknown degradation 'fog'; known: noise",
        ),
        ({"sources": [{"dataset": "ots", "degrade": "noise"}]}, "source 1: ots is degraded already"),
        ({"sources": [{"dataset": "wed", "sigma": 25}]}, "source 1: sigma 25.0 needs degrade: noise"),
        (
            {"sources": [{"dataset": "wed", "degrade": "rain", "severity": [0.9, 0.1]}]},
            "source 1: severity [0.9, 0.1] must be",
        ),
        ({"base": "two-degradations"}, "(did you mean 'three-degradations'?); known: ablation-a"),
        ({"base": "../x/r.yaml"}, "there is no recipe ../x/r.yaml"),
        ({"warm_up": 0.5, "cosine_end": 0.25}, "cosine_end is 0.25, before warm_up ends at 0.5"),
        ({"base": "single-derain", "cosine_end": 0.1, "epochs": None}, "before warm_up ends at 0.125"),
        ({"sources": [{"dataset": "ots", "stored": True}]}, "source 1: stored means nothing without degrade"),
        (
            {"sources": [{"dataset": "wed", "degrade": "noise", "sigma": 9, "severity": [0, 1]}]},
            "source 1: severity means nothing beside sigma",
        ),
        (
            {"sources": [{"dataset": "wed", "degrade": "mixture", "stored": True}]},
            "source 1: stored means nothing beside mixture",
        ),
        ({"base": "r.yaml"}, "is its own base"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(tmp_path, changes, message):
    with pytest.raises(UserError) as error:
        load_recipe(write(tmp_path / "r.yaml", **changes))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_files_that_are_no_recipes(tmp_path):
    with pytest.raises(UserError, match="unknown recipe 'table-1'; known: ablation-a"):
        load_recipe("table-1")
    with pytest.raises(UserError, match=r"there is no recipe .*none.yaml"):
        load_recipe(tmp_path / "none.yaml")
    path = tmp_path / "r.yaml"
    path.write_text("a: b\nc: [")
    with pytest.raises(UserError, match=r"r.yaml, line 2 is no YAML"):
        load_recipe(path)
    for text in (
        "about: 2026-13-45",
        "about: " + 3000 * "[",
        "about: caf\xe9",
        "about: !!python/name:os.system",
    ):
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(UserError, match=r"^[^\n]*r.yaml.* is no YAML [^\n]*$"):
            load_recipe(path)
    path.write_text("about: x\nminutes: 1\nsources:\n- {dataset: ots, repeat: 2, repeat: 3}")
    with pytest.raises(UserError, match=r"r.yaml, line 4: the key 'repeat' comes twice"):
        load_recipe(path)
    path.write_text("about: x\nminutes: 1\nsources: [{dataset: ots}]\nminutes: 2\n")
    with pytest.raises(UserError, match=r"r.yaml, line 4: the key 'minutes' comes twice"):
        load_recipe(path)
    path.write_text("just text")
    with pytest.raises(UserError, match="must be keys and values"):
        load_recipe(path)


def test_a_recipe_of_ones_own_builds_on_another(tmp_path):
    mine = write(tmp_path / "mine.yaml", base="three-degradations", sources=None, epochs=None, minutes=5)
    recipe = load_recipe(mine)
    assert recipe.values["minutes"] == 5
    assert "epochs" not in recipe.values
    assert recipe.values["crop"] == 128
    again = write(tmp_path / "again.yaml", base="mine.yaml", sources=None, epochs=None, crop=64)
    assert load_recipe(again).values["crop"] == 64
    assert load_recipe(again).values["minutes"] == 5
    settings, _ = make_settings(load_recipe(again), {"steps": 9, "batch": 2})
    assert (settings.steps, settings.minutes, settings.batch, settings.crop) == (9, 0, 2, 64)


def test_a_base_may_lie_in_another_folder_and_keys_may_be_merged(tmp_path):
    (tmp_path / "bases").mkdir()
    write(tmp_path / "bases" / "r.yaml", crop=64)
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "about: x\nbase: bases/r.yaml\nsources:\n"
        "- &one {dataset: wed, degrade: noise, sigma: 15}\n- {<<: *one, sigma: 25}"
    )
    recipe = load_recipe(mine)
    assert recipe.values["crop"] == 64
    assert [source.sigma for source in recipe.sources] == [15, 25]


@pytest.fixture
def train(command):
    return partial(command, "train")


@pytest.mark.slow
def test_the_command_trains_a_recipe_and_goes_on(train, datasets, tmp_path):
    common = ("--recipe", "five-degradations", "--root", datasets, "--out", tmp_path / "run", "--workers", 2)
    small = ("--preset", "tiny", "--batch", 2, "--crop", 32, "--precision", "32-true")
    code, out, err = train(*common, *small, "--steps", 2)
    assert code == 0, err
    assert "step 2: " in out
    assert "rain100l: 2 photos, 240 samples an epoch" in err
    assert "wed with noise of sigma 50: 1 photos, 3 samples an epoch" in err
    code, _, err = train(*common, *small, "--epochs", 0.02, "--resume", tmp_path / "run")
    assert code == 0, err
    state = json.loads((tmp_path / "run/checkpoint.json").read_text())
    assert state["settings"]["recipe"] == "five-degradations"
    assert [chunk["steps"] for chunk in state["progress"]["chunks"]] == [2, state["settings"]["steps"]]
    assert state["progress"]["step"] == 2 + round(0.02 * 286 / 2)
    code, _, err = train(*common, "--preset", "small", "--resume", tmp_path / "run")
    assert (code, err) == (1, f"anyir: {tmp_path / 'run'} trains preset 'tiny', not 'small'\n")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "give --data FOLDER of clean photos, or --recipe NAME with --root FOLDER"),
        (["--recipe", "cdd11"], 2, "--recipe needs --root"),
        (["--recipe", "cdd11", "--data", "x", "--root", "x"], 2, "not --data"),
        (["--data", "x", "--steps", 2, "--epochs", 2], 2, "give one of --minutes, --epochs and --steps"),
        (
            ["--recipe", "cdd", "--root", "x"],
            1,
            "unknown recipe 'cdd' (did you mean 'cdd11'?); known: ablation-a",
        ),
        (["--recipe", "cdd11", "--root", "x"], 1, "x is not a folder"),
    ],
)
def test_bad_usage_is_one_line(train, tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    found, out, err = train(*arguments, "--out", "run")
    assert (found, out) == (code, "")
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()
