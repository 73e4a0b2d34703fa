"""What a person sees of a run: the progress line, TensorBoard's curves, and a table at the end."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from anyir.model.training_clock import Report
from anyir.model.training_settings import Progress


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
        from torch.utils.tensorboard import SummaryWriter

        self._progress, self._logged = progress, len(progress.history)
        self._writer = SummaryWriter(str(folder))
        columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        self._bar = Bar(*columns, console=console)
        self._task = self._bar.add_task("", total=1.0)

    def __enter__(self) -> TrainingLog:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        self._log_scores()
        self._writer.close()

    def report(self, report: Report) -> None:
        """Show and log the last few steps."""
        progress = self._progress
        text = (
            f"step {progress.step}  loss {report.loss:.4f}  {report.samples_per_second:.1f} patches/s, "
            f"{report.waiting:.1%} waiting for data"
        )
        self._bar.update(self._task, completed=progress.share(), description=text)
        self._writer.add_scalar("loss", report.loss, progress.step)
        self._writer.add_scalar("patches per second", report.samples_per_second, progress.step)
        self._writer.add_scalar("share waiting for data", report.waiting, progress.step)
        self._log_scores()

    def _log_scores(self) -> None:
        """Write the validations since the last call to TensorBoard."""
        for entry in self._progress.history[self._logged :]:
            for kind, scores in entry["scores"].items():
                self._writer.add_scalar(f"PSNR/{kind}", scores["psnr"], entry["step"])
        self._logged = len(self._progress.history)


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
