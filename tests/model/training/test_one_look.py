"""Training whose samples are crops of one photo and share their statistics."""

import math

import pytest
import torch
from rich.console import Console

from anyir.model import PRESETS, AnyIR
from anyir.model.data import mixture
from anyir.model.data.mixture import SHARES, Sampler, least_side, spread_crops
from anyir.model.data.photo_bank import PhotoBank, list_photos
from anyir.model.errors import UserError
from anyir.model.training.config_file import load_config
from anyir.model.training.data import open_data
from anyir.model.training.distributed import Processes
from anyir.model.training.loss import restoration_loss
from anyir.model.training.trainer import Trainer
from anyir.model.training.validation import CROP, LOOK_SIDE, in_tiles, validate_one_look
from tests.helpers.training import CPU, FixedData, make_trainer, tiny_config, weights_of, write_photos

LOOK = {"data": {"batch_size": 4, "crops_per_photo": 2}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three photos of 300 pixels."""
    return write_photos(tmp_path_factory.mktemp("photos"), "astronaut", "chelsea", "coffee", side=300)


@pytest.fixture(scope="module")
def bank(folder):
    return PhotoBank.load(list_photos([folder]), device=CPU, at_least=64)


def places(side=300):
    """A photo whose red and green say where a pixel lies, in units of 1/255, two pixels each."""
    down, across = torch.meshgrid(torch.arange(side) // 2, torch.arange(side) // 2, indexing="ij")
    pixels = torch.stack([down, across, torch.zeros_like(down)], dim=-1).byte().reshape(-1, 3)
    return PhotoBank(pixels, *torch.tensor([[0], [side], [side]]), [])


def test_crops_of_a_photo_follow_one_another_and_share_what_was_done_to_it(bank, monkeypatch):
    """In low light only: the light that is left is one for the crops of a photo, and differs among photos."""
    monkeypatch.setattr(mixture, "SHARES", {"low_light": 1.0})
    monkeypatch.setattr(mixture, "FLAT_SHARE", 0.0)
    degraded, clean = Sampler(bank, batch=32, crop=32, seed=0, crops_per_photo=4)(0)
    assert degraded.shape == clean.shape == (32, 3, 32, 32)
    left = (degraded**2.2).mean(dim=(1, 2, 3)) / (clean**2.2).mean(dim=(1, 2, 3))
    stops = left.log2().reshape(8, 4)
    assert stops.mean(dim=1).std() > 3 * stops.std(dim=1).mean()


def test_kinds_are_drawn_for_photos(bank, monkeypatch):
    """Clean or not: all crops of a photo alike, half of the photos each."""
    monkeypatch.setattr(mixture, "SHARES", {"clean": 1.0, "noise": 1.0})
    monkeypatch.setattr(mixture, "STORED_SHARE", 0.0)
    monkeypatch.setattr(mixture, "SAVED_SHARE", 0.0)
    degraded, clean = Sampler(bank, batch=256, crop=16, seed=1, crops_per_photo=4)(0)
    touched = (degraded != clean).flatten(1).any(dim=1).reshape(64, 4)
    assert torch.equal(touched.all(dim=1), touched.any(dim=1))
    assert 0.3 < touched[:, 0].float().mean() < 0.7


@pytest.mark.parametrize("count", [2, 3, 4, 7, 16])
def test_crops_lie_apart_and_all_over_the_image(count):
    size, side = 16, max(64, least_side(16, count)) + 5
    where = torch.arange(side * side, dtype=torch.float64).reshape(1, 1, side, side).expand(200, 3, -1, -1)
    crops, twice = spread_crops((where, 2 * where), count, size, torch.Generator().manual_seed(0))
    assert torch.equal(twice, 2 * crops)
    assert crops.shape == (200 * count, 3, size, size)
    numbers = crops[:, 0].long()
    steps = numbers[:, 1:, 1:] - numbers[:, :-1, :-1]
    assert (steps == side + 1).all()  # whole crops, upright
    for image in numbers.reshape(200, -1):
        assert len(image.unique()) == count * size * size  # none overlap
    assert numbers.unique().numel() > 0.9 * side * side


def test_a_photo_smaller_than_the_part_that_is_degraded_will_do(monkeypatch):
    monkeypatch.setattr(mixture, "SHARES", {"clean": 1.0})
    monkeypatch.setattr(mixture, "FLAT_SHARE", 0.0)
    small = places(least_side(32, 4))
    _, clean = Sampler(small, batch=4, crop=32, seed=0, crops_per_photo=4)(0)
    corners = (clean[:, :2].amin(dim=(2, 3)) * 255 * 2).round().int().tolist()
    assert sorted(corners) == [[0, 0], [0, 32], [32, 0], [32, 32]]


def test_a_batch_depends_on_seed_and_step_alone(bank):
    def batch(seed, step, rows=slice(None)):
        return Sampler(bank, batch=8, crop=32, seed=seed, crops_per_photo=4)(step, rows)

    again, (degraded, clean) = batch(5, 2), batch(5, 2)
    assert torch.equal(again[0], degraded)
    assert torch.equal(again[1], clean)
    for part, whole in zip(batch(5, 2, slice(4, 8)), (degraded, clean), strict=True):
        assert torch.equal(part, whole[4:])
    assert not torch.equal(batch(5, 3)[1], clean)
    assert not torch.equal(batch(6, 2)[1], clean)


def test_one_crop_a_photo_is_the_batch_as_it_was(bank, monkeypatch):
    """The clean crops, where no surface stands for them, are what the bank's first draw of the step is."""
    for share in ("MEANT_SHARE", "GREY_SHARE"):
        monkeypatch.setattr(mixture, share, 0.0)
    _, clean = Sampler(bank, batch=64, crop=32, seed=3)(7)
    generator = torch.Generator().manual_seed(3 * mixture._PER_STEP + 7)
    drawn = bank.random_crops(64, 32, generator)
    choice = torch.Generator().manual_seed(3 * mixture._PER_STEP + 7 + mixture._CHOICES)
    torch.multinomial(torch.tensor(list(SHARES.values())), 64, replacement=True, generator=choice)
    flat = torch.rand(64, generator=choice) < mixture.FLAT_SHARE
    same = (drawn == clean).flatten(1).all(dim=1)
    assert same[~flat].all()
    assert flat.any()
    assert torch.equal(Sampler(bank, batch=64, crop=32, seed=3, crops_per_photo=1)(7)[1], clean)


def test_a_step_pools_the_crops_of_a_photo(tmp_path):
    data = FixedData()
    trainer = make_trainer(tmp_path, data, data={"batch_size": 2, "crops_per_photo": 2})
    _, clean = data.batch(0, slice(None))
    degraded = clean * torch.tensor([0.05, 1.0])[:, None, None, None]
    data.make = lambda step: (degraded, clean)
    config = trainer.config.loss
    with torch.no_grad():
        pooled, alone = (
            float(restoration_loss(trainer.network(degraded, pool=pool), clean, degraded, config))
            for pool in (2, 1)
        )
    assert float(trainer.step()) == pytest.approx(pooled, rel=1e-6)
    assert pooled != pytest.approx(alone, rel=1e-5)


def test_a_run_for_one_look_goes_on_exactly(tmp_path, bank, no_validation):
    def trainer(name):
        data = FixedData(Sampler(bank, batch=4, crop=32, seed=0, crops_per_photo=2))
        return make_trainer(tmp_path / name, data, max_steps=4, **LOOK)

    straight = trainer("a")
    assert straight.fit()
    begun = trainer("b")
    assert not begun.fit(asked_to_stop=lambda: begun.progress.step == 2)
    resumed = trainer("b")
    resumed.resume(tmp_path / "b")
    assert resumed.fit()
    assert torch.equal(weights_of(resumed), weights_of(straight))


def test_processes_share_whole_photos():
    processes = Processes()
    processes.count = 2
    assert processes.rows(16, 4) == slice(0, 8)
    with pytest.raises(ValueError, match="a batch of 12 does not divide by 2 processes with 4 crops a photo"):
        processes.rows(12, 4)


def test_a_command_whose_processes_would_part_a_photo_ends_in_one_line(tmp_path, monkeypatch, capfd):
    from anyir.model import cli

    monkeypatch.setenv("WORLD_SIZE", "8")
    arguments = ["train", "--config", "one-look", "--data", str(tmp_path), "--out", str(tmp_path / "run")]
    monkeypatch.setattr("sys.argv", ["anyir", *arguments])
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code
    assert "--batch-size 16 does not divide by 8 processes with 4 crops a photo" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({"batch_size": 6, "crops_per_photo": 4}, "data: batch_size is 6: no multiple of crops_per_photo"),
        ({"crops_per_photo": 0}, "data.crops_per_photo is 0"),
        (
            {"crops_per_photo": 2, "datasets": [{"dataset": "photos", "degrade": "noise"}]},
            "data: crops_per_photo is 2: above 1 it takes pairs and clean photos with degrade: mixture",
        ),
    ],
)
def test_what_cannot_be_is_one_line(data, line):
    with pytest.raises(UserError) as error:
        tiny_config(data=data)
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


