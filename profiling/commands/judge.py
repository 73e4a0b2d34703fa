"""``anyir judge``: real photos before and after, as a page to look at and to fill verdicts in for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anyir.model.config import MOST_THREADS
from anyir.model.errors import UserError


def run(
    photos: Annotated[Path, typer.Argument(help="A folder with a folder of photos for each kind of fault.")],
    out: Annotated[Path, typer.Option(help="Folder for the page and its pictures.")] = Path("build/photos"),
    with_: Annotated[
        str | None,
        typer.Option("--with", help="A weights file, a shipped preset, or an artifact; default: small."),
    ] = None,
    peer: Annotated[
        list[str] | None,
        typer.Option(help="TITLE=FOLDER with another network's KIND/NAME.png, of equal sizes; repeatable."),
    ] = None,
    baselines: Annotated[
        bool, typer.Option(help="Classical methods beside, for kinds that have some.")
    ] = True,
    verdicts: Annotated[
        Path | None, typer.Option(help="Table of verdicts; default: verdicts.tsv in the page's folder.")
    ] = None,
    threads: Annotated[int, typer.Option(min=0, max=MOST_THREADS, help="CPU threads; 0 for all cores.")] = 0,
) -> None:
    """Restore real photos and write a page with each before and after, its figures, and what people said.

    Fill in the table of verdicts (better, same, worse, and why) and run it again: what is restored is kept.

    Example: [bold]anyir judge photos/real --out build/photos[/bold]
    """
    from rich.console import Console
    from rich.progress import Progress

    from anyir.conversion.tree import tree_sha256
    from anyir.model.checkpoint import find_weights
    from anyir.model.device import keep_freed_memory
    from anyir.model.evaluation.looking import list_kinds, see_photos
    from anyir.model.evaluation.verdicts import add_lines
    from anyir.model.files import check_replaceable
    from anyir.model.restore.restorer import Restorer
    from anyir.model.restore.tile_models import TorchModel
    from anyir.profiling.report.page import is_page
    from anyir.profiling.report.photo_page import write_photo_page

    if out.is_file():
        raise UserError(f"{out} is a file; name a folder for the page")
    check_replaceable(out / "index.html", "page of AnyIR", is_page)
    peers = dict(split_peer(text) for text in peer or [])
    listed = list_kinds(photos)
    table = verdicts or out / "verdicts.tsv"
    restorer = Restorer(with_, threads=threads or None)
    file = find_weights(with_) if isinstance(restorer.model, TorchModel) else Path(str(with_))
    model = f"{restorer.model.name} {tree_sha256(file)[:8]}"
    lines = add_lines(table, [f"{kind}/{path.name}" for kind, path in listed], model)
    console = Console(stderr=True)
    with (
        keep_freed_memory(),
        Progress(console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("photos", total=len(listed))
        seen = list(
            see_photos(
                listed, out, restorer, model,
                peers=peers, baselines=baselines, on_photo=lambda: bar.advance(task),
            )
        )  # fmt: skip
    write_photo_page(seen, lines, out, model=model, verdict_file=table)
    said = [line.verdict or "open" for line in lines.values()]
    counts = ", ".join(f"{said.count(word)} {word}" for word in ("better", "same", "worse", "open"))
    print(f"page: {out / 'index.html'}; verdicts: {table} ({counts})")


def split_peer(text: str) -> tuple[str, Path]:
    """``TITLE=FOLDER``.

    Raises:
        BadParameter: it is none, or there is no such folder.
    """
    title, _, folder = text.partition("=")
    if not title or not folder:
        raise typer.BadParameter(f"--peer {text}: TITLE=FOLDER is due")
    if not Path(folder).is_dir():
        raise typer.BadParameter(f"--peer {text}: {folder} is not a folder")
    return title, Path(folder)
