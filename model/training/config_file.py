"""Training configs as YAML files: those that come with the package, and one's own built on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from anyir.model.errors import UserError, unknown
from anyir.model.training.config import LENGTHS, TrainConfig, make_config, merge, nested

FOLDER = Path(__file__).parents[1] / "configs"
"""The configs that come with the package, one YAML file each."""
MOST_VALUES = 10_000
"""A config may have so many; those that come with the package have tens."""


def config_names() -> list[str]:
    """The configs that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_config(source: str | Path, changes: dict[str, Any] | None = None) -> TrainConfig:
    """A config by its name, or from a YAML file.

    Args:
        changes: keys and values that replace those of the file, such as ``{"loss": {"balance": 0.4}}``.

    Raises:
        UserError: no such config, a file that cannot be read, an unknown key, an impossible value; one line
            that names the key.
    """
    path = _find(source)
    content = _read(path, ())
    make_config(content, str(path))  # a mistake of the file is not blamed on the changes
    return make_config({**merge(content, changes or {}), "name": path.stem})


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """``KEY=VALUE`` of the command line as a config's keys and values: ``loss.balance=0.4``.

    Raises:
        UserError: no ``=``, or a value that is no YAML.
    """
    import yaml

    changes: dict[str, Any] = {}
    for setting in settings:
        key, found, text = setting.partition("=")
        if not found or not key:
            raise UserError(f"--set takes KEY=VALUE, such as loss.balance=0.4; this is {setting!r}")
        try:
            value = yaml.load(text, _loader(f"--set {setting}"))
        except (yaml.YAMLError, ValueError, RecursionError):
            raise UserError(f"--set {setting}: {text!r} is no YAML") from None
        changes = merge(changes, nested(key, value))
    return changes


def _find(source: str | Path) -> Path:
    path = Path(source)
    if path.suffix.lower() in (".yaml", ".yml"):
        if not path.is_file():
            raise UserError(f"there is no config {path}")
        return path
    if str(source) not in config_names():
        raise UserError(f"{unknown('config', str(source), config_names())}; or a .yaml file")
    return FOLDER / f"{source}.yaml"


def _read(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    """The keys and values of a file over those of its base."""
    if path.resolve() in seen:
        raise UserError(f"{path} is its own base")
    content = _parse(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} must be keys and values, such as `preset: anyir`")
    if sum(content.get(key) is not None for key in LENGTHS) > 1:
        raise UserError(f"{path}: give one of {' and '.join(LENGTHS)}: how long the run is")
    base = content.pop("base", None)
    if base is None:
        return content
    beside = path.parent / str(base)
    below = beside if beside.suffix in (".yaml", ".yml") and beside.is_file() else _find(str(base))
    return merge(_read(below, (*seen, path.resolve())), content)


def _parse(path: Path) -> Any:
    import yaml

    try:
        return yaml.load(path.read_text(encoding="utf-8"), _loader(str(path)))
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: not UTF-8, or no such day
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{path}{line} is no YAML ({getattr(error, 'problem', error)})") from error


def _loader(name: str) -> Any:
    """What reads YAML out of ``name``. A key that comes twice is an error: YAML itself takes the last one
    silently. So are more values than anyone writes: a few lines of aliases of aliases stand for billions."""
    import yaml

    class Loader(yaml.SafeLoader):
        def get_single_node(self) -> Any:
            node = super().get_single_node()
            if node is not None and _count(node, {}) > MOST_VALUES:
                raise UserError(f"{name} has more than {MOST_VALUES} values, those behind aliases included")
            return node

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys: list[Any] = []
            for key_node, _ in node.value:
                if key_node.tag == "tag:yaml.org,2002:merge":
                    continue
                key = self.construct_object(key_node, deep=True)
                if key in keys:
                    line = key_node.start_mark.line + 1
                    raise UserError(f"{name}, line {line}: the key {key!r} comes twice")
                keys.append(key)
            return super().construct_mapping(node, deep)

    return Loader


def _count(node: Any, counted: dict[int, int]) -> int:
    """The values of a YAML node, with those that its aliases stand for.

    Raises:
        ValueError: one that lies in itself.
    """
    if id(node) not in counted:
        counted[id(node)] = 0  # while its own are counted
        parts = [] if isinstance(node.value, str) else node.value
        inner = [each for part in parts for each in (part if isinstance(part, tuple) else (part,))]
        counted[id(node)] = 1 + sum(_count(each, counted) for each in inner)
    elif not counted[id(node)]:
        raise ValueError(f"what begins in line {node.start_mark.line + 1} holds an alias of itself")
    return counted[id(node)]
