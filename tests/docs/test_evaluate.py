"""docs/guides/evaluate.md takes its figures from the cards of the shipped weights."""

import importlib.util
import json
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
ROW = {
    "photos": 68, "input_psnr": 20.2, "psnr": 31.0, "ssim": 0.88, "gap_psnr": -0.46,
    "paper": {"table": 1, "psnr": 31.46, "ssim": 0.893},
}  # fmt: skip


@pytest.fixture
def script(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("docs_evaluate", DOCS / "make" / "evaluate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SHIPPED", tmp_path)
    monkeypatch.setattr(module, "shipped_presets", lambda: ["small"])
    return module


def test_figures_come_from_the_card_and_replace_the_old_ones(script, tmp_path):
    page = (DOCS / "guides" / "evaluate.md").read_text()
    bare = {**ROW, "paper": None, "gap_psnr": None}
    figures = {"benchmarks": {"cbsd68 sigma 25": ROW, "photos sigma 25": bare}}
    (tmp_path / "small.json").write_text(json.dumps({"figures": figures}))
    rendered = script.render(page)
    assert "| cbsd68 sigma 25 | 68 | 20.20 | 31.00 | 0.8800 | 31.46 | 0.893 | -0.46 |" in rendered
    assert "| photos sigma 25 | 68 | 20.20 | 31.00 | 0.8800 |  |  |  |" in rendered
    assert script.render(rendered) == rendered
    (tmp_path / "small.json").write_text("{}")
    emptied = script.render(rendered)
    assert "Not measured." in emptied
    assert "cbsd68 sigma 25" not in emptied
    assert emptied.partition(script.BEGIN)[0] == page.partition(script.BEGIN)[0]
    assert emptied.partition(script.END)[2] == page.partition(script.END)[2]
