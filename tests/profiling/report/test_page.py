import json
import re

import pytest

from anyir.model.errors import UserError
from anyir.profiling.report.page import ResultsFile, comparison_data, render, training_note, write_report
from anyir.profiling.report.plots import Point, pareto_svg
from anyir.profiling.schema import ReferenceSummary, Results
from anyir.profiling.summary import photo_tiles
from tests.helpers.command_line import anyir
from tests.helpers.results import document, missing_row


def test_the_page_escapes_what_it_is_given(tmp_path):
    data = document()
    data["rows"][1]["error"] = "<script>alert(1)</script>"
    data["reference"]["weights"] = "</title><b>"
    html = render([ResultsFile(Results.model_validate(data), tmp_path)])
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html
    assert "</title><b>" not in html


def test_every_row_is_on_the_page_and_every_reason(tmp_path):
    html = render([ResultsFile(Results.model_validate(document()), tmp_path)])
    for row in document()["rows"]:
        if row["error"]:
            assert row["name"] in html
            assert row["error"] in html
    assert html.count('<th scope="row">LiteRT') == 3


def test_what_a_photo_costs_is_on_the_page(tmp_path):
    data = document()
    data["rows"][0]["tile"] = 256
    html = render([ResultsFile(Results.model_validate(data), tmp_path)])
    # 18 x 14 tiles of 2.5 ms and a look of 3.75 ms.
    assert photo_tiles(Results.model_validate(data).rows[0]) == 252
    assert "<td>3.8</td>\n        <td>1<small>0.6 % look</small></td>" in html
    assert "<small>look 1</small>" in html


def test_a_page_of_failures_alone_still_says_why(tmp_path):
    data = document()
    data["rows"] = [missing_row("failed"), missing_row("unsupported")]
    html = render([ResultsFile(Results.model_validate(data), tmp_path)])
    assert html.count("there is a reason") == 2
    assert "<svg" not in html


def test_a_missing_picture_ends_in_one_line(tmp_path):
    data = document()
    entry = data["reference"]["inputs"]["noise"]
    entry["degraded"] = entry["truth"] = "pictures/gone.webp"
    (tmp_path / "results.json").write_text(json.dumps(data))
    with pytest.raises(UserError, match=r"gone\.webp is missing"):
        write_report([tmp_path / "results.json"], tmp_path / "index.html")
    assert not (tmp_path / "index.html").exists()


def test_each_picture_says_what_it_needs(tmp_path):
    data = document()
    data["reference"]["inputs"] = {
        kind: {**entry, "degraded": "pictures/a.webp", "truth": "pictures/a.webp"}
        for kind, entry in data["reference"]["inputs"].items()
    }
    for quality in data["rows"][0]["quality"].values():
        quality["picture"] = "pictures/a.webp"
    del data["rows"][0]["quality"]["clean"]["need"]
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/a.webp").touch()
    programs = comparison_data(
        [ResultsFile(Results.model_validate({**data, "rows": data["rows"][:1]}), tmp_path)]
    )
    [program] = programs["programs"].values()
    assert program["kinds"]["noise"]["need"] == "Needs less noise (9.5 of 255; a fault is 2.5 or more)."
    assert program["kinds"]["clean"]["need"] is None


def test_need_is_of_the_tile_that_is_shown(reference, tmp_path):
    from dataclasses import asdict

    import numpy as np

    from anyir.model.restore.need import need_between
    from anyir.profiling.quality import PictureWriter, cases_by_kind, compare_outputs, picture_case

    outputs = np.random.default_rng(0).random(reference.array("outputs").shape, np.float32)
    quality = compare_outputs(outputs, reference, "made", PictureWriter(tmp_path / "pictures"))
    for kind, cases in cases_by_kind(reference):
        shown = picture_case(cases)
        before, after = reference.array("inputs")[shown] / np.float32(255), outputs[shown]
        expected = need_between(before.transpose(1, 2, 0), after.transpose(1, 2, 0))
        assert quality[kind].need.model_dump() == asdict(expected)


