"""The iOS app says what the Android app says, on the same screens.

Two texts are equal when they have the same words with the same things in their holes, in the same order.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from anyir.conversion.recipes import RECIPES

ROOT = Path(__file__).parents[2]
APP = ROOT / "ios_demo/App"
STATE = ROOT / "ios_demo/AnyIRKit/Sources/AnyIRState"
ANDROID = ROOT / "android_demo/app/src/main"

DEVICE = {"this phone": "this device", "the phone": "the device"}
"""Android's words -> those on iOS, where the same app runs on iPads."""

OTHERWISE = {
    "no_model": "a model is copied with adb, or on iOS with the Files app",
    "add_text": "the same",
    "benchmark_written": "Android names the file's whole path, iOS the folder as the Files app shows it",
}
"""Keys of both apps that say another thing on each, and why."""

ANDROID_ONLY = {
    "app_name": "Info.plist has it",
    "add_command": "adb",
    "back": "iOS closes a sheet with `done`",
    "pane_ready pane_failed": "Android's titles of what changed, for TalkBack; iOS says the sentence",
    "share_with": "the title of Android's share sheet; that of iOS has none",
    "saved_in": "a gallery's folder and file; iOS's photo library shows neither",
    "no_picker not_shared": "Android has apps for these; on iOS the system does it",
    "nothing_shared photo_not_from_an_app": "another app may start this one with anything; not so on iOS",
    "may_not_save": "a permission of old Androids",
    "benchmark_unreadable": "of an intent",
    "restore_channel restore_cancel restore_cancelling restore_loading restore_looking restore_tiles "
    "restore_tiles_left restore_seconds restore_minutes": "the notification; iOS draws its own",
    "unsaved_result": "of a choice past the question; on iOS every choice is asked about",
    "engine_unavailable engine_not_for_model": "of a choice past the list; on iOS only the list chooses",
    "unexpected unexpected_saving": "Kotlin's runtime exceptions; Swift has none",
    "no_memory_to_save save_no_memory": "the JVM says so; iOS ends the app",
    "note_memory": "formats without a region decoder; on iOS that is all of them",
    "photo_unnamed": "of a stream; on iOS all photos are files",
    "photo_empty photo_cannot_read photo_not_kept photo_file_too_large photo_damaged no_space "
    "result_not_kept": "iOS says it in a notice of less detail",
    "photo_not_allowed": "Android's grants end",
    "save_no_webp saved_as saved_without_damaged_exif saved_without_long_exif save_not_encoded": "Android's "
    "encoders",
    "not_written save_not_written": "iOS says it in a notice of less detail",
    "note_place": "of Android's photo picker",
    "note_cmyk": "of Android's decoder",
}
IOS_ONLY = {
    "done": "closes a sheet",
    "gpu_stays": "iOS forbids the GPU in the background",
    "benchmark_no_tiles": "Android's is among the core's sentences",
}

NOTICES = {
    "busyOpening": "busy_opening",
    "busyRestoring": "busy_restoring",
    "busyMeasuring": "busy_measuring",
    "chooseFirst": "choose_first",
    "onlyHalfSize": "only_half_size",
    "nothingRuns": "no_engine",
    "nothingToSave": "nothing_to_save",
    "animated": "photo_animated",
    "cutOff": "photo_cut_off",
    "cannotDecode": "photo_cannot_decode",
    "gone": "photo_gone",
    "noPhotoMemory": "photo_no_memory",
    "tooLarge": "photo_too_large",
    "noSpaceToOpen": "photo_no_space",
    "engineStopped": "engine_stopped",
    "noMemory": "no_memory",
    "noSpaceForResult": "no_space_for_result",
    "noSpaceToSave": "save_no_space",
    # Of RestoreError
    "notFinite": "model_not_finite",
    "lookNotFinite": "look_not_finite",
    "busy": "busy_restoring",
}
"""Cases of iOS's Notice and RestoreError -> Android's keys, with the same words."""

