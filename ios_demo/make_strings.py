"""Writes App/Localizable.xcstrings, the String Catalog, from the words in App/Words*.swift.

.venv/bin/python ios_demo/make_strings.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path

APP = Path(__file__).parent / "App"
CATALOG = APP / "Localizable.xcstrings"

ONE = {
    "tiles_done": (2, "tile done", "tiles done"),
    "left_seconds": (1, "second left", "seconds left"),
    "left_minutes": (1, "minute left", "minutes left"),
    "note_bits": (1, "bit a channel", "bits a channel"),
}
"""Key -> the argument that is counted, its words for one, and those that stand in the code."""

NUMBERS = ("Int", "width", "height", "maxMegapixels")
"""Types and properties that are whole numbers; all others are texts."""

WORDS = re.compile(r'localized: "(\w+)",\s*defaultValue:\s*"((?:[^"\\]|\\.)*)"', re.S)
HOLE = re.compile(r"\\\(([^()]+)\)")


def words() -> dict[str, str]:
    """Key -> format, such as ``%1$lld of %2$lld tiles done``, in the order of the code."""
    found: dict[str, str] = {}
    for path in sorted(APP.glob("Words*.swift")):
        text = path.read_text(encoding="utf-8")
        for match in re.finditer(WORDS, text):
            head = text[: match.start()]
            types = dict(re.findall(r"(\w+): (\w+)", head[head.rindex("static ") :]))
            found[match[1]] = as_format(match[2], types)
    return found


def as_format(text: str, types: dict[str, str]) -> str:
    """A Swift text with its holes as Foundation's formats."""
    holes = HOLE.findall(text)
    place = iter(range(1, len(holes) + 1))

    def specifier(hole: re.Match[str]) -> str:
        name = hole[1].split(".")[-1]
        kind = "lld" if (types.get(name) if "." not in hole[1] else name) in NUMBERS else "@"
        number = next(place)
        return f"%{number}${kind}" if len(holes) > 1 else f"%{kind}"

    escaped = re.sub(r"%(?!\d)", "%%", text) if holes else text
    return HOLE.sub(specifier, escaped)


def entry(key: str, text: str) -> dict[str, object]:
    """A key's part of the catalog, with its plural forms where it counts something."""

    def unit(value: str) -> dict[str, object]:
        return {"stringUnit": {"state": "translated", "value": value}}

    if key not in ONE:
        return {"extractionState": "manual", "localizations": {"en": unit(text)}}
    argument, one, many = ONE[key]
    counted = f"%{argument}$lld" if f"%{argument}$lld" in text else "%lld"
    if f"{counted} {many}" not in text:
        raise SystemExit(f"{key} does not say {counted} {many}")
    forms = {"one": unit(f"%arg {one}"), "other": unit(f"%arg {many}")}
    counting = {"argNum": argument, "formatSpecifier": "lld", "variations": {"plural": forms}}
    english = {
        **unit(text.replace(f"{counted} {many}", "%#@counted@")),
        "substitutions": {"counted": counting},
    }
    return {"extractionState": "manual", "localizations": {"en": english}}


def catalog() -> str:
    """The text of the catalog, as Xcode writes it: sorted, with a space before each colon."""
    strings = {key: entry(key, text) for key, text in sorted(words().items())}
    document = {"sourceLanguage": "en", "strings": strings, "version": "1.0"}
    return json.dumps(document, indent=2, ensure_ascii=False, separators=(",", " : ")) + "\n"


if __name__ == "__main__":
    CATALOG.write_text(catalog(), encoding="utf-8")
