"""What mkdocs fills in while it builds the site (mkdocs.yml names this file as a hook).

A line ``<!-- anyir: commands -->`` becomes every command with its arguments and options, as typer has them;
``<!-- anyir: schema conversion/manifest.schema.json -->`` becomes the tables of that JSON Schema.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from anyir.model.cli import build_app

ROOT = Path(__file__).parents[2]
MARK = re.compile(r"^<!-- anyir: (\w+) ?(\S*) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in the marks of a page; an unknown mark ends the build."""
    makers = {"commands": lambda _: command_pages(), "schema": lambda path: schema_pages(ROOT / path)}
    return MARK.sub(lambda mark: "\n".join(makers[mark[1]](mark[2])), markdown)


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, as ``anyir android stage``, in the order of ``--help``."""
    yield from _below("anyir", typer.main.get_command(build_app()))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(command, "commands"):
        for child, inner in command.commands.items():
            yield from _below(f"{name} {child}", inner)
    else:
        yield name, command


def command_pages() -> list[str]:
    lines: list[str] = []
    for name, command in commands():
        about, *rest = _plain(command.help).split("\n\n")
        lines += [f"## `{name}`", "", about, ""]
        lines += [f"```sh\n{p.removeprefix('Example: ')}\n```" if "anyir " in p else p for p in rest]
        with command.make_context(name, [], resilient_parsing=True) as context:
            usage = " ".join(command.collect_usage_pieces(context))
            records = [parameter.get_help_record(context) for parameter in command.params]
        lines += ["", f"`{name} {usage}`", "", "| option | meaning |", "|---|---|"]
        lines += [f"| `{_cell(names)}` | {_cell(meaning)} |" for names, meaning in filter(None, records)]
        lines.append("")
    return lines


def _cell(text: str) -> str:
    return " ".join(_plain(text).split()).replace("\\[", "[").replace("|", "\\|")


def _plain(text: str) -> str:
    """Help without rich's markup, which is meant for a terminal."""
    return re.sub(r"\[/?(?:bold|dim|italic|cyan|green|yellow)\]", "", text)


def schema_pages(path: Path) -> list[str]:
    schema = json.loads(path.read_text())
    lines = [f"The JSON Schema itself: `{path.relative_to(ROOT)}`.", ""]
    for name, part in [(schema.get("title", "File"), schema), *sorted(schema.get("$defs", {}).items())]:
        lines += [f"## {name}", "", _cell(part.get("description", "")), ""]
        if "properties" not in part:
            lines += [f"{_type(part)}", ""]
            continue
        lines += ["| key | value | meaning |", "|---|---|---|"]
        required = part.get("required", [])
        for key, value in part["properties"].items():
            meaning = _cell(value.get("description", ""))
            optional = "" if key in required else " (optional)"
            lines.append(f"| `{key}`{optional} | {_type(value)} | {meaning} |")
        lines.append("")
    return lines


def _type(value: dict[str, Any]) -> str:
    """A schema's type in a few words, with links to the parts of the same page."""
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value or "oneOf" in value:
        return " or ".join(_type(choice) for choice in value.get("anyOf", value.get("oneOf")))
    if "enum" in value:
        return ", ".join(f"`{choice}`" for choice in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    if value.get("type") == "array":
        if "prefixItems" in value:
            return f"list of {len(value['prefixItems'])}"
        return f"list of {_type(value['items'])}" if value.get("items") else "list"
    if value.get("type") == "object":
        inner = value.get("additionalProperties")
        return f"object of {_type(inner)}" if isinstance(inner, dict) and inner else "object"
    words = {"integer": "whole number", "string": "text", "boolean": "true or false"}
    return words.get(value.get("type", ""), str(value.get("type", "any")))