OTHER_NOTICES = {
    "notAPhoto": ("photo_not_a_photo", "Android lists the formats that it reads"),
    "timeWasUp": ("not_in_background", "other rules for what an app may do there"),
    "saveRefused": ("save_no_permission", "to add photos; on Android to write them"),
    "notTaken": ("save_not_taken", "the photo library; on Android the gallery"),
    "notDelivered": (None, "iCloud"),
    "severalPages": (None, "Android opens no TIFF"),
    "sharedWaits": (None, "the share extension; on Android the other app starts this one"),
    "notEncoded": (None, "Android's encoders have sentences of their own"),
    "overlap": (None, "a fault of the caller's; Kotlin throws its own"),
}

SAME_PANELS = ("Start", "Opening", "Ready", "Running", "Done", "Failed")
PANEL_DIFFERENCES = {"saved_in"}
"""Keys of a panel that the other app has not: among those above."""


def words_of(groups: dict[str, str]) -> set[str]:
    return {key for keys in groups for key in keys.split()}


APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
HOLE = re.compile(r"%(?:(\d)\$)?(?:arg|lld|@|d|s|\.\df)")


def plain(text: str, renamed: dict[str, str]) -> str:
    """A text without its format: a hole is ``{}``, or numbered where the order is another."""
    places = [int(hole) for hole in HOLE.findall(text) if hole]
    in_order = places == sorted(places)
    text = HOLE.sub(lambda hole: "{}" if in_order else f"{{{hole[1]}}}", text)
    text = text.replace("\\'", APOSTROPHE).replace("%%", "%")
    for old, new in renamed.items():
        text = re.sub(
            old, lambda found, new=new: new if found[0][0].islower() else new.capitalize(), text, flags=re.I
        )
    return text


@cache
def android() -> dict[str, dict[str, str]]:
    """Key -> quantity -> words; without plural forms the quantity is ``other``."""
    assert [path.name for path in (ANDROID / "res").glob("values*") if list(path.glob("strings*"))] == [
        "values"
    ], "another language: compare it with that of the catalog"
    found = {}
    for path in sorted((ANDROID / "res/values").glob("strings*.xml")):
        for entry in ElementTree.parse(path).getroot():
            forms = (
                {"other": entry} if entry.tag == "string" else {item.get("quantity"): item for item in entry}
            )
            found[entry.get("name")] = {form: plain(item.text, DEVICE) for form, item in forms.items()}
    return found


@cache
def ios() -> dict[str, dict[str, str]]:
    """The same of the String Catalog."""
    strings = json.loads((APP / "Localizable.xcstrings").read_text(encoding="utf-8"))["strings"]
    found = {}
    for key, entry in strings.items():
        assert set(entry["localizations"]) == {"en"}, "another language: compare it with Android's"
        english = entry["localizations"]["en"]
        text = english["stringUnit"]["value"]
        counted = english.get("substitutions", {}).get("counted", {}).get("variations", {}).get("plural")
        forms = counted or {"other": {"stringUnit": {"value": ""}}}
        found[key] = {
            form: plain(text.replace("%#@counted@", unit["stringUnit"]["value"]), {})
            for form, unit in forms.items()
        }
    return found


def notices() -> dict[str, str]:
    """Case of Notice or RestoreError -> its words."""
    found = {}
    for path in (STATE / "Notice.swift", STATE.parent / "AnyIRCore/Errors.swift"):
        text = path.read_text(encoding="utf-8")
        for case in re.finditer(r"case \.(\w+)(?:\([^)]*\))?:\s*((?:\"(?:[^\"\\]|\\.)*\"\s*\+?\s*)+)", text):
            words = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', case[2]))
            found[case[1]] = plain(re.sub(r"\\\([^()]*\)", "{}", words), {})
    return found


def test_a_key_of_both_apps_has_the_same_words():
    both = android().keys() & ios().keys() - OTHERWISE.keys()
    assert len(both) > 100
    different = {key: (android()[key], ios()[key]) for key in both if android()[key] != ios()[key]}
    assert different == {}


def test_words_of_one_app_alone_are_listed_with_the_reason():
    said_by_notices = set(NOTICES.values()) | {key for key, _ in OTHER_NOTICES.values() if key}
    verbatim = {"verbatim"}  # an engine's own sentence
    assert (
        android().keys() - ios().keys()
        == words_of(ANDROID_ONLY) | (said_by_notices | verbatim) - ios().keys()
    )
    assert ios().keys() - android().keys() == words_of(IOS_ONLY)
    assert {key for key in OTHERWISE if android()[key] == ios()[key]} == set()


