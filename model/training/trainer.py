"""Training by the clock: EMA, exact resumption."""

from __future__ import annotations

import copy
import math
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from anyir.model.checkpoint import find_weights, load_weights, read_header, save_weights
from anyir.model.config import PRESETS
from anyir.model.errors import UserError
from anyir.model.files import sha256
from anyir.model.model_card import read_training, start_card
from anyir.model.network import AnyIR
from anyir.model.training.acceleration import RecordedStep, compile_blocks
from anyir.model.training.batches import Sampler, batches_for
from anyir.model.training.checkpoint import (
    INDEX,
    check_resumable,
    gather_tensors,
    save_state,
    scatter_tensors,
)
from anyir.model.training.clock import ChunkClock, Meter, Report
from anyir.model.training.distributed import Processes
from anyir.model.training.loss import restoration_loss
from anyir.model.training.net2net import grow
from anyir.model.training.optim import even_out_upsampling, make_optimizers, set_rate
from anyir.model.training.schedule import average_decay, learning_rate
from anyir.model.training.settings import Progress, Settings
from anyir.model.training.validation import validate

CHECK_EVERY = 10
"""Steps between looks at the loss for NaN, at most: each look waits for the device."""


def write_trained(network: AnyIR, preset: str, progress: Progress, path: Path) -> None:
    """Write weights and, beside them, the beginning of their model card (``<preset>.json``)."""
    notes = {"steps": progress.step, "samples": progress.samples, "hours": round(progress.seconds / 3600, 2)}
    save_weights(network, path, notes={"preset": preset, **notes})
    start_card(path, {**notes, "chunks": progress.chunks, "history": progress.history})


