"""The registry of runtimes: whole, and what asks for something that is not in it fails by name."""

import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import resolve_name
from types import SimpleNamespace

import pytest

from anyir.conversion import runtimes
from anyir.conversion.artifact import open_artifact
from anyir.conversion.recipes import FLOAT32, RECIPES, Recipe
from anyir.conversion.runtimes import RUNTIMES, SUFFIXES, Runtime
from anyir.model.errors import UserError
from anyir.model.restore.tile_models import OPENERS

EACH = pytest.mark.parametrize("runtime", RUNTIMES.values(), ids=RUNTIMES)


def source_of_nothing():
    """A source that fails as soon as anything is asked of it."""
    return SimpleNamespace()


def test_every_runtime_has_recipes_and_no_two_have_one_suffix():
    assert {recipe.runtime for recipe in RECIPES} == set(RUNTIMES)
    assert len(SUFFIXES) == len(RUNTIMES)


@EACH
def test_what_an_entry_names_is_in_its_folder(runtime):
    for name, folder in ((runtime.exporter, "exporter"), (runtime.runner, "runner")):
        assert name.startswith(f"anyir.conversion.{runtime.name}.{folder}:")
        assert callable(resolve_name(name))


def test_the_model_opens_artifacts_of_every_runtime():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    written = project["project"]["entry-points"][OPENERS]
    assert {f".{suffix}" for suffix in written} == set(SUFFIXES), "pyproject.toml names suffixes, too"
    installed = {f".{entry.name}": entry for entry in entry_points(group=OPENERS)}
    for suffix in SUFFIXES:
        assert suffix in installed, "install the project anew: pip install --no-deps -e ."
        assert installed[suffix].load() is open_artifact


@EACH
def test_an_unknown_precision_is_refused_by_name_before_anything_is_converted(runtime, tmp_path):
    exporter = resolve_name(runtime.exporter)(source_of_nothing())
    known = [recipe.precision for recipe in RECIPES if recipe.runtime == runtime.name]
    with pytest.raises(UserError) as caught:
        exporter.export("quaternary", tmp_path / "x")
    assert (
        str(caught.value) == f"unknown precision of {runtime.label} 'quaternary'; known: {', '.join(known)}"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("runtime", "backend", "message"),
    [
        ("onnx", "cpu", "unknown runtime 'onnx'; known: executorch, litert, coreml"),
        ("litetr", "cpu", r"unknown runtime 'litetr' \(did you mean 'litert'\?\); known: "),
        ("litert", "gpu", "unknown backend of litert 'gpu'; known: cpu"),
        ("executorch", "", "unknown backend of executorch ''; known: xnnpack"),
    ],
)
def test_a_recipe_for_what_there_is_not(runtime, backend, message):
    with pytest.raises(UserError, match=message):
        Recipe(runtime, backend, "fp32", FLOAT32)


def test_a_runtime_that_is_added_has_recipes(monkeypatch):
    made_up = Runtime(
        name="made_up",
        label="Made up",
        suffix=".made",
        backends={"cpu": ""},
        packages=(),
        package="anyir",
        exporter="nowhere:Exporter",
        runner="nowhere:Runner",
    )
    monkeypatch.setitem(runtimes.RUNTIMES, "made_up", made_up)
    recipe = Recipe("made_up", "cpu", "fp32", FLOAT32)
    assert recipe.file_name("small", 64) == "small_made_up_cpu_fp32_64x64.made"


def test_where_programs_run(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    assert RUNTIMES["litert"].why_not_here is None
    assert RUNTIMES["coreml"].why_not_here == "Core ML runs on macOS and iOS only, not on linux"
    monkeypatch.setattr("sys.platform", "darwin")
    assert RUNTIMES["coreml"].why_not_here is None
