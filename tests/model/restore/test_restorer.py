import sys
import tracemalloc
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from anyir.model import PRESETS, AnyIR, Restorer
from anyir.model.checkpoint import save_weights
from anyir.model.config import DEFAULT_OVERLAP, DEFAULT_TILE
from anyir.model.errors import UserError
from anyir.model.restore.tile_models import TileModel, TorchModel, open_model

pytestmark = pytest.mark.usefixtures("torch_threads")

SIZES = [(1, 1), (7, 5), (64, 64), (65, 63), (97, 130), (300, 200)]  # (width, height)


class Wrapped:
    """A function of a tile as a ``TileModel``."""

    name, accelerator = "wrapped", "none"

    def __init__(self, function=lambda tile: tile, tile=None):
        self.function, self.tile, self.calls = function, tile, 0

    def __call__(self, tile):
        assert tile.dtype == np.float32
        assert tile.flags.c_contiguous
        self.calls += 1
        return self.function(tile)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return AnyIR(PRESETS["tiny"])


def image_of(width, height, channels, dtype):
    random = np.random.default_rng(0).random((height, width, channels))
    if np.issubdtype(dtype, np.integer):
        random = np.rint(random * np.iinfo(dtype).max)
    return random.astype(dtype)


def test_a_pillow_image_of_several_frames_is_refused(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "anim.webp", save_all=True, append_images=frames[1:])
    model = Wrapped()
    with (
        Image.open(tmp_path / "anim.webp") as image,
        pytest.raises(UserError, match="has 2 frames; animated"),
    ):
        Restorer(model)(image)
    assert model.calls == 0


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("overlap", [0, 16, 32])
def test_identity_gives_back_the_exact_photo(width, height, channels, dtype, overlap):
    image = image_of(width, height, channels, dtype)
    original = image.copy()
    result = Restorer(Wrapped(), tile=64, overlap=overlap)(image)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, original)
    np.testing.assert_array_equal(image, original)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_value_survives(dtype):
    levels = np.iinfo(dtype).max + 1
    image = np.arange(levels, dtype=dtype).reshape(16, levels // 16)
    np.testing.assert_array_equal(Restorer(Wrapped(), tile=32)(image), image)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_and_two_dimensions(dtype):
    image = image_of(130, 97, 1, dtype)[..., 0]
    result = Restorer(Wrapped(), tile=64)(image)
    assert result.shape == image.shape
    assert result.dtype == dtype
    np.testing.assert_allclose(result, image, atol=1e-6)


def test_no_seams():
    """What a model adds everywhere is added once everywhere, borders and overlaps alike."""
    image = 0.5 * image_of(300, 200, 3, np.float64)
    result = Restorer(Wrapped(lambda tile: tile + 0.25), tile=64, overlap=24)(image)
    np.testing.assert_allclose(result, image + 0.25, atol=1e-6)


def test_tiles_that_disagree_are_blended():
    """Tiles alternately darker and brighter: no step from pixel to pixel is near their difference."""
    model = Wrapped(lambda tile: tile + (0.2 if model.calls % 2 else -0.2))
    result = Restorer(model, tile=64, overlap=16)(np.full((64, 400, 3), 0.5))
    assert np.ptp(result) > 0.39
    assert np.abs(np.diff(result, axis=1)).max() <= 0.4 * 2 / 16


@pytest.mark.parametrize("fixed", [16, None])
def test_the_surplus_of_a_tile_is_a_reflection(fixed):
    seen = []
    model = Wrapped(lambda tile: seen.append(tile) or tile, tile=fixed)
    Restorer(model, tile=16, overlap=0)(np.array([[0, 51, 102]], np.uint8))
    np.testing.assert_allclose(seen[0][0, 1, 9] * 5, [0, 1, 2, 1] * 4, atol=1e-6)


@pytest.mark.parametrize(
    ("fixed", "width", "height", "shapes"),
    [
        (None, 300, 150, [(152, 256), (152, 256)]),  # a multiple of 8
        (None, 30, 150, [(152, 128)]),  # 128 at least
        (None, 1, 1, [(128, 128)]),
        (256, 30, 150, [(256, 256)]),  # a program takes nothing else
    ],
)
def test_a_photo_is_filled_up_as_far_as_the_model_needs(fixed, width, height, shapes):
    seen = []
    model = Wrapped(lambda tile: seen.append(tile.shape[2:]) or tile, tile=fixed)
    photo = image_of(width, height, 3, np.uint8)
    np.testing.assert_array_equal(Restorer(model)(photo), photo)
    assert seen == shapes


def test_a_tile_is_never_larger_than_asked_for():
    seen = []
    model = Wrapped(lambda tile: seen.append(tile.shape[2:]) or tile)
    Restorer(model, tile=64)(image_of(30, 100, 3, np.uint8))
    assert set(seen) == {(64, 64)}


def test_a_small_photo_comes_back_as_it_would_without_tiles(network):
    photo = image_of(200, 136, 3, np.float32)
    whole = network(torch.from_numpy(photo).permute(2, 0, 1)[None])[0].permute(1, 2, 0).clamp(0, 1)
    np.testing.assert_allclose(Restorer(network)(photo), whole.detach().numpy(), atol=1e-5)


@pytest.mark.parametrize(("width", "height"), [(8, 8), (8, 200)])
def test_a_little_of_a_bright_wall_is_not_taken_for_haze(width, height):
    """The shipped weights, alone with 8 pixels, made 137 of it."""
    wall = np.full((height, width, 3), 230, np.uint8)
    assert np.abs(Restorer(threads=1)(wall).astype(int) - 230).max() <= 8


def test_alpha_is_untouched_and_grey_is_the_mean():
    image = image_of(80, 70, 4, np.uint8)
    result = Restorer(Wrapped(lambda tile: 1 - tile), tile=32)(image)
    np.testing.assert_array_equal(result[..., 3], image[..., 3])
    np.testing.assert_array_equal(result[..., :3], 255 - image[..., :3])
    steps = np.array([0.1, 0.2, 0.3], np.float32).reshape(1, 3, 1, 1)
    grey = Restorer(Wrapped(lambda tile: tile + steps), tile=32)(np.full((40, 40), 0.5))
    np.testing.assert_allclose(grey, 0.7, atol=1e-6)


@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("channels", [3, 4])
def test_black_and_white_in_colour_stays_without_colour(channels, in_place):
    image = image_of(150, 70, channels, np.uint8)
    image[..., :3] = image[..., :1] // 2
    steps = np.array([0, 8, 16], np.float32).reshape(1, 3, 1, 1) / 255
    restorer = Restorer(Wrapped(lambda tile: tile + steps), tile=32)
    before, result = image.copy(), image if in_place else np.empty_like(image)
    restorer.restore_into(image, result)
    expected = before.copy()
    expected[..., :3] = before[..., :3] + 8
    np.testing.assert_array_equal(result, expected)
    before[69, 149, 2] ^= 1  # a photo with a colour has its own
    assert (restorer(before)[0, 0, :3] - before[0, 0, :3].astype(int)).tolist() == [0, 8, 16]


def test_results_stay_in_range():
    image = image_of(40, 40, 3, np.uint8)
    assert (Restorer(Wrapped(lambda tile: tile + 2), tile=32)(image) == 255).all()
    assert (Restorer(Wrapped(lambda tile: tile - 2), tile=32)(image) == 0).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_model_that_breaks_is_an_error_and_no_black_picture(bad):
    def once(tile):
        tile = tile.copy()
        tile[0, 1, 3, 3] = bad
        return tile

    with pytest.raises(UserError, match="NaN or infinity"):
        Restorer(Wrapped(once), tile=32)(image_of(40, 40, 3, np.uint8))


def test_a_model_with_another_output_size_is_an_error():
    with pytest.raises(UserError, match="returned"):
        Restorer(Wrapped(lambda tile: tile[..., ::2, ::2]), tile=32)(image_of(40, 40, 3, np.uint8))


def test_progress_counts_tiles():
    seen = []
    restorer = Restorer(Wrapped(), tile=64, overlap=16)
    restorer(image_of(300, 200, 3, np.uint8), progress=lambda done, total: seen.append((done, total)))
    total = len(restorer.plan(300, 200))
    assert seen == [(i + 1, total) for i in range(total)]


def test_memory_grows_with_the_tile_not_with_the_photo():
    restorer = Restorer(Wrapped(), tile=64, overlap=16)
    peaks = []
    for height in (500, 5000):
        image = np.full((height, 300, 3), (0, 0, 1), np.uint8)
        tracemalloc.start()
        restorer.restore_into(image, image)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]  # ten times the photo
    assert peaks[1] < image.nbytes


