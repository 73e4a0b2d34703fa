"""Training where the disk, the photos or the files around it are not as they should be."""

import errno
import json
import shutil
import threading
from contextlib import nullcontext

import pytest
import torch
import yaml
from PIL import Image
from rich.console import Console
from skimage import data

from anyir.model.data.sources import MIXED, Ingredient
from anyir.model.errors import UserError
from anyir.model.metrics import EQUAL
from anyir.model.training import trainer as training
from anyir.model.training.clock import Report
from anyir.model.training.data import Supply
from anyir.model.training.logger import TrainingLog
from anyir.model.training.run import train
from anyir.model.training.settings import Progress
from anyir.model.training.trainer import Settings
from anyir.model.training.validation import validate
from tests.helpers.trainers import make_trainer

FULL = OSError(errno.ENOSPC, "No space left on device", "here")


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("astronaut", "coffee"):
        Image.fromarray(getattr(data, name)()[:128, :128]).save(folder / f"{name}.png")
    return folder


def run(photos, out, resume=None, **options):
    supply = Supply((Ingredient("photos", degrade=MIXED),), [photos])
    settings = Settings("tiny", 0.0, **{"batch": 2, "crop": 32, **options})
    return train(settings, supply, out, resume, precision="32-true")


def test_equal_images_leave_every_figure_a_number():
    black = torch.zeros(2, 3, 32, 32)
    clean = torch.cat([black, torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))])
    scores = validate(lambda images: images, clean, detailed=True)
    assert scores["clean"]["psnr"] == EQUAL
    json.dumps(scores, allow_nan=False)


def test_a_chunk_whose_weights_cannot_be_written_is_ended_by_the_next_try(tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path, steps=3)
    trainer.save()
    with monkeypatch.context() as patch:
        patch.setattr(training, "write_trained", lambda *_, **__: (_ for _ in ()).throw(FULL))
        with pytest.raises(OSError, match="No space left"):
            trainer.run()
    again = make_trainer(tmp_path, steps=3)
    again.resume(tmp_path)
    assert again.progress.share() < 1
    assert again.run()
    assert again.progress.step == 3
    assert json.loads((tmp_path / "tiny.json").read_text())["training"]["steps"] == 3


def test_a_loss_that_is_no_number_names_no_checkpoint_that_is_not_there(tmp_path):
    trainer = make_trainer(tmp_path, steps=8)
    with torch.no_grad():
        trainer.network.output.weight.fill_(float("nan"))
    with pytest.raises(UserError, match="no checkpoint was due yet: begin anew with a lower --learning-rate"):
        trainer.run()


def test_weights_without_their_card_still_say_how_far_they_are(tmp_path):
    trainer = make_trainer(tmp_path / "first", steps=3)
    trainer.run()
    (tmp_path / "alone").mkdir()
    shutil.copy(tmp_path / "first" / "tiny.safetensors", tmp_path / "alone")
    again = make_trainer(tmp_path / "second")
    again.resume(tmp_path / "alone" / "tiny.safetensors")
    assert (again.progress.step, again.progress.samples) == (3, 6)


def test_a_full_disk_ends_the_curves_and_not_the_run(tmp_path, capfd):
    log = TrainingLog(Progress(chunk_minutes=1.0), tmp_path / "logs", Console(stderr=True, width=200))
    hook = threading.excepthook
    with log:
        worker = log._writer._get_file_writer().event_writer._async_writer._worker
        worker._record_writer.write = worker._record_writer.flush = lambda *_: (_ for _ in ()).throw(FULL)
        for _ in range(2):
            log.report(Report(0.1, 1.0, 0.0))
            worker.join(5)
    assert not worker.is_alive()
    assert threading.excepthook is hook
    err = capfd.readouterr().err
    assert "Traceback" not in err
    assert err.count("note: TensorBoard's curves end here, as ") == 1
    assert "logs cannot be written (No space left on device)" in err


def test_photos_that_are_held_out_anew_are_noticed(tmp_path, photos, capfd, no_validation):
    out = tmp_path / "run"
    run(photos, out, steps=1)
    weights = out / "tiny.safetensors"
    for source in (out, weights):
        run(photos, tmp_path / f"same{source.suffix}", source, steps=1, crop=64)
    assert "note: other photos" not in capfd.readouterr().err
    (photos / "astronaut.png").rename(photos / "duck.png")  # the first of two is held out: now it is coffee
    for source in (out, weights):
        run(photos, tmp_path / f"next{source.suffix}", source, steps=1)
        said = "note: other photos are held out than in the chunk before, which may have trained on them"
        assert said in capfd.readouterr().err


def test_curves_that_cannot_be_begun_end_nothing(tmp_path, capfd):
    (tmp_path / "logs").write_text("in the way")
    hook = threading.excepthook
    with TrainingLog(Progress(chunk_minutes=1.0), tmp_path / "logs", Console(stderr=True, width=200)) as log:
        log.report(Report(0.1, 1.0, 0.0))
    assert threading.excepthook is hook
    assert "logs cannot be written (File exists)" in capfd.readouterr().err


def test_an_edited_recipe_is_noticed_where_its_chunk_goes_on(tmp_path, photos, command, monkeypatch):
    recipe, out = tmp_path / "own.yaml", tmp_path / "run"

    def write(sigma):
        source = {"dataset": "photos", "folder": "photos", "degrade": "noise", "sigma": sigma}
        about = {"about": "x", "preset": "tiny", "batch": 2, "crop": 32, "steps": 2}
        recipe.write_text(yaml.safe_dump({**about, "sources": [source]}))

    def go(*more):
        arguments = ("train", "--recipe", recipe, "--root", tmp_path, "--out", out, "--precision", "32-true")
        return command(*arguments, *more)

    write(25)
    with monkeypatch.context() as patch:
        patch.setattr("anyir.model.training.run.stop_requests", lambda _: nullcontext(lambda: True))
        code, _, err = go()
        assert (code, "interrupted at step 0" in err) == (1, True)
        assert "note:" not in go("--resume", out)[2]
    write(50)
    code, _, err = go("--resume", out)
    assert code == 0
    assert "note: recipe own trains on other sources now: the run does not go on exactly" in err
    chunk = json.loads((out / "tiny.json").read_text())["training"]["chunks"][0]
    assert chunk["sources"] == ["photos folder=photos degrade=noise sigma=50.0"]