def test_notices_have_androids_words():
    said = notices()
    assert said.keys() == NOTICES.keys() | OTHER_NOTICES.keys()
    assert {case: said[case] for case in NOTICES} == {
        case: android()[key]["other"] for case, key in NOTICES.items()
    }
    assert all(
        key is None or said[case] != android()[key]["other"] for case, (key, _) in OTHER_NOTICES.items()
    )


def test_the_share_extension_says_of_a_full_disk_what_both_apps_say():
    code = (ROOT / "ios_demo/Share/ShareWords.swift").read_text(encoding="utf-8")
    said = dict(re.findall(r'static let (\w+) = "([^"]*)"', code))
    assert said["noSpace"] == android()["photo_no_space"]["other"]


def keys_of_swift() -> dict[str, str]:
    """Name in ``Words`` -> key, of those that are one text."""
    code = "".join(path.read_text(encoding="utf-8") for path in sorted(APP.glob("Words*.swift")))
    parts = re.split(r"\n    (?:private )?static (?:var|func) ", code)[1:]
    return {
        re.match(r"\w+", part)[0]: key[0]
        for part in parts
        if len(key := re.findall(r'localized:\s*"(\w+)"', part)) == 1
    }


def android_panel(name: str) -> set[str]:
    layout = (ANDROID / f"res/layout/panel_{name.lower()}.xml").read_text(encoding="utf-8")
    code = (ANDROID / "kotlin/org/anyir/demo/ui/Panels.kt").read_text(encoding="utf-8")
    body = re.search(rf"class {name}Panel\(.*?\n}}\n", code, re.DOTALL)[0]
    keys = set(re.findall(r"@string/(\w+)", layout)) | set(re.findall(r"R\.(?:string|plurals)\.(\w+)", body))
    if "modelProblem(" in body:
        keys |= {"no_model", "no_engine"}
    return keys | {f"Words.{helper}" for helper in re.findall(r"words(?:\.|::)(need|left|ran)\b", body)}


def ios_panel(name: str) -> set[str]:
    code = (APP / "Views/Panels.swift").read_text(encoding="utf-8")
    body = re.search(rf"struct {name}Panel: .*?\n}}\n", code, re.DOTALL)[0]
    known = keys_of_swift()
    used = re.findall(r"Words\.(\w+)", body)
    keys = {known.get(word, f"Words.{word}") for word in used}
    if "ModelProblem(" in body:
        keys |= {"no_model", "no_engine"}
    if re.search(r"^ *choosing$|ChoosingButtons\(", body, re.M):
        keys.add("browse_files")
        another = re.search(r"isAnother: (\w+)", body)
        keys |= {"choose_photo"} if not another or another[1] != "true" else {"choose_another"}
    if "Words.steps" in keys:
        keys |= {"loading_model", "looking", "tiles_done"}
    return keys - {"Words.steps", "Words.percent"}


def test_the_screens_and_what_each_says_are_the_same():
    kotlin = (ANDROID / "kotlin/org/anyir/demo/ui/UiState.kt").read_text(encoding="utf-8")
    swift = (STATE / "Screen.swift").read_text(encoding="utf-8")
    for kind in ("Screen", "Models"):
        cases = re.search(rf"enum class {kind} \{{ (.*?) \}}", kotlin)[1].split(", ")
        due = re.search(rf"enum {kind}: [^{{]*\{{\s*case (.*?)\n", swift)[1].split(", ")
        assert [case.replace("_", "").lower() for case in cases] == [case.lower() for case in due], kind
    for name in SAME_PANELS:
        assert android_panel(name) - PANEL_DIFFERENCES == ios_panel(name), name


def test_every_precision_that_is_offered_has_a_name_and_says_what_it_is_good_for():
    precisions = {recipe.precision for recipe in RECIPES}
    assert {key.removeprefix("precision_") for key in ios() if key.startswith("precision_")} == precisions
    assert {key.removeprefix("good_") for key in ios() if key.startswith("good_")} == precisions
