"""Configs: every one is read and trains; every mistake in one is a line that names the key."""

import json
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest
import yaml
from lightning_fabric import Fabric
from rich.console import Console

from anyir.model.config import PRESETS
from anyir.model.errors import UserError
from anyir.model.training.config import change_config, differences, make_config
from anyir.model.training.config_file import config_names, load_config, parse_settings
from anyir.model.training.data import PhotosInMemory, open_data
from anyir.model.training.trainer import Trainer
from tests.helpers import datasets as made
from tests.helpers.training import CPU, tiny_config

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
ABLATIONS = {f"ablation-{letter}" for letter in "abcd"} | {f"ratio-{number}" for number in range(1, 4)}
IN_MEMORY = {"procedural", "one-look", "real-photos"}


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """Every dataset that a config names, with photos large enough to validate with."""
    root = tmp_path_factory.mktemp("datasets")
    made.promptir(root, 130)
    made.cdd11(root / "CDD-11_train", 3, 130)
    for name in ("photos", "often", "dim"):
        for number in range(2):
            made.write(root / name / f"{number}.png", made.photo(number, 130))
    for name in ("sky", "pale", "night", "polyu", "lol"):
        made.write_pairs(root / name, "input", "target", [("1.png", "1.png")], 130)
    return root


def test_the_configs_are_those_of_the_paper_and_our_own():
    assert set(config_names()) == PAPER | ABLATIONS | IN_MEMORY
    for name in ABLATIONS:
        assert load_config(name).preset == name
        assert load_config(name).data == load_config("three-degradations").data


def test_table_1_names_everything():
    config = load_config("three-degradations")
    assert (config.name, config.epochs, config.max_steps, config.precision) == (
        "three-degradations", 120, None, None,
    )  # fmt: skip
    assert (config.data.crop, config.data.batch_size) == (128, 32)
    assert (config.optim.learning_rate, config.optim.betas) == (2e-4, (0.9, 0.999))
    samples = {(spec.dataset, spec.sigma): spec.repeat for spec in config.data.datasets}
    assert samples == {
        **{(name, sigma): 3 for name in ("bsd400", "wed") for sigma in (15, 25, 50)},
        ("rain100l", None): 120,
        ("ots", None): 1,
    }


@pytest.mark.parametrize("name", config_names())
def test_every_config_trains_two_steps(name, datasets, tmp_path, monkeypatch):
    small = {"batch_size": 4, "crop": 32, "roots": [str(datasets)], "workers": 2}
    config = load_config(name, {"data": small, "max_steps": 2, "precision": "32-true"})
    # Its parts, at tiny's size.
    monkeypatch.setitem(PRESETS, config.preset, replace(PRESETS[config.preset], **TINY))
    data = open_data(config.data, config.seed, CPU, Console(quiet=True))
    trainer = Trainer(config, data, tmp_path, Fabric(accelerator="cpu", devices=1, precision="32-true"))
    assert trainer.network.config == PRESETS[config.preset]
    losses = [float(trainer.step()) for _ in range(2)]
    data.close()
    assert all(0 < loss < 2 for loss in losses)
    assert isinstance(data, PhotosInMemory) == (name in IN_MEMORY)


def write(path, **changes):
    content = {"about": "A test.", "data": {"datasets": [{"dataset": "rain100l"}]}, "epochs": 1, **changes}
    path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))
    return path


