"""What a person sees of a run: the progress line, TensorBoard's curves, and a table at the end."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Any

from anyir.model.training.clock import Report
from anyir.model.training.settings import Progress


class TrainingLog:
    """A context that shows and logs a run; every step of it is a ``Report``.

    Args:
        progress: of the run, which the trainer keeps up to date.
        folder: where TensorBoard's files go.
        console: where the progress line is drawn.
    """

    def __init__(self, progress: Progress, folder: Path, console: Any) -> None:
        from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._progress, self._logged = progress, len(progress.history)
        self._folder, self._console = folder, console
        self._writer: Any = None
        columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        self._bar = Bar(*columns, console=console)
        self._task = self._bar.add_task("", total=1.0)

    def __enter__(self) -> TrainingLog:
        from torch.utils.tensorboard import SummaryWriter

        self._hook = threading.excepthook
        threading.excepthook = self._leave_to_the_next_value
        try:
            self._writer = SummaryWriter(str(self._folder))
        except OSError as error:
            self._give_up(error)
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        self._log_scores()
        if self._writer:
            try:
                self._writer.close()
            except OSError as failure:
                self._give_up(failure)
        threading.excepthook = self._hook

    def report(self, report: Report) -> None:
        """Show and log the last few steps."""
        progress = self._progress
        text = (
            f"step {progress.step}  loss {report.loss:.4f}  {report.samples_per_second:.1f} patches/s, "
            f"{report.waiting:.1%} waiting for data"
        )
        self._bar.update(self._task, completed=progress.share(), description=text)
        self._add("loss", report.loss, progress.step)
        self._add("patches per second", report.samples_per_second, progress.step)
        self._add("share waiting for data", report.waiting, progress.step)
        self._log_scores()

    def _log_scores(self) -> None:
        """Write the validations since the last call to TensorBoard."""
        for entry in self._progress.history[self._logged :]:
            for kind, scores in entry["scores"].items():
                self._add(f"PSNR/{kind}", scores["psnr"], entry["step"])
        self._logged = len(self._progress.history)

    def _add(self, name: str, value: float, step: int) -> None:
        if self._writer is None:
            return
        try:
            self._writer.add_scalar(name, value, step)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        """Curves are not worth a run: go on without them, and say so."""
        self._writer = None
        self._console.print(
            f"note: TensorBoard's curves end here, as {self._folder} cannot be written ({error.strerror})",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )

    def _leave_to_the_next_value(self, failure: threading.ExceptHookArgs) -> None:
        """TensorBoard writes in a thread of its own, whose failure it raises at the next value as well."""
        theirs = type(failure.thread).__module__.startswith("tensorboard")
        if not (theirs and isinstance(failure.exc_value, OSError)):
            self._hook(failure)


def show_scores(scores: dict[str, dict[str, Any]]) -> None:
    """Print a validation as a table: PSNR before and after, the gain, and that after JPEG where measured."""
    from rich.console import Console
    from rich.table import Table

    table = Table("degradation", title="PSNR, held-out photos")
    for column in ("input dB", "restored dB", "gain dB"):
        table.add_column(column, justify="right")
    detailed = any("saved" in values for values in scores.values())
    if detailed:
        table.add_column("gain after JPEG", justify="right")
    for kind, values in scores.items():
        before = values.get("input_psnr")
        row = [kind, "" if before is None else f"{before:.2f}", f"{values['psnr']:.2f}", _gain(values)]
        table.add_row(*row, *([_gain(values["saved"])] if detailed else []))
    Console().print(table)


def _gain(values: dict[str, Any]) -> str:
    return f"{values['psnr'] - values['input_psnr']:+.2f}" if "input_psnr" in values else ""
