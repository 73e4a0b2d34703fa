"""Recipes: what to train, on what, and how, as YAML files; docs/guides/configs.md explains every key."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyir.model.data.sources import MIXED, Ingredient
from anyir.model.errors import UserError, unknown
from anyir.model.training.config_values import LENGTHS, SETTINGS, SOURCE, check_value, text
from anyir.model.training.settings import Settings

FOLDER = Path(__file__).parents[1] / "configs"
"""The recipes that come with the package, one YAML file each."""
DEFAULTS: dict[str, Any] = {
    "preset": "anyir",
    "minutes": 9.0,
    "batch": 16,
    "crop": 64,
}
"""What holds where neither a recipe nor an option says anything; the rest is in ``Settings``."""
_OTHER_KEYS = {"about": text, "base": text}


@dataclass(frozen=True)
class Recipe:
    """A recipe with its base worked in.

    Attributes:
        name: of its file, without the suffix.
        about: one line: what it is for.
        sources: what it trains on.
        values: of the keys in ``anyir.model.training.config_values.SETTINGS`` that it names.
    """

    name: str
    about: str
    sources: tuple[Ingredient, ...]
    values: dict[str, Any]


def recipe_names() -> list[str]:
    """The recipes that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_recipe(source: str | Path) -> Recipe:
    """A recipe by its name, or from a YAML file.

    Raises:
        UserError: no such recipe, a file that cannot be read, an unknown key, an impossible value, an
            unknown preset, dataset, degradation or loss; one line that names the key.
    """
    path = _find(source)
    content = _read(path, ())
    if missing := [key for key in ("about", "sources") if key not in content]:
        raise UserError(f"{path} lacks {missing[0]!r}")
    if not any(key in content for key in LENGTHS):
        raise UserError(f"{path} does not say how long it runs: {', '.join(LENGTHS)}")
    values = {key: value for key, value in content.items() if key in SETTINGS}
    end, warm_up = values.get("cosine_end", Settings.cosine_end), values.get("warm_up", Settings.warm_up)
    if end < warm_up:
        raise UserError(f"{path}: cosine_end is {end:g}, before warm_up ends at {warm_up:g}")
    return Recipe(path.stem, content["about"], tuple(content["sources"]), values)


def make_settings(
    recipe: Recipe | None, explicit: dict[str, Any], begun: dict[str, Any] | None = None
) -> tuple[Settings, str | None]:
    """The trainer's settings and the precision, which is None where the device may choose.

    Args:
        recipe: what is asked for, if anything.
        explicit: keys of ``SETTINGS`` that the user named, which override it.
        begun: settings of an interrupted chunk, which goes on with them instead of the recipe's.
    """
    values = merge(DEFAULTS, recipe.values if recipe else {}, explicit)
    if begun:
        changed = {key: value for key, value in explicit.items() if key not in LENGTHS}
        values = {**values, **begun, **changed}
        values.pop("recipe", None)
        values.pop("sources", None)
    precision = values.pop("precision", None)
    sources = tuple(map(str, recipe.sources)) if recipe else ()
    named = recipe.name if recipe else ""
    return Settings(**{"minutes": 0.0, **values}, recipe=named, sources=sources), precision


def merge(defaults: dict[str, Any], recipe: dict[str, Any], explicit: dict[str, Any]) -> dict[str, Any]:
    """Settings from three places, the later ones first; the length comes from one of them alone."""
    merged: dict[str, Any] = {}
    for values in (defaults, recipe, explicit):
        if any(key in values for key in LENGTHS):
            merged = {key: value for key, value in merged.items() if key not in LENGTHS}
        merged |= values
    return merged


def _find(source: str | Path) -> Path:
    path = Path(source)
    if path.suffix.lower() in (".yaml", ".yml"):
        if not path.is_file():
            raise UserError(f"there is no recipe {path}")
        return path
    if str(source) not in recipe_names():
        raise UserError(f"{unknown('recipe', str(source), recipe_names())}; or a .yaml file")
    return FOLDER / f"{source}.yaml"


def _read(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    """A recipe's keys with checked values, over those of its base."""
    if path.resolve() in seen:
        raise UserError(f"{path} is its own base")
    content = _parse(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} must be keys and values, such as `preset: anyir`")
    try:
        checked = {key: _check(key, value) for key, value in content.items()}
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None
    if sum(key in checked for key in LENGTHS) > 1:
        raise UserError(f"{path} has several of {', '.join(LENGTHS)}; one says how long it runs")
    base = checked.pop("base", None)
    if base is None:
        return checked
    beside = path.parent / base
    below = beside if beside.suffix in (".yaml", ".yml") and beside.is_file() else _find(base)
    return merge({}, _read(below, (*seen, path.resolve())), checked)


def _parse(path: Path) -> Any:
    """What a YAML file holds. A key that comes twice is an error: YAML itself takes the last one silently."""
    import yaml

    class Loader(yaml.SafeLoader):
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys: list[Any] = []
            for key_node, _ in node.value:
                if key_node.tag == "tag:yaml.org,2002:merge":
                    continue
                key = self.construct_object(key_node, deep=True)
                if key in keys:
                    line = key_node.start_mark.line + 1
                    raise UserError(f"{path}, line {line}: the key {key!r} comes twice")
                keys.append(key)
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: not UTF-8, or no such day
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{path}{line} is no YAML ({getattr(error, 'problem', error)})") from error


def _check(key: Any, value: Any) -> Any:
    if key != "sources":
        return check_value(str(key), value, {**_OTHER_KEYS, "sources": text, **SETTINGS}, "")
    if not isinstance(value, list) or not value:
        raise ValueError("sources must be a list of datasets, such as `- {dataset: rain100l}`")
    return [_check_source(number, entry) for number, entry in enumerate(value, 1)]


def _check_source(number: int, entry: Any) -> Ingredient:
    where = f"source {number}: "
    if not isinstance(entry, dict) or "dataset" not in entry:
        raise ValueError(f"{where}it must name a dataset, such as {{dataset: rain100l}}")
    values = {key: check_value(str(key), value, SOURCE, where) for key, value in entry.items()}
    degrade = values.get("degrade", "")
    idle = {
        "severity": "without degrade" if not degrade else "beside sigma" if "sigma" in values else "",
        "stored": "without degrade" if not degrade else "beside mixture" if degrade == MIXED else "",
    }
    for key, why in idle.items():
        if why and key in values:
            raise ValueError(f"{where}{key} means nothing {why}")
    try:
        return Ingredient(**values)
    except ValueError as error:
        raise ValueError(f"{where}{error}") from None
