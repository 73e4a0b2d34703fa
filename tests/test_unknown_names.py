"""Whatever a command is asked for by a name that nothing has is refused with the names that there are.

Runtimes, backends and precisions, which only code asks for: tests/conversion/test_runtimes.py."""

import pytest
from PIL import Image

from anyir.conversion.recipes import RECIPES
from anyir.model.checkpoint import shipped_presets
from anyir.model.config import PRESETS
from anyir.model.data.dataset_registry import DATASETS
from anyir.model.data.degradation_registry import single_kinds
from tests.helpers.command_line import anyir

ASKED = {
    "preset": (["complexity", "--preset", "nothing"], PRESETS),
    "degradation": (["degrade", "in.png", "out.png", "--kind", "nothing"], single_kinds()),
    "dataset": (["eval", "--dataset", "nothing", "--root", "."], DATASETS),
    "conversion recipe": (["convert", "--only", "nothing"], [recipe.name for recipe in RECIPES]),
    "weights": (["restore", "in.png", "out.png", "--with", "nothing"], shipped_presets()),
}


@pytest.mark.parametrize("what", ASKED)
def test_a_command_refuses_it_in_a_line(what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "in.png")
    arguments, known = ASKED[what]
    process = anyir(*arguments)
    assert process.returncode in (1, 2)
    assert process.stderr.startswith("anyir: ")
    assert process.stderr.count("\n") == 1
    assert "nothing" in process.stderr
    assert len(known) > 1
    for name in known:
        assert name in process.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]
