"""What README and the documentation name exists: links, files, commands and their options."""

import pkgutil
import re
import shlex
from functools import cache
from pathlib import Path

import pytest
import typer
from markdown.extensions.toc import slugify
from pydantic import BaseModel

import anyir.model
from anyir.conversion.recipes import RECIPES
from anyir.model.cli import GROUPS, build_app
from anyir.model.config import DEFAULT_OVERLAP, DEFAULT_TILE
from anyir.model.data.dataset_registry import DATASETS
from anyir.model.data.degradation_registry import single_kinds
from anyir.model.restore.tiling import TilePlan
from anyir.model.training.config import TrainConfig
from anyir.profiling.summary import PHOTO

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*_demo/*.md"))
    if path.name != "CHANGELOG.md"
)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
FOLDERS = "model|conversion|profiling|tests|docs|android_demo|ios_demo"

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@cache
def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    return {slugify(re.sub(r"[`*]|\]\([^)]*\)", "", heading), "-") for heading in headings}


def links(page: Path) -> list[str]:
    text = FENCE.sub("", text_of(page))
    found = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    return [*found, *re.findall(r"^\[[^\]]+\]: (\S+)$", text, re.MULTILINE)]


@each_page
def test_links_lead_somewhere(page):
    for link in links(page):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link} does not exist"
        made = "anyir: " in (text_of(target) if target.suffix == ".md" else "")  # its headings are made later
        if anchor and not made:
            assert anchor in anchors(target), f"{link}: no such heading"


@each_page
def test_files_that_are_named_exist(page):
    found = re.findall(rf"`((?:{FOLDERS})/[\w./-]+\.\w+|(?:{FOLDERS})/[\w/-]+/?)`", text_of(page))
    for path in found:
        assert (ROOT / path).exists(), f"`{path}` does not exist"


def command_lines(page: Path) -> list[str]:
    """Every ``anyir ...`` in a code block or a code span, without its comment."""
    text = text_of(page)
    blocks = "\n".join(FENCE.findall(text)).replace("\\\n", " ")
    spans = re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    lines = [*blocks.splitlines(), *spans]
    found = (
        re.match(r"(?:\.venv/bin/|\$ )?anyir ([a-z].*)|.*-m anyir\.model\.cli ([a-z].*)", line)
        for line in lines
    )
    return [match[1] or match[2] for match in found if match]


@cache
def commands() -> dict[str, typer.core.TyperCommand]:
    found = {}
    top = typer.main.get_command(build_app())
    for name, command in top.commands.items():
        if hasattr(command, "commands"):
            found.update({f"{name} {below}": inner for below, inner in command.commands.items()})
        else:
            found[name] = command
    return found


@each_page
def test_commands_take_the_options_that_are_shown(page):
    for line in command_lines(page):
        words = shlex.split(line, comments=True)
        if words[0].isupper() or words == ["COMMAND", "--help"]:
            continue
        name = " ".join(words[:2]) if words[0] in GROUPS else words[0]
        assert name in commands(), f"anyir {line}: there is no such command"
        parameters = commands()[name].params
        options = {option for each in parameters for option in (*each.opts, *each.secondary_opts)} | {
            "--help"
        }
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert given <= options, f"anyir {line}: no option {', '.join(sorted(given - options))}"


def test_there_are_command_lines_to_look_at():
    assert sum(len(command_lines(page)) for page in PAGES) > 50


@each_page
def test_lines_are_no_wider_than_100_columns(page):
    text = FENCE.sub("", text_of(page))
    long = [line for line in text.splitlines() if len(line) > 100 and not re.match(r"\s*(\||<|!\[)", line)]
    assert not long


@each_page
def test_python_examples_compile_and_import_what_exists(page):
    for code in re.findall(r"^```python\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL):
        compile(code, str(page), "exec")
        for line in re.findall(r"^from anyir.*", code, re.MULTILINE):
            exec(line, {})


def test_the_python_reference_has_every_public_name():
    named = re.findall(r"^::: ([\w.]+)$", text_of(ROOT / "docs/reference/python.md"), re.MULTILINE)
    objects = {name.rpartition(".")[2]: pkgutil.resolve_name(name) for name in named}
    for name in anyir.model.__all__:
        assert objects.get(name) is getattr(anyir.model, name), f"docs/reference/python.md lacks {name}"


def config_keys(part: type = TrainConfig) -> list[str]:
    keys = []
    for key, field in part.model_fields.items():
        inner = field.annotation
        keys += config_keys(inner) if isinstance(inner, type) and issubclass(inner, BaseModel) else [key]
    return keys


TILES = len(TilePlan(*PHOTO, DEFAULT_TILE, DEFAULT_OVERLAP))
SAID = {
    "explanation/degradations.md": [f"### `{kind}`" for kind in single_kinds()],
    "guides/configs.md": [f"`{key}`" for key in config_keys() if key != "name"],
    "guides/convert.md": [f"`{recipe.name}`" for recipe in RECIPES],
    "guides/datasets.md": [f"`{name}`" for name in DATASETS],
    "guides/profile.md": [f"tiles of {DEFAULT_TILE} and an overlap of {DEFAULT_OVERLAP} these are {TILES}"],
    "guides/restore.md": [f"(default {DEFAULT_OVERLAP},", f"a tile below {4 * DEFAULT_OVERLAP})"],
}


@pytest.mark.parametrize("page", SAID)
def test_a_page_says_what_the_code_has(page):
    """So that nothing is added or changed in the code alone; what to do: docs/guides/extend.md."""
    text = " ".join(text_of(ROOT / "docs" / page).split())
    assert [words for words in SAID[page] if words not in text] == []


def test_the_guides_name_every_page_of_the_site():
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        assert page.relative_to(ROOT / "docs").as_posix() in navigation


def test_a_code_comment_names_pages_that_exist():
    missing = []
    for source in (path for folder in FOLDERS.split("|") for path in (ROOT / folder).rglob("*.*")):
        if source.suffix not in (".py", ".kt", ".yaml", ".json", ".js", ".kts") or "build" in source.parts:
            continue
        text = source.read_text(encoding="utf-8", errors="ignore")
        named = re.findall(r"\bdocs/[\w/-]+\.(?:md|py|txt)\b", text)
        missing += [f"{source.relative_to(ROOT)}: {page}" for page in named if not (ROOT / page).exists()]
    assert not missing
