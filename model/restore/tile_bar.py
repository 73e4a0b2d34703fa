"""Progress of restoring on the terminal."""

from __future__ import annotations

from functools import partial

from anyir.model.errors import one_line
from anyir.model.restore.batch import PhotoOutcome
from anyir.model.restore.jobs import PhotoJob
from anyir.model.restore.restorer import TileProgress


class TileBar:
    """Progress on stderr: tiles done and time left, of the photos at hand and of all; notes and failures in
    between.

    Args:
        tiles: how many every photo is cut into, as far as it is known.
    """

    def __init__(self, tiles: dict[PhotoJob, int]) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TaskID,
            TextColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        self.progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("tiles"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            redirect_stdout=False,
        )
        self.tiles, self.begun = tiles, 0
        self.finished, self.total = 0, sum(tiles.values())
        self.all = self.progress.add_task("all photos", total=self.total) if len(tiles) > 1 else None
        self.photos: dict[PhotoJob, TaskID] = {}
        self.done: dict[PhotoJob, int] = {}

    def __enter__(self) -> TileBar:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def start(self, job: PhotoJob) -> TileProgress:
        """A photo begins; what is returned takes its tiles."""
        self.begun += 1
        count = f" ({self.begun}/{len(self.tiles)})" if len(self.tiles) > 1 else ""
        self.photos[job] = self.progress.add_task(f"{job.source.name}{count}", total=None)
        return partial(self.advance, job)

    def advance(self, job: PhotoJob, done: int, total: int) -> None:
        """So many tiles of a photo are done."""
        self.done[job] = done
        self.progress.update(self.photos[job], completed=done, total=total)
        self._show_all()

    def finish(self, job: PhotoJob, outcome: PhotoOutcome) -> None:
        """A photo has ended, well or not. What was not restored takes no time any more."""
        self.progress.remove_task(self.photos.pop(job))
        self.done.pop(job, None)
        if outcome.status == "restored":
            self.finished += self.tiles[job]
        else:
            self.total -= self.tiles[job]
        self._show_all()
        lines = [f"note: {outcome.input}: {note}" for note in outcome.notes]
        if outcome.error:
            named = outcome.error if outcome.input in outcome.error else f"{outcome.input}: {outcome.error}"
            lines.append(f"failed: {named}")
        lines = [line.replace(outcome.input, outcome.input.replace("\n", "\\n")) for line in lines]
        for line in lines:
            self.progress.console.print(one_line(line), markup=False, highlight=False, soft_wrap=True)

    def _show_all(self) -> None:
        if self.all is not None:
            done = self.finished + sum(self.done.values())
            self.progress.update(self.all, completed=done, total=self.total)
