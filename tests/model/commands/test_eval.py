"""``anyir eval`` on made datasets, with weights and with artifacts of the tiny network."""

import json
from functools import partial

import pytest

from anyir.model.metrics import EQUAL
from anyir.model.model_card import Training, card_path, start_card
from tests.helpers import datasets as made


@pytest.fixture
def evaluate(command):
    """Run ``anyir eval``: (exit code, stdout, stderr)."""
    return partial(command, "eval")


@pytest.fixture
def weights(tiny_weights, tmp_path):
    """A copy of the tiny weights, with a card, that a test may add to."""
    path = tmp_path / "weights" / "tiny.safetensors"
    path.parent.mkdir()
    path.write_bytes(tiny_weights.read_bytes())
    start_card(path, Training())
    return path


def test_a_whole_table_beside_the_papers(evaluate, weights, tmp_path):
    made.promptir(tmp_path / "data")
    code, out, err = evaluate(
        "--table", 1, "--root", tmp_path / "data", "--with", weights, "--json", "--card"
    )
    assert code == 0, err
    result = json.loads(out)
    assert [(r["dataset"], r["condition"]) for r in result["rows"]] == [
        ("sots", ""), ("rain100l", ""),
        ("cbsd68", "sigma 15"), ("cbsd68", "sigma 25"), ("cbsd68", "sigma 50"),
    ]  # fmt: skip
    assert result["average"]["paper"] == {"psnr": 32.83, "ssim": 0.92}
    assert result["average"]["psnr"] == pytest.approx(sum(r["psnr"] for r in result["rows"]) / 5)
    assert [len(r["images"]) for r in result["rows"]] == [2, 1, 1, 1, 1]
    assert (result["with"], result["tile"], result["noise_seed"]) == ("tiny", None, 0)
    figures = json.loads(card_path(weights).read_text())["figures"]["benchmarks"]
    assert list(figures) == ["sots", "rain100l", "cbsd68 sigma 15", "cbsd68 sigma 25", "cbsd68 sigma 50"]
    assert figures["sots"]["psnr"] == result["rows"][0]["psnr"]
    assert "images" not in figures["sots"]


def test_a_table_has_its_own_sigmas(evaluate, weights, tmp_path):
    made.promptir(tmp_path)
    code, out, err = evaluate("--table", 2, "--root", tmp_path, "--with", weights, "--json")
    assert code == 0, err
    rows = json.loads(out)["rows"]
    assert [(r["dataset"], r["sigma"]) for r in rows] == [
        ("sots", None), ("rain100l", None), ("cbsd68", 25), ("gopro", None), ("lol", None),
    ]  # fmt: skip
    assert rows[2]["paper"] == {"table": 2, "psnr": 31.37, "ssim": 0.891}


def test_tables_4_and_5_have_their_commands(evaluate, weights, tmp_path):
    made.csd(tmp_path)
    made.cdd11(tmp_path / "CDD-11_test", 1)
    code, out, _ = evaluate("--table", 4, "--root", tmp_path, "--with", weights)
    assert code == 0
    assert "tiny, PyTorch CPU, whole photos" in out
    (line,) = (line for line in out.splitlines() if line.startswith("csd"))
    assert "1/2000" in line
    assert "21.64 0.787" in line
    code, out, _ = evaluate("--table", 5, "--root", tmp_path, "--with", weights)
    assert code == 0
    assert sum(line.startswith("cdd11 ") for line in out.splitlines()) == 11
    assert "Not the whole benchmark" in out


def test_tiles_instead_of_whole_photos(evaluate, weights, tmp_path):
    made.write(tmp_path / "a.png", made.photo())
    common = ("--dataset", "photos", "--root", tmp_path, "--sigma", 25, "--with", weights, "--json")
    whole, tiled = (json.loads(evaluate(*common, *more)[1]) for more in ((), ("--tile", 32)))
    assert (whole["tile"], tiled["tile"]) == (None, 32)
    assert whole["rows"][0]["psnr"] == pytest.approx(tiled["rows"][0]["psnr"], abs=0.5)
    assert whole["rows"][0]["psnr"] != tiled["rows"][0]["psnr"]