def on(*datasets):
    return {"data": {"datasets": list(datasets)}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sede": 8}, "unknown key 'sede' (did you mean 'seed'?); known: name, about, preset, max_steps"),
        (
            {"data": {"bacth_size": 8}},
            "unknown key 'bacth_size' (did you mean 'batch_size'?); known: datasets, roots, batch_size, crop",
        ),
        ({"preset": "huge"}, "preset: unknown preset 'huge'; known: anyir, small"),
        ({"loss": {"distance": "l2"}}, "loss.distance is 'l2'; known: 'l1', 'rmse'"),
        ({"loss": {"balans": 1}}, "unknown key 'balans' (did you mean 'balance'?); known: distance, fourier"),
        ({"loss": 3}, "loss is 3: input should be an object"),
        ({"precision": "fp8"}, "precision is 'fp8'; known: 'bf16-mixed', '32-true'"),
        ({"data": {"batch_size": "8"}}, "data.batch_size is '8': input should be a valid integer"),
        ({"data": {"batch_size": True}}, "data.batch_size is True: input should be a valid integer"),
        ({"data": {"crop": 100}}, "data.crop is 100: input should be a multiple of 8"),
        ({"optim": {"learning_rate": "2e-4"}}, "'2e-4': YAML takes it for text: write 0.0002"),
        ({"optim": {"learning_rate": 0}}, "optim.learning_rate is 0: input should be greater than 0"),
        ({"optim": {"learning_rate": float("nan")}}, "learning_rate is nan: input should be a finite number"),
        ({"optim": {"betas": 0.9}}, "optim.betas is 0.9: input should be a valid array"),
        ({"compile": "yes please"}, "compile is 'yes please': input should be a valid boolean"),
        ({"about": 3}, "about is 3: input should be a valid string"),
        ({"max_steps": 3}, "give one of max_steps and epochs"),
        ({"max_steps": 0, "epochs": None}, "max_steps is 0: input should be greater than or equal to 1"),
        (
            {
                "data": {
                    "crops_per_photo": 2,
                    "datasets": [
                        {"dataset": "photos", "folder": "a", "degrade": "mixture", "severity": [0, 0.1]}
                    ],
                }
            },
            "severity means nothing where crops_per_photo is above 1",
        ),
        (on(), "data.datasets is []: tuple should have at least 1 item"),
        (on("rain100l"), "data.datasets[0] is 'rain100l': input should be an object"),
        (on({"repeat": 2}), "data.datasets[0].dataset: Field required"),
        (on({"dataset": "rain"}), "data.datasets[0]: unknown dataset 'rain'; known: bsd400"),
        (on({"dataset": "sots"}), "data.datasets[0]: sots has no train split"),
        (
            on({"dataset": "ots", "repeats": 2}),
            "unknown key 'repeats' (did you mean 'repeat'?); known: dataset, folder",
        ),
        (on({"dataset": "ots", "repeat": 0}), "data.datasets[0].repeat is 0: input should be greater"),
        (
            on({"dataset": "wed", "degrade": "fog"}),
            "data.datasets[0]: unknown degradation 'fog'; known: noise",
        ),
        (on({"dataset": "ots", "degrade": "noise"}), "data.datasets[0]: ots is degraded already"),
        (on({"dataset": "wed", "sigma": 25}), "data.datasets[0]: sigma needs degrade: noise"),
        (
            on({"dataset": "wed", "degrade": "rain", "severity": [0.9, 0.1]}),
            "data.datasets[0]: severity [0.9, 0.1] must be",
        ),
        (on({"dataset": "ots", "stored": True}), "stored means nothing without degrade"),
        (on({"dataset": "wed", "severity": [0, 1]}), "severity means nothing without degrade"),
        (
            on({"dataset": "wed", "degrade": "noise", "sigma": 9, "severity": [0, 1]}),
            "severity means nothing beside sigma",
        ),
        (on({"dataset": "wed", "degrade": "mixture", "stored": True}), "stored means nothing beside mixture"),
        ({"base": "two-degradations"}, "(did you mean 'three-degradations'?); known: ablation-a"),
        ({"base": "../x/r.yaml"}, "there is no config ../x/r.yaml"),
        ({"base": "r.yaml"}, "is its own base"),
        (
            {"schedule": {"warmup_ratio": 0.5, "cosine_end": 0.25}},
            "schedule: cosine_end is 0.25, before the warmup ends at 0.5",
        ),
        (
            {"base": "single-derain", "schedule": {"cosine_end": 0.1}, "epochs": None},
            "before the warmup ends at 0.125",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_the_key(tmp_path, changes, message):
    with pytest.raises(UserError) as error:
        load_config(write(tmp_path / "r.yaml", **changes))
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert "r.yaml" in str(error.value) or "base" in changes


def test_files_that_are_no_configs(tmp_path):
    with pytest.raises(UserError, match="unknown config 'table-1'; known: ablation-a"):
        load_config("table-1")
    with pytest.raises(UserError, match=r"there is no config .*none.yaml"):
        load_config(tmp_path / "none.yaml")
    path = tmp_path / "r.yaml"
    path.write_text("a: b\nc: [")
    with pytest.raises(UserError, match=r"r.yaml, line 2 is no YAML"):
        load_config(path)
    for text in (
        "about: 2026-13-45",
        "about: " + 3000 * "[",
        "about: caf\xe9",
        "about: !!python/name:os.system",
    ):
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(UserError, match=r"^[^\n]*r.yaml.* is no YAML [^\n]*$"):
            load_config(path)
    path.write_text("about: x\nmax_steps: 1\ndata:\n  datasets:\n  - {dataset: ots, repeat: 2, repeat: 3}")
    with pytest.raises(UserError, match=r"r.yaml, line 5: the key 'repeat' comes twice"):
        load_config(path)
    path.write_text("about: x\nmax_steps: 1\nseed: 3\nmax_steps: 2\n")
    with pytest.raises(UserError, match=r"r.yaml, line 4: the key 'max_steps' comes twice"):
        load_config(path)
    path.write_text("just text")
    with pytest.raises(UserError, match="must be keys and values"):
        load_config(path)


def test_a_config_of_ones_own_builds_on_another(tmp_path):
    mine = write(tmp_path / "mine.yaml", base="three-degradations", data=None, epochs=None, max_steps=5)
    config = load_config(mine)
    assert (config.max_steps, config.epochs, config.data.crop) == (5, None, 128)
    again = write(tmp_path / "again.yaml", base="mine.yaml", data={"crop": 64}, epochs=None)
    config = load_config(again)
    assert (config.max_steps, config.data.crop, config.data.batch_size) == (5, 64, 32)
    assert config.data.datasets == load_config("three-degradations").data.datasets
    config = load_config(again, {"epochs": 2, "data": {"batch_size": 2}})
    assert (config.epochs, config.max_steps, config.data.batch_size, config.data.crop) == (2, None, 2, 64)


def test_a_base_may_lie_in_another_folder_and_keys_may_be_merged(tmp_path):
    (tmp_path / "bases").mkdir()
    write(tmp_path / "bases" / "r.yaml", data={"crop": 48})
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "about: x\nbase: bases/r.yaml\ndata:\n  datasets:\n"
        "  - &one {dataset: wed, degrade: noise, sigma: 15}\n  - {<<: *one, sigma: 25}"
    )
    config = load_config(mine)
    assert config.data.crop == 48
    assert [spec.sigma for spec in config.data.datasets] == [15, 25]


def test_epochs_become_steps_once_the_photos_are_counted():
    config = make_config({"epochs": 2.5, "data": {"batch_size": 4}})
    assert (config.with_steps(10).max_steps, config.with_steps(10).epochs) == (6, None)
    assert config.with_steps(1).max_steps == 1
    assert tiny_config(max_steps=7).with_steps(10).max_steps == 7


def test_a_config_survives_its_checkpoint_and_says_what_was_changed():
    config = load_config("five-degradations", {"data": {"roots": ["x"]}})
    again = change_config(config, {})
    assert again == config
    changed = change_config(config, {"loss": {"balance": 0.4}, "max_steps": 9})
    assert differences(config, changed) == {
        "max_steps": (None, 9), "epochs": (120.0, None), "loss.balance": (0.0, 0.4),
    }  # fmt: skip


def test_aliases_stand_for_no_more_than_anyone_writes(tmp_path):
    path = tmp_path / "r.yaml"
    laughs = [f"{c}: &{c} [{', '.join(9 * [f'*{b}'])}]" for b, c in pairwise("abcdefghi")]
    path.write_text("\n".join(["a: &a [ha]", *laughs]))
    with pytest.raises(UserError, match=r"r.yaml has more than 10000 values, those behind aliases included"):
        load_config(path)
    path.write_text("preset: tiny\ndata: &a [*a]")
    with pytest.raises(
        UserError, match=r"r.yaml is no YAML \(what begins in line 2 holds an alias of itself"
    ):
        load_config(path)
    with pytest.raises(UserError, match=r"--set data=&a \[\*a\]: '&a \[\*a\]' is no YAML"):
        parse_settings(["data=&a [*a]"])


def test_any_key_is_set_from_the_command_line():
    changes = parse_settings(["loss.balance=0.4", "optim.betas=[0.8, 0.9]", "loss.distance=rmse"])
    config = load_config("procedural", changes)
    assert (config.loss.balance, config.optim.betas) == (0.4, (0.8, 0.9))
    for bad, message in (("loss", "takes KEY=VALUE"), ("=1", "takes KEY=VALUE"), ("a=[", "is no YAML")):
        with pytest.raises(UserError, match=message):
            parse_settings([bad])
    with pytest.raises(UserError, match="unknown key 'x'"):
        make_config(parse_settings(["loss.x=1"]))


@pytest.fixture
def train(command):
    return partial(command, "train")


@pytest.mark.slow
def test_the_command_trains_a_config_and_goes_on(train, datasets, tmp_path):
    run = tmp_path / "run"
    options = ("--config", "five-degradations", "--data", datasets, "--workers", 2, "--preset", "tiny")
    options += ("--batch-size", 2, "--crop", 32, "--precision", "32-true")
    code, out, err = train(*options, "--out", run, "--epochs", 0.02)
    assert code == 0, err
    steps = round(0.02 * 286 / 2)
    assert f"step {steps}: " in out
    assert "rain100l: 2 photos, 240 samples an epoch" in err
    assert "wed with noise of sigma 50: 1 photos, 3 samples an epoch" in err
    assert json.loads((run / "checkpoint.json").read_text())["config"]["name"] == "five-degradations"
    code, _, err = train("--resume", run)
    assert (code, f"the run in {run} is over, after step {steps}" in err) == (1, True)
    code, _, err = train("--resume", run, "--max-steps", steps + 2)
    assert code == 0, err
    assert f"note: max_steps was {steps} and is now {steps + 2}: the run does not go on exactly" in err
    (record,) = json.loads((run / "tiny.json").read_text())["training"]["runs"]
    assert (record["last_step"], record["config"]["max_steps"]) == (steps + 2, steps + 2)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--out", "run"], 2, "give --data FOLDER of clean photos and --out FOLDER, or --resume FOLDER"),
        (["--data", "x"], 2, "give --data FOLDER of clean photos and --out FOLDER, or --resume FOLDER"),
        (["--data", "x", "--out", "run", "--max-steps", 2, "--epochs", 2], 2, "give one of --max-steps and"),
        (["--resume", "x", "--init", "small"], 2, "leave out --init and --config"),
        (["--resume", "x"], 1, "no checkpoint.json in x"),
        (
            ["--config", "cdd", "--data", "x", "--out", "run"],
            1,
            "unknown config 'cdd' (did you mean 'cdd11'?); known: ablation-a",
        ),
        (["--config", "cdd11", "--data", "x", "--out", "run"], 1, "x is not a folder"),
        (["--data", "x", "--out", "run", "--set", "loss.blance=1"], 1, "(did you mean 'balance'?)"),
        (["--data", "x", "--out", "run", "--preset", "huge"], 1, "unknown preset 'huge'; known: anyir"),
    ],
)
def test_bad_usage_is_one_line(train, tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    found, out, err = train(*arguments)
    assert (found, out) == (code, "")
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()
