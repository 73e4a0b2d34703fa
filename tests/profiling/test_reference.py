import hashlib
import json
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

from anyir.conversion.samples import PHOTOS, as_input, make_cases
from anyir.model import PRESETS, AnyIR, load_weights
from anyir.model.checkpoint import save_weights
from anyir.model.data.degradation_registry import kinds_of
from anyir.model.errors import UserError
from anyir.model.files import sha256
from anyir.profiling.quality import PictureWriter
from anyir.profiling.reference import WEIGHTS_FILE, load_reference, make_reference
from tests.helpers.command_line import anyir
from tests.helpers.tiny import TILE


def test_the_set_is_every_photo_under_every_degradation():
    cases = make_cases(64)  # in a smaller one no streak of sparse rain may lie
    assert [(case.kind, case.photo) for case in cases] == [(k, p) for k in kinds_of("parity") for p in PHOTOS]
    for case in cases:
        assert case.degraded.shape == case.truth.shape == (3, 64, 64)
        assert case.degraded.dtype == case.truth.dtype == np.uint8
        assert (case.kind == "clean") == bool((case.degraded == case.truth).all())


def test_photos_smaller_than_the_tile_are_enlarged():
    assert make_cases(320)[-1].truth.shape == (3, 320, 320)  # chelsea is 300 pixels high


def test_the_set_is_always_the_same_bytes():
    truths = b"".join(case.truth.tobytes() for case in make_cases(32))
    assert hashlib.sha256(truths).hexdigest() == (
        "ec5f8eb60f4bbb25d2bffc5e8910d10efd199a9f7fbed027dd8ab1569f6a6f55"
    )
    first, second = ([case.degraded for case in make_cases(32)] for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_a_reference_is_the_same_again(reference, tiny_weights, tmp_path):
    again = make_reference(tiny_weights, TILE, tmp_path)
    assert again.cases == reference.cases
    assert again.files == reference.files
    assert again.digest() == reference.digest()


def test_a_reference_holds_the_literal_networks_outputs(reference, tiny_weights):
    loaded = load_reference(reference.folder)
    assert loaded == reference
    place = 4
    network = load_weights(tiny_weights)
    with torch.inference_mode():
        expected = network(torch.from_numpy(as_input(loaded.array("inputs")[place])))[0].numpy()
    np.testing.assert_allclose(loaded.array("outputs")[place], expected, atol=1e-5)
    assert loaded.accelerator.startswith("PyTorch C")
    digest = hashlib.sha256(loaded.array("outputs")[place].tobytes()).hexdigest()
    assert loaded.cases[place].output_sha256 == digest


def test_other_weights_give_another_digest(reference, tmp_path):
    save_weights(AnyIR(PRESETS["tiny"]), tmp_path / "other.safetensors")
    other = make_reference(tmp_path / "other.safetensors", TILE, tmp_path / "reference")
    assert other.digest() != reference.digest()
    assert [c.input_sha256 for c in other.cases] == [c.input_sha256 for c in reference.cases]


def test_progress_is_told(tiny_weights, tmp_path):
    told = []
    make_reference(
        tiny_weights, 16, tmp_path, on_start=lambda n: told.append(n), on_case=lambda: told.append(1)
    )
    assert told[0] == sum(told[1:]) == len(kinds_of("parity")) * len(PHOTOS)


def test_weights_that_change_meanwhile_are_not_those_of_the_reference(tiny_weights, tmp_path, monkeypatch):
    weights = tmp_path / "best.safetensors"
    shutil.copy(tiny_weights, weights)

    def cases(tile):
        weights.write_bytes(b"what a training that goes on has written")
        return make_cases(tile)

    monkeypatch.setattr("anyir.profiling.reference.make_cases", cases)
    made = make_reference(weights, 16, tmp_path / "reference")
    assert made.weights_sha256 == sha256(tiny_weights) == sha256(made.folder / WEIGHTS_FILE)


def test_the_preset_is_the_config_s_whatever_the_header_says(tmp_path):
    for preset in ("../x", 7, None):
        save_weights(AnyIR(PRESETS["tiny"]), tmp_path / "w.safetensors", notes={"preset": preset})
        assert make_reference(tmp_path / "w.safetensors", 16, tmp_path / "reference").preset == "tiny"


def test_a_folder_that_cannot_be_written_is_noticed_before_anything_runs(tiny_weights, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("anyir.profiling.reference.make_cases", lambda tile: pytest.fail("it ran"))
    with pytest.raises(OSError, match="file"):
        make_reference(tiny_weights, 16, tmp_path / "file")


@pytest.mark.parametrize("name", ["inputs.npy", "weights.safetensors", "reference.json"])
def test_files_of_no_reference_are_not_replaced(name, tiny_weights, tmp_path):
    (tmp_path / name).write_text("mine")
    with pytest.raises(UserError, match=f"{name} is there already, and .* reference; name another --out"):
        make_reference(tiny_weights, 16, tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


def test_a_full_disk_leaves_an_earlier_reference(tiny_weights, tmp_path):
    """The weights are the largest file, and written after the arrays."""
    made = make_reference(tiny_weights, 16, tmp_path)
    largest = max(path.stat().st_size for path in tmp_path.glob("*.npy"))
    assert largest < tiny_weights.stat().st_size
    code = f"""
import resource
from pathlib import Path
from anyir.profiling.reference import make_reference
resource.setrlimit(resource.RLIMIT_FSIZE, ({largest}, {largest}))
make_reference({str(tiny_weights)!r}, 8, Path({str(tmp_path)!r}))
"""
    full = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "File too large" in full.stderr
    assert load_reference(tmp_path) == made
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*made.files, "reference.json"])


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you"), UserError, "a smaller --tile"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), UserError, "not enough memory for tiles of 16"),
        (RuntimeError("CUDA error: an illegal memory access"), RuntimeError, "illegal memory access"),
    ],
)
def test_too_little_memory_names_what_helps(fault, error, message, tiny_weights, tmp_path, monkeypatch):
    def refuse(self, image):
        raise fault

    monkeypatch.setattr(AnyIR, "forward", refuse)
    with pytest.raises(error, match=message):
        make_reference(tiny_weights, 16, tmp_path)


