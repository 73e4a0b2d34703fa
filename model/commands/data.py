"""``anyir data``: look at datasets before training or evaluating with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from anyir.model.data.check import DatasetCheck

SHOWN = 5
"""Problems of each sort that are printed; ``--json`` has them all."""


def run(
    action: Annotated[str, typer.Argument(metavar="check", help="The one thing to do: check.")],
    root: Annotated[Path, typer.Argument(metavar="DIR", help="A dataset's folder, or one above several.")],
    dataset: Annotated[
        str | None, typer.Option(help="Check this dataset alone, by its name in docs/guides/datasets.md.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Threads that decode.")] = 4,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every file's name.")] = False,
) -> None:
    """Say which datasets lie below a folder and what is wrong with them.

    Every file is decoded once. Exit code 1 if a degraded photo has no clean partner or fits several, a pair
    differs in size, or a file cannot be read.

    Example: [bold]anyir data check datasets/test --json[/bold]
    """
    if action != "check":
        raise typer.BadParameter(f"unknown action {action!r}; known: check")

    import json
    import sys

    from rich.console import Console
    from rich.progress import Progress

    from anyir.model.data.check import check_dataset, files_of
    from anyir.model.data.discovery import count_others, find_all, find_splits

    found = find_all(root) if dataset is None else find_splits(dataset, root)
    checks = []
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        for each in found:
            task = bar.add_task(f"{each.name} {each.split}", total=len(files_of(each)))
            checks.append(check_dataset(each, workers=workers, on_photo=lambda t=task: bar.advance(t)))  # type: ignore[misc]
    if as_json:
        print(json.dumps([check.to_dict() for check in checks], indent=2))
    else:
        for check in checks:
            _show(check)
        if dataset is None:
            for folder, count in count_others(root, found).items():
                photos = "1 photo" if count == 1 else f"{count} photos"
                print(
                    f"in no dataset that is known by its place: {photos} in {folder}; check that folder alone"
                )
    problems = sum(check.problems for check in checks)
    if problems:
        print(f"anyir: {problems} problem{'s' if problems > 1 else ''} in {root}", file=sys.stderr)
        raise typer.Exit(1)


def _show(check: DatasetCheck) -> None:
    what = "pairs" if check.paired else "clean photos"
    of = f" of {check.expected} published" if check.expected and check.expected != check.pairs else ""
    print(f"{check.dataset} {check.split}: {check.title}, {check.pairs} {what}{of}, in {check.folder}")
    if len(check.kinds) > 1:
        print("  " + ", ".join(f"{kind} {count}" for kind, count in check.kinds.items()))
    if check.deep:
        print(f"  {check.deep} files with 16 bits a value")
    sorts = (
        ("without a clean partner", check.without_clean),
        ("fit several clean photos", check.ambiguous),
        ("differ in size", check.differ),
        ("cannot be read", check.unreadable),
        ("clean, without a degraded partner (no harm)", check.without_degraded),
    )
    for title, lines in sorts:
        if lines:
            print(f"  {len(lines)} {title}:")
            for line in lines[:SHOWN]:
                print(f"    {line}")
            if len(lines) > SHOWN:
                print(f"    and {len(lines) - SHOWN} more (--json lists all)")
