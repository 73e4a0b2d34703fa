"""What Python and the Swift package must agree on, and what its pages say of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

from anyir.conversion.manifest import SCHEMA_VERSION as MANIFEST_VERSION
from anyir.conversion.runtimes import RUNTIMES
from anyir.profiling import environment, schema

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ios_demo/AnyIRKit"
CORE = PACKAGE / "Sources/AnyIRCore"


def read(path: str) -> str:
    return (CORE / path).read_text(encoding="utf-8")


def snake(name: str) -> str:
    """As JSONEncoder's ``convertToSnakeCase`` has it."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[0].lower(), name)


def fields(swift: str, struct: str) -> set[str]:
    body = re.search(rf"struct {struct}: [^{{]*\{{\n(.*?)\n    \}}\n", swift, re.DOTALL)
    assert body is not None, struct
    return {snake(name) for name in re.findall(r"public var (\w+)", body[1])}


def test_results_have_the_entries_of_the_schema():
    swift = read("Benchmark/Results.swift")
    pairs = {
        "Environment": environment.IosEnvironment,
        "Reading": environment.Reading,
        "Conditions": environment.Conditions,
        "Sustained": environment.Sustained,
        "SustainedRun": environment.SustainedRun,
        "Row": schema.Row,
        "Artifact": schema.Artifact,
        "Latency": schema.Latency,
        "Split": schema.Split,
        "Look": schema.Look,
        "Quality": schema.Quality,
    }
    left_out = {"Quality": {"need"}}  # of a picture, which phones do not write
    for struct, model in pairs.items():
        due = set(model.model_fields) - left_out.get(struct, set())
        assert fields(swift, struct) == due, struct
    assert f"static let schemaVersion = {schema.SCHEMA_VERSION}\n" in swift


def test_manifests_have_the_entries_of_the_schema():
    published = json.loads((ROOT / "conversion/manifest.schema.json").read_text())
    asked = set(re.findall(r'fields\.\w+\("(\w+)"', read("Model/ManifestReading.swift")))
    objects = [published, *published["$defs"].values()]
    assert asked == {name for entry in objects for name in entry["properties"]}
    manifest = read("Model/Manifest.swift")
    assert f"static let schemaVersion = {MANIFEST_VERSION}\n" in manifest
    assert f"case {', '.join(RUNTIMES)}\n" in manifest


def test_the_documented_example_is_the_one_that_the_packages_tests_compile_and_run():
    page = (ROOT / "docs/guides/ios/engine.md").read_text(encoding="utf-8")
    example, *_ = re.findall(r"```swift\n(.*?)```", page, re.DOTALL)
    source = PACKAGE / "Tests/AnyIRLinuxTests/RestorePixels.swift"
    assert source.read_text(encoding="utf-8") == example


def test_every_file_of_the_core_imports_foundation_alone():
    allowed = {"Foundation", "Synchronization", "CryptoKit", "AnyIRCore"}
    for folder in ("AnyIRCore", "AnyIRState"):
        for path in (PACKAGE / "Sources" / folder).rglob("*.swift"):
            imported = set(re.findall(r"^\s*import (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
            assert imported <= allowed, path
