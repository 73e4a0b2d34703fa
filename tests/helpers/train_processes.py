"""What tests/model/training/test_distributed.py starts in several processes, to be seen by no test collector.

``curves PHOTOS OUT [RESUME]`` trains and writes the losses;
``command HAPPENING ARGUMENT...`` runs ``anyir`` with something happening in the second process.
"""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))  # torchrun starts this file by its path

from anyir.model.data.mixture import Sampler
from anyir.model.data.photo_bank import PhotoBank, list_photos
from anyir.model.training import trainer as training
from anyir.model.training.distributed import start_processes
from tests.helpers.training import FixedData, tiny_config

CONFIG = tiny_config(max_steps=14, data={"batch_size": 4}, loss={"balance": 0.5})
HAPPENS_AT = 4
"""Step; the loss is looked at after every tenth."""


def train_with_curve(photos: Path, out: Path, resume: Path | None, stop_at: int | None = None) -> list[float]:
    """Train to the run's end, or to step ``stop_at``; the loss of every step of all processes together."""
    training.CHECK_EVERY = 1
    fabric, processes = start_processes("32-true")
    bank = PhotoBank.load(list_photos([photos]), device=fabric.device, at_least=32)
    data = FixedData(Sampler(bank, batch=CONFIG.data.batch_size, crop=CONFIG.data.crop, seed=CONFIG.seed))
    trainer = training.Trainer(CONFIG, data, out, fabric, processes)
    if resume:
        trainer.resume(resume)
    losses: list[float] = []
    trainer.fit(lambda report: losses.append(report.loss), lambda: trainer.progress.step == stop_at)
    if processes.first and processes.count > 1:
        assert len({len(b) for b in trainer.loader.take(0)}) == 1
        assert len(trainer.loader.take(0)[0]) == CONFIG.data.batch_size // processes.count
    return losses


def curves(photos: str, out: str, begun: str) -> None:
    results = {
        "whole": train_with_curve(Path(photos), Path(out) / "whole", None),
        "resumed": train_with_curve(Path(photos), Path(out) / "resumed", Path(begun)),
        "begun": train_with_curve(Path(photos), Path(out) / "begun", None, stop_at=8),
    }
    if os.environ["RANK"] == "0":
        (Path(out) / "curves.json").write_text(json.dumps(results))


def command(happening: str, *arguments: str) -> None:
    make = Sampler.__call__

    def sample(self: Sampler, step: int, rows: slice) -> tuple[torch.Tensor, torch.Tensor]:
        degraded, clean = make(self, step, rows)
        if os.environ["RANK"] == "1" and step == HAPPENS_AT:
            if happening == "nan":
                degraded = degraded * float("nan")
            elif happening == "error":
                raise OSError(5, "Input/output error", "photo.png")
            elif happening != "nothing":
                os.kill(os.getpid(), getattr(signal, happening))
        return degraded, clean

    Sampler.__call__ = sample  # type: ignore[method-assign]
    from anyir.model.cli import main

    sys.argv = ["anyir", *arguments]
    main()


TASKS = {"curves": curves, "command": command}
TIMEOUT_S = 300


def torchrun(*arguments: object, processes: int = 2) -> subprocess.CompletedProcess[str]:
    """This file under torchrun, as users start training."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return subprocess.run(
        [*launcher, f"--nproc-per-node={processes}", __file__, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


def forked(*arguments: object, processes: int = 2) -> subprocess.CompletedProcess[str]:
    """The same by torchrun's own agent, in processes that begin with torch and Fabric imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "lightning_fabric", "torch.distributed.launcher.api"])
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        agent = context.Process(target=_launch, args=(str(out), str(err), processes, *map(str, arguments)))
        agent.start()
        agent.join(TIMEOUT_S)
        if agent.exitcode is None:
            agent.kill()
            raise TimeoutError(err.read_text())
        assert agent.exitcode is not None
        return subprocess.CompletedProcess(arguments, agent.exitcode, out.read_text(), err.read_text())


def _launch(out: str, err: str, processes: int, task: str, *arguments: str) -> None:
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    for path, descriptor in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=str(os.getpid()),
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        start_method="fork",
    )
    try:
        elastic_launch(config, TASKS[task])(*arguments)
    except ChildFailedError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    TASKS[sys.argv[1]](*sys.argv[2:])