def test_pictures_are_bounded_and_named_as_results_name_them(tmp_path):
    import numpy as np
    from PIL import Image

    from anyir.profiling.quality import MAX_SIDE, PictureWriter

    writer = PictureWriter(tmp_path / "pictures")
    small = np.full((3, 40, 40), 0.5, np.float32)
    small[:, :20] = 7.0  # clipped
    with Image.open(tmp_path / writer.write("small.noise", small)) as picture:
        assert picture.size == (40, 40)
        assert picture.convert("RGB").getpixel((20, 5)) == pytest.approx((255, 255, 255), abs=3)
        assert picture.convert("RGB").getpixel((20, 35)) == pytest.approx((128, 128, 128), abs=3)
    with Image.open(tmp_path / writer.write("large.noise", np.zeros((3, 800, 800)))) as picture:
        assert picture.size == (MAX_SIDE, MAX_SIDE)


def test_pictures_of_two_runs_in_one_folder_are_both_kept(tmp_path):
    import numpy as np

    from anyir.profiling.quality import PictureWriter

    black, white = (np.full((3, 16, 16), value, np.float32) for value in (0, 1))
    first = PictureWriter(tmp_path / "pictures").write("pytorch.noise", black)
    before = (tmp_path / first).read_bytes()
    second = PictureWriter(tmp_path / "pictures").write("pytorch.noise", white)
    again = PictureWriter(tmp_path / "pictures").write("pytorch.noise", black)
    assert first == again != second
    assert (tmp_path / first).read_bytes() == before != (tmp_path / second).read_bytes()


@pytest.mark.parametrize("out", ["/proc/none/index.html", "{folder}/results.json/index.html"])
def test_an_output_that_cannot_be_written_is_one_line(out, tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(document()))
    process = anyir("report", tmp_path / "results.json", "--out", out.format(folder=tmp_path))
    assert process.returncode == 1
    assert process.stderr.startswith("anyir: ")
    assert process.stderr.strip().count("\n") == 0


def test_the_results_are_never_overwritten(tmp_path):
    source = tmp_path / "results.json"
    source.write_text(json.dumps(document()))
    before = source.read_bytes()
    with pytest.raises(UserError, match="never overwritten"):
        write_report([source], tmp_path / "." / "results.json")
    assert source.read_bytes() == before


def test_an_output_that_is_a_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="is a folder"):
        write_report([tmp_path / "results.json"], tmp_path)


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        ({}, "do not say how they were trained"),
        ({"steps": 0}, "untrained"),
        ({"steps": 2255, "samples": 18040, "hours": 0.63}, "2,255 steps on 18,040 patches in 0.63 hours"),
        ({"steps": 10**6, "samples": 10**7, "hours": 20}, None),
    ],
)
def test_the_page_is_honest_about_training(notes, message):
    summary = {**document()["reference"], "notes": notes}
    note = training_note(ReferenceSummary.model_validate(summary))
    assert (note is None) if message is None else (message in note)


def boxes(svg):
    """Rough rectangles of the labels in a plot."""
    pattern = r'<text class="label" x="([\d.]+)" y="([\d.]+)" text-anchor="middle">([^<]*)'
    for x, y, text in re.findall(pattern, svg):
        half = len(text) * 6.4 / 2
        yield float(x) - half, float(y) - 11, float(x) + half, float(y) + 4


@pytest.mark.parametrize("width", [860, 328])
def test_labels_of_close_points_lie_apart_and_inside(width):
    close = [Point(f"LiteRT number {i}", 100 + i, 30.0, i == 0) for i in range(6)]
    svg = pareto_svg([*close, Point("PyTorch fp32", 490, 30.01, True)], width, 380)
    labels = list(boxes(svg))
    assert len(labels) == 7
    for i, a in enumerate(labels):
        assert a[0] >= 0
        assert a[2] <= width
        for b in labels[:i]:
            assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


def test_a_plot_of_one_point_has_ticks_on_both_axes():
    svg = pareto_svg([Point("one", 123.0, 30.0, True)], 328, 380)
    assert svg.count('class="tick"') >= 4
