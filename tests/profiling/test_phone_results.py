"""A phone's results: what they must hold, and that the report shows them beside a computer's."""

import json
from copy import deepcopy

import jsonschema
import pytest

from anyir.model.errors import UserError
from anyir.profiling.environment import Sustained
from anyir.profiling.report.page import ResultsFile, render, write_report
from anyir.profiling.report.plots import BUCKETS, medians, slowdown, sustained_svg
from anyir.profiling.schema import SCHEMA_FILE, Results, load_results
from tests.helpers.command_line import anyir
from tests.helpers.results import document, missing_row, ok_row

READING = {
    "thermal_status": "light",
    "thermal_headroom": 0.71,
    "battery_percent": 83.0,
    "battery_celsius": 31.4,
    "plugged": "usb",
}


def series(*times):
    runs = [
        {"at_s": float(i + 1), "ms": float(ms), "thermal_status": None, "thermal_headroom": None}
        for i, ms in enumerate(times)
    ]
    return {"seconds": len(times), "runs": runs}


def phone_row(engine):
    row = ok_row()
    row["latency"]["split"] = {
        "copy_in_ms": [0.1, 0.2, 0.3, 0.4],
        "run_ms": [3.5, 0.6, 2.5, 1.2],
        "read_back_ms": [0.3, 0.2, 0.1, 0.2],
    }
    for quality in row["quality"].values():
        quality.update(ssim_reference=None, ssim_truth=None, picture=None)
        del quality["need"]
    return {
        **row,
        "engine": engine,
        "device": "Maker Phone 9",
        "os": "Android 15 (API 35)",
        "load_again_ms": 4.0,
        "pss_bytes": 123_000_000,
        "conditions": {"before": READING, "after": {**dict.fromkeys(READING), "plugged": "none"}},
        "sustained": series(10, 10, 13, 15),
    }


def phone_document():
    data = document()
    data["environment"] = {
        "kind": "android",
        "created": "2026-01-02T00:00:00+00:00",
        "device": "Maker Phone 9",
        "cores": 8,
        "memory_bytes": 8 << 30,
        "os": "Android 15 (API 35)",
        "app_version": "0.1.0",
        "soc": "Maker Chip 3",
        "build_fingerprint": "maker/phone9/phone9:15/AP3A/1:user/release-keys",
        "abi": "arm64-v8a",
        "page_bytes": 16384,
        "android_version": "15",
        "api_level": 35,
        "governors": ["schedutil", None],
    }
    refused = {**missing_row("failed"), "engine": "litert-gpu", "device": "Maker Phone 9"}
    data["rows"] = [phone_row("litert-interpreter"), phone_row("litert-cpu"), refused]
    return data


def test_a_phones_document_is_by_the_schema_and_survives_reading(tmp_path):
    jsonschema.validate(phone_document(), json.loads(SCHEMA_FILE.read_text()))
    path = tmp_path / "run1.json"
    path.write_text(json.dumps(phone_document()))
    assert load_results(path) == Results.model_validate(phone_document())


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("environment", "python"), "3.11", "environment.android.python: Extra inputs"),
        (("environment", "kind"), "watch", "environment: Input tag 'watch'"),
        (("environment", "kind"), "ios", "environment.ios.os_build: Field required"),
        (("environment", "soc"), 3, "environment.android.soc"),
        (("rows", 0, "engine"), None, "a phone's ok row has an engine"),
        (("rows", 0, "conditions"), None, "a phone's ok row has an engine, conditions"),
        (("rows", 0, "load_again_ms"), None, "a second load"),
        (("rows", 1, "engine"), "litert-interpreter", "two rows of one name and device"),
        (("rows", 0, "latency", "split", "run_ms"), [1.0], "split does not have a value for every sample"),
        (("rows", 0, "latency", "split", "run_ms"), [9.0] * 4, "longer than the sample"),
        (("rows", 0, "conditions", "before", "thermal_status"), "hot", "thermal_status"),
        (("rows", 0, "conditions", "before", "battery_percent"), 101.0, "battery_percent"),
        (("rows", 0, "sustained", "runs"), [], "at least 1 item"),
    ],
)
def test_what_no_phone_can_have_written_is_refused(path, value, message, tmp_path):
    data = deepcopy(phone_document())
    target = data
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    file = tmp_path / "run1.json"
    file.write_text(json.dumps(data))
    with pytest.raises(UserError) as caught:
        load_results(file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_page_shows_what_only_a_phone_tells(tmp_path):
    html = render([ResultsFile(Results.model_validate(phone_document()), tmp_path)])
    for shown in ("Maker Chip 3", "16384", "arm64-v8a", "release-keys", "schedutil", "light, not told"):
        assert shown in html
    for shown in ("0.71, not told", "83 % 31.4 \u00b0C on usb", "123", "litert-gpu", "1.50 times"):
        assert shown in html
    assert "not what a phone takes" not in html
    assert html.count("<polyline") == 2


def test_an_iphones_results_are_shown_as_its_own(tmp_path):
    data = phone_document()
    data["environment"] = {
        **{key: data["environment"][key] for key in ("created", "cores", "memory_bytes", "app_version")},
        "kind": "ios",
        "device": "iPhone17,1",
        "os": "iOS 18.2",
        "os_build": "22C152",
        "low_power_mode": True,
    }
    jsonschema.validate(data, json.loads(SCHEMA_FILE.read_text()))
    html = render([ResultsFile(Results.model_validate(data), tmp_path)])
    for shown in ("iPhone17,1", "22C152", "in low-power mode", "Footprint", "one program after the other"):
        assert shown in html
    for hidden in ("PSS", "governors", "four programs at a time"):
        assert hidden not in html


def test_a_computers_and_a_phones_results_become_one_page(tmp_path):
    host, phone = tmp_path / "host.json", tmp_path / "run1.json"
    host.write_text(json.dumps(document()))
    phone.write_text(json.dumps(phone_document()))
    process = anyir("report", host, phone, "--out", tmp_path / "page.html")
    assert process.returncode == 0, process.stderr
    html = (tmp_path / "page.html").read_text()
    assert "<h2>Programs on a processor</h2>" in html
    assert "<h2>Programs on Maker Phone 9</h2>" in html
    assert "not what a phone takes" in html


def test_results_against_two_references_are_refused(tmp_path):
    other = phone_document()
    other["reference"]["cases_sha256"] = "1" * 64
    for name, data in (("host.json", document()), ("run1.json", other)):
        (tmp_path / name).write_text(json.dumps(data))
    with pytest.raises(UserError, match=r"run1\.json was compared with another reference"):
        write_report([tmp_path / "host.json", tmp_path / "run1.json"], tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


def test_a_long_series_becomes_a_small_picture_and_its_slowdown_a_factor():
    long = Sustained.model_validate(series(*([100] * 900 + [150] * 100)))
    assert len(medians(long)) <= BUCKETS
    assert slowdown(long) == pytest.approx(1.5)
    svg = sustained_svg(long, "<b>", 328, 200)
    assert len(svg) < 8000
    assert "<b>" not in svg
    assert "<circle" in sustained_svg(Sustained.model_validate(series(5)), "one", 328, 200)
