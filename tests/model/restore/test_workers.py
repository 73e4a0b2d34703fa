"""Photos of a folder by several processes: shared threads, what is lost with one, and how they end."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from anyir.model.errors import UserError
from anyir.model.photo.reader import Photo, read_photo
from anyir.model.photo.writer import Inputs
from anyir.model.restore.batch import Output
from anyir.model.restore.jobs import find_jobs
from anyir.model.restore.workers import Workers, share_threads
from tests.helpers.command_checks import files, save
from tests.helpers.photo_files import values
from tests.helpers.tile_models import inverting, refusing, stopping


@pytest.fixture
def photos(folder):
    """Six photos; the middle pixels of the third are black."""
    (folder / "photos").mkdir()
    for i in range(6):
        pixels = values((24, 40 + i, 3))
        if i == 2:
            pixels[:] = 0
        save(folder / "photos" / f"{i}.png", Photo(pixels))
    return folder / "photos"


def restored(make, folder, processes=2, resume=False, overwrite=False):
    """Outcomes, and what was told: how often photos began and ended, and the most tiles of each."""
    jobs, _ = find_jobs(folder / "photos", folder / "out")
    output = Output(Inputs(job.source for job in jobs), overwrite=overwrite)
    began, ended, tiles = [], [], {}

    def started(job):
        began.append(job)
        return lambda done, total: tiles.__setitem__(job.source.name, (done, total))

    with Workers(make, [1] * processes, output, resume=resume) as workers:
        outcomes = workers.restore(jobs, started=started, finished=lambda job, outcome: ended.append(job))
    assert sorted(began, key=jobs.index) == sorted(ended, key=jobs.index) == jobs
    assert [outcome.input for outcome in outcomes] == [str(job.source) for job in jobs]
    return outcomes, tiles


def test_threads_are_shared():
    assert share_threads(8, 3) == [3, 3, 2]
    assert share_threads(2, 2) == [1, 1]
    assert share_threads(1, 3) == [1, 1, 1]
    assert share_threads(None, 1) == [None]  # the model's own choice
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert sum(share_threads(None, 2)) == max(cores, 2)


@pytest.mark.slow
def test_several_processes_restore_what_one_does(folder, photos):
    (photos / "bad.png").write_text("no photo")
    before = files(photos)
    outcomes, tiles = restored(inverting, folder)
    assert [outcome.status for outcome in outcomes] == ["restored"] * 6 + ["failed"]
    assert "no image that can be read" in outcomes[-1].error
    for i in range(6):
        made = read_photo(folder / "out" / f"{i}.png").pixels
        np.testing.assert_array_equal(made, 255 - read_photo(photos / f"{i}.png").pixels)
        assert tiles[f"{i}.png"] == (outcomes[i].tiles, outcomes[i].tiles)
    made = files(folder / "out")
    (folder / "out" / "1.png").unlink()
    outcomes, _ = restored(inverting, folder, processes=3, resume=True)
    assert [outcome.status for outcome in outcomes] == ["kept", "restored", *["kept"] * 4, "failed"]
    assert files(folder / "out") == made
    assert files(photos) == before


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_a_killed_process_is_one_failed_photo(folder, photos, processes):
    """Its model kills it at a photo that is black; another process takes the place."""
    outcomes, _ = restored(stopping, folder, processes)
    statuses = ["restored"] * 6
    statuses[2] = "failed"
    assert [outcome.status for outcome in outcomes] == statuses
    assert outcomes[2].error == (
        "the process that restored it was ended by SIGKILL (is there enough memory?)"
    )
    assert sorted(files(folder / "out")) == [f"{i}.png" for i in (0, 1, 3, 4, 5)]


@pytest.mark.slow
def test_a_model_that_cannot_be_opened_is_one_line(folder, photos, capfd):
    with pytest.raises(UserError, match="no weights today"):
        restored(refusing, folder, processes=4)
    assert capfd.readouterr().err == ""
    assert not (folder / "out").exists()


def restoring(folder, weights, jobs):
    """``anyir restore --jobs`` in a process of its own, once its first photo is there."""
    command = [sys.executable, "-m", "anyir.model.cli", "restore", "photos", "out", "--jobs", str(jobs)]
    run = subprocess.Popen(
        [*command, "--with", str(weights), "--tile", "32"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # as a terminal has it
    )  # fmt: skip
    end = time.monotonic() + 120
    while not files(folder / "out"):
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)
    return run, psutil.Process(run.pid).children(recursive=True)


@pytest.mark.slow
@pytest.mark.parametrize(("how", "jobs"), [("Ctrl-C", 1), ("Ctrl-C", 2), ("killed", 2)])
def test_however_a_run_ends_its_processes_end_and_what_is_there_is_whole(folder, tiny_weights, how, jobs):
    (folder / "photos").mkdir()
    for i in range(9):
        save(folder / "photos" / f"{i}.png", Photo(values((100, 320, 3))))
    before = files(folder / "photos")
    run, processes = restoring(folder, tiny_weights, jobs)
    if how == "Ctrl-C":  # a terminal sends it to all processes
        os.killpg(run.pid, signal.SIGINT)
    else:
        run.kill()
    _, err = run.communicate(timeout=60)
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert not alive
    if how == "Ctrl-C":
        assert run.returncode == 130
        assert err.endswith("of 9 photos were done; --resume goes on\nanyir: interrupted\n")
        assert err.count("\n") == 2
    made = files(folder / "out")
    assert set(made) < {f"{i}.png" for i in range(9)}
    for name in made:
        assert read_photo(folder / "out" / name).pixels.shape == (100, 320, 3)
    assert files(folder / "photos") == before
