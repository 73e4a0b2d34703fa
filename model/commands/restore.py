"""``anyir restore``: restore a photo or a folder of photos."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TextIO

import typer

from anyir.model.config import DEFAULT_OVERLAP, DEFAULT_TILE, MOST_THREADS, SIZE_MULTIPLE
from anyir.model.errors import UserError, one_line

if TYPE_CHECKING:
    from anyir.model.photo.encoder import Encoding
    from anyir.model.restore.batch import Output, PhotoOutcome
    from anyir.model.restore.jobs import PhotoJob
    from anyir.model.restore.restorer import Restorer, Setting


def named_path(text: str) -> Path:
    """A path that was named. An empty one, as a shell's unset variable is, would be the working folder."""
    if not text or "\0" in text:
        raise typer.BadParameter("a name is empty" if not text else "a name has a null byte")
    return Path(text)


def run(
    source: Annotated[
        Path, typer.Argument(metavar="IN", parser=named_path, help="A photo, or a folder of photos.")
    ],
    target: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            parser=named_path,
            help="The restored photo (its suffix is its format), or a folder.",
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="MODEL",
            help="An artifact (.pte, .tflite, .mlpackage, .aimodel), a weights file or a shipped "
            "preset; default: small, with PyTorch.",
        ),
    ] = None,
    tile: Annotated[
        int | None,
        typer.Option(
            min=SIZE_MULTIPLE,
            help=f"Tile side in pixels, a multiple of {SIZE_MULTIPLE}; default: the artifact's own, or "
            f"{DEFAULT_TILE}.",
        ),
    ] = None,
    overlap: Annotated[
        int | None,
        typer.Option(
            min=0,
            help=f"Pixels that neighbouring tiles share, at most half a tile; default: {DEFAULT_OVERLAP}, "
            f"or a quarter of a tile below {4 * DEFAULT_OVERLAP}.",
        ),
    ] = None,
    strength: Annotated[
        float,
        typer.Option(min=0, max=1, help="Share of the restoration in the result; the photo has the rest."),
    ] = 1.0,
    statistics: Annotated[
        Literal["photo", "tile"] | None,
        typer.Option(
            help="Judge haze, darkness and the like once for the whole photo, so that its tiles agree, or "
            "tile by tile; default: photo."
        ),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, max=MOST_THREADS, help="CPU threads; default: all cores.")
    ] = None,
    quality: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            help="Of JPEG, WebP, HEIC and AVIF; default: 95, and WebP without loss "
            "where the photo was without.",
        ),
    ] = None,
    lossless: Annotated[bool, typer.Option(help="Write WebP and HEIC without loss.")] = False,
    strip_metadata: Annotated[bool, typer.Option(help="Leave EXIF, ICC profile and texts out.")] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace output files that exist; never an input.")] = False,
    resume: Annotated[
        bool, typer.Option(help="Keep what an earlier run of a folder has restored, and do the rest.")
    ] = False,
    at_once: Annotated[
        int,
        typer.Option(
            "--jobs",
            min=1,
            help="Photos of a folder that are restored at once, by processes that share the threads.",
        ),
    ] = 1,
    only_if_needed: Annotated[
        bool,
        typer.Option(help="Leave photos alone that are fine as they are: for these, nothing is written."),
    ] = False,
    pipe_as: Annotated[
        str | None,
        typer.Option("--format", metavar="SUFFIX", help="What is written where IN and OUT are -: png."),
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Of raw RGB frames, where IN and OUT are -.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Restore noisy, hazy, rainy, blurred, dark or snowy photos of any size.

    A folder's photos keep their names, formats and subfolders; one that fails does not stop the others,
    and the exit code is then 1. The line that is printed first says what runs; nothing else ever runs
    in its place.

    Example: [bold]anyir restore photo.jpg restored.jpg[/bold]
    """
    if tile is not None and tile % SIZE_MULTIPLE:
        raise typer.BadParameter(f"--tile {tile} is not a multiple of {SIZE_MULTIPLE}")

    if lossless and quality is not None:
        raise typer.BadParameter("--lossless has no --quality")

    from anyir.model.device import keep_freed_memory
    from anyir.model.photo.encoder import Encoding
    from anyir.model.photo.formats import LOSSY, output_format
    from anyir.model.photo.writer import Inputs
    from anyir.model.restore.alone import alone_in
    from anyir.model.restore.batch import (
        Output,
        PhotoOutcome,
        count_tiles,
        read_job,
        restore_job,
    )
    from anyir.model.restore.jobs import find_jobs, why_left_out
    from anyir.model.restore.restorer import Restorer
    from anyir.model.restore.tile_bar import TileBar
    from anyir.model.restore.workers import share_threads

    encoding = Encoding(keep_metadata=not strip_metadata, quality=quality, lossless=lossless)
    make_with = partial(Restorer, model, tile=tile, overlap=overlap, strength=strength, statistics=statistics)
    make = partial(make_with, threads=threads)
    if "-" in (str(source), str(target)):
        if (
            str(source) != str(target)
            or as_json
            or resume
            or only_if_needed
            or at_once > 1
            or (size and pipe_as)
        ):
            raise typer.BadParameter("pipes are IN and OUT -, with --format for a photo or --size for frames")
        _pipe(make, encoding, pipe_as, size)
        return
    if pipe_as or size:
        raise typer.BadParameter("--format and --size are for pipes: IN and OUT are -")
    jobs, others = find_jobs(source, target)
    inputs = Inputs(job.source for job in jobs)
    output = Output(inputs, encoding, overwrite, need=as_json, only_if_needed=only_if_needed)
    if source.is_dir():
        with alone_in(target):
            threads_each = share_threads(threads, min(at_once, len(jobs)))
            setting, outcomes = _restore_folder(make_with, threads_each, jobs, output, resume, as_json)
        outcomes += [
            PhotoOutcome(input=str(path), status="skipped", error=why_left_out(path)) for path in others
        ]
    else:
        if resume or at_once > 1:
            raise typer.BadParameter(f"{'--resume' if resume else '--jobs'} is for folders")
        if quality is not None and output_format(target) not in LOSSY:
            raise typer.BadParameter(f"{target.suffix} has no --quality: nothing is lost")
        with keep_freed_memory():  # from before the first threads
            photo = read_job(jobs[0], output)  # before the seconds that a model takes
            restorer = make()
            setting = restorer.setting
            _say_what_runs(setting, as_json)
            with TileBar(count_tiles(setting, jobs)) as bar:
                outcomes = [restore_job(restorer, jobs[0], photo, output, progress=bar.start(jobs[0]))]
                bar.finish(jobs[0], outcomes[0])
    _print_outcomes(outcomes, setting, as_json)
    failed = sum(outcome.status == "failed" for outcome in outcomes)
    if failed:
        raise UserError(f"{failed} of {len(jobs)} photos failed")


def _restore_folder(
    make: Callable[..., Restorer],
    threads: list[int | None],
    jobs: list[PhotoJob],
    output: Output,
    resume: bool,
    as_json: bool,
) -> tuple[Setting, list[PhotoOutcome]]:
    """By this process, or by as many as there are numbers of threads."""
    import sys

    from anyir.model.device import keep_freed_memory
    from anyir.model.restore.batch import count_tiles, restore_jobs
    from anyir.model.restore.tile_bar import TileBar
    from anyir.model.restore.workers import Workers

    ended = 0

    def finished(job: PhotoJob, outcome: PhotoOutcome) -> None:
        nonlocal ended
        bar.finish(job, outcome)
        ended += 1

    try:
        if len(threads) == 1:
            with keep_freed_memory():  # from before the first threads
                restorer = make(threads=threads[0])
                setting = restorer.setting
                _say_what_runs(setting, as_json)
                with TileBar(count_tiles(setting, jobs)) as bar:
                    outcomes = restore_jobs(
                        restorer, jobs, output, resume=resume, started=bar.start, finished=finished
                    )
        else:
            with Workers(make, threads, output, resume=resume) as workers:
                setting = workers.setting
                _say_what_runs(setting, as_json)
                with TileBar(count_tiles(setting, jobs)) as bar:
                    outcomes = workers.restore(jobs, started=bar.start, finished=finished)
    except KeyboardInterrupt:
        print(f"{ended} of {len(jobs)} photos were done; --resume goes on", file=sys.stderr)
        raise
    return setting, outcomes


def _pipe(
    make: Callable[[], Restorer], encoding: Encoding, format_name: str | None, size: str | None
) -> None:
    """From standard input to standard output; words go to stderr."""
    import sys

    from anyir.model.restore.pipes import frame_size, pipe_format, read_pipe, restore_frames, restore_pipe

    for name, stream in (("input", sys.stdin), ("output", sys.stdout)):
        if stream is None:
            raise UserError(f"standard {name} is closed; both are needed where IN and OUT are -")
    source, target = sys.stdin.buffer, sys.stdout.buffer
    if size is not None:
        width, height = frame_size(size)
        restorer = make()
        _say_what_runs(restorer.setting, as_json=False, file=sys.stderr)
        count, notes = restore_frames(restorer, source, target, width, height)
        print(f"restored {count} frames of {width}x{height}", file=sys.stderr)
        for note in notes:
            print(f"note: {note}", file=sys.stderr)
        return
    format_ = pipe_format(format_name)
    if target.isatty():
        raise UserError("standard output is a terminal: send it to a file or a program")
    photo = read_pipe(source, format_, encoding)
    restorer = make()
    _say_what_runs(restorer.setting, as_json=False, file=sys.stderr)
    for note in restore_pipe(restorer, photo, target, format_, encoding):
        print(f"note: {note}", file=sys.stderr)


def _say_what_runs(setting: Setting, as_json: bool, file: TextIO | None = None) -> None:
    if not as_json:
        tiles = f"tiles of {setting.tile} that overlap by {setting.overlap}"
        strength = f", at strength {setting.strength:g}" if setting.strength < 1 else ""
        look = ", one look at the photo" if setting.statistics == "photo" else ""
        print(f"{setting.model} on {setting.accelerator}, {tiles}{look}{strength}", file=file, flush=True)


def _print_outcomes(outcomes: list[PhotoOutcome], setting: Setting, as_json: bool) -> None:
    import json
    from dataclasses import asdict

    statuses = ("restored", "fine", "kept", "skipped", "failed")
    counts = {status: sum(o.status == status for o in outcomes) for status in statuses}
    if as_json:
        files = [outcome.to_dict() for outcome in outcomes]
        print(json.dumps({**asdict(setting), **counts, "files": files}, indent=2))
        return
    for o in outcomes:
        name, out = (str(path).replace("\n", "\\n") for path in (o.input, o.output))  # one line each
        if o.status == "restored":
            tiles = "1 tile" if o.tiles == 1 else f"{o.tiles} tiles"
            line = f"restored {name} -> {out} ({o.width}x{o.height}, {tiles}, {o.seconds:.1f} s)"
            print(one_line(line))
        elif o.status == "fine":
            assert o.need is not None
            print(one_line(f"left {name} alone, which is fine (change {o.need.change:g} of 255)"))
        elif o.status == "kept":
            print(one_line(f"kept {out}, which an earlier run has restored"))
        elif o.status == "skipped":
            print(one_line(f"skipped {name} ({o.error})"))
    if len(outcomes) > 1:
        print(
            ", ".join(
                f"{count} {status}"
                for status, count in counts.items()
                if count or status not in ("fine", "kept")
            )
        )
