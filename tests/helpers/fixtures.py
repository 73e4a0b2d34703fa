"""Files that Python and Kotlin are both tested with, and the scripts that wrote them."""

import importlib.util
from pathlib import Path
from types import ModuleType

FIXTURES = Path(__file__).parents[1] / "fixtures"


def script(name: str) -> ModuleType:
    """The module ``name`` of the folder."""
    spec = importlib.util.spec_from_file_location(name, FIXTURES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
