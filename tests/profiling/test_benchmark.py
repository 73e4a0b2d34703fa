import json
import shutil
import sys

import pytest

from anyir.conversion.artifact import open_artifact
from anyir.model import PRESETS, AnyIR
from anyir.model.checkpoint import save_weights
from anyir.model.data.degradation_registry import kinds_of
from anyir.model.errors import UserError
from anyir.model.files import sha256
from anyir.profiling import benchmark as profiling
from anyir.profiling.candidates import find_candidates
from anyir.profiling.reference import make_reference
from anyir.profiling.schema import load_results
from anyir.profiling.summary import label, look_share, photo_seconds, photo_tiles
from tests.helpers.command_line import anyir
from tests.helpers.tiny import RUNS, TILE

PTE, TFLITE = "tiny_executorch_xnnpack_fp32_64x64.pte", "tiny_litert_cpu_fp32_64x64.tflite"


@pytest.fixture(scope="session")
def rows(profiled):
    return {row.name: row for row in load_results(profiled[1] / "results.json").rows}


def test_no_row_is_missing_and_failures_set_the_exit_code(profiled, rows):
    process, _, artifacts = profiled
    assert process.returncode == 1
    assert "Traceback" not in process.stderr
    files = {p.stem for p in artifacts.iterdir() if p.suffix in (".pte", ".tflite", ".mlpackage")}
    assert set(rows) == {"pytorch", "tiny_executorch_xnnpack_int8_64x64"} | files
    for row in rows.values():
        assert label(row) in process.stdout
        if row.error:
            assert f"{row.status}: {row.name}: {row.error}" in process.stdout


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("tiny_litert_cpu_fp16_64x64", "failed", "changed since it was built"),
        ("tiny_litert_cpu_int8w_64x64", "failed", "no manifest at"),
        ("tiny_executorch_xnnpack_int8_64x64", "failed", "not built: parity of 20 dB is below 30 dB"),
        ("tiny_coreml_mlprogram_fp16_64x64", "evaluated", "Core ML runs on macOS and iOS only"),
    ],
)
def test_what_has_no_figures_says_why(name, status, reason, rows):
    if sys.platform == "darwin" and status == "evaluated":
        pytest.skip("Core ML runs on this machine")
    assert rows[name].status == status
    assert reason in rows[name].error


def test_a_changed_file_has_none_of_its_manifest_s_figures(rows):
    row = rows["tiny_litert_cpu_fp16_64x64"]
    assert (row.backend, row.precision) == ("cpu", "fp16")
    assert {row.artifact, row.delegated, row.operators, row.partitions} == {None}


def test_core_ml_s_output_is_compared_where_only_that_can_be_known(rows):
    row = rows["tiny_coreml_mlprogram_fp16_64x64"]
    assert "Core ML did not run" in row.accelerator
    assert (row.load_ms, row.latency, row.look, row.peak_memory_bytes) == (None,) * 4
    assert min(quality.psnr_reference for quality in row.quality.values()) > 55


def test_core_ml_is_not_said_to_take_a_number_of_threads(rows):
    assert rows["tiny_coreml_mlprogram_fp16_64x64"].threads is None


@pytest.mark.parametrize("file", [PTE, TFLITE, None], ids=["executorch", "litert", "pytorch"])
def test_a_measured_row_has_its_figures(file, rows, profiled, reference):
    row = rows[file.rpartition(".")[0] if file else "pytorch"]
    assert row.status == "ok", row.error
    assert (row.tile, row.threads, row.preset) == (TILE, 1, "tiny")
    assert (row.latency.n, row.latency.warmups) == (RUNS, 1)
    assert min(row.latency.samples_ms) > 0
    assert row.load_ms > 0
    assert row.first_run_ms > 0
    assert (row.look.latency.n, row.look.latency.warmups) == (RUNS, 1)
    assert row.look.first_run_ms > 0
    assert 1e5 < row.peak_memory_bytes < 5e8
    assert list(row.quality) == list(kinds_of("parity"))
    for quality in row.quality.values():
        assert quality.psnr_reference is None or quality.psnr_reference > 80
        assert quality.ssim_reference > 0.9999
        assert quality.max_error_reference < 1e-3
        assert (profiled[1] / quality.picture).is_file()
        assert quality.need is not None
    if file:
        assert row.artifact.sha256 == sha256(profiled[2] / file)
        assert "XNNPACK" in row.accelerator
        assert row.partitions == row.look.partitions == 1
        assert row.look.operators > row.operators == row.delegated
        assert row.runtime_version
    else:
        assert row.artifact.sha256 == reference.weights_sha256
        assert row.accelerator == "PyTorch CPU"


@pytest.mark.parametrize("file", [PTE, TFLITE, None], ids=["executorch", "litert", "pytorch"])
def test_the_look_is_a_small_part_of_a_large_photo(file, rows):
    row = rows[file.rpartition(".")[0] if file else "pytorch"]
    assert look_share(row) < 0.02
    assert photo_seconds(row) == pytest.approx(
        (row.look.latency.p50_ms + photo_tiles(row) * row.latency.p50_ms) / 1000
    )


def test_the_truths_own_scores_are_those_of_the_degraded_tiles(profiled):
    inputs = load_results(profiled[1] / "results.json").reference.inputs
    assert list(inputs) == list(kinds_of("parity"))
    assert inputs["clean"].psnr_truth is None
    assert inputs["noise"].psnr_truth == pytest.approx(20.5, abs=0.6)  # sigma 25 has 20.2 dB before clipping
    assert all(entry.psnr_truth < 40 for kind, entry in inputs.items() if kind != "clean")


