"""Fuzzing of ``anyir restore``: broken files, kills, full disks, inputs that change.

    .venv/bin/python -m tests.helpers.fuzz_photos --cases 10000

Every case is a number and repeats. Cases run in child processes, so that a crash or a hang is a finding. A
case fails by a traceback, more than ``SLOW`` seconds, a changed input, a result that is no whole photo, or a
file that is left behind.
"""

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

from anyir.model.errors import UserError
from anyir.model.photo.formats import WRITABLE
from anyir.model.photo.reader import read_photo
from anyir.model.restore.batch import restore_file
from anyir.model.restore.restorer import Restorer
from tests.helpers.fuzz_corpus import make_corpus, mutated
from tests.helpers.tile_models import Inverted

SLOW = 10
"""Seconds that a case may take."""
MEMORY = Path("/dev/shm")
MOST_MEMORY = 8 * 2**30
KINDS = (
    "broken",
    "broken",
    "broken",
    "broken",
    "broken",
    "broken",
    "broken",
    "killed",
    "full disk",
    "changed",
)


def run_case(number: int, corpus: dict[str, bytes], folder: Path, disk: Path | None) -> str:
    """One case in an empty folder: what came of it in a word. AssertionError: a finding.

    Args:
        disk: a small file system, on which disks get full; None: files get no longer than a limit.
    """
    rng = random.Random(number)
    kind = KINDS[number % len(KINDS)]
    name = rng.choice(sorted(corpus))
    data = corpus[name]
    if kind == "broken" or rng.random() < 0.2:
        data = mutated(data, list(corpus.values()), rng)
    source = folder / f"in{rng.choice(('.png', '.jpg', '.tif', '.heic'))}"
    source.write_bytes(data)
    target = (disk if disk and kind == "full disk" else folder) / f"out{rng.choice(sorted(WRITABLE))}"
    restorer = Restorer(Inverted(), tile=16, overlap=4)
    if kind == "killed":
        return _killed(source, target, restorer, rng)
    if kind == "full disk":
        return _on_a_full_disk(source, target, restorer, rng, disk)
    if kind == "changed":
        return _changed(source, target, restorer, corpus, rng)
    return _restored(source, target, restorer, data)


def _restored(source: Path, target: Path, restorer: Restorer, data: bytes) -> str:
    refusal, outcome = "", "refused"
    try:
        done = restore_file(source, target, restorer=restorer)
    except UserError as error:
        refusal = str(error)
    if refusal:
        assert "\n" not in refusal, f"several lines: {refusal}"
        assert not target.exists(), "a refused photo was written"
    else:
        height, width = read_photo(target).pixels.shape[:2]
        assert (done.width, done.height) == (width, height), (
            f"{done.width}x{done.height} became {width}x{height}"
        )
        outcome = "restored"
    assert source.read_bytes() == data, "the input was changed"
    _check_folder(target)
    return outcome


def _check_folder(target: Path) -> None:
    left = {path.name for path in target.parent.iterdir()} - {
        target.name,
        "in.png",
        "in.jpg",
        "in.tif",
        "in.heic",
    }
    assert not left, f"left behind: {left}"


def _killed(source: Path, target: Path, restorer: Restorer, rng: random.Random) -> str:
    """kill -9 after a random number of microseconds: the output is whole or not there."""
    data = source.read_bytes()
    there = rng.random() < 0.3
    if there:
        target.write_bytes(b"an earlier result")
    child = os.fork()
    if child == 0:
        try:
            restore_file(source, target, restorer=restorer, overwrite=there)
        finally:
            os._exit(0)
    time.sleep(rng.random() ** 2 * 0.1)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert source.read_bytes() == data, "the input was changed"
    for part in target.parent.glob(".*.part"):  # between its name and its place, in the folder: whole
        read_photo(part)
        part.unlink()
    _check_folder(target)
    if not target.exists():
        assert not there, "an earlier result is gone"
        return "nothing yet"
    if there and target.read_bytes() == b"an earlier result":
        return "nothing yet"
    read_photo(target)
    return "restored"


