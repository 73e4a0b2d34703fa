"""Folders of clean photos: which files count, and what bad ones do to a run."""

import shutil

import pytest
import torch
from PIL import Image
from rich.console import Console
from skimage import data

from anyir.model.data.photo_bank import list_photos, validation_split
from anyir.model.errors import UserError
from anyir.model.evaluation.benchmark import evaluate_validation
from anyir.model.training.data import open_data
from anyir.model.training.run import train
from anyir.model.training.validation import VALIDATION_PHOTOS
from tests.helpers.training import CPU, tiny_config


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """200 photos, of which one in ten, up to twelve, validates."""
    folder = tmp_path_factory.mktemp("many")
    cat = Image.fromarray(data.chelsea()[:130, :130])
    for number in range(200):
        cat.save(folder / f"{number:03d}.png", compress_level=1)
    return folder


def load(folder):
    console = Console(record=True, width=60, file=open("/dev/null", "w"))  # noqa: SIM115
    module = open_data(tiny_config(data={"roots": [str(folder)]}).data, 0, CPU, console)
    return module, console.export_text()


def test_hidden_files_are_no_photos_and_none_comes_twice(tmp_path):
    tmp_path = tmp_path / ".mine"  # asked for by name, it is not hidden
    (tmp_path / "inner").mkdir(parents=True)
    names = ("a.png", "inner/b.png")
    for name in names:
        Image.fromarray(data.chelsea()[:8, :8]).save(tmp_path / name)
    (tmp_path / "._a.png").write_bytes(b"what macOS leaves on other file systems")
    (tmp_path / "inner/.thumbnails").mkdir()
    shutil.copy(tmp_path / "a.png", tmp_path / "inner/.thumbnails/a.png")
    (tmp_path / "c.png").symlink_to(tmp_path / "a.png")
    assert list_photos([tmp_path]) == [tmp_path / name for name in names]
    assert list_photos([tmp_path / "inner", tmp_path]) == [tmp_path / "inner/b.png", tmp_path / "a.png"]


def test_one_bad_photo_of_two_hundred_is_named_and_left_out_wherever_it_is(tmp_path, many):
    train, validation = validation_split(list_photos([many]), VALIDATION_PHOTOS)
    for bad, counts in ((validation[3], (188, 11)), (train[3], (187, 12))):
        folder = shutil.copytree(many, tmp_path / bad.stem)
        (folder / bad.name).write_text("no photo")
        module, told = load(folder)
        assert (module.samples, len(module.validation)) == counts
        (line,) = (line for line in told.splitlines() if line.startswith("skipped"))
        assert f"{bad.name} is no image that can be read" in line


def test_a_link_to_nothing_is_named_as_a_photo_that_cannot_be_read(tmp_path, many):
    folder = shutil.copytree(many, tmp_path / "photos")
    gone = validation_split(list_photos([folder]), VALIDATION_PHOTOS)[0][3]
    gone.unlink()
    gone.symlink_to(tmp_path / "a disk that is not there" / gone.name)
    (folder / ".gone.png").symlink_to(tmp_path / "nowhere.png")
    (folder / "folder.png").mkdir()
    module, told = load(folder)
    assert module.samples == 187
    (line,) = (line for line in told.splitlines() if line.startswith("skipped"))
    assert gone.name in line


def test_more_than_one_percent_of_bad_photos_stops_the_run(tmp_path, many):
    train, validation = validation_split(list_photos([many]), VALIDATION_PHOTOS)
    folder = shutil.copytree(many, tmp_path / "photos")
    for bad in (validation[0], train[0], train[1]):
        (folder / bad.name).write_text("no photo")
    with pytest.raises(UserError, match="3 of 200 photos cannot be read, more than 1 %"):
        load(folder)


@pytest.mark.slow
def test_what_validation_leaves_out_is_said(tmp_path, many, capsys):
    validation = validation_split(list_photos([many]), VALIDATION_PHOTOS)[1]
    folder = shutil.copytree(many, tmp_path / "photos")
    Image.fromarray(data.chelsea()[:50, :50]).save(folder / validation[0].name)
    evaluate_validation(lambda images: images, [folder])
    assert f"{validation[0].name}: 50x50 is smaller than validation's crops of 128" in capsys.readouterr().err


def test_photos_too_small_to_validate_with_are_one_line(tmp_path):
    for number in range(3):
        Image.fromarray(data.chelsea()[:64, :64]).save(tmp_path / f"{number}.png")
    with pytest.raises(UserError, match=r"1 of 1 photos for validation .*64x64 is smaller than .* 128$"):
        load(tmp_path)


@pytest.mark.slow
def test_a_batch_that_does_not_fit_into_memory_is_one_line(tmp_path, many, monkeypatch):
    def make(sampler, step, rows):
        return (torch.empty(10**15),) * 2  # petabytes

    monkeypatch.setattr("anyir.model.data.mixture.Sampler.__call__", make)
    with pytest.raises(UserError, match="not enough memory on cpu: choose a smaller --batch-size"):
        train(tiny_config(data={"roots": [str(many)]}), tmp_path / "run")
