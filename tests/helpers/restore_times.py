"""What takes time in ``anyir restore``: one process against several, and all that is not the model.

    .venv/bin/python -m tests.helpers.restore_times jobs
    .venv/bin/python -m tests.helpers.restore_times parts

``jobs`` restores the same photos by one process of N threads and by N processes of one, in turns, and takes
the ratio turn by turn, so that other work on the machine meets both. Models are opened before. ``parts``
counts processor seconds of one thread.
"""

import argparse
import os
import time
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from anyir.model.device import keep_freed_memory
from anyir.model.photo.reader import read_photo
from anyir.model.photo.writer import Inputs, write_photo
from anyir.model.restore.batch import Output
from anyir.model.restore.jobs import find_jobs
from anyir.model.restore.restorer import Restorer
from anyir.model.restore.workers import Workers


def make_photo(path: Path, width: int, height: int, seed: int) -> None:
    """A JPEG with edges, gradients and noise."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (height // 40 + 2, width // 40 + 2, 3), np.uint8))
    pixels = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(float)
    noisy = pixels + random.normal(0, 8, pixels.shape)
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(path, quality=95)


def compare_jobs(model: str, photos: int, turns: int, threads: int) -> None:
    make = partial(Restorer, model)
    with TemporaryDirectory() as place:
        folder = Path(place, "photos")
        folder.mkdir()
        for i in range(photos):
            make_photo(folder / f"{i}.jpg", 640, 480, i)
        jobs, _ = find_jobs(folder, Path(place, "out"))
        output = Output(Inputs(job.source for job in jobs), overwrite=True)
        with (
            Workers(make, [threads], output, resume=False) as one,
            Workers(make, [1] * threads, output, resume=False) as several,
        ):
            seconds: dict[str, list[float]] = {"one": [], "several": []}
            for turn in range(-1, turns):  # the first is not counted
                pair = [("one", one), ("several", several)]
                for name, workers in pair if turn % 2 else pair[::-1]:
                    start = time.perf_counter()
                    done = workers.restore(jobs, started=lambda job: None, finished=lambda job, outcome: None)
                    assert all(outcome.status == "restored" for outcome in done)
                    if turn >= 0:
                        seconds[name].append((time.perf_counter() - start) / photos)
    ratios = [several / one for one, several in zip(*seconds.values(), strict=True)]
    print(f"{model}, {photos} photos of 640x480, {turns} turns, seconds a photo, median (all):")
    for name, how in (("one", f"1 process of {threads}"), ("several", f"{threads} of 1")):
        print(f"{how:>14}: {median(seconds[name]):.2f} ({', '.join(f'{s:.2f}' for s in seconds[name])})")
    print(f"{'ratio':>14}: {median(ratios):.2f} ({', '.join(f'{r:.2f}' for r in ratios)})")


def count_parts(model: str, turns: int, width: int, height: int) -> None:
    restorer = Restorer(model, threads=1)
    in_model = 0.0

    def timed(function):
        def run(*arguments):
            nonlocal in_model
            start = time.process_time()
            try:
                return function(*arguments)
            finally:
                in_model += time.process_time() - start

        return run

    restorer.model.look = timed(restorer.model.look)  # type: ignore[attr-defined]
    restorer.model.restore = timed(restorer.model.restore)  # type: ignore[attr-defined]
    rows: dict[str, list[float]] = {"model": [], "reading": [], "blending": [], "writing": []}
    with TemporaryDirectory() as place, keep_freed_memory():
        make_photo(Path(place, "photo.jpg"), width, height, 0)
        for turn in range(-1, turns):
            in_model = 0.0
            times = [time.process_time()]
            photo = read_photo(Path(place, "photo.jpg"))
            times.append(time.process_time())
            restorer.restore_into(photo.pixels, photo.pixels)
            times.append(time.process_time())
            write_photo(Path(place, "out.jpg"), photo, overwrite=True)
            times.append(time.process_time())
            reading, restoring, writing = np.diff(times)
            if turn >= 0:
                values = in_model, reading, restoring - in_model, writing
                for row, value in zip(rows.values(), values, strict=True):
                    row.append(float(value))
    tiles = len(restorer.plan(width, height))
    print(f"{model}, {width}x{height}, {tiles} tiles, median of {turns}, processor seconds of one thread:")
    for name, row in rows.items():
        share = 100 * median(row) / median(rows["model"])
        print(f"{name:>9}: {median(row):7.3f} s, {share:6.2f} % of the model's")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("jobs", "parts"))
    parser.add_argument("--with", dest="model", default="small")
    parser.add_argument("--photos", type=int, default=4)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--size", default="1216x832", help="of the photo of parts")
    options = parser.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command has it
    if options.what == "jobs":
        compare_jobs(options.model, options.photos, options.turns, options.threads)
    else:
        count_parts(options.model, options.turns, *map(int, options.size.split("x")))


if __name__ == "__main__":
    main()