@pytest.mark.parametrize("file", [PTE, TFLITE])
def test_an_opened_artifact_is_the_network(file, tiny_artifacts, reference):
    import numpy as np

    from anyir.conversion.samples import as_input
    from anyir.model.restore.tile_models import TileModel

    model = open_artifact(tiny_artifacts / file, threads=1)
    assert isinstance(model, TileModel)
    assert (model.name, model.tile) == (file.rpartition(".")[0], TILE)
    outputs = [model(as_input(reference.array("inputs")[i])) for i in (0, 9)]
    np.testing.assert_allclose(np.concatenate(outputs), reference.array("outputs")[[0, 9]], atol=1e-4)


def test_json_on_standard_output_is_the_file(tiny_artifacts, reference, tmp_path):
    (tmp_path / "artifacts").mkdir()
    for name in (TFLITE, TFLITE.replace(".tflite", ".json")):
        shutil.copy(tiny_artifacts / name, tmp_path / "artifacts")
    out = tmp_path / "results.json"
    process = anyir(
        *("profile", "--artifacts", tmp_path / "artifacts", "--reference", reference.folder),
        *("--runs", 1, "--warmup", 0, "--threads", 1, "--out", out, "--json"),
    )
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout) == json.loads(out.read_text())


def test_other_weights_or_another_tile_are_refused(tiny_artifacts, tiny_weights, tmp_path):
    save_weights(AnyIR(PRESETS["tiny"]), tmp_path / "other.safetensors")
    other = make_reference(tmp_path / "other.safetensors", TILE, tmp_path / "other")
    with pytest.raises(UserError, match="make both from the same weights"):
        find_candidates(tiny_artifacts, other)
    small = make_reference(tiny_weights, 32, tmp_path / "small")
    with pytest.raises(UserError, match="make both with the same --tile"):
        find_candidates(tiny_artifacts, small)


@pytest.mark.parametrize("name", [TFLITE.replace(".tflite", ".pte"), "pytorch.tflite"])
def test_two_programs_of_one_name_are_refused_before_anything_runs(name, tiny_artifacts, reference, tmp_path):
    for source in (TFLITE, TFLITE.replace(".tflite", ".json")):
        shutil.copy(tiny_artifacts / source, tmp_path)
    shutil.copy(tiny_artifacts / TFLITE, tmp_path / name)
    with pytest.raises(UserError, match=f"two programs of the name {name.rpartition('.')[0]};"):
        find_candidates(tmp_path, reference)


def test_outputs_of_all_programs_never_lie_together(tiny_artifacts, reference, tmp_path, monkeypatch):
    (tmp_path / "artifacts").mkdir()
    for name in (TFLITE, TFLITE.replace(".tflite", ".json")):
        shutil.copy(tiny_artifacts / name, tmp_path / "artifacts")
    seen, real = [], profiling._row

    def row(run, outputs, *others):
        seen.append(list(outputs.parent.glob("*.npy")))
        return real(run, outputs, *others)

    monkeypatch.setattr(profiling, "_row", row)
    settings = profiling.BenchmarkSettings(runs=1, warmups=0, threads=1)
    results = profiling.profile(tmp_path / "artifacts", reference, tmp_path / "results.json", settings)
    assert [row.status for row in results.rows] == ["ok", "ok"]
    assert [len(files) for files in seen] == [1, 1]


def test_a_recipe_that_there_is_none_of_is_refused_by_name(reference, tmp_path):
    row = {"recipe": "litert_cpu_fp61", "file": "x.tflite", "status": "built"}
    (tmp_path / "conversion.json").write_text(json.dumps({"rows": [row]}))
    with pytest.raises(UserError, match=r"unknown recipe 'litert_cpu_fp61' \(did you mean 'litert_cpu_fp16'"):
        find_candidates(tmp_path, reference)


def test_bad_folders_end_in_one_line(reference, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "conversion.json").write_text("{}")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "conversion.json").write_text("[" * 100_000 + "]" * 100_000)
    good = ("--reference", reference.folder, "--out", tmp_path / "results.json")
    out = tmp_path / "out.json"
    cases = [
        (("--artifacts", tmp_path / "none", *good), 1, "there is no folder"),
        (("--artifacts", tmp_path / "empty", *good), 1, "there is no artifact in"),
        (("--artifacts", tmp_path / "damaged", *good), 1, "is damaged or of another version"),
        (("--artifacts", tmp_path / "deep", *good), 1, "is damaged or of another version"),
        (("--reference", tmp_path / "none", "--out", out), 1, "there is no reference in"),
        (("--reference", reference.folder, "--out", tmp_path), 1, "is a folder; name a file"),
        (("--reference", reference.folder, "--out", tmp_path / "file" / "x.json"), 1, "file"),
        (("--runs", 0), 2, "--runs"),
    ]
    for arguments, code, message in cases:
        process = anyir("profile", *arguments)
        assert process.returncode == code, process.stderr
        assert message in process.stderr
        assert "Traceback" not in process.stderr
        if code == 1:
            assert process.stderr.strip().count("\n") == 0
    assert not (tmp_path / "results.json").exists()


def test_a_read_only_output_is_refused_before_anything_runs(reference):
    if not sys.platform.startswith("linux"):
        pytest.skip("/proc is Linux's")
    process = anyir("profile", "--reference", reference.folder, "--out", "/proc/none/results.json")
    assert process.returncode == 1
    assert process.stderr.startswith("anyir: ")
    assert process.stderr.strip().count("\n") == 0
