import json
from copy import deepcopy

import jsonschema
import pytest

from anyir.model.errors import UserError
from anyir.profiling.schema import SCHEMA_FILE, Results, json_schema, load_results, percentiles
from anyir.profiling.summary import gain, pareto, worst_reference_psnr
from tests.helpers.results import document, ok_row


def test_a_document_survives_writing_and_reading(tmp_path):
    results = Results.model_validate(document())
    path = tmp_path / "results.json"
    path.write_bytes(results.to_json())
    assert load_results(path) == results
    assert json.loads(path.read_text()) == document()


def test_the_published_schema_is_the_models():
    assert SCHEMA_FILE.read_text() == json_schema(), "run python -m anyir.profiling.schema"
    jsonschema.validate(document(), json.loads(SCHEMA_FILE.read_text()))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("rows", 0, "speed"), 3, "rows.0.speed: Extra inputs are not permitted"),
        (("comment",), "x", "comment: Extra inputs"),
        (
            ("rows", 0, "status"),
            "fine",
            "rows.0.status: Input should be 'ok', 'evaluated', 'failed' or 'unsupported'",
        ),
        (("rows", 0, "status"), "failed", "a row is ok without an error"),
        (("rows", 1, "error"), None, "a row is ok without an error"),
        (("rows", 0, "latency"), None, "an ok row has every figure"),
        (("rows", 0, "quality"), {}, "an ok row has every figure"),
        (("rows", 0, "latency", "p50_ms"), 1.0, "p50_ms is not that percentile of the samples"),
        (("rows", 0, "latency", "n"), 5, "n is not the number of samples"),
        (("rows", 0, "latency", "n"), "4", "rows.0.latency.n: Input should be a valid integer"),
        (("rows", 0, "delegated"), 11, "more operators delegated than there are"),
        (("rows", 0, "load_ms"), -1.0, "rows.0.load_ms"),
        (("rows", 0, "output_sha256"), "abc", "rows.0.output_sha256"),
        (("rows", 0, "quality", "noise", "picture"), "pictures/../../secret.webp", "picture"),
        (("rows", 0, "quality", "noise", "picture"), "/etc/passwd", "picture"),
        (("rows", 1, "name"), ok_row()["name"], "two rows of one name and device"),
        (("rows", 0, "quality"), {"noise": ok_row()["quality"]["noise"]}, "the reference's degradations"),
        (("rows", 0, "quality"), {"clean": ok_row()["quality"]["clean"]}, "the reference's degradations"),
        (("reference", "inputs"), {}, "the reference's degradations"),
        (("rows", 0, "latency"), ok_row(p50=0)["latency"], "a run takes time"),
        (("rows", 0, "look"), None, "an ok row has every figure"),
        (("rows",), [], "rows: List should have at least 1 item"),
        (("schema",), 2, "schema version 2, not 3"),
        (("schema",), 4, "schema version 4, not 3"),
    ],
)
def test_what_is_not_by_the_schema_is_refused_in_one_line(path, value, message, tmp_path):
    data = deepcopy(document())
    target = data
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    file = tmp_path / "results.json"
    file.write_text(json.dumps(data))
    with pytest.raises(UserError, match=r"results\.json") as caught:
        load_results(file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "\x00\xff", DEEP], ids=["empty", "cut", "list", "null", "bytes", "deep"]
)
def test_damaged_files_are_refused(text, tmp_path):
    file = tmp_path / "results.json"
    file.write_text(text)
    with pytest.raises(UserError, match=r"damaged|schema version None"):
        load_results(file)


def test_missing_files_and_folders_are_refused(tmp_path):
    with pytest.raises(UserError, match="there is no"):
        load_results(tmp_path / "results.json")
    with pytest.raises(UserError, match="is a folder"):
        load_results(tmp_path)


def test_percentiles_are_the_ones_that_the_app_computes():
    """The same samples and values as in the app's StatisticsTest.kt."""
    assert percentiles([7.0, 1.0, 3.0, 10.0]) == pytest.approx([5.0, 9.1, 9.91])
    assert percentiles([4.0]) == [4.0, 4.0, 4.0]


def test_summaries_leave_clean_tiles_and_identical_outputs_out():
    results = Results.model_validate(document())
    assert gain(results.rows[0], results.reference) == pytest.approx(10.0)
    assert worst_reference_psnr(results.rows[0]) == 120.0


def test_the_front_holds_rows_that_nothing_beats():
    data = document()
    fast, slow, slow_and_good = ok_row("fast", 1.0), ok_row("slow", 9.0), ok_row("slow-and-good", 9.0)
    slow_and_good["quality"]["noise"]["psnr_truth"] = 31.0
    as_good = ok_row("slower", 2.0)
    as_good["quality"]["noise"]["psnr_truth"] = 30.001  # rounding, not quality
    data["rows"] = [fast, slow, slow_and_good, as_good]
    assert pareto(Results.model_validate(data).rows) == {"fast", "slow-and-good"}
