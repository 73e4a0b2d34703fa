"""Training by the clock: AdamW, EMA, exact resumption."""

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

from anyir.model.card import start_card
from anyir.model.checkpoints import load_weights, save_weights
from anyir.model.config import PRESETS
from anyir.model.errors import UserError
from anyir.model.loss import restoration_loss
from anyir.model.mixture import Sampler
from anyir.model.network import AnyIR
from anyir.model.schedule import learning_rate
from anyir.model.training_settings import Progress, Settings
from anyir.model.training_state import gather_tensors, load_state, save_state, scatter_tensors
from anyir.model.validation import validate

CHECKPOINT_SECONDS = 50.0
"""An interrupted run loses less than a minute."""
CHECK_EVERY = 10
"""Steps between looks at the loss for NaN: each look waits for the device."""


def check_resumable(source: Path, preset: str) -> AnyIR | tuple[dict[str, Tensor], dict[str, Any]]:
    """What ``--resume`` names: a network from a weights file, or the state of a training folder.

    Raises:
        UserError: missing, damaged, or of another preset.
    """
    if source.suffix == ".safetensors":
        return load_weights(source, preset=preset)
    tensors, meta = load_state(source)
    if meta["preset"] != preset:
        raise UserError(f"{source} trains preset {meta['preset']!r}, not {preset!r}")
    return tensors, meta


def write_trained(network: AnyIR, progress: Progress, path: Path) -> None:
    """Write weights and, beside them, the beginning of their model card (``<preset>.json``)."""
    notes = {"steps": progress.step, "samples": progress.samples, "hours": round(progress.seconds / 3600, 2)}
    save_weights(network, path, notes=notes)
    start_card(path, {**notes, "chunks": progress.chunks, "history": progress.history})