def device_name(device: torch.device) -> str:
    """What a person calls the device: the GPU's name, or the processor's."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"


class Trainer:
    """One network in training. ``run`` goes on until the chunk's minutes or steps are over.

    Args:
        settings: what to do; the batch is that of all processes together.
        sampler: whole batch of a step.
        validation: (N, 3, H, W) clean crops held out of training.
        folder: where checkpoints, logs and the weights go.
        fabric: Lightning Fabric, which owns device and precision.
        processes: those that train together; the first keeps the clock, validates and writes.
        clock: seconds; the default is the wall clock.
    """

    def __init__(
        self,
        settings: Settings,
        sampler: Sampler,
        validation: Tensor,
        folder: Path,
        fabric: Any,
        processes: Processes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings, self.validation = settings, validation
        self.folder, self.fabric, self.clock = folder, fabric, clock
        self.processes = processes or Processes()
        self.batches = batches_for(fabric.device, sampler, self.processes.rows(settings.batch))
        self.progress = Progress()
        self.progress.begin_chunk(settings)
        torch.manual_seed(settings.seed)
        network = AnyIR(PRESETS[settings.preset]).use_additive_fusion()
        network.to(fabric.device)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = copy.deepcopy(network).requires_grad_(False).eval()
        self.network = network
        made = make_optimizers(network, settings, fabric.device)
        if settings.compile:
            compile_blocks(network)
        self.forward, *optimizers = fabric.setup(network, *made.values())
        self.optimizers = dict(zip(made, optimizers, strict=True))
        # Gradients of several processes meet outside of what one GPU can record.
        recorded = settings.compile and fabric.device.type == "cuda" and self.processes.count == 1
        self.learn = RecordedStep(self._learn) if recorded else self._learn

    def resume(self, source: Path) -> None:
        """Go on from a training folder (exactly), or start a new chunk from a weights file.

        Raises:
            UserError: missing, damaged, or of another preset.
        """
        state = check_resumable(source, self.settings.preset)
        if isinstance(state, AnyIR):
            self._check_same(find_weights(source))
            self.network.load_state_dict(state.state_dict())
            self.ema.load_state_dict(state.state_dict())
            path = find_weights(source)  # without its card, the file itself still says how far it is
            self.progress.go_on(read_training(path) or read_header(path))
            return
        tensors, meta = state
        scatter_tensors(tensors, self.network, self.ema, self.optimizers)
        progress = Progress(**meta["progress"])
        if progress.share() >= 1:  # finished: a warm restart
            progress.begin_chunk(self.settings)
        self.progress = progress
        self.processes.check_same("checkpoints", progress.step, progress.save)

    def grow(self, source: Path) -> None:
        """Begin with the function of a smaller network's weights file.

        Raises:
            UserError: missing, damaged, or of a network that does not fit into this one.
        """
        self._check_same(source)
        grow(load_weights(source), self.network)
        self.ema.load_state_dict(self.network.state_dict())
        header = read_header(source)
        self.settings.grown_from = f"{header.get('preset')} {sha256(source)}"

    def _check_same(self, weights: Path) -> None:
        self.processes.check_same("weights", int(sha256(weights)[:12], 16))

    def compile_ahead(self) -> float:
        """Let torch.compile do its work on a batch of zeros, which leaves no trace.

        Inside the chunk it would take minutes off training and be all of the learning rate's warm-up.

        Returns:
            Seconds it took.
        """
        started = self.clock()
        rows = self.processes.rows(self.settings.batch)
        side = self.settings.crop
        zeros = torch.zeros(rows.stop - rows.start, 3, side, side, device=self.fabric.device)
        zeros = zeros.contiguous(memory_format=torch.channels_last)
        self.fabric.backward(self._loss(self.forward.train()(zeros), zeros, zeros))
        self.network.zero_grad()
        return self.clock() - started

    def run(
        self,
        on_report: Callable[[Report], None] = lambda report: None,
        asked_to_stop: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Train until the chunk is over, then write the averaged weights.

        Args:
            on_report: called every few steps.
            asked_to_stop: whether to save and return before the next step; one process's yes counts for
                all.

        Returns:
            Whether the chunk is over; False if stopped before.

        Raises:
            UserError: the loss stopped being a number; the last checkpoint stays as it was.
        """
        progress, first = self.progress, self.processes.first
        clock = ChunkClock(progress, self.clock, self.settings.validate_every)
        if (
            first and not progress.save
        ):  # a new run; also one from weights, whose record may be of other photos
            self._validate(clock)
        meter = Meter()
        losses: list[Tensor] = []
        loss = math.nan
        while True:
            over, stop, due = self._decide(clock, asked_to_stop())
            ending = over or stop
            if losses and (ending or due or progress.step % CHECK_EVERY == 0):
                loss = self._mean_loss(losses)  # waits for the device
                samples = len(losses) * self.settings.batch
                on_report(meter.end_window(loss, samples, self.batches.waited()))
                losses.clear()
                if first and not ending:
                    self._keep(clock, due)
                meter.begin_window()
            if ending:
                break
            losses.append(self._step(progress.share()))
        if first and over:
            self._finish(clock, meter, loss)
        elif first:
            self.save()
        self.processes.maximum(0)  # the others wait until all is written
        return over

    def save(self) -> None:
        """Write a checkpoint to the run's folder."""
        self.progress.save += 1
        meta = {
            "save": self.progress.save,
            "preset": self.settings.preset,
            "settings": {**vars(self.settings), "precision": self.fabric._precision.precision},
            "progress": vars(self.progress),
        }
        save_state(self.folder, gather_tensors(self.network, self.ema, self.optimizers), meta)

    def _decide(self, clock: ChunkClock, asked_to_stop: bool) -> tuple[bool, bool, bool]:
        """Whether the chunk is over, whether to stop, and whether a checkpoint is due, however slow the steps
        are: the same on all processes, as is the time."""
        seconds = clock.seconds() if self.processes.first else 0.0
        over = self.processes.first and clock.over(seconds)
        due = self.processes.first and clock.save_due(seconds)
        seconds, *answers = self.processes.maximum(seconds, over, asked_to_stop, due)
        clock.set(seconds)
        return bool(answers[0]), bool(answers[1]), bool(answers[2])

    def _step(self, share: float) -> Tensor:
        degraded, clean = self.batches.take(self.progress.step)
        set_rate(self.optimizers.values(), self._rate(share))
        loss = self.learn(degraded.contiguous(memory_format=torch.channels_last), clean)
        self.progress.step += 1
        self.progress.chunk_step += 1
        self.progress.samples += len(clean) * self.processes.count
        self._average()
        self.batches.prepare(self.progress.step)
        return loss

    def _learn(self, degraded: Tensor, clean: Tensor) -> Tensor:
        """One step of the optimizers; the loss."""
        restored = self.forward.train()(degraded)
        loss = self._loss(restored, clean, degraded)
        self.network.zero_grad()
        self.fabric.backward(loss)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for optimizer in self.optimizers.values():
            optimizer.step()
        if self.settings.even_upsampling:
            even_out_upsampling(self.network)
        # A NaN in the gradient alone reaches the loss's report as well.
        return loss.detach() + 0 * norm.detach()

    def _loss(self, restored: Tensor, clean: Tensor, degraded: Tensor) -> Tensor:
        settings = self.settings
        return restoration_loss(
            restored,
            clean,
            degraded,
            distance=settings.distance,
            scale=settings.loss_scale,
            balance=settings.balance,
            fourier=settings.fourier,
            colour=settings.colour,
        )

    def _rate(self, share: float) -> float:
        s = self.settings
        return learning_rate(
            share, s.learning_rate, warm_up=s.warm_up, cosine_end=s.cosine_end, floor=s.floor
        )

    @torch.no_grad()
    def _average(self) -> None:
        decay = average_decay(self.progress.chunk_step)
        averaged: list[Tensor] = list(self.ema.parameters())
        current: list[Tensor] = list(self.network.parameters())
        torch._foreach_lerp_(averaged, current, 1 - decay)
        if self.settings.even_upsampling:  # the average reaches back to weights that were not even yet
            even_out_upsampling(self.ema)

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

    def _keep(self, clock: ChunkClock, due: bool) -> None:
        """Save, if that is due, and validate, if it is time."""
        if due:
            self.save()
            clock.saved()
        if clock.validation_due():
            self._validate(clock)

    def _validate(self, clock: ChunkClock) -> None:
        started = self.clock()
        with self.fabric.autocast():
            scores = validate(self.ema, self.validation)
        progress = self.progress
        entry = {"step": progress.step, "samples": progress.samples, "seconds": round(progress.seconds, 1)}
        progress.history.append({**entry, "scores": scores})
        clock.validated(self.clock() - started)

    def _finish(self, clock: ChunkClock, meter: Meter, loss: float) -> None:
        """Close the chunk: its record, the last validation, the weights and a checkpoint."""
        progress = self.progress
        rate, waiting = meter.totals()
        progress.chunks.append(
            {
                **{
                    k: v
                    for k, v in vars(self.settings).items()
                    if k not in ("preset", "validate_every", "photos")
                },
                "minutes": progress.chunk_minutes or round(progress.chunk_seconds / 60, 2),
                "hardware": device_name(self.fabric.device),
                "processes": self.processes.count,
                "precision": self.fabric._precision.precision,
                "last_step": progress.step,
                "samples": progress.samples,
                "samples_per_second": round(rate, 1),
                "waiting_for_data": round(waiting, 4),
                "loss": round(loss, 5) if math.isfinite(loss) else None,  # None: no step fitted in
            }
        )
        self._validate(clock)
        clock.set(max(progress.chunk_minutes * 60, clock.seconds()))
        # The weights first: where they cannot be written, the checkpoint before goes on and ends anew.
        preset = self.settings.preset
        write_trained(self.ema, preset, progress, self.folder / f"{preset}.safetensors")
        self.save()
