"""Where memory runs out: smaller tiles, a note, and the right result."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest

from anyir.model import Restorer
from anyir.model.photo.reader import Photo, read_photo
from anyir.model.restore.batch import restore_file
from anyir.model.restore.pipes import restore_frames
from anyir.model.restore.tile_models import OutOfMemoryError
from tests.helpers.command_checks import save
from tests.helpers.photo_files import values
from tests.helpers.tile_models import Inverted


class Small(Inverted):
    """Has memory for tiles of so many pixels only; can look at a sheet that is no larger."""

    def __init__(self, most, tile=None):
        self.most, self.tile, self.seen = most, tile, []

    def __call__(self, tile):
        self.seen.append(tile.shape[2:])
        if tile.shape[2] * tile.shape[3] > self.most:
            raise OutOfMemoryError("not enough memory")
        return 1 - tile

    def look(self, sheet):
        return self(sheet)

    def restore(self, tile, statistics):
        return self(tile)


@pytest.mark.parametrize("shape", [(300, 500, 3), (100, 700, 1), (257, 256, 4), (90, 70, 3)])
@pytest.mark.parametrize("statistics", ["photo", "tile"])
def test_tiles_are_halved_until_they_fit(tmp_path, shape, statistics):
    save(tmp_path / "in.png", Photo(values(shape)))
    model = Small(90**2)
    outcome = restore_file(
        tmp_path / "in.png", tmp_path / "out.png", restorer=Restorer(model, statistics=statistics)
    )
    expected = values(shape)
    expected[..., : 1 if shape[2] == 1 else 3] = 255 - expected[..., : 1 if shape[2] == 1 else 3]
    result = read_photo(tmp_path / "out.png").pixels
    assert np.abs(result.astype(int) - expected).max() <= 1  # rounding of the weights that blend
    assert "not enough memory for tiles of 256: it was restored in tiles of 64" in outcome.notes
    looked = max(shape[:2]) > 256 and statistics == "photo"
    assert ("not enough memory for one look at 256 pixels a side: it had 64" in outcome.notes) == looked
    fits = [height * width <= model.most for height, width in model.seen]
    assert fits.count(False) <= 4  # not tile by tile: 256, 128, for the look and for the tiles


def test_a_fixed_tile_is_not_halved():
    with pytest.raises(OutOfMemoryError):
        Restorer(Small(90**2, tile=128))(values((200, 200, 3)))


def test_tiles_do_not_get_as_small_as_one_likes():
    model = Small(30**2)
    with pytest.raises(OutOfMemoryError):
        Restorer(model)(values((300, 300, 3)))
    assert min(min(shape) for shape in model.seen) >= 64


@pytest.mark.parametrize("shape", [(300, 500, 3), (90, 200, 1)])
def test_need_is_judged_on_a_smaller_sheet(shape):
    model = Small(90**2)
    assert Restorer(model).need(values(shape)).change > 10
    assert model.seen[-1] == (64, 64)
    assert len(model.seen) == 3
    with pytest.raises(OutOfMemoryError):
        Restorer(Small(90**2, tile=128)).need(values(shape))


def test_frames_say_once_that_memory_ran_out():
    frames, out = values((2, 90, 90, 3)), io.BytesIO()
    count, notes = restore_frames(Restorer(Small(90**2)), io.BytesIO(frames.tobytes()), out, 90, 90)
    assert (count, notes) == (2, ["not enough memory for tiles of 256: it was restored in tiles of 64"])


def test_images_in_memory_come_with_a_warning():
    with pytest.warns(UserWarning, match="restored in tiles of 64"):
        Restorer(Small(90**2))(values((90, 90, 3)))


LIMITED = """
import json, os, resource, sys
import numpy as np
from anyir.model import Restorer
restorer = Restorer(sys.argv[1], tile=512, threads=1)
photo = np.random.default_rng(0).integers(0, 256, (512, 700, 3), np.uint8)
restorer(photo[:130, :130])  # what libraries allocate once
with open("/proc/self/statm") as file:
    now = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
extra, notes = 640, []
while not notes:
    extra -= 40
    resource.setrlimit(resource.RLIMIT_AS, (now + extra * 2**20, resource.RLIM_INFINITY))
    made = np.zeros_like(photo)
    notes = restorer.restore_into(photo, made)
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
whole = np.zeros_like(photo)
assert restorer.restore_into(photo, whole) == []
print(json.dumps([extra, notes, float(np.abs(made.astype(int) - whole).mean())]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits of a process's memory are Linux's")
def test_a_process_with_little_memory(tiny_weights):
    """A real limit, which is lowered until torch gets no memory for a tile of 512."""
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tiny_weights)], capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    extra, notes, difference = json.loads(run.stdout)
    assert extra >= 8
    assert any("not enough memory for tiles of 512: it was restored in tiles of" in note for note in notes)
    assert difference < 0.5  # of 255: the network sees less around a pixel
