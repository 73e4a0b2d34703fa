"""Where things are. Who may import whom is in pyproject.toml, under importlinter."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PACKAGES = ("model", "conversion", "profiling")
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
LONGEST = 350
"""Lines of a file of code."""


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_no_module_imports_itself_through_others():
    """The contract compares folders and the files in one; this is every file, a package's own included."""
    graph = grimp.build_graph(*(f"anyir.{package}" for package in PACKAGES), cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # a circle is an error that names it


def test_a_newcomer_sees_at_most_twelve_files_in_model():
    assert len(list((ROOT / "model").glob("*.py"))) <= 12


def test_folders_are_three_levels_deep_at_most():
    folders = {
        path.parent.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")
    }
    assert max(len(folder.parts) for folder in folders) <= 3


def test_the_tests_folders_are_the_packages_folders():
    for path in (path for path in TESTS if path.parent != ROOT / "tests"):
        package = path.parent.relative_to(ROOT / "tests")
        assert (ROOT / package).is_dir(), f"tests/{package} mirrors no folder"


def test_what_tests_share_is_in_helpers_and_fixtures():
    for path in [*TESTS, *(ROOT / "tests").rglob("conftest.py")]:
        for name in imported(path):
            assert not name.startswith("tests.") or name.startswith("tests.helpers"), f"{path} imports {name}"


def test_a_file_is_one_idea_long():
    folders = (*PACKAGES, "tests", "docs", "android_demo", "ios_demo")
    paths = [path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*")]
    code = [
        path
        for path in paths
        if path.suffix in (".py", ".kt", ".swift") and not {"build", "target", ".build"} & {*path.parts}
    ]
    assert len(code) > 500
    assert [str(p) for p in code if len((ROOT / p).read_text("utf-8").splitlines()) > LONGEST] == []