def test_in_place_equals_out_of_place(network):
    restorer = Restorer(network, tile=32, overlap=16, threads=1)
    image = image_of(70, 90, 3, np.uint8)
    expected = restorer(image)
    restorer.restore_into(image, image)
    np.testing.assert_array_equal(image, expected)


def test_network_on_one_tile_is_the_network(network):
    image = image_of(64, 64, 3, np.float32)
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(image).permute(2, 0, 1)[None]).clamp(0, 1)
    result = Restorer(network, tile=64, threads=1)(image)
    np.testing.assert_allclose(result, expected[0].permute(1, 2, 0).numpy(), atol=1e-4)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 5), (45, 33)])
def test_network_keeps_the_size_of_small_photos(network, width, height):
    restorer = Restorer(network, tile=32, threads=1)
    assert restorer(image_of(width, height, 3, np.uint8)).shape == (height, width, 3)


def test_pillow_images_keep_their_mode_and_metadata():
    restorer = Restorer(Wrapped(), tile=32)
    for mode in ("L", "LA", "RGB", "RGBA", "I;16"):
        image = Image.new(mode, (40, 30))
        image.info["icc_profile"] = b"profile"
        result = restorer(image)
        assert (result.mode, result.size) == (mode, (40, 30))
        assert result.info["icc_profile"] == b"profile"
    with pytest.warns(UserWarning, match="palette"):
        assert restorer(Image.new("P", (4, 4))).mode == "RGB"


