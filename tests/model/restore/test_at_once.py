"""Several tiles at once: the same result in the same order, and nothing left behind."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from anyir.model import PRESETS, AnyIR, Restorer
from anyir.model.errors import UserError
from anyir.model.restore.tile_models import MOST_AT_ONCE, OutOfMemoryError, TorchModel
from tests.helpers.photo_files import values
from tests.helpers.tile_models import Inverted


class Threaded(Inverted):
    """Restores up to three tiles at once; ``with_others`` is called with how many there are."""

    tiles_at_once = 3

    def __init__(self, with_others=lambda count: None):
        self.with_others, self.running, self.most, self.seen = with_others, 0, 0, []
        self.lock = threading.Lock()

    def tile_threads(self):
        return ThreadPoolExecutor(self.tiles_at_once, "tile")

    def __call__(self, tile):
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
            count = self.running
            self.seen.append(tile.shape[2:])
        try:
            self.with_others(count)
            return 1 - tile
        finally:
            with self.lock:
                self.running -= 1


def tile_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("tile")]


def test_the_results_come_in_order_whichever_tile_is_done_first():
    model = Threaded(lambda count: time.sleep(0.03 / count))
    done = []
    photo = values((200, 300, 3))
    restored = Restorer(model, tile=64)(photo, progress=lambda n, of: done.append(n))
    np.testing.assert_array_equal(restored, 255 - photo)
    assert done == list(range(1, len(model.seen) + 1))
    assert model.most == 3
    assert not tile_threads()


def test_a_photo_may_be_restored_in_place():
    photo = values((200, 300, 3))
    expected = 255 - photo
    Restorer(Threaded(lambda count: time.sleep(0.01 / count)), tile=64).restore_into(photo, photo)
    np.testing.assert_array_equal(photo, expected)


def test_where_memory_is_short_for_several_they_are_not_made_smaller():
    def short(count):
        time.sleep(0.02)  # the others begin
        if count > 1:
            raise OutOfMemoryError("not enough memory for a tile of 64")

    model, photo = Threaded(short), values((200, 300, 3))
    result = np.empty_like(photo)
    assert Restorer(model, tile=64).restore_into(photo, result) == []
    np.testing.assert_array_equal(result, 255 - photo)
    assert set(model.seen) == {(64, 64)}


def test_where_memory_is_short_for_one_it_is_halved():
    class Small(Threaded):
        def __call__(self, tile):
            if tile.shape[2] > 64:
                raise OutOfMemoryError("not enough memory")
            return super().__call__(tile)

    photo = values((200, 300, 3))
    result = np.empty_like(photo)
    notes = Restorer(Small(), tile=128).restore_into(photo, result)
    assert notes == ["not enough memory for tiles of 128: it was restored in tiles of 64"]
    assert np.abs(result.astype(int) - (255 - photo)).max() <= 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), UserError("odd")])
def test_an_error_of_a_tile_ends_the_photo_and_its_threads(error):
    def fail(count):
        if len(model.seen) == 5:
            raise error

    model = Threaded(fail)
    with pytest.raises(type(error)):
        Restorer(model, tile=64)(values((400, 600, 3)))
    assert len(model.seen) < 20
    assert not tile_threads()


def test_who_stops_while_tiles_are_restored_leaves_no_thread():
    def stop(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Restorer(Threaded(), tile=64)(values((400, 600, 3)), progress=stop)
    assert not tile_threads()


def test_the_network_s_tiles_are_the_same_and_its_threads_as_before():
    torch.manual_seed(0)
    network = AnyIR(PRESETS["tiny"])
    photo = values((150, 400, 3))
    one = Restorer(TorchModel(network, threads=1), tile=64)
    assert one.model.tiles_at_once == 1
    expected = one(photo)
    several = Restorer(TorchModel(network, threads=9), tile=64)
    assert several.model.tiles_at_once == MOST_AT_ONCE
    with several.model.tile_threads() as pool:
        assert pool.submit(torch.get_num_threads).result() == 9 // MOST_AT_ONCE
    assert torch.get_num_threads() == 9
    assert np.abs(several(photo).astype(int) - expected).max() <= 1
    seen = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert seen == [9]