def damage(folder, what):
    if what == "outputs":
        data = bytearray((folder / "outputs.npy").read_bytes())
        data[-1] ^= 1
        (folder / "outputs.npy").write_bytes(data)
    elif what == "json":
        (folder / "reference.json").write_text("{")
    elif what == "deep":
        (folder / "reference.json").write_text("[" * 100_000 + "]" * 100_000)
    elif what == "list":
        (folder / "reference.json").write_text("[]")
    elif what == "key":
        data = json.loads((folder / "reference.json").read_text())
        del data["tile"]
        (folder / "reference.json").write_text(json.dumps(data))
    elif what in ("torch", "preset", "notes", "cases", "tile", "weights"):
        data = json.loads((folder / "reference.json").read_text())
        values = {
            "torch": {"versions": {}},
            "preset": {"preset": 7},
            "notes": {"notes": []},
            "cases": {"cases": data["cases"][:-1]},
            "tile": {"tile": 32},
            "weights": {"weights_sha256": "0" * 64},
        }
        (folder / "reference.json").write_text(json.dumps({**data, **values[what]}))
    elif what == "version":
        data = json.loads((folder / "reference.json").read_text())
        (folder / "reference.json").write_text(json.dumps({**data, "schema": 2}))
    else:
        (folder / what).unlink()


def reworked(folder, change):
    """Lets ``change`` work on the index, then gives the arrays' files the hashes that fit them again."""
    data = json.loads((folder / "reference.json").read_text())
    change(data)
    data["files"] = {name: sha256(folder / name) for name in data["files"]}
    (folder / "reference.json").write_text(json.dumps(data))


def change_outputs(folder, data, change, hashes=True):
    outputs = change(np.load(folder / "outputs.npy"))
    np.save(folder / "outputs.npy", outputs)
    if hashes:
        for case, tile in zip(data["cases"], outputs, strict=False):
            case["output_sha256"] = hashlib.sha256(tile.tobytes()).hexdigest()


def with_nan(outputs):
    outputs[3, 0, 0, 0] = np.nan
    return outputs


