"""The training loop: batches, steps, averaged weights, checkpoints and validations."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from anyir.model.checkpoint import load_weights, read_header, save_weights
from anyir.model.config import PRESETS
from anyir.model.errors import UserError
from anyir.model.files import sha256
from anyir.model.model_card import Run, Training, read_training, start_card
from anyir.model.network import AnyIR
from anyir.model.training.acceleration import RecordedStep, compile_blocks
from anyir.model.training.averaging import RunningAverage
from anyir.model.training.checkpoint import (
    INDEX,
    Progress,
    gather_tensors,
    load_tensors,
    read_checkpoint,
    save_checkpoint,
    scatter_tensors,
)
from anyir.model.training.config import TrainConfig
from anyir.model.training.data import DataModule
from anyir.model.training.distributed import Processes
from anyir.model.training.loader import make_loader
from anyir.model.training.logger import History, Report, Throughput
from anyir.model.training.loss import restoration_loss
from anyir.model.training.net2net import grow
from anyir.model.training.optim import even_out_upsampling, make_optimizers, set_rate
from anyir.model.training.schedule import learning_rate
from anyir.model.training.validation import validate, validate_one_look

CHECK_EVERY = 10
"""Steps between looks at the loss for NaN, at most: each look waits for the device."""
SAVE_EVERY = 50.0
"""Seconds between checkpoints: an interrupted run loses less than a minute. Nothing else asks the time."""
CLIP = 1.0
"""Largest norm of the gradient."""


def write_trained(network: AnyIR, training: Training, path: Path) -> None:
    """Write weights and, beside them, the beginning of their model card (``<name>.json``)."""
    save_weights(network, path, notes={"steps": training.steps, "samples": training.samples})
    start_card(path, training)


def device_name(device: torch.device) -> str:
    """What a person calls the device: the GPU's name, or the processor's."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"


