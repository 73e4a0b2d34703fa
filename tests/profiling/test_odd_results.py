"""Results that nobody's profile writes, but that a file may hold: one line, or a page without a lie."""

import json
import re
import shutil
from copy import deepcopy

import numpy as np
import pytest
from rich.console import Console

from anyir.model.data.degradation_registry import CLEAN
from anyir.model.errors import UserError
from anyir.profiling.candidates import find_candidates
from anyir.profiling.quality import truth_psnr
from anyir.profiling.reference import WEIGHTS_FILE
from anyir.profiling.report.page import (
    ResultsFile,
    key_facts,
    render,
    show_device,
    significant,
    span,
    write_report,
)
from anyir.profiling.report.plots import Point, nice_step, pareto_svg
from anyir.profiling.schema import Results, load_results
from anyir.profiling.summary import gain, results_table
from anyir.profiling.worker import LOAD_LIMIT_S, Program, Worker
from tests.helpers.command_line import anyir
from tests.helpers.results import document, missing_row, ok_row


def page(data, folder):
    return render([ResultsFile(Results.model_validate(data), folder)])


def with_kinds(**psnr):
    """A document of one row: for every degradation what comes in and what comes out, in dB or None."""
    data = document()
    data["rows"] = [ok_row()]
    tile, quality = data["reference"]["inputs"]["noise"], data["rows"][0]["quality"]["noise"]
    data["reference"]["inputs"] = {
        kind: {**tile, "psnr_truth": before, "degraded": None, "truth": None}
        for kind, (before, _) in psnr.items()
    }
    data["rows"][0]["quality"] = {
        kind: {**quality, "psnr_truth": after, "picture": None} for kind, (_, after) in psnr.items()
    }
    return data


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ({"noise": (20.0, 30.0), "haze": (10.0, 10.0)}, 5.0),
        ({"noise": (20.0, None), "haze": (10.0, 10.0)}, 40.0),  # equal ones are 100 dB, as everywhere
        ({"noise": (20.0, 30.0), CLEAN: (60.0, 50.0)}, 10.0),
        ({"noise": (None, None), CLEAN: (None, 50.0)}, 0.0),
    ],
)
def test_gain_is_over_the_same_degradations_on_both_sides(kinds, expected, tmp_path):
    results = Results.model_validate(with_kinds(**kinds))
    assert gain(results.rows[0], results.reference) == pytest.approx(expected)
    assert page(with_kinds(**kinds), tmp_path)


def test_clean_tiles_alone_are_no_figure_against_the_truth():
    with pytest.raises(ValueError, match="no figure against the truth but of clean tiles"):
        Results.model_validate(with_kinds(**{CLEAN: (60.0, 50.0)}))


def test_a_failed_row_with_figures_is_shown_as_failed(tmp_path):
    data = document()
    failed = ok_row("half_done") | {"status": "failed", "error": "it fell over"}
    data["rows"] = [ok_row(), failed, failed | {"name": "bare", "quality": {}}]
    results = Results.model_validate(data)
    device = show_device(results)
    assert ([row.name for row in device.missing], len(device.measured)) == (["half_done", "bare"], 1)
    html = page(data, tmp_path)
    assert html.count("it fell over") == 2
    assert "1 of 3 programs measured" in html
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(results_table(results))
    assert console.export_text().count("failed") == 2


def test_pages_without_figures_or_inputs(tmp_path):
    data = document()
    data["rows"] = [missing_row("failed")]
    for inputs in ({}, {"noise": data["reference"]["inputs"]["noise"] | {"psnr_truth": None}}):
        data["reference"]["inputs"] = inputs
        assert "there is a reason" in page(data, tmp_path)


def test_a_program_without_every_picture_is_not_in_the_slider(profiled, tmp_path):
    folder = profiled[1]
    data = json.loads((folder / "results.json").read_text())
    rows = [row for row in data["rows"] if row["status"] in ("ok", "evaluated")]
    rows[0]["quality"]["haze"]["picture"] = None
    html = page(data, folder)
    shown = json.loads(re.search(r'id="comparison">(.*?)</script>', html, re.DOTALL)[1])
    assert list(shown["programs"]) == [row["name"] for row in rows[1:]]
    assert all(set(one["kinds"]) == set(shown["inputs"]) for one in shown["programs"].values())


def test_two_engines_of_one_program_are_both_in_the_slider(profiled):
    folder = profiled[1]
    data = json.loads((folder / "results.json").read_text())
    row = next(row for row in data["rows"] if row["status"] == "ok" and row["runtime"] == "litert")
    data["rows"] = [row | {"engine": engine} for engine in ("one", "other")]
    html = page(data, folder)
    shown = json.loads(re.search(r'id="comparison">(.*?)</script>', html, re.DOTALL)[1])
    assert list(shown["programs"]) == [f"{row['name']}@{engine}" for engine in ("one", "other")]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("rows.0.latency.samples_ms.0", 1e300, "less than or equal to"),
        ("rows.0.peak_memory_bytes", 10**400, "less than or equal to"),
        ("rows.0.artifact.bytes", 10**30, "less than or equal to"),
        ("rows.0.quality.noise.psnr_truth", 1e17, "less than or equal to"),
        ("rows.0.quality.noise.psnr_truth", -1001.0, "greater than or equal to"),
        ("reference.notes", {"hours": 10**400}, "hours is"),
        ("reference.notes", {"steps": "many"}, "steps is"),
        ("reference.weights", "\ud800", "not JSON in UTF-8"),
    ],
)
def test_figures_that_none_can_be_are_one_line(path, value, words, tmp_path):
    data = document()
    *parts, last = path.split(".")
    place = data
    for part in parts:
        place = place[int(part) if part.isdigit() else part]
    place[int(last) if last.isdigit() else last] = value
    (tmp_path / "results.json").write_text(json.dumps(data))
    with pytest.raises(UserError, match=words) as raised:
        load_results(tmp_path / "results.json")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("values", [(-900.0, 900.0), (1000.0, 1000.0), (0.0, 0.001), (29.0, 31.0)])