def _on_a_full_disk(
    source: Path, target: Path, restorer: Restorer, rng: random.Random, disk: Path | None
) -> str:
    data = source.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        if disk is not None:
            for path in disk.iterdir():
                path.unlink()
            (disk / "in.png").write_bytes(
                bytes(max(0, shutil.disk_usage(disk).free - rng.randrange(0, 40_000)))
            )
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (rng.randrange(0, 8000), before[1]))
        return _restored(source, target, restorer, data)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _changed(
    source: Path, target: Path, restorer: Restorer, corpus: dict[str, bytes], rng: random.Random
) -> str:
    """Another program replaces the input, or writes into it, while it is read."""
    other = corpus[rng.choice(sorted(corpus))]
    wait, in_place = rng.random() ** 2 * 0.02, rng.random() < 0.5

    def change():
        time.sleep(wait)
        if in_place:
            source.write_bytes(other)
        else:
            (source.parent / "in.new").write_bytes(other)
            os.replace(source.parent / "in.new", source)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        restore_file(source, target, restorer=restorer)
    except (UserError, FileNotFoundError):
        assert not target.exists(), "a refused photo was written"
        outcome = "refused"
    else:
        read_photo(target)
        outcome = "restored"
    finally:
        thread.join()
    assert source.read_bytes() == other, "the input was changed"
    _check_folder(target)
    return outcome


def _work(first: int, last: int, corpus: dict[str, bytes], place: Path, disk: Path | None, pipe) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for module in ("imagecodecs", "pillow_heif"):  # now: a child that is killed would not come so far
        import_module(module)
    for number in range(first, last):
        folder = place / "case"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        pipe.send((number, None, None))
        try:
            outcome = run_case(number, corpus, folder, disk)
        except BaseException as error:
            pipe.send((number, "finding", f"{type(error).__name__}: {error}"))
        else:
            pipe.send((number, outcome, None))
    pipe.send((last, "end", None))


def fuzz(
    cases: int, first: int = 0, *, seconds: float = float("inf"), small_disk: bool = False
) -> tuple[Counter, list[str]]:
    """Run cases, until the time is up: how many came to what, and the findings, one line each."""
    corpus = make_corpus()
    counts: Counter = Counter()
    findings: list[str] = []
    context = get_context("fork")
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as place:
        disk = _mounted(Path(place)) if small_disk else None
        number = first
        try:
            while number < first + cases and time.monotonic() < end:
                mine, theirs = context.Pipe(duplex=False)
                child = context.Process(
                    target=_work, args=(number, first + cases, corpus, Path(place), disk, theirs)
                )
                child.start()
                theirs.close()
                number = _watch(child, mine, counts, findings, end)
        finally:
            if disk is not None:
                subprocess.run(["umount", str(disk)], check=True)
    return counts, findings


def _watch(child, pipe, counts: Counter, findings: list[str], end: float) -> int:
    """Follow a child until it ends, crashes or hangs: the number of the next case."""
    number = 0
    while True:
        try:
            if not _answers(pipe, child.pid):
                findings.append(f"case {number}: more than {SLOW} s")
                break
            number, outcome, text = pipe.recv()
        except EOFError:
            child.join()
            findings.append(f"case {number}: the process ended with {child.exitcode}")
            break
        if outcome == "end" or (outcome is None and time.monotonic() > end):
            child.kill()
            child.join()
            return number if outcome == "end" else sys.maxsize
        if outcome is not None:
            counts[f"{KINDS[number % len(KINDS)]}: {outcome}"] += 1
        if text:
            findings.append(f"case {number}: {text}")
    child.kill()
    child.join()
    return number + 1


def _answers(pipe: Connection, process: int) -> bool:
    """Whether a child says something in time: of its own, or six times that on a machine that is busy."""
    used = sum(psutil.Process(process).cpu_times()[:2])
    for _ in range(6):
        if pipe.poll(SLOW):
            return True
        if sum(psutil.Process(process).cpu_times()[:2]) - used > SLOW:
            return False
    return False


def _mounted(place: Path) -> Path:
    disk = place / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], check=True)
    return disk


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument(
        "--small-disk", action="store_true", help="fill a tmpfs (for root) instead of a limit"
    )
    options = parser.parse_args()
    start = time.monotonic()
    counts, findings = fuzz(options.cases, options.first, small_disk=options.small_disk)
    for line in findings:
        print(line)
    for outcome, count in sorted(counts.items()):
        print(f"{count:6d} {outcome}")
    print(f"{sum(counts.values())} cases in {time.monotonic() - start:.0f} s, {len(findings)} findings")
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