def device_name(device: torch.device) -> str:
    """What a person calls the device: the GPU's name, or the processor's."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"


class Trainer:
    """One network in training. ``run`` goes on until the chunk's minutes are over.

    Args:
        settings: what to do.
        sampler: batch of a step.
        validation: (N, 3, H, W) clean crops held out of training.
        folder: where checkpoints, logs and the weights go.
        fabric: Lightning Fabric, which owns device and precision.
        clock: seconds; the default is the wall clock.
    """

    def __init__(
        self,
        settings: Settings,
        sampler: Sampler,
        validation: Tensor,
        folder: Path,
        fabric: Any,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings, self.sampler, self.validation = settings, sampler, validation
        self.folder, self.fabric, self.clock = folder, fabric, clock
        self.progress = Progress(chunk_minutes=settings.minutes)
        torch.manual_seed(settings.seed)
        network = AnyIR(PRESETS[settings.preset]).use_additive_fusion()
        network.to(fabric.device)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = copy.deepcopy(network).requires_grad_(False).eval()
        self.network = network
        optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, betas=(0.9, 0.99))
        # Compiled before Fabric wraps it; the parameters stay those of ``network``.
        step = torch.compile(network) if settings.compile else network
        self.forward, self.optimizer = fabric.setup(step, optimizer)

    def resume(self, source: Path) -> None:
        """Go on from a training folder (exactly), or start a new chunk from a weights file.

        Raises:
            UserError: missing, damaged, or of another preset.
        """
        state = check_resumable(source, self.settings.preset)
        if isinstance(state, AnyIR):
            self.network.load_state_dict(state.state_dict())
            self.ema.load_state_dict(state.state_dict())
            return
        tensors, meta = state
        scatter_tensors(tensors, self.network, self.ema, self.optimizer)
        progress = Progress(**meta["progress"])
        if progress.chunk_seconds >= progress.chunk_minutes * 60:  # finished: a warm restart
            progress.chunk_seconds, progress.chunk_minutes = 0.0, self.settings.minutes
        self.progress = progress

    def run(self, on_step: Callable[[Progress, float], None] = lambda progress, loss: None) -> None:
        """Train until the chunk is over, then write the averaged weights.

        Args:
            on_step: called with the progress and the mean loss every few steps.

        Raises:
            UserError: the loss stopped being a number; the last checkpoint stays as it was.
        """
        progress = self.progress
        first_samples, first_seconds = progress.samples, progress.chunk_seconds
        mean_loss = math.nan
        started = self.clock() - progress.chunk_seconds
        before = progress.seconds - progress.chunk_seconds
        limit = progress.chunk_minutes * 60
        validation_seconds = self._timed_validation() if not progress.history else 0.0
        last_save = last_validation = self.clock()
        losses: list[Tensor] = []
        try:
            while True:
                now = self.clock()
                progress.chunk_seconds = now - started
                progress.seconds = before + progress.chunk_seconds
                if progress.chunk_seconds + validation_seconds >= limit:
                    break
                if losses and progress.step % CHECK_EVERY == 0:
                    mean_loss = self._mean_loss(losses)
                    on_step(progress, mean_loss)
                    losses = []
                    if now - last_save >= CHECKPOINT_SECONDS:
                        self.save()
                        last_save = now
                    if now - last_validation >= self.settings.validate_every:
                        validation_seconds = self._timed_validation()
                        last_validation = self.clock()
                losses.append(self._step(progress.chunk_seconds / limit))
            if losses:
                mean_loss = self._mean_loss(losses)
                on_step(progress, mean_loss)
        except KeyboardInterrupt:
            # Between steps the state is whole; a batch cut short is simply made again.
            self._mean_loss(losses)
            self.save()
            raise
        rate = (progress.samples - first_samples) / max(progress.chunk_seconds - first_seconds, 1e-9)
        progress.chunks.append(
            {
                **{k: v for k, v in vars(self.settings).items() if k not in ("preset", "validate_every")},
                "minutes": progress.chunk_minutes,
                "hardware": device_name(self.fabric.device),
                "precision": self.fabric._precision.precision,
                "last_step": progress.step,
                "samples": progress.samples,
                "samples_per_second": round(rate, 1),
                "loss": round(mean_loss, 5),
            }
        )
        self._timed_validation()
        progress.chunk_seconds = max(limit, self.clock() - started)
        progress.seconds = before + progress.chunk_seconds
        self.save()
        write_trained(self.ema, progress, self.folder / f"{self.settings.preset}.safetensors")

    def save(self) -> None:
        """Write a checkpoint to the run's folder."""
        self.progress.save += 1
        meta = {
            "save": self.progress.save,
            "preset": self.settings.preset,
            "settings": vars(self.settings),
            "progress": vars(self.progress),
        }
        save_state(self.folder, gather_tensors(self.network, self.ema, self.optimizer), meta)

    def _step(self, share: float) -> Tensor:
        degraded, clean = self.sampler(self.progress.step)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(share, self.settings.learning_rate)
        self.forward.train()
        restored = self.forward(degraded.contiguous(memory_format=torch.channels_last))
        loss = self._loss(restored, clean, degraded)
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.progress.step += 1
        self.progress.samples += len(clean)
        self._average()
        # A NaN in the gradient alone reaches the loss's report as well.
        return loss.detach() + 0 * norm.detach()

    def _loss(self, restored: Tensor, clean: Tensor, degraded: Tensor) -> Tensor:
        settings = self.settings
        return restoration_loss(
            restored, clean, degraded, scale=settings.loss_scale, balance=settings.balance
        )

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(0.999, (1 + self.progress.step) / (10 + self.progress.step))
        averaged: list[Tensor] = list(self.ema.parameters())
        current: list[Tensor] = list(self.network.parameters())
        torch._foreach_lerp_(averaged, current, 1 - decay)

    def _mean_loss(self, losses: list[Tensor]) -> float:
        mean = float(torch.stack(losses).mean()) if losses else 0.0
        if not math.isfinite(mean):
            raise UserError(
                f"the loss is {mean} near step {self.progress.step}; the last good checkpoint is in "
                f"{self.folder}: resume from it with a lower --learning-rate"
            )
        return mean

    def _timed_validation(self) -> float:
        started = self.clock()
        with self.fabric.autocast():
            scores = validate(self.ema, self.validation)
        seconds = self.clock() - started
        progress = self.progress
        entry = {"step": progress.step, "samples": progress.samples, "seconds": round(progress.seconds, 1)}
        progress.history.append({**entry, "scores": scores})
        return seconds
