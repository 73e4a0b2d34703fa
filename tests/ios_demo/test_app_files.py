"""Files of the iOS app that need no Swift to be checked."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IOS = ROOT / "ios_demo"
STUBS = IOS / "Stubs/Sources"


def load_script():
    specification = importlib.util.spec_from_file_location("make_strings", IOS / "make_strings.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_string_catalog_is_of_the_words_in_the_code():
    script = load_script()
    assert script.CATALOG.read_text(encoding="utf-8") == script.catalog(), "run ios_demo/make_strings.py"


def test_every_word_is_found_and_has_its_holes():
    script = load_script()
    words = script.words()
    code = "".join(path.read_text(encoding="utf-8") for path in IOS.glob("App/Words*.swift"))
    assert len(words) == code.count("localized:")
    assert words["tiles_done"] == "%1$lld of %2$lld tiles done"
    assert words["restore_title"] == "Restoring %@"
    assert words["strength_value"] == "%lld %%"
    assert not [text for text in words.values() if "\\(" in text]
    counted = json.loads(script.catalog())["strings"]["note_bits"]["localizations"]["en"]
    assert counted["stringUnit"]["value"] == "The photo has %#@counted@; the result has 8."


def test_the_views_say_nothing_that_is_not_among_the_words():
    said = []
    for path in sorted(IOS.glob("App/Views/*.swift")):
        code = path.read_text(encoding="utf-8")
        said += re.findall(r'(?:Text|Button|Label|Section|navigationTitle|ProgressView)\("([^"]*)"', code)
    assert said == ["AnyIR"]


def test_the_sample_photo_is_the_android_apps():
    android = ROOT / "android_demo/app/src/main/res/raw/sample.jpg"
    assert (IOS / "App/sample.jpg").read_bytes() == android.read_bytes()


DECLARED = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))? )*(?:nonisolated )?(?:public|open) "
    r"(?:static |class |mutating |final |private\(set\) )*"
    r"(?:func|var|let|struct|class|enum|protocol|init|typealias)\b"
)
SOURCE = re.compile(r"// (https://|extension/apple/)|stubs' own")
PLAIN = re.compile(
    r"rawValue|func (?:==|hash)|stringInterpolation|var body|init\(\) \{\}$|FillStyle|typealias Value"
)
"""What a protocol of Swift's asks for, or a type's page says itself."""


@pytest.mark.parametrize("path", sorted(STUBS.rglob("*.swift")), ids=lambda path: path.stem)
def test_every_stub_names_the_page_it_was_taken_from(path):
    if path.name == "Runtime.swift":  # the runtime that computes is none of Apple's
        return
    lines = path.read_text(encoding="utf-8").splitlines()
    own = 0  # indentation and end of a type that is the stubs' own
    missing = []
    for number, line in enumerate(lines):
        if re.match(r"(public |final |struct |open )*(struct|class) Stub", line.strip()):
            own = 1
        elif line == "}":
            own = 0
        if own or not DECLARED.match(line) or PLAIN.search(line):
            continue
        above = lines[max(0, number - 3) : number]
        if not any(SOURCE.search(one) for one in above):
            missing.append(f"{number + 1}: {line.strip()}")
    assert not missing, "\n".join(missing)


PAGE = re.compile(r"// https://developer\.apple\.com/documentation/(\S+)")


def test_the_table_of_compared_stubs_counts_those_in_the_code():
    lines = (IOS / "Stubs/compared.tsv").read_text(encoding="utf-8").splitlines()
    compared = dict(line.split("\t") for line in lines)
    assert len(compared) == len(lines)
    assert set(compared.values()) == {"page", "interface", "header"}
    due, pages = {}, set()
    for folder in STUBS.iterdir():
        named: set[str] = set()
        for path in folder.glob("*.swift"):
            named |= set(PAGE.findall(path.read_text(encoding="utf-8")))
        pages |= named
        if named and folder.name != "ExecuTorch":
            sources = [compared.get(page, "not") for page in named]
            counts = [sources.count(source) for source in ("page", "interface", "header", "not")]
            due[folder.name] = [len(named), *counts]
    assert set(compared) <= pages
    due["all"] = [sum(column) for column in zip(*due.values(), strict=True)]
    table = re.findall(r"^\| `?(\w+)`? ((?:\| \d+ )+)\|$", (IOS / "Stubs/README.md").read_text(), re.M)
    assert {name: [int(part) for part in figures.split("|")[1:]] for name, figures in table} == due