def set_cases(data, **values):
    for case in data["cases"]:
        case.update(values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f, d: set_cases(d, output_sha256="0" * 64), "does not agree"),
        (lambda f, d: set_cases(d, input_sha256="0" * 64), "does not agree"),
        (lambda f, d: set_cases(d, truth_sha256="0" * 64), "does not agree"),
        (lambda f, d: change_outputs(f, d, lambda o: o + 1, hashes=False), "does not agree"),
        (lambda f, d: change_outputs(f, d, with_nan), "does not agree"),
        (lambda f, d: change_outputs(f, d, lambda o: o.astype(np.float64)), "does not agree"),
        (lambda f, d: change_outputs(f, d, lambda o: o.view(np.int32)), "does not agree"),
        (lambda f, d: change_outputs(f, d, lambda o: o[:-1]), "does not agree"),
        (lambda f, d: (f / "outputs.npy").write_bytes(b""), "cannot be read"),
        (lambda f, d: (f / "outputs.npy").write_bytes(b"junk" * 100), "cannot be read"),
        (lambda f, d: (f / "truths.npy").write_bytes(pickle.dumps([1])), "cannot be read"),
        (lambda f, d: np.save(f / "inputs.npy", np.array([{}, None])), "cannot be read"),
        (lambda f, d: np.savez((f / "inputs.npy").open("wb"), inputs=np.ones(3)), "cannot be read"),
        (lambda f, d: d.update(cases=[]), "is damaged"),
        (lambda f, d: set_cases(d, kind="x/../../../escaped"), "is damaged"),
        (lambda f, d: set_cases(d, kind="rain+"), "is damaged"),
        (lambda f, d: set_cases(d, kind="rain\n"), "is damaged"),
    ],
)
def test_what_fits_its_hashes_is_still_looked_at(change, message, reference, tmp_path):
    folder = tmp_path / "reference"
    shutil.copytree(reference.folder, folder)
    reworked(folder, lambda data: change(folder, data))
    with pytest.raises(UserError, match=message) as caught:
        load_reference(folder)
    assert "anyir reference" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["pytorch.x/../../../escaped", "/escaped", "..\\escaped"])
def test_no_picture_leaves_its_folder(name, tmp_path):
    (tmp_path / "a" / "pictures" / "pytorch.x").mkdir(parents=True)
    with pytest.raises(UserError, match="cannot be part of a picture's name"):
        PictureWriter(tmp_path / "a" / "pictures").write(name, np.zeros((3, 8, 8)))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("outputs", "is not the file that reference.json describes"),
        ("json", "is damaged"),
        ("list", "is damaged"),
        ("deep", "is damaged"),
        ("key", "is damaged"),
        ("torch", "is damaged"),
        ("preset", "is damaged"),
        ("notes", "is damaged"),
        ("cases", "does not agree with the files"),
        ("tile", "does not agree with the files"),
        ("weights", "does not agree with the files"),
        ("version", "of another version"),
        ("truths.npy", "lacks truths.npy"),
        ("reference.json", "there is no reference"),
    ],
)
def test_a_changed_reference_is_refused(what, message, reference, tmp_path):
    folder = tmp_path / "reference"
    shutil.copytree(reference.folder, folder)
    damage(folder, what)
    with pytest.raises(UserError, match=message) as caught:
        load_reference(folder)
    assert "anyir reference" in str(caught.value)


def test_the_command_writes_the_same_reference(reference, tiny_weights, tmp_path):
    process = anyir("reference", "--weights", tiny_weights, "--tile", TILE, "--out", tmp_path / "r", "--json")
    assert process.returncode == 0, process.stderr
    printed = json.loads(process.stdout)
    assert printed == json.loads((tmp_path / "r" / "reference.json").read_text())
    assert printed["weights_sha256"] == reference.weights_sha256
    assert [c["input_sha256"] for c in printed["cases"]] == [c.input_sha256 for c in reference.cases]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--tile", 100), 2, "not a multiple of 8"),
        (("--tile", 8), 2, "--tile"),
        (("--weights", "/nowhere"), 1, "anyir: no weights at /nowhere"),
        (("--weights", "WEIGHTS", "--tile", 16, "--out", "/proc/none"), 1, "/proc/none"),
    ],
)
def test_bad_usage_is_one_line(arguments, code, message, tiny_weights, tmp_path):
    arguments = [str(tiny_weights) if a == "WEIGHTS" else a for a in arguments]
    process = anyir("reference", "--out", tmp_path / "r", *arguments)
    assert process.returncode == code
    assert message in process.stderr
    assert "Traceback" not in process.stderr
    assert not (tmp_path / "r").exists()
    if code == 1:
        assert process.stderr.strip().count("\n") == 0