def test_equal_photos_count_as_100_db_in_the_mean_and_have_none_of_their_own(evaluate, weights, tmp_path):
    made.write(tmp_path / "a.png", made.photo())
    args = ("--dataset", "photos", "--root", tmp_path, "--sigma", 0, "--with", weights, "--json")
    row = json.loads(evaluate(*args)[1], parse_constant=pytest.fail)["rows"][0]
    assert row["input_psnr"] == EQUAL
    assert [image["input_psnr"] for image in row["images"]] == [None]
    assert 0 < row["psnr"] < EQUAL


def test_a_card_that_cannot_be_completed_is_refused_before_the_work(evaluate, weights, tmp_path, monkeypatch):
    made.write(tmp_path / "a.png", made.photo())
    card_path(weights).write_text('{"sha256": "of others"}')
    monkeypatch.setattr("anyir.model.evaluation.benchmark.run_trial", pytest.fail)
    args = ("--dataset", "photos", "--root", tmp_path, "--with", weights, "--card")
    code, out, err = evaluate(*args)
    assert (code, out) == (1, "")
    assert "describes other weights than tiny.safetensors" in err


def test_a_link_to_nothing_ends_before_the_work(evaluate, weights, tmp_path, monkeypatch):
    made.write(tmp_path / "photos/a.png", made.photo())
    (tmp_path / "photos/b.png").symlink_to(tmp_path / "nowhere.png")
    monkeypatch.setattr("anyir.model.evaluation.benchmark.run_trial", pytest.fail)
    code, out, err = evaluate("--dataset", "photos", "--root", tmp_path / "photos", "--with", weights)
    assert (code, out) == (1, "")
    assert err.endswith("b.png is a link to nothing; mend or remove it\n")


def test_figures_of_a_part_do_not_replace_those_of_the_whole(evaluate, weights, tmp_path, monkeypatch):
    for name in "ab":
        made.write(tmp_path / f"photos/{name}.png", made.photo())
    args = ("--dataset", "photos", "--root", tmp_path / "photos", "--sigma", 25, "--with", weights, "--card")
    assert evaluate(*args)[0] == 0
    before = card_path(weights).read_bytes()
    (tmp_path / "photos/a.png").unlink()
    assert evaluate(*args[:-1], "--stored", "--card")[0] == 0  # another row
    other = card_path(weights).read_bytes()
    assert other != before
    monkeypatch.setattr("anyir.model.evaluation.benchmark.run_trial", pytest.fail)
    code, out, err = evaluate(*args)
    assert (code, out) == (1, "")
    assert "tiny.json has photos sigma 25 of 2 photos, and here are 1; leave --card out" in err
    assert card_path(weights).read_bytes() == other


@pytest.mark.parametrize("as_json", [True, False])
def test_figures_are_shown_where_the_card_cannot_be_written(
    evaluate, weights, tmp_path, monkeypatch, as_json
):
    def full(path, data):
        raise OSError(28, "No space left on device", str(path))

    made.write(tmp_path / "a.png", made.photo())
    monkeypatch.setattr("anyir.model.model_card.write_atomically", full)
    args = ("--dataset", "photos", "--root", tmp_path, "--sigma", 25, "--with", weights, "--card")
    code, out, err = evaluate(*args, *(["--json"] if as_json else []))
    assert code == 1
    assert err.endswith(f"anyir: No space left on device: {card_path(weights)}\n")
    assert len(json.loads(out)["rows"]) == 1 if as_json else "photos sigma 25" in out