def test_every_quality_has_an_axis(values):
    svg = pareto_svg([Point(str(v), 1e-3 if v == values[0] else 1e9, v, True) for v in values], 860, 360)
    assert svg.count('class="tick"') > 3


@pytest.mark.parametrize("least", [1e-9, 0.05, 0.07, 1.0, 3.0, 5.0, 7.0, 299.9, 2e8])
def test_steps_of_an_axis_are_round(least):
    step = nice_step(least)
    assert least * (1 - 1e-6) <= step < 2.6 * least
    assert f"{step:.0e}"[0] in "125"


def test_another_reference_is_refused_whatever_differs(tmp_path):
    (tmp_path / "one.json").write_text(json.dumps(document()))
    noise = document()["reference"]["inputs"]["noise"]
    changes = {"weights_sha256": "1" * 64, "tile": 128, "cases_sha256": "2" * 64, "inputs": {"rain": noise}}
    for key, value in changes.items():
        other = deepcopy(document())
        other["reference"][key] = value
        other["rows"] = [missing_row("failed")]
        (tmp_path / "other.json").write_text(json.dumps(other))
        with pytest.raises(UserError, match="compared with another reference"):
            write_report([tmp_path / "one.json", tmp_path / "other.json"], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_small_figures_are_not_nothing():
    assert [significant(v) for v in (0.04, 0.4, 0.95, 0.996, 3.14, 9.96, 312.4)] == [
        *("0.04", "0.4", "0.95", "1.0", "3.1", "10", "312")
    ]  # fmt: skip
    assert (span([2, 2]), span([4, 2])) == ("2", "2 to 4")
    data = document()
    data["rows"] = [ok_row(p50=0.04)]
    results = Results.model_validate(data)
    assert key_facts(results, results.rows)[0][0] == "0.04 ms"


def test_names_are_no_markup_and_what_is_not_measured_is_empty():
    data = document()
    row = ok_row("[bold]x") | {"precision": "unknown", "peak_memory_bytes": None}
    for quality in row["quality"].values():
        quality["picture"] = None
    data["rows"] = [row]
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(results_table(Results.model_validate(data)))
    (line,) = (line for line in console.export_text().splitlines() if "[bold]x" in line)
    assert line.split()[1:5] == ["2.5", "3.8", "13", "0.0"]  # a tile, a look, a photo, the file: no peak


@pytest.mark.parametrize("text", ["notes of mine", '{"version": 1}'])
def test_profile_replaces_nothing_but_results(text, reference, tmp_path):
    out = tmp_path / "mine.json"
    out.write_text(text)
    result = anyir("profile", "--reference", reference.folder, "--artifacts", tmp_path, "--out", out)
    assert (result.returncode, out.read_text()) == (1, text)
    assert result.stderr.endswith("mine.json is there already, and no earlier results; name another --out\n")


def test_one_tile_that_equals_the_truth_is_100_db_and_all_of_them_identical():
    truth = np.full((3, 8, 8), 0.25, np.float32)
    off = truth + np.float32(0.1)
    assert truth_psnr([(truth, truth), (off, truth)]) == pytest.approx((100 + 20) / 2, abs=1e-4)
    assert truth_psnr([(truth, truth)] * 2) is None


@pytest.mark.parametrize("name", ["my copy", "caf\xe9", ".hidden"])
def test_a_name_that_no_picture_can_have_is_refused_before_anything_runs(
    name, tiny_artifacts, reference, tmp_path
):
    source = "tiny_litert_cpu_fp32_64x64"
    manifest = json.loads((tiny_artifacts / f"{source}.json").read_text())
    shutil.copyfile(tiny_artifacts / f"{source}.tflite", tmp_path / f"{name}.tflite")
    manifest |= {"name": name, "file": f"{name}.tflite"}
    (tmp_path / f"{name}.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match=r"has a program of the name '.*rename it with its manifest"):
        find_candidates(tmp_path, reference)


@pytest.mark.slow
def test_workers_import_nothing_from_the_folder_that_the_command_runs_in(reference, tmp_path, monkeypatch):
    (tmp_path / "random.py").write_text("raise SystemExit('of the folder')")
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    weights, inputs = reference.folder / WEIGHTS_FILE, reference.folder / "inputs.npy"
    worker = Worker(Program(weights, inputs, tmp_path / "outputs.npy", tmp_path / "log", threads=1))
    try:
        assert worker.request("load", limit_s=LOAD_LIMIT_S)["accelerator"] == "PyTorch CPU"
    finally:
        worker.close()


def test_a_report_replaces_nothing_but_a_page(tmp_path):
    results, page = tmp_path / "results.json", tmp_path / "index.html"
    data = document()
    data["rows"] = [missing_row("failed")]
    results.write_text(json.dumps(data))
    page.write_text("<title>My site</title>")
    refused = anyir("report", results, "--out", page)
    assert (refused.returncode, page.read_text()) == (1, "<title>My site</title>")
    assert refused.stderr.endswith(
        "index.html is there already, and no earlier page of AnyIR; name another --out\n"
    )
    page.unlink()
    for _ in range(2):
        assert anyir("report", results, "--out", page).returncode == 0
