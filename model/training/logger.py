"""What a person sees of a run: the progress line, TensorBoard's curves, and a table at the end."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from anyir.model.files import write_atomically


@dataclass(frozen=True)
class Report:
    """How training goes, over the last few steps.

    Attributes:
        step: of the run.
        loss: mean over all processes.
        samples_per_second: of all processes together.
        waiting: share of the time (0..1) that the first process's device waited for its batches.
    """

    step: int
    loss: float
    samples_per_second: float
    waiting: float


class Throughput:
    """Samples a second and time spent waiting, of training alone: neither validation nor saving count.

    The first window, in which kernels are chosen, loaded and recorded, is left out of the totals.
    """

    def __init__(self) -> None:
        self._windows = 0
        self._samples, self._seconds, self._waited = 0, 0.0, 0.0
        self.begin_window()

    def begin_window(self) -> None:
        """Begin a window."""
        self._since = time.perf_counter()

    def end_window(self, samples: int, waited: float) -> tuple[float, float]:
        """Close a window, when the device has done all its steps; its samples a second and share waited."""
        seconds = max(time.perf_counter() - self._since, 1e-9)
        if self._windows == 1:
            self._samples, self._seconds, self._waited = 0, 0.0, 0.0
        self._windows += 1
        self._samples += samples
        self._seconds += seconds
        self._waited += waited
        return samples / seconds, waited / seconds

    def totals(self) -> tuple[float, float]:
        """Samples a second, and the share of the time that the device waited for batches."""
        seconds = max(self._seconds, 1e-9)
        return self._samples / seconds, self._waited / seconds


class History:
    """The validations of a run, in ``history.json`` of its folder.

    Attributes:
        entries: {"step", "samples", "seconds", "scores"} each, in order.
    """

    NAME = "history.json"

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def read(self, folder: Path, step: int) -> None:
        """Take over what a run's folder has up to a step. A file that cannot be read is begun anew."""
        try:
            entries = json.loads((folder / self.NAME).read_text(encoding="utf-8"))
            self.entries = [entry for entry in entries if entry["step"] <= step and entry["scores"]]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            self.entries = []

    def has(self, step: int) -> bool:
        """Whether the run was validated at a step."""
        return any(entry["step"] == step for entry in self.entries)

    def add(self, folder: Path, entry: dict[str, Any]) -> None:
        self.entries.append(entry)
        write_atomically(folder / self.NAME, (json.dumps(self.entries, indent=1) + "\n").encode())


class TrainingLog:
    """A context that shows and logs a run; every few steps of it are a ``Report``.

    Args:
        steps: of the whole run.
        history: of the run, which the trainer keeps up to date.
        folder: where TensorBoard's files go.
        console: where the progress line is drawn.
    """

    def __init__(self, steps: int, history: History, folder: Path, console: Any) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._history, self._logged = history, len(history.entries)
        self._steps, self._folder, self._console = steps, folder, console
        self._writer: Any = None
        columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console)
        self._task = self._bar.add_task("", total=steps)

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
        text = (
            f"step {report.step} of {self._steps}  loss {report.loss:.4f}  "
            f"{report.samples_per_second:.1f} patches/s, "
            f"{report.waiting:.1%} waiting for data"
        )
        self._bar.update(self._task, completed=report.step, description=text)
        self._add("loss", report.loss, report.step)
        self._add("patches per second", report.samples_per_second, report.step)
        self._add("share waiting for data", report.waiting, report.step)
        self._log_scores()

    def _log_scores(self) -> None:
        """Write the validations since the last call to TensorBoard."""
        for entry in self._history.entries[self._logged :]:
            for kind, scores in entry["scores"].items():
                self._add(f"PSNR/{kind}", scores["psnr"], entry["step"])
                if "worst" in scores:
                    self._add(f"worst photo/{kind}", scores["worst"], entry["step"])
                if "one_look" in scores:
                    self._add(f"PSNR, one look/{kind}", scores["one_look"], entry["step"])
        self._logged = len(self._history.entries)

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
    """Print a validation as a table: PSNR before and after, the gain; where measured, the gain of
    the worst photo, the gain after JPEG and the PSNR in tiles after one look."""
    from rich.console import Console
    from rich.table import Table

    table = Table("degradation", title="PSNR, validation split")
    for column in ("input dB", "restored dB", "gain dB"):
        table.add_column(column, justify="right")
    worst = any("worst" in values for values in scores.values())
    if worst:
        table.add_column("worst photo dB", justify="right")
    detailed = any("saved" in values for values in scores.values())
    if detailed:
        table.add_column("gain after JPEG", justify="right")
    looked = any("one_look" in values for values in scores.values())
    if looked:
        table.add_column("one look dB", justify="right")
    for kind, values in scores.items():
        before = values.get("input_psnr")
        row = [kind, "" if before is None else f"{before:.2f}", f"{values['psnr']:.2f}", _gain(values)]
        row += [f"{values['worst']:{'.1f' if before is None else '+.1f'}}"] if worst else []
        row += [_gain(values["saved"])] if detailed else []
        row += [f"{values['one_look']:.2f}"] if looked else []
        table.add_row(*row)
    Console().print(table)


def _gain(values: dict[str, Any]) -> str:
    return f"{values['psnr'] - values['input_psnr']:+.2f}" if "input_psnr" in values else ""
