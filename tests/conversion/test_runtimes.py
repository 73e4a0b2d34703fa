"""The registry of runtimes: whole, and what asks for something that is not in it fails by name."""

import builtins
import tomllib
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import resolve_name
from types import SimpleNamespace

import pytest

from anyir.conversion import runtimes
from anyir.conversion.artifact import import_runtime, open_artifact
from anyir.conversion.base import Unsupported
from anyir.conversion.build import plan
from anyir.conversion.pipeline import Pipeline
from anyir.conversion.recipes import FLOAT32, RECIPES, Recipe, select_recipes
from anyir.conversion.runtimes import RUNTIMES, SUFFIXES, Backend, Runtime, find_backend
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
    backends = runtime.backends.values()
    named = [runtime.exporter, *(b.runner for b in backends), *(b.evaluator for b in backends)]
    for name in filter(None, named):
        assert name.startswith(f"anyir.conversion.{runtime.name}.")
        assert callable(resolve_name(name))
    assert all(backend.runner or backend.elsewhere for backend in backends)


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
    for backend in runtime.backends:
        of = [r.precision for r in RECIPES if (r.runtime, r.backend) == (runtime.name, backend)]
        with pytest.raises(UserError) as caught:
            exporter.export(backend, "quaternary", tmp_path / "x")
        said, known = str(caught.value).split("; known: ")
        assert said == f"unknown precision of {runtime.name} {backend} 'quaternary'"
        assert sorted(known.split(", ")) == sorted(of)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("runtime", "backend", "message"),
    [
        ("abacus", "cpu", "unknown runtime 'abacus'; known: executorch, litert, coreml, coreai"),
        ("litetr", "cpu", r"unknown runtime 'litetr' \(did you mean 'litert'\?\); known: "),
        ("litert", "npu", "unknown backend of litert 'npu'.*; known: cpu, gpu"),
        ("executorch", "", "unknown backend of executorch ''; known: xnnpack, vulkan"),
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
        backends={"cpu": Backend(runner="nowhere:Runner")},
        packages=(),
        package="anyir",
        exporter="nowhere:Exporter",
    )
    monkeypatch.setitem(runtimes.RUNTIMES, "made_up", made_up)
    recipe = Recipe("made_up", "cpu", "fp32", FLOAT32)
    assert recipe.file_name("small", 64) == "small_made_up_cpu_fp32_64x64.made"


def test_a_runtime_whose_packages_are_not_installed_names_the_extra(monkeypatch, tiny_weights, tmp_path):
    lacking = replace(RUNTIMES["coreai"], packages=("torch", "no-such-package"))
    monkeypatch.setitem(runtimes.RUNTIMES, "coreai", lacking)
    said = "no-such-package is not installed: pip install -c constraints.txt -e '.[coreai]'"
    assert lacking.missing == said
    assert RUNTIMES["litert"].missing is None
    [recipe] = select_recipes(["coreai_aimodel_fp16"])
    [job] = plan(tiny_weights, 64, tmp_path, tmp_path, [recipe])
    with pytest.raises(UserError) as caught:
        Pipeline(job).build(recipe, print)
    assert str(caught.value) == said


def test_running_without_its_package_names_the_extra(monkeypatch):
    def imported(name, *arguments, **named):
        if name.startswith("coreai"):
            raise ModuleNotFoundError("No module named 'coreai'", name="coreai")
        return real(name, *arguments, **named)

    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", imported)
    with pytest.raises(Unsupported, match=r"coreai is not installed: pip install .* '\.\[coreai\]'"):
        import_runtime("coreai", "aimodel")


def test_where_programs_run(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    assert find_backend("litert", "cpu").why_not_here is None
    coreml = find_backend("coreml", "mlprogram")
    assert coreml.why_not_here == "Core ML runs on macOS and iOS only, not on linux"
    assert coreml.is_evaluated
    vulkan = find_backend("executorch", "vulkan")
    assert "run on Android" in vulkan.why_not_here
    assert not vulkan.is_evaluated
    monkeypatch.setattr("sys.platform", "darwin")
    assert coreml.why_not_here is None
    assert vulkan.why_not_here


@pytest.mark.parametrize(
    ("named", "installed", "found"),
    [
        ("", [], False),
        ("", ["lvp_icd.x86_64.json"], False),
        ("", ["lvp_icd.x86_64.json", "radeon_icd.x86_64.json"], True),
        ("/usr/lib/chromium/vk_swiftshader_icd.json", ["radeon_icd.x86_64.json"], False),
        ("/etc/nvidia_icd.json", [], True),
    ],
)
def test_software_is_no_gpu(named, installed, found, monkeypatch, tmp_path):
    monkeypatch.setattr("sys.platform", "linux")
    for name in installed:
        (tmp_path / name).touch()
    monkeypatch.setattr(runtimes, "GPU_DRIVERS", (tmp_path, tmp_path / "missing"))
    monkeypatch.delenv("VK_DRIVER_FILES", raising=False)
    monkeypatch.setenv("VK_ICD_FILENAMES", named)
    assert runtimes.has_gpu_driver() == found
    assert (find_backend("litert", "gpu").why_not_here is None) == found