def test_photos_without_room_for_the_crops_are_left_out(folder, tmp_path, capsys):
    photos = write_photos(tmp_path, "astronaut", "coffee", side=300)
    write_photos(tmp_path, "rocket", side=140)  # not the one that validates
    config = tiny_config(
        data={"roots": [str(photos)], "crop": 80, "batch_size": 4, "crops_per_photo": 4}
    ).data
    module = open_data(config, 0, CPU, Console(stderr=True))
    assert module.samples == 1
    assert "rocket.png: 140x140 is smaller than training's crops of 160" in capsys.readouterr().err


def test_tiles_of_a_photo_follow_one_another():
    photos = torch.rand(2, 3, 2 * CROP, 2 * CROP)
    tiles = in_tiles(photos)
    assert tiles.shape == (8, 3, CROP, CROP)
    assert torch.equal(tiles[4 + 1], photos[1, :, :CROP, CROP:])
    assert torch.equal(tiles[2], photos[0, :, CROP:, :CROP])


@pytest.mark.slow
def test_validation_restores_tiles_as_the_restorer_does():
    """With one look at the same sheet."""
    from anyir.model.restore.look import make_sheet

    torch.manual_seed(0)
    network = AnyIR(PRESETS["tiny"]).eval()
    clean = torch.rand(2, 3, LOOK_SIDE, LOOK_SIDE)
    scores = validate_one_look(network, clean)
    mse = []
    for photo in clean:
        sheet = torch.from_numpy(make_sheet(photo.permute(1, 2, 0).numpy(), CROP)).permute(2, 0, 1)[None]
        with torch.inference_mode():
            tiles = network(in_tiles(photo[None]), network.statistics(sheet)).clamp(0, 1)
        mse.append((tiles - in_tiles(photo[None])).square().mean())
    expected = sum(-10 * math.log10(float(error)) for error in mse) / 2
    assert scores["clean"] == pytest.approx(expected, abs=1e-3)


def test_one_look_is_scored_beside_the_crops(tmp_path, folder, monkeypatch):
    config = load_config("one-look", {"preset": "tiny", "data": {"roots": [str(folder)], "crop": 32}})
    data = open_data(config.data, 0, CPU, Console(quiet=True))
    assert data.look_photos.shape == (1, 3, LOOK_SIDE, LOOK_SIDE)
    trainer = make_trainer(tmp_path, data, max_steps=1, **LOOK)
    assert isinstance(trainer, Trainer)
    monkeypatch.setattr("anyir.model.training.validation.kinds_of", lambda use: {"noise": 1})
    trainer._validate()
    (entry,) = trainer.history.entries
    assert {"psnr", "one_look"} <= entry["scores"]["noise"].keys()
