"""Peak memory of restoring large photos, with a model that needs none, so that only the photo counts.

    .venv/bin/python -m tests.helpers.restore_memory .png .heic --megapixels 200
    .venv/bin/python -m tests.helpers.restore_memory .jpg --weights small

With weights, these restore the first tiles, as many at once as ever, and the others stay as they are: what
the network takes does not grow with the photo.

Each kind has a process of its own. Linux alone says a process's peak (``VmHWM``) so that nothing of the
process that started it is in it, as is in ``ru_maxrss``.
"""

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from anyir.model.checkpoint import load_weights
from anyir.model.device import keep_freed_memory
from anyir.model.photo.reader import Photo
from anyir.model.photo.writer import write_photo
from anyir.model.restore.batch import restore_file
from anyir.model.restore.restorer import Restorer
from anyir.model.restore.tile_models import TorchModel
from anyir.model.statistics import Statistics
from tests.helpers.tile_models import Inverted


def peak_mb() -> float:
    """Of this process so far."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def make(path: Path, megapixels: int) -> None:
    """A photo, 4:3, of soft colours and noise, as large a file as a camera's."""
    high = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    wide = round(megapixels * 1e6 / high)
    random = np.random.default_rng(0)
    pixels = np.empty((high, wide, 3), np.uint8)
    soft = np.linspace(40, 200, wide, dtype=np.int16)[:, None]
    for top in range(0, high, 64):  # the noise takes several times a row's memory
        rows = pixels[top : top + 64]
        rows[:] = soft + random.integers(-8, 9, rows.shape, np.int16)
    write_photo(path, Photo(pixels))


class FirstTiles(TorchModel):
    """A network that leaves all tiles but the first ones as they are."""

    left = 40

    def restore(self, tile: NDArray[np.float32], statistics: Statistics | None, /) -> NDArray[np.float32]:
        self.left -= 1
        return super().restore(tile, statistics) if self.left >= 0 else tile.copy()


def restore(source: Path, target: Path, weights: str | None, threads: int) -> None:
    """In a process of its own, as the command does."""
    import torch  # noqa: F401  what a process with a network has anyway

    before, start = peak_mb(), time.process_time()
    with keep_freed_memory():
        model = FirstTiles(load_weights(weights), threads=threads) if weights else Inverted()
        restore_file(source, target, restorer=Restorer(model, tile=256))
    seconds = time.process_time() - start
    at_once = f", {model.tiles_at_once} tiles at once" if isinstance(model, TorchModel) else ""
    print(f"{peak_mb() - before:.0f} MB beyond {before:.0f}{at_once}, {seconds:.0f} s of processor time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="+", help="suffixes such as .png; or, of a process, two files")
    parser.add_argument("--megapixels", type=int, default=50)
    parser.add_argument("--to", help="suffix of what is written; default: the photo's own")
    parser.add_argument("--weights", help="of a network that restores the first tiles")
    parser.add_argument("--threads", type=int, default=2, help="of this network")
    options = parser.parse_args()
    if Path(options.what[0]).is_file():
        restore(*map(Path, options.what), options.weights, options.threads)
        return
    more = [f"--threads={options.threads}", *([f"--weights={options.weights}"] if options.weights else [])]
    for suffix in options.what:
        with TemporaryDirectory() as place:
            source = Path(place, f"photo{suffix}")
            make(source, options.megapixels)
            size = f"{source.stat().st_size / 1e6:.0f} MB"
            print(f"{suffix}, {options.megapixels} megapixels, a file of {size}: ", end="", flush=True)
            files = source, Path(place, f"out{options.to or suffix}")
            subprocess.run([sys.executable, "-m", __spec__.name, *files, *more], check=True)


if __name__ == "__main__":
    main()