class Trainer:
    """One network in training, for the steps of its config.

    Args:
        config: what to do; its length is settled in steps, its batch is that of all processes together.
        data: batches and the validation split.
        folder: where checkpoints, logs and the weights go.
        fabric: Lightning Fabric, which owns device and precision.
        processes: those that train together; the first validates and writes.
        clock: seconds; the default is the wall clock.
    """

    def __init__(
        self,
        config: TrainConfig,
        data: DataModule,
        folder: Path,
        fabric: Any,
        processes: Processes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config, self.data, self.folder = config, data, folder
        self.fabric, self.clock = fabric, clock
        self.processes = processes or Processes()
        self.rows = self.processes.rows(config.data.batch_size, config.data.crops_per_photo)
        self.loader = make_loader(fabric.device, data.batch, self.rows)
        self.progress, self.history = Progress(), History()
        self._started = self._saved = clock()
        torch.manual_seed(config.seed)
        network = AnyIR(PRESETS[config.preset]).use_additive_fusion()
        network.to(fabric.device)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network, self.average = network, RunningAverage(network)
        made = make_optimizers(network, config.optim, fabric.device)
        if config.compile:
            compile_blocks(network)
        self.forward, *optimizers = fabric.setup(network, *made.values())
        self.optimizers = dict(zip(made, optimizers, strict=True))
        # Gradients of several processes meet outside of what one GPU can record.
        recorded = config.compile and fabric.device.type == "cuda" and self.processes.count == 1
        self.learn = RecordedStep(self._learn) if recorded else self._learn

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.progress.step >= self.config.steps

    def resume(self, folder: Path) -> None:
        """Go on exactly where the checkpoint of a training folder is.

        Raises:
            UserError: missing, damaged, or of another network or optimizer.
        """
        checkpoint = read_checkpoint(folder)
        scatter_tensors(load_tensors(folder, checkpoint), self.network, self.average, self.optimizers)
        self.progress = checkpoint.progress
        self.history.read(folder, self.progress.step)
        self.processes.check_same("checkpoints", self.progress.step, int(checkpoint.sha256[:12], 16))

    def begin_with(self, weights: Path) -> None:
        """Begin with a weights file: of the same preset, or of a smaller one, which grows.

        Raises:
            UserError: missing, damaged, or of a network that does not fit into this one.
        """
        self.processes.check_same("weights", int(sha256(weights)[:12], 16))
        trained = load_weights(weights)
        grow(trained, self.network)
        self.average.module.load_state_dict(self.network.state_dict())
        header = read_header(weights)
        self.progress.began_with = f"{header.get('preset')} {sha256(weights)}"
        if trained.config == self.network.config:
            # Without its card, the file itself still says how far it is.
            known = {key: header[key] for key in ("steps", "samples", "hours") if key in header}
            card = read_training(weights)
            self.progress.before = card if card.runs else Training(**known)

    def compile_ahead(self) -> float:
        """Let torch.compile do its work on a batch of zeros, which leaves no trace.

        So that the progress line shows training alone.

        Returns:
            Seconds it took.
        """
        started = self.clock()
        side = self.config.data.crop
        zeros = torch.zeros(self.rows.stop - self.rows.start, 3, side, side, device=self.fabric.device)
        zeros = zeros.contiguous(memory_format=torch.channels_last)
        restored = self._restore(zeros)
        self.fabric.backward(restoration_loss(restored, zeros, zeros, self.config.loss))
        self.network.zero_grad()
        return self.clock() - started

    def fit(
        self,
        on_report: Callable[[Report], None] = lambda report: None,
        asked_to_stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Train until the config's steps are done, then write the averaged weights.

        Args:
            on_report: called every few steps.
            asked_to_stop: whether to save and return before the next step; one process's yes counts for
                all.

        Returns:
            Whether the run is over; False if stopped before.

        Raises:
            UserError: the loss stopped being a number; the last checkpoint stays as it was.
        """
        progress, first = self.progress, self.processes.first
        self._started, self._saved = self.clock() - progress.seconds, self.clock()
        throughput = Throughput()
        losses: list[Tensor] = []
        loss = math.nan
        while True:
            stop, save = self._decide(asked_to_stop())
            stop = stop or self.finished
            validation = progress.step % self.config.validate_every == 0
            if losses and (stop or save or validation or progress.step % CHECK_EVERY == 0):
                loss = self._mean_loss(losses)  # waits for the device
                samples = len(losses) * self.config.data.batch_size
                on_report(Report(progress.step, loss, *throughput.end_window(samples, self.loader.waited())))
                losses.clear()
                throughput.begin_window()
            if stop:
                break
            if first and (save or validation):
                if validation:
                    self._validate()
                if save:
                    self.save()
                throughput.begin_window()
            losses.append(self.step())
        if first and self.finished:
            self._finish(throughput, loss)
        elif first:
            self.save()
        self.processes.maximum(0)  # the others wait until all is written
        return self.finished

    def step(self) -> Tensor:
        """One step of the run; its loss, on the device."""
        config, progress = self.config, self.progress
        degraded, clean = self.loader.take(progress.total_steps)
        place = progress.step / config.steps
        rate = learning_rate(place, config.optim.learning_rate, config.schedule)
        set_rate(self.optimizers.values(), rate)
        loss = self.learn(degraded.contiguous(memory_format=torch.channels_last), clean)
        self.average.update(self.network, progress.step)
        if config.optim.even_upsampling:  # the mean reaches back to weights that were not even yet
            even_out_upsampling(self.average.module)
        progress.step += 1
        progress.samples += config.data.batch_size
        self.loader.prepare(progress.total_steps)
        return loss

    def save(self) -> None:
        """Write a checkpoint to the run's folder."""
        self.progress.seconds = self.clock() - self._started
        tensors = gather_tensors(self.network, self.average, self.optimizers)
        save_checkpoint(self.folder, tensors, self.config, self.progress, self.data.fingerprint)
        self._saved = self.clock()

    def _learn(self, degraded: Tensor, clean: Tensor) -> Tensor:
        """One step of the optimizers; the loss."""
        restored = self._restore(degraded)
        loss = restoration_loss(restored, clean, degraded, self.config.loss)
        self.network.zero_grad()
        self.fabric.backward(loss)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        for optimizer in self.optimizers.values():
            optimizer.step()
        if self.config.optim.even_upsampling:
            even_out_upsampling(self.network)
        # A NaN in the gradient alone reaches the loss's report as well.
        return loss.detach() + 0 * norm.detach()

    def _restore(self, degraded: Tensor) -> Tensor:
        """The network's answer in training: crops of a photo share their statistics."""
        restored: Tensor = self.forward.train()(degraded, pool=self.config.data.crops_per_photo)
        return restored

    def _decide(self, asked_to_stop: bool) -> tuple[bool, bool]:
        """Whether to stop, and whether a checkpoint is due: the same on all processes."""
        due = self.processes.first and self.clock() - self._saved >= SAVE_EVERY
        stop, save = self.processes.maximum(asked_to_stop, due)
        return bool(stop), bool(save)

    def _mean_loss(self, losses: list[Tensor]) -> float:
        mean = self.processes.mean(float(torch.stack(losses).mean()))
        if not math.isfinite(mean):
            kept = (
                f"the last good checkpoint is in {self.folder}: resume from it"
                if (self.folder / INDEX).is_file()
                else "no checkpoint was due yet: begin anew"
            )
            raise UserError(
                f"the loss is {mean} near step {self.progress.step}; {kept} with a lower --learning-rate"
            )
        return mean

    def _validate(self) -> None:
        """Score the averaged weights, once a step."""
        step = self.progress.step
        if self.history.has(step):
            return
        with self.fabric.autocast():
            scores = validate(self.average.module, self.data.validation)
            if self.data.look_photos is not None:
                for kind, psnr in validate_one_look(self.average.module, self.data.look_photos).items():
                    scores[kind]["one_look"] = psnr
        seconds = round(self.clock() - self._started, 1)
        entry = {"step": step, "samples": self.progress.samples, "seconds": seconds}
        self.history.add(self.folder, {**entry, "scores": scores})

    def _finish(self, throughput: Throughput, loss: float) -> None:
        """Close the run: the last validation, the weights with their record, and a checkpoint."""
        self._validate()
        # The weights first: where they cannot be written, the checkpoint before goes on and ends anew.
        path = self.folder / f"{self.config.preset}.safetensors"
        write_trained(self.average.module, self._record(throughput, loss), path)
        self.save()

    def _record(self, throughput: Throughput, loss: float) -> Training:
        """How the weights were trained: the runs before, and this one."""
        config, progress = self.config, self.progress
        rate, waiting = throughput.totals()
        seconds = self.clock() - self._started
        samples = progress.before.samples + progress.samples
        run = {
            "config": config.model_dump(mode="json", exclude={"data": {"roots", "workers", "cache_gib"}}),
            "began_with": progress.began_with,
            "validation_split": self.data.fingerprint.validation,
            "hardware": device_name(self.fabric.device),
            "processes": self.processes.count,
            "minutes": round(seconds / 60, 2),
            "last_step": progress.total_steps,
            "samples": samples,
            "samples_per_second": round(rate, 1),
            "waiting_for_data": round(waiting, 4),
            "loss": round(loss, 5) if math.isfinite(loss) else None,  # None: no step was left
        }
        return Training(
            steps=progress.total_steps,
            samples=samples,
            hours=round(progress.before.hours + seconds / 3600, 3),
            runs=[*progress.before.runs, Run.model_validate(run)],
        )
