"""Orchestration: failures are rows, what is up to date is kept, nothing is left half-written."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import anyir.model
from anyir.conversion.build import REPORT, Job, Row, build, plan, run_jobs
from anyir.conversion.recipes import RECIPES, Bounds, Recipe, select_recipes
from anyir.conversion.worker import code_files, preset_of, reason_of
from anyir.model import PRESETS, AnyIR
from anyir.model.checkpoint import save_weights
from anyir.model.cli import build_app
from anyir.model.errors import UserError
from anyir.model.files import sha256

UNREACHABLE = Recipe("litert", "cpu", "fp32", Bounds(max_error=0.0, psnr=500.0, loss=0.0))


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_recipes_that_share_a_conversion_share_a_process(tmp_path):
    jobs = plan(tmp_path / "w", 64, tmp_path, tmp_path, list(RECIPES))
    assert [[r.runtime for r in job.recipes] for job in jobs] == [
        ["executorch"],
        ["executorch"],
        ["litert"] * 3,
        ["coreml"] * 3,
    ]


def test_a_process_that_dies_fails_its_recipes_and_no_others(tiny_weights, tmp_path):
    recipes = select_recipes(["*_fp32", "coreml_*_fp16"])
    rows: list[Row] = []
    jobs = [Job(tiny_weights, 64, tmp_path, tmp_path, (recipe,), 1) for recipe in recipes]
    # ``int`` takes no connection and no job: each process dies before it has said anything.
    run_jobs(jobs, rows.append, lambda recipe, text: None, target=int)
    assert sorted(row.recipe for row in rows) == sorted(recipe.name for recipe in recipes)
    assert {row.status for row in rows} == {"failed"}
    assert all("process died (exit code 1)" in row.reason for row in rows)


def test_an_artifact_out_of_bounds_fails_with_the_figure_and_leaves_no_file(
    tiny_artifacts, tiny_weights, tmp_path
):
    stale = tmp_path / UNREACHABLE.file_name("tiny", 64)
    stale.write_bytes(b"of an earlier build")
    seen = []
    [row] = build(tiny_weights, 64, tmp_path, [UNREACHABLE], on_progress=lambda *a: seen.append(a))
    assert row.status == "failed"
    assert "is below the bound 500.0 dB" in row.reason
    assert names(tmp_path) == [REPORT, "litert.log"]
    assert seen[-1] == (UNREACHABLE.name, "failed")
    assert json.loads((tmp_path / REPORT).read_text())["rows"][0]["reason"] == row.reason


def test_what_is_up_to_date_is_reused_and_what_changed_is_not(tiny_artifacts, tiny_weights, tmp_path):
    recipe = select_recipes(["litert_cpu_fp32"])[0]
    file = recipe.file_name("tiny", 64)
    for name in (file, file.replace(".tflite", ".json")):
        shutil.copy(tiny_artifacts / name, tmp_path)
    [row] = build(tiny_weights, 64, tmp_path, [recipe])
    assert row.status == "reused"
    assert row.partitions == 1
    before = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(before[:-1])
    [row] = build(tiny_weights, 64, tmp_path, [recipe])
    assert row.status == "built"
    assert len((tmp_path / file).read_bytes()) == len(before)


def test_weights_that_are_none_end_before_anything_is_made(tmp_path):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"not safetensors")
    with pytest.raises(UserError, match="not a readable safetensors file"):
        build(bad, 64, tmp_path / "out", list(RECIPES))
    assert not (tmp_path / "out").exists()


def test_weights_that_change_meanwhile_are_not_those_that_are_built(tiny_weights, tmp_path, monkeypatch):
    weights = tmp_path / "best.safetensors"
    shutil.copy(tiny_weights, weights)
    built = []

    def run(jobs, finish, on_progress):
        weights.write_bytes(b"what a training that goes on has written")
        built.extend(job.weights for job in jobs)
        assert {sha256(path) for path in built} == {sha256(tiny_weights)}
        for job in jobs:
            for recipe in job.recipes:
                finish(Row(recipe.name, "x", "built"))

    monkeypatch.setattr("anyir.conversion.build.run_jobs", run)
    build(weights, 64, tmp_path / "out", list(RECIPES))
    assert {path.name for path in built} == {weights.name}
    assert names(tmp_path / "out") == [REPORT]


def test_an_interrupted_build_leaves_no_earlier_report(tiny_weights, tmp_path, monkeypatch):
    def interrupt(jobs, finish, on_progress):
        raise KeyboardInterrupt

    (tmp_path / REPORT).write_text("of an earlier build")
    monkeypatch.setattr("anyir.conversion.build.run_jobs", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build(tiny_weights, 64, tmp_path, list(RECIPES))
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            ModuleNotFoundError("No module named 'x'", name="x"),
            "x is missing: pip install -c constraints.txt -e '.[convert]'",
        ),
        (ModuleNotFoundError("no y", name="anyir.y"), "ModuleNotFoundError: no y"),
        (UserError("too large"), "too large"),
        (ValueError("odd"), "ValueError: odd"),
    ],
)
def test_a_failed_recipe_says_why(error, reason):
    assert reason_of(error) == reason


@pytest.mark.parametrize("preset", ["../../elsewhere/x", "/elsewhere/x", "anyir", 7])
def test_file_names_follow_the_config_whatever_the_header_says(preset, tmp_path):
    save_weights(AnyIR(PRESETS["tiny"]), tmp_path / "w.safetensors", notes={"preset": preset})
    assert preset_of(tmp_path / "w.safetensors") == "tiny"
    changed = replace(PRESETS["tiny"], refinement=0)
    save_weights(AnyIR(changed), tmp_path / "w.safetensors", notes={"preset": preset})
    assert preset_of(tmp_path / "w.safetensors") == "custom"


def test_the_command_s_exit_codes(tiny_weights, tmp_path, monkeypatch):
    run = CliRunner().invoke
    app = build_app()
    out = ["--weights", str(tiny_weights), "--out", str(tmp_path / "out")]
    unknown = run(app, ["convert", *out, "--only", "onnx_*"])
    assert unknown.exit_code == 2
    assert "coreml_mlprogram_fp16" in unknown.output
    assert run(app, ["convert", *out, "--tile", "100"]).exit_code == 2
    assert not (tmp_path / "out").exists()

    failed = Row("litert_cpu_fp32", "x.tflite", "failed", reason="the toolchain says no")
    monkeypatch.setattr("anyir.conversion.build.build", lambda *a, **k: [failed])
    result = run(app, ["convert", *out])
    assert result.exit_code == 1
    assert "litert_cpu_fp32: the toolchain says no" in result.output


def test_the_digest_of_the_code_covers_all_that_makes_networks_and_photos():
    """What the network, its deploy form and the degradations import of this project is in the digest, too."""
    covered = {path.resolve() for path in code_files()}
    model = Path(str(anyir.model.__file__)).parent
    waiting = [model / f"{name}.py" for name in ("deploy/network", "data/degradations", "metrics")]
    seen = set()
    while waiting:
        path = waiting.pop().resolve()
        if path in seen or path.stem == "errors":
            continue
        seen.add(path)
        assert path in covered, f"{path.name} changes artifacts or their figures"
        named = re.findall(r"^from anyir\.model\.([\w.]+) import", path.read_text(), re.MULTILINE)
        waiting += [model / f"{name.replace('.', '/')}.py" for name in named]
        waiting = [path if path.is_file() else path.with_suffix("") / "__init__.py" for path in waiting]
    assert len(seen) >= 6