def test_pillow_images_come_back_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(tmp_path / "photo.jpg", exif=exif)
    with Image.open(tmp_path / "photo.jpg") as image:
        result = Restorer(Wrapped(), tile=32)(image)
    assert result.size == (30, 40)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 5), np.uint8), r"\(H, W\)"),
        (np.zeros((0, 4, 3), np.uint8), r"\(H, W\)"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"\(H, W\)"),
        (np.zeros((4, 4, 3), np.int32), "int32"),
        (np.full((4, 4, 3), 200.0), "0..1"),
        (np.full((4, 4, 3), np.nan), "0..1"),
    ],
)
def test_arrays_that_are_no_photos(image, message):
    with pytest.raises(UserError, match=message):
        Restorer(Wrapped(), tile=32)(image)


@pytest.mark.parametrize(
    ("fixed", "tile", "overlap", "message"),
    [
        (None, 100, None, "multiple of 8"),
        (None, 64, 33, "half the tile"),
        (None, 64, -1, "half the tile"),
        (128, 256, None, "tiles of 128"),
    ],
)
def test_tile_sizes_that_do_not_fit(fixed, tile, overlap, message):
    with pytest.raises(UserError, match=message):
        Restorer(Wrapped(tile=fixed), tile=tile, overlap=overlap)


def test_default_tiles():
    assert (Restorer(Wrapped()).tile, Restorer(Wrapped()).overlap) == (DEFAULT_TILE, DEFAULT_OVERLAP)
    assert (Restorer(Wrapped(tile=64)).tile, Restorer(Wrapped(tile=64)).overlap) == (64, 16)


def test_opening_weights(tmp_path, network):
    save_weights(network, tmp_path / "mine.safetensors")
    model = open_model(tmp_path / "mine.safetensors", threads=torch.get_num_threads())
    assert isinstance(model, TileModel)
    assert isinstance(model, TorchModel)
    assert model.name == "mine"
    assert model.accelerator.startswith("PyTorch C")
    with pytest.raises(TypeError, match="neither"):
        Restorer(print)


def test_artifacts_are_opened_by_their_runner_and_nothing_else(tmp_path, monkeypatch):
    runners = ModuleType("runners")
    runners.open_artifact = lambda path, *, threads: Wrapped(tile=64)
    monkeypatch.setitem(sys.modules, "anyir.conversion.artifact", runners)
    path = tmp_path / "program.pte"
    with pytest.raises(UserError, match="there is no artifact"):
        Restorer(path)
    path.write_bytes(b"x")
    assert Restorer(path).tile == 64

    def refuse(path, *, threads):
        raise UserError("sha256 differs")

    runners.open_artifact = refuse
    with pytest.raises(UserError, match="sha256 differs"):
        Restorer(path)

    def lack(path, *, threads):
        raise ModuleNotFoundError("No module named 'pydantic'", name="pydantic")

    runners.open_artifact = lack
    with pytest.raises(UserError, match="pydantic is missing"):
        Restorer(path)


def test_a_file_that_nothing_opens_lists_what_is_opened(tmp_path, monkeypatch):
    path = tmp_path / "program.onnx"
    path.write_bytes(b"x")
    known = ".safetensors, .aimodel, .mlpackage, .pte, .tflite"
    with pytest.raises(
        UserError, match=rf"nothing that is installed opens .*program\.onnx; known: {known} \(pip"
    ):
        Restorer(path)
    monkeypatch.setattr("anyir.model.restore.tile_models.entry_points", lambda group: ())
    artifact = path.rename(tmp_path / "program.tflite")
    with pytest.raises(
        UserError, match=r"nothing that is installed opens .*\.tflite; known: \.safetensors \(pip"
    ):
        Restorer(artifact)
