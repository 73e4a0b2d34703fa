"""The Android app's two builds must not drift apart: one of them cannot be run everywhere."""

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree

ANDROID = Path(__file__).parents[2] / "android_demo"
POM = {"m": "http://maven.apache.org/POM/4.0.0"}


def pom_properties():
    root = ElementTree.parse(ANDROID / "pom.xml").getroot()
    return {node.tag.partition("}")[2]: node.text for node in root.find("m:properties", POM)}


def catalogue():
    return tomllib.loads((ANDROID / "gradle/libs.versions.toml").read_text(encoding="utf-8"))


def test_both_builds_name_the_same_versions():
    maven, gradle = pom_properties(), catalogue()["versions"]
    named = {
        "kotlin": "kotlin.version",
        "gson": "gson.version",
        "litert": "litert.version",
        "executorch": "executorch.version",
        "minSdk": "minSdk",
        "targetSdk": "targetSdk",
    }
    assert {key: gradle[key] for key in named} == {key: maven[name] for key, name in named.items()}
    assert set(gradle) - set(named) == {"agp"}  # only the Gradle build has Google's plugin


def test_the_signatures_say_which_release_they_transcribe():
    gradle = catalogue()
    for name in ("litert", "executorch"):
        module, version = gradle["libraries"][name]["module"], gradle["versions"][name]
        package = "com/google/ai/edge/litert" if name == "litert" else "org/pytorch/executorch"
        for file in (ANDROID / "signatures/src/main/kotlin" / package).glob("*.kt"):
            assert f"{module}:{version}," in file.read_text(encoding="utf-8")


def test_the_catalogue_has_every_entry_that_the_build_scripts_ask_for():
    entries = catalogue()
    known = {f"libs.{name.replace('-', '.')}" for name in entries["libraries"]}
    known |= {f"libs.plugins.{name.replace('-', '.')}" for name in entries["plugins"]}
    scripts = [ANDROID / "build.gradle.kts", *ANDROID.glob("*/build.gradle.kts")]
    asked = {
        entry.removesuffix(".get")
        for script in scripts
        for entry in re.findall(r"\blibs(?:\.\w+)+", re.sub(r"\.get\(\).*", ".get", script.read_text()))
    }
    versions = {name for name in asked if name.startswith("libs.versions.")}
    assert asked - versions == known
    assert {name.rpartition(".")[2] for name in versions} <= set(entries["versions"])
    for library in entries["libraries"].values():
        assert library["version"]["ref"] in entries["versions"]


def test_both_builds_have_the_same_modules_of_the_app():
    root = ElementTree.parse(ANDROID / "pom.xml").getroot()
    maven = {node.text for node in root.find("m:modules", POM)}
    settings = (ANDROID / "settings.gradle.kts").read_text(encoding="utf-8")
    gradle = set(re.findall(r'":(\w+)"', settings))
    assert gradle == maven - {"apk", "libs", "signatures"}


def test_the_documented_example_is_the_one_that_the_apps_tests_compile_and_run():
    page = (ANDROID.parent / "docs/guides/android/engine.md").read_text(encoding="utf-8")
    example, *_ = re.findall(r"```kotlin\n(.*?)```", page, re.DOTALL)
    source = ANDROID / "app/src/test/kotlin/org/anyir/demo/example/RestoreBitmap.kt"
    assert source.read_text(encoding="utf-8") == "package org.anyir.demo.example\n\n" + example


def test_the_pages_name_the_versions_that_are_built():
    maven = pom_properties()
    built = {
        "litert": maven["litert.version"],
        "litert-gpu": maven["litert.version"],
        "executorch-android": maven["executorch.version"],
        "tensorflow-lite": maven["tflite.version"],
    }
    page = (ANDROID.parent / "docs/guides/android/engine.md").read_text(encoding="utf-8")
    named = re.findall(r":([a-z-]+):(\d[\d.]*\d)", page)
    assert dict(named) == built
    assert all(built[name] == version for name, version in named)
