"""Training where the disk, the photos or the files around it are not as they should be."""

import errno
import json
import shutil
import threading
from contextlib import nullcontext

import pytest
import torch
import yaml
from rich.console import Console

from anyir.model.errors import UserError
from anyir.model.metrics import EQUAL
from anyir.model.training import trainer as training
from anyir.model.training.logger import History, Report, TrainingLog
from anyir.model.training.run import train
from anyir.model.training.validation import validate
from tests.helpers.training import make_trainer, tiny_config, write_photos

FULL = OSError(errno.ENOSPC, "No space left on device", "here")


@pytest.fixture
def photos(tmp_path):
    return write_photos(tmp_path / "photos")


def run(photos, out, init=None):
    return train(tiny_config(max_steps=1, data={"roots": [str(photos)]}), out, init=init)


def test_equal_images_leave_every_figure_a_number():
    black = torch.zeros(2, 3, 32, 32)
    clean = torch.cat([black, torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))])
    scores = validate(lambda images: images, clean, detailed=True)
    assert scores["clean"]["psnr"] == EQUAL
    json.dumps(scores, allow_nan=False)


def test_a_run_whose_weights_cannot_be_written_is_ended_by_the_next_try(tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path, max_steps=3)
    trainer.save()
    with monkeypatch.context() as patch:
        patch.setattr(training, "write_trained", lambda *_, **__: (_ for _ in ()).throw(FULL))
        with pytest.raises(OSError, match="No space left"):
            trainer.fit()
    again = make_trainer(tmp_path, max_steps=3)
    again.resume(tmp_path)
    assert not again.finished
    assert again.fit()
    assert again.progress.step == 3
    assert json.loads((tmp_path / "tiny.json").read_text())["training"]["steps"] == 3


def test_a_loss_that_is_no_number_names_no_checkpoint_that_is_not_there(tmp_path):
    trainer = make_trainer(tmp_path, max_steps=8)
    with torch.no_grad():
        trainer.network.output.weight.fill_(float("nan"))
    with pytest.raises(UserError, match="no checkpoint was due yet: begin anew with a lower --learning-rate"):
        trainer.fit()


def test_weights_without_their_card_still_say_how_far_they_are(tmp_path):
    trainer = make_trainer(tmp_path / "first", max_steps=3)
    trainer.fit()
    (tmp_path / "alone").mkdir()
    shutil.copy(tmp_path / "first" / "tiny.safetensors", tmp_path / "alone")
    again = make_trainer(tmp_path / "second")
    again.begin_with(tmp_path / "alone" / "tiny.safetensors")
    assert (again.progress.total_steps, again.progress.before.samples) == (3, 6)


def test_a_full_disk_ends_the_curves_and_not_the_run(tmp_path, capfd):
    log = TrainingLog(9, History(), tmp_path / "logs", Console(stderr=True, width=200))
    hook = threading.excepthook
    with log:
        worker = log._writer._get_file_writer().event_writer._async_writer._worker
        worker._record_writer.write = worker._record_writer.flush = lambda *_: (_ for _ in ()).throw(FULL)
        for _ in range(2):
            log.report(Report(1, 0.1, 1.0, 0.0))
            worker.join(5)
    assert not worker.is_alive()
    assert threading.excepthook is hook
    err = capfd.readouterr().err
    assert "Traceback" not in err
    assert err.count("note: TensorBoard's curves end here, as ") == 1
    assert "logs cannot be written (No space left on device)" in err


def test_another_validation_split_is_noticed(tmp_path, photos, capfd, no_validation):
    run(photos, tmp_path / "run")
    weights = tmp_path / "run/tiny.safetensors"
    run(photos, tmp_path / "same", weights)
    assert "note:" not in capfd.readouterr().err
    (photos / "astronaut.png").rename(photos / "duck.png")  # the first of two validates: now it is coffee
    run(photos, tmp_path / "next", weights)
    said = "note: the validation split is another than in the run before, which may have trained on it"
    assert said in capfd.readouterr().err


def test_a_history_that_cannot_be_read_is_begun_anew(tmp_path):
    for text in ("[", "5", '[{"step": "x"}]', '[{"step": 0}]'):
        (tmp_path / "history.json").write_text(text)
        history = History()
        history.read(tmp_path, 10)
        assert history.entries == []


def test_curves_that_cannot_be_begun_end_nothing(tmp_path, capfd):
    (tmp_path / "logs").write_text("in the way")
    hook = threading.excepthook
    with TrainingLog(9, History(), tmp_path / "logs", Console(stderr=True, width=200)) as log:
        log.report(Report(1, 0.1, 1.0, 0.0))
    assert threading.excepthook is hook
    assert "logs cannot be written (File exists)" in capfd.readouterr().err


def test_folders_whose_names_are_no_utf8_are_refused_at_once(tmp_path, command):
    for data, out, said in (
        ("photos\udcff", "run", "photos\\udcff is no UTF-8, as all in a training config must be; rename it"),
        (
            "photos",
            "run\udcff",
            "run\\udcff is no UTF-8, as a training folder's name must be; choose another",
        ),
    ):
        result = command("train", "--preset", "tiny", "--data", tmp_path / data, "--out", tmp_path / out)
        assert result == (1, "", f"anyir: {tmp_path}/{said}\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_an_edited_config_changes_no_run_that_was_begun_with_it(tmp_path, photos, command, monkeypatch):
    """A run goes on with the config in its checkpoint; ``--set`` is how to change it, and is noted."""
    config, out = tmp_path / "own.yaml", tmp_path / "run"

    def write(sigma):
        datasets = [{"dataset": "photos", "folder": "photos", "degrade": "noise", "sigma": sigma}]
        content = {"preset": "tiny", "max_steps": 2, "precision": "32-true"}
        content |= {"data": {"batch_size": 2, "crop": 32, "datasets": datasets}}
        config.write_text(yaml.safe_dump(content))

    write(25)
    with monkeypatch.context() as patch:
        patch.setattr("anyir.model.training.run.stop_requests", lambda _: nullcontext(lambda: True))
        code, _, err = command("train", "--config", config, "--data", tmp_path, "--out", out)
        assert (code, "interrupted at step 0" in err) == (130, True)
    write(50)
    code, _, err = command("train", "--resume", out)
    assert (code, "note:" in err) == (0, False)
    run = json.loads((out / "tiny.json").read_text())["training"]["runs"][0]
    assert run["config"]["data"]["datasets"][0]["sigma"] == 25