@pytest.mark.slow
def test_an_artifact_scores_as_the_network_in_its_tiles(evaluate, tiny_weights, tiny_artifacts, tmp_path):
    made.write(tmp_path / "a.png", made.photo(size=80))
    common = ("--dataset", "cbsd68", "--root", tmp_path, "--sigma", 25, "--json")
    alone = ("--statistics", "tile")  # a program's sheet is as small as its tile, and so another
    torch_row = json.loads(evaluate(*common, "--with", tiny_weights, "--tile", 64, *alone)[1])["rows"][0]
    for name in ("executorch_xnnpack_fp32", "litert_cpu_fp32"):
        (artifact,) = (p for p in tiny_artifacts.glob(f"*{name}_*") if p.suffix in (".pte", ".tflite"))
        code, out, err = evaluate(*common, "--with", artifact, *alone)
        assert code == 0, err
        result = json.loads(out)
        assert result["tile"] == 64
        assert result["with"] == artifact.stem
        assert result["sha256"] == json.loads(artifact.with_suffix(".json").read_text())["sha256"]
        assert result["rows"][0]["psnr"] == pytest.approx(torch_row["psnr"], abs=1e-3)
        assert result["rows"][0]["ssim"] == pytest.approx(torch_row["ssim"], abs=1e-4)
    code, _, err = evaluate(*common, "--with", artifact, "--card")
    assert code == 1
    assert "is an artifact" in err
    coreml = next(tiny_artifacts.glob("*coreml*_fp16_*.mlpackage"))
    code, out, err = evaluate(*common, "--with", coreml, *alone)
    assert code == 0, err
    assert json.loads(out)["rows"][0]["psnr"] == pytest.approx(torch_row["psnr"], abs=0.02)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "nothing to evaluate on: give --dataset NAME, --table N, "),
        (["--dataset", "cbsd68"], 2, "need --root"),
        (["--table", "6", "--root", "."], 2, "--table"),
        (["--dataset", "bsd", "--root", "."], 1, "unknown dataset 'bsd'; known: bsd400"),
        (["--dataset", "bsd68", "--root", "."], 1, "unknown dataset 'bsd68' (did you mean 'cbsd68'?)"),
        (["--dataset", "ots", "--root", "."], 1, "ots has no test split"),
        (["--dataset", "sots", "--root", "."], 1, "no test photos of sots below .; looked for"),
        (["--dataset", "sots", "--root", "nowhere"], 1, "nowhere is not a folder"),
        (["--data", "x", "--root", "."], 2, "--root means nothing without --dataset, --table or --real"),
        (["--data", "x", "--sigma", "25"], 2, "--sigma means nothing where no photo is given noise"),
        (["--diagnostics", "x", "--stored"], 2, "--stored means nothing where no photo is given noise"),
    ],
)
def test_bad_usage_is_one_line(evaluate, weights, tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path / "weights")
    found, out, err = evaluate(*arguments, "--with", weights)
    assert (found, out) == (code, "")
    assert message in err
    assert err.count("\n") == 1


def test_noise_beside_degraded_photos_alone_means_nothing(evaluate, weights, tmp_path):
    made.promptir(tmp_path)
    common = ("--root", tmp_path, "--with", weights, "--dataset", "rain100l")
    for idle in ("--sigma", 25), ("--stored",):
        code, out, err = evaluate(*common, *idle)
        assert (code, out) == (2, "")
        assert f"{idle[0]} means nothing where no photo is given noise: name a clean dataset" in err
        assert err.count("\n") == 1
    code, out, err = evaluate(*common, "--dataset", "cbsd68", "--sigma", 25, "--stored", "--json")
    assert code == 0, err
    assert [(row["sigma"], row["stored"]) for row in json.loads(out)["rows"]] == [(None, False), (25, True)]


def test_weights_that_are_not_there(evaluate, tmp_path):
    made.write(tmp_path / "a.png", made.photo())
    code, _, err = evaluate("--dataset", "photos", "--root", tmp_path, "--with", "/nowhere")
    assert (code, err.partition(";")[0]) == (1, "anyir: no weights at /nowhere")
