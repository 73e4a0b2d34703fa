"""The steps of one artifact: no failure costs an earlier one."""

import errno
import os
import sys
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from anyir.conversion.build import plan
from anyir.conversion.manifest import Manifest, Operators, manifest_path, verify_artifact
from anyir.conversion.pipeline import Pipeline, describe_weights, put_in_place, up_to_date
from anyir.conversion.recipes import select_recipes
from anyir.model import PRESETS, AnyIR
from anyir.model.checkpoint import save_weights
from anyir.model.errors import UserError
from tests.helpers.builds import FP32, NAME, TILE, Copier, pair, rows_of


def test_a_recipe_that_fails_for_another_reason_than_its_figures_keeps_the_earlier_artifact(
    tiny_weights, out, tmp_path
):
    empty = tmp_path / "empty.safetensors"
    with safe_open(tiny_weights, framework="pt") as file:
        save_file({"x": torch.ones(1)}, empty, file.metadata())
    before = pair(out)
    [row] = rows_of(plan(empty, TILE, out, tmp_path, [FP32]))
    assert row.status == "failed"
    assert "empty.safetensors" in row.reason
    assert pair(out) == before


def test_a_disk_that_is_full_at_the_last_step_keeps_the_earlier_artifact(
    tiny_artifacts, job, out, monkeypatch
):
    def full(manifest):
        raise OSError(errno.ENOSPC, "No space left on device")

    pipeline = Pipeline(job)
    pipeline.exporter = Copier(tiny_artifacts / NAME)
    before = pair(out)
    with monkeypatch.context() as patched:
        patched.setattr(Manifest, "to_json", full)
        with pytest.raises(OSError, match="No space"):
            pipeline.build(FP32, lambda text: None)
    assert pair(out) == before
    assert pipeline.build(FP32, lambda text: None).status == "built"
    assert verify_artifact(out / NAME).code_sha256 != "older"
    assert list(job.scratch.iterdir()) == []


def test_an_entry_in_more_pieces_than_its_recipe_allows_fails_and_keeps_the_earlier_artifact(
    tiny_artifacts, job, out, monkeypatch
):
    pipeline = Pipeline(job)
    pipeline.exporter = Copier(tiny_artifacts / NAME)
    before = pair(out)
    pieces = Operators(total=410, delegated=400, partitions=3)
    monkeypatch.setattr("anyir.conversion.litert.graph.count", lambda nodes: pieces)
    with pytest.raises(UserError) as caught:
        pipeline.build(FP32, lambda text: None)
    assert str(caught.value) == ("look enters cpu 3 times for 400 of 410 operators; calls by its recipe: 1")
    assert pair(out) == before


def test_a_process_that_ends_between_the_two_moves_is_noticed(job, out, monkeypatch):
    (job.scratch / NAME).write_bytes(b"new")
    manifest = verify_artifact(out / NAME)
    real = os.replace

    def ended(source, target):
        if str(target).endswith(".json"):
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", ended)
    with pytest.raises(KeyboardInterrupt):
        put_in_place(job.scratch / NAME, manifest, out / NAME)
    with pytest.raises(UserError, match="changed since it was built"):
        verify_artifact(out / NAME)


def test_a_package_takes_the_place_of_an_earlier_one(tiny_artifacts, job, out):
    target = out / "p.mlpackage"
    for folder, text in ((target, "old"), (job.scratch / target.name, "new")):
        (folder / "Data").mkdir(parents=True)
        (folder / "Data" / text).write_text(text)
    put_in_place(job.scratch / target.name, verify_artifact(tiny_artifacts / NAME), target)
    assert [path.name for path in (target / "Data").iterdir()] == ["new"]
    assert manifest_path(target).exists()


def test_what_was_not_measured_is_built_again_where_it_can_be(tiny_artifacts, tiny_weights, monkeypatch):
    [recipe] = select_recipes(["coreml_mlprogram_fp16"])
    [job] = plan(tiny_weights, TILE, tiny_artifacts, tiny_artifacts, [recipe])
    target = tiny_artifacts / recipe.file_name("tiny", TILE)
    assert up_to_date(target, job, recipe).parity.status == "evaluated"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert up_to_date(target, job, recipe) is None


@pytest.mark.parametrize("preset", ["../../elsewhere/x", "/elsewhere/x", "anyir", 7])
def test_file_names_follow_the_config_whatever_the_header_says(preset, tmp_path):
    save_weights(AnyIR(PRESETS["tiny"]), tmp_path / "w.safetensors", notes={"preset": preset})
    assert describe_weights(tmp_path / "w.safetensors").preset == "tiny"
    changed = replace(PRESETS["tiny"], refinement=0)
    save_weights(AnyIR(changed), tmp_path / "w.safetensors", notes={"preset": preset})
    assert describe_weights(tmp_path / "w.safetensors").preset == "custom"
