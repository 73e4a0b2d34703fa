"""MAXIM's specialists beside weights, on the judged real pairs: a table in Markdown.

`.venv/bin/python docs/make/peers.py PHOTOS TEACHERS PYTHON --with small`: PHOTOS is what `anyir eval --real`
takes, TEACHERS the unpacked packages, PYTHON an interpreter with TensorFlow (docs/guides/teachers.md).
Both see the same middle of each photo. Answers are kept in build/peers; run it again to go on.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from anyir.model.data.decode import read_float
from anyir.model.data.discovery import find_dataset
from anyir.model.metrics import mean_psnr, psnr
from anyir.model.restore.restorer import Restorer
from anyir.model.teachers.answers import fitted
from anyir.model.teachers.worker import Teacher, TeacherProcess

PEERS = {
    "polyu": "maxim-denoising",
    "lol": "maxim-enhancement",
    "rain100l": "maxim-deraining",
    "gopro": "maxim-deblurring",
}
"""Set -> who was trained for its fault."""
KEPT = Path("build/peers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("photos", "teachers", "python"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--with", dest="weights", action="append", help="weights or a preset; repeatable")
    parser.add_argument("--size", type=int, default=256, help="side of the middle that is taken")
    parser.add_argument("--most", type=int, default=8, help="photos of each set")
    parser.add_argument("--sets", nargs="*", default=list(PEERS), choices=list(PEERS))
    arguments = parser.parse_args()
    weights = arguments.weights or ["small"]
    restorers = {Path(name).stem: Restorer(name) for name in weights}
    names = " | ".join(f"`{name}` | s" for name in restorers)
    print(f"| set | photos of {arguments.size} | input dB | {names} | peer dB | s | peer |")
    print(f"|---|---|---|{'---|---|' * len(restorers)}---|---|---|", flush=True)
    for name in arguments.sets:
        pairs = find_dataset(name, "test", arguments.photos).pairs
        pairs = pairs[:: -(-len(pairs) // arguments.most)]
        folder = KEPT / f"{name}-{arguments.size}"
        folder.mkdir(parents=True, exist_ok=True)
        teacher = Teacher(arguments.teachers / PEERS[name], arguments.python, arguments.size, "crop")
        crops = []
        for pair in pairs:
            assert pair.degraded is not None
            paths = [folder / f"{Path(pair.name).stem}.{what}.png" for what in ("input", "truth", "peer")]
            for path, source in zip(paths, (pair.degraded, pair.clean), strict=False):
                fitted(source, arguments.size, "crop").save(path)
            crops.append(paths)
        peer_s = answer(teacher, [(paths[0], paths[2]) for paths in crops if not paths[2].is_file()])
        photos = [[read_float(path) for path in paths] for paths in crops]
        cells = [f"{mean_psnr((bad, truth) for bad, truth, _ in photos):.2f}"]
        for restorer in restorers.values():
            start = time.process_time()
            ours = [restore(restorer, bad) for bad, _, _ in photos]
            took = (time.process_time() - start) / len(photos)
            gains = [
                psnr(image=o, reference=t, data_range=1.0) - psnr(image=b, reference=t, data_range=1.0)
                for o, (b, t, _) in zip(ours, photos, strict=True)
            ]
            mean = mean_psnr((o, truth) for o, (_, truth, _) in zip(ours, photos, strict=True))
            cells += [f"{mean:.2f} (worst {min(gains):+.2f})", f"{took:.1f}"]
        cells += [f"{mean_psnr((peer, truth) for _, truth, peer in photos):.2f}", peer_s, PEERS[name]]
        print(f"| {name} | {len(photos)} | {' | '.join(cells)} |", flush=True)


def answer(teacher: Teacher, jobs: list[tuple[Path, Path]]) -> str:
    """Have the photos answered that are not yet; seconds a photo, in the mean, of those that were."""
    if not jobs:
        return "kept"
    with TeacherProcess(teacher) as ask:
        return f"{np.mean([ask(*job) for job in jobs]):.1f}"


def restore(restorer: Restorer, photo: torch.Tensor) -> torch.Tensor:
    pixels = restorer((photo[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


if __name__ == "__main__":
    main()
