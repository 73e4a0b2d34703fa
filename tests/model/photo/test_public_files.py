"""Files of image libraries' own test suites, where they are on this machine."""

from pathlib import Path

import numpy as np
import pytest

from anyir.model.errors import UserError
from anyir.model.photo.encoder import encode
from anyir.model.photo.metadata import GAIN_MAP_LEFT_OUT
from anyir.model.photo.reader import read_photo, read_size

FORMATS = Path(__file__).parents[4] / "shared/data/formats"
REFUSED = {
    "format_libavif_colors-animated-8bpc-alpha-exif-xmp.avif": "5 frames",
    "format_libavif_colors-animated-8bpc-depth-exif-xmp.avif": "5 frames",
    "format_libavif_seine_sdr_gainmap_gammazero.avif": "Invalid tone mapped image",
    "format_libavif_supported_gainmap_writer_version_with_extra_bytes.avif": "Invalid tone mapped image",
    "format_libvips_17000x17000.avif": "more than 16384 pixels a side",
    "format_libvips_big-height.webp": "99 frames",
    "format_sharp_truncated.jpg": "damaged or cut short",
}

pytestmark = pytest.mark.skipif(not FORMATS.is_dir(), reason="the files are not on this machine")


@pytest.mark.slow
def test_every_file_is_read_or_refused_as_it_should_be():
    refused = {}
    for path in sorted(FORMATS.iterdir()):
        try:
            photo = read_photo(path)
        except UserError as error:
            refused[path.name] = str(error)
            continue
        height, width = photo.pixels.shape[:2]
        assert read_size(path) == (width, height), path.name
        if "gainmap" in path.name:
            assert GAIN_MAP_LEFT_OUT in photo.notes, path.name
        if width * height < 10**6:
            made, _ = encode(photo, "PNG")
            assert len(made) > 100
    assert refused.keys() == REFUSED.keys()
    for name, words in REFUSED.items():
        assert words in refused[name]


@pytest.mark.parametrize("shape", ["Landscape", "Portrait"])
def test_every_orientation_comes_out_as_the_same_photo(shape):
    photos = [read_photo(path).pixels for path in sorted(FORMATS.glob(f"*recurser_{shape}_*"))]
    assert len(photos) >= 3
    for photo in photos:
        assert photo.shape == photos[0].shape
        assert (photo.shape[1] > photo.shape[0]) == (shape == "Landscape")
        # The same scene, saved once for every orientation.
        assert np.abs(photo.astype(int) - photos[0]).mean() < 12
