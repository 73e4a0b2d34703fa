"""The benchmark of photos: its rows, what is missing, and the figures of its worst photos."""

import json

import pytest
import torch

from anyir.model.data.discovery import find_dataset
from anyir.model.errors import UserError
from anyir.model.evaluation.benchmark import plan_trials, run_trial
from anyir.model.evaluation.suite import SUITE, plan_suite
from anyir.model.evaluation.tables import photo_cells
from tests.helpers import datasets as made
from tests.helpers.command_line import TERMINAL


def identity(image):
    return image.clamp(0, 1)


@pytest.fixture
def sets(tmp_path):
    """Three of the benchmark's sets, smaller than they are published."""
    names = [(f"{i}.png", f"{i}.png") for i in range(4)]
    made.write_pairs(tmp_path / "pairs/lol", "input", "target", names)
    for i in range(5):
        made.write(tmp_path / f"test/cbsd68/{i}.png", made.photo(i))
        made.write(tmp_path / f"real/good/{i}.png", made.photo(i + 5))
    return tmp_path


def test_rows_are_the_sets_that_are_there_and_the_others_are_named(sets):
    trials, missing = plan_suite([sets])
    assert [(t.dataset, t.condition) for t in trials] == [
        (entry.dataset, f"sigma {entry.sigma}" if entry.sigma else entry.condition)
        for entry in SUITE
        if entry.dataset in ("lol", "cbsd68", "good")
    ]
    assert len(missing) == 4
    for name in ("polyu", "gopro", "rain100l", "collection"):
        assert sum(f"no test photos of {name} below" in line for line in missing) == 1
    lol = trials[0]
    assert [pair.name for _, pair in lol.judged] == ["2.png", "3.png"]
    assert lol.notes == ("lol: 2 of the 15 published photos are there",)


def test_every_nth_photo_keeps_the_noise_of_its_place(sets):
    (whole,) = plan_trials(find_dataset("cbsd68", "test", sets), [25])
    (part,) = plan_trials(find_dataset("cbsd68", "test", sets), [25], every=2)
    all_images, images = (run_trial(identity, trial)["images"] for trial in (whole, part))
    assert images == all_images[::2]
    assert len(images) == 3


def test_nothing_there_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no set of the benchmark is there: no test photos of polyu"):
        plan_suite([tmp_path])


def test_a_photo_that_is_there_twice_is_named(sets):
    made.write(sets / "real/good/copy.png", made.photo(5))
    (trial,) = plan_trials(find_dataset("good", "test", sets), [], conditions=["unchanged"])
    (note,) = trial.notes
    assert note.startswith("good: ")
    assert note.endswith("copy.png is the same photo as 0.png and counts twice")


def test_conditions_are_for_clean_photos_and_known(sets):
    with pytest.raises(UserError, match="lol is degraded already: jpeg-10 takes clean photos"):
        plan_trials(find_dataset("lol", "test", sets), [], conditions=["jpeg-10"])
    with pytest.raises(UserError, match=r"unknown condition 'jpeg-1' \(did you mean 'jpeg-10'\?\)"):
        plan_trials(find_dataset("good", "test", sets), [], conditions=["jpeg-1"])


def test_harm_is_what_a_network_does_to_photos_that_are_fine(sets):
    (trial,) = plan_trials(find_dataset("good", "test", sets), [], conditions=["unchanged"])
    row = run_trial(identity, trial)
    assert (row["worse"], row["largest_shift"], row["worst_psnr"]) == (0, 0, 100)
    seen = []

    def brighter_at_the_third(image):
        seen.append(image)
        return (image + (0.02 if len(seen) == 3 else 0)).clamp(0, 1)

    row = run_trial(brighter_at_the_third, trial)
    assert row["worse"] == 1
    assert row["largest_shift"] == pytest.approx(0.02 * 255, abs=0.1)
    assert row["worst_psnr"] == pytest.approx(33.98, abs=0.1)
    cells = photo_cells(row)
    assert cells[0] == "good"
    assert cells[-3] == "1 of 5"


def test_a_photo_that_loses_is_counted(sets):
    (trial,) = plan_trials(find_dataset("lol", "test", sets), [])
    row = run_trial(lambda image: (image * 0.5).clamp(0, 1), trial)
    gains = [image["psnr"] - image["input_psnr"] for image in row["images"]]
    assert row["worst_gain"] == pytest.approx(min(gains))
    assert row["worse"] == sum(gain < -0.1 for gain in gains) > 0


def test_a_tint_shows_in_black_and_white(sets):
    (trial,) = plan_trials(find_dataset("cbsd68", "test", sets), [], conditions=["bw-noise-25"])
    assert run_trial(identity, trial)["largest_spread"] < 1e-3
    tint = torch.tensor([0.05, 0, 0]).view(1, 3, 1, 1)
    row = run_trial(lambda image: (image * 0.5 + 0.2 + tint).clamp(0, 1), trial)
    assert row["largest_spread"] == pytest.approx(0.05 * 255, abs=0.1)


def test_the_command_prints_the_whole_table(command, sets, tiny_weights, monkeypatch):
    monkeypatch.setitem(TERMINAL, "COLUMNS", "50")  # of no meaning, as the output is no terminal
    arguments = ("eval", "--real", "--root", sets, "--with", tiny_weights, "--every", 2)
    code, out, err = command(*arguments)
    assert code == 0, err
    assert "tiny, PyTorch CPU, whole photos" in out
    for start in (
        "lol ",
        "cbsd68 sigma 25 ",
        "cbsd68 bw-noise-25",
        "cbsd68 jpeg-10",
        "cbsd68 dark-5",
        "good ",
    ):
        assert sum(line.startswith(start) for line in out.splitlines()) == 1
    assert "1 (1 in 16)" in out
    assert "…" not in out
    assert out.count("Not there: ") == err.count("left out: ") == 4
    code, out, err = command(*arguments, "--json")
    result = json.loads(out)
    assert (code, len(result["missing"]), result["tile"]) == (0, 4, 1280)
    assert [image["name"] for image in result["rows"][-1]["images"]] == ["0.png", "2.png", "4.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--real"], "need --root"),
        (["--real", "--root", ".", "--sigma", "25"], "--real has sets and conditions of its own"),
        (["--real", "--root", ".", "--dataset", "lol"], "--real has sets and conditions of its own"),
        (["--dataset", "good", "--root", ".", "--card", "--every", "2"], "--card is for whole benchmarks"),
    ],
)
def test_bad_usage_is_one_line(command, arguments, message):
    code, out, err = command("eval", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
