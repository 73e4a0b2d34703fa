"""Opening artifacts whose manifest promises what the program, or this machine, does not hold."""

import builtins
import hashlib
import json
import re
from pkgutil import resolve_name

import numpy as np
import pytest
from PIL import Image
from skimage import data

from anyir.conversion.artifact import import_runtime, load_artifact, open_artifact
from anyir.conversion.base import Promise, Unsupported
from anyir.conversion.manifest import Operators, Origin
from anyir.conversion.runtimes import find_runtime
from anyir.model import Restorer, load_weights
from anyir.model.config import TileSize
from anyir.model.errors import UserError
from anyir.model.restore.tile_models import LookModel, TorchModel
from tests.helpers.builds import FILES, retile, verify
from tests.helpers.command_line import anyir, anyir_process

RUNTIMES = pytest.mark.parametrize("runtime", FILES)


def test_an_unknown_runtime_is_refused_by_name(tmp_path):
    for call in (
        lambda: import_runtime("onnx", "cpu"),
        lambda: load_artifact(
            tmp_path / "x.onnx",
            Promise(64, TileSize.of(64), None, Origin("0" * 64, "onnx", "fp32", 64), "cpu"),
        ),
    ):
        known = "known: executorch, litert, coreml, coreai"
        with pytest.raises(UserError, match=f"unknown runtime 'onnx'; {known}"):
            call()


def test_an_unknown_backend_is_refused_and_what_there_is_is_listed():
    with pytest.raises(UserError, match="unknown backend of litert 'npu'; known: cpu, gpu"):
        import_runtime("litert", "npu")


def test_a_backend_that_exists_elsewhere_is_unsupported_and_its_programs_are_not_run(described):
    with pytest.raises(Unsupported, match="Vulkan programs run on Android"):
        import_runtime("executorch", "vulkan")
    path = described("executorch", lambda manifest: manifest.update(backend="vulkan"))
    code, row = verify(path)
    assert code == 0
    assert row["parity"].startswith("not compared here: Vulkan programs run on Android")


@RUNTIMES
@pytest.mark.parametrize("backend", ["metal", "npu", ""])
def test_a_backend_that_does_not_exist_is_refused(runtime, backend, described):
    path = described(runtime, lambda manifest: manifest.update(backend=backend))
    with pytest.raises(UserError, match=f"names an unknown backend of {runtime} '{backend}'"):
        open_artifact(path)
    code, row = verify(path)
    assert code == 1
    assert f"names an unknown backend of {runtime}" in row["reason"]


@RUNTIMES
@pytest.mark.parametrize("tile", [32, 128, 10**9])
def test_a_program_of_another_tile_than_its_manifest_s(runtime, tile, described):
    path = described(runtime, lambda manifest: retile(manifest, tile))
    message = f"{path.name} takes (1, 3, 64, 64); its manifest says tiles of {tile}"
    with pytest.raises(UserError) as caught:
        open_artifact(path)
    assert str(caught.value) == message
    code, row = verify(path)
    assert code == 1
    assert row["reason"] == message


@RUNTIMES
def test_a_program_of_another_type_than_its_manifest_s(runtime, described):
    def halved(manifest):
        for entry in manifest["entries"].values():
            for tensor in (*entry["inputs"], *entry["outputs"]):
                tensor["dtype"] = "float16"

    path = described(runtime, halved)
    with pytest.raises(UserError) as caught:
        open_artifact(path)
    assert str(caught.value) == f"{path.name} has image in float32; its manifest says float16"


@RUNTIMES
def test_a_program_of_one_size_whose_manifest_names_others(runtime, described):
    def more(manifest):
        other = {"height": 32, "width": 48, "parity": manifest["parity"]}
        manifest["other_sizes"] = [other]

    path = described(runtime, more)
    code, row = verify(path)
    assert code == 1
    assert row["reason"].endswith("takes tiles of one size; its manifest names other_sizes")


PART = Operators(total=9, delegated=5, partitions=2)
COUNTED = {
    "executorch": ("anyir.conversion.executorch.program.count", {"restore": PART}, "portable kernels"),
    "litert": ("anyir.conversion.litert.graph.count", PART, "built-in kernels"),
}


@RUNTIMES
def test_the_accelerator_says_what_ran_whatever_the_manifest_says(runtime, described, monkeypatch):
    def part(manifest):
        for entry in manifest["entries"].values():
            entry["operators"]["delegated"] = 5

    path = described(runtime, part)
    assert open_artifact(path).accelerator.endswith("(XNNPACK)")
    code, row = verify(path)
    assert code == 0
    said = r"; {}: (\d+) of \{} operators delegated here, calls: 1, and 5, calls: 1, by its manifest"
    assert re.fullmatch(f".*{said.format('look', 1)}{said.format('restore', 2)}", row["parity"])
    count, counted, kernels = COUNTED[runtime]
    monkeypatch.setattr(count, lambda *arguments: counted)
    assert open_artifact(path).accelerator.endswith(f"(XNNPACK and {kernels})")


def test_a_manifest_of_other_operators_is_refused(described):
    def more(manifest):
        manifest["entries"]["look"]["operators"]["total"] = 10**4

    code, row = verify(described("litert", more))
    assert code == 1
    assert re.fullmatch(r"its manifest says 10000 operators in look; loaded here: \d+", row["reason"])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda data: b"\x00\x06\xb0\x18\xee\xe5\x5d\xcd" * 2500, "is no ExecuTorch program: ET12 is due"),
        (lambda data: b"", "is no ExecuTorch program: ET12 is due"),
        (lambda data: data[: len(data) // 2], "the file is damaged, cut off, or of another version: Failed"),
    ],
    ids=["other bytes", "empty", "cut off"],
)
def test_what_is_no_program_is_one_line_and_no_crash(data, reason, tiny_artifacts, described):
    spoilt = data((tiny_artifacts / FILES["executorch"]).read_bytes())
    fits = {"sha256": hashlib.sha256(spoilt).hexdigest(), "bytes": len(spoilt)}
    path = described("executorch", lambda manifest: manifest.update(fits))
    path.write_bytes(spoilt)
    process = anyir_process("verify", path, "--json")
    assert process.returncode == 1, process.stderr
    [row] = json.loads(process.stdout)
    assert re.search(reason, row["reason"])
    assert "\n" not in row["reason"]


def test_a_program_loads_without_a_word_of_its_runtime(tiny_artifacts):
    process = anyir("verify", tiny_artifacts / FILES["executorch"])
    assert (process.returncode, process.stderr) == (0, "")


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (ModuleNotFoundError("No module named 'ai_edge_litert'", name="ai_edge_litert"), Unsupported, "pip"),
        (ImportError("libvndk.so: cannot open shared object file"), UserError, "libvndk.so: cannot open"),
    ],
    ids=["missing", "broken"],
)
def test_a_broken_runtime_is_not_a_missing_one(error, kind, message, described, monkeypatch):
    real = builtins.__import__

    def imported(name, *arguments, **named):
        if name.startswith("ai_edge_litert"):
            raise error
        return real(name, *arguments, **named)

    path = described("litert", lambda manifest: None)
    monkeypatch.setattr(builtins, "__import__", imported)
    with pytest.raises(UserError, match=message) as caught:
        open_artifact(path)
    assert type(caught.value) is kind


# Statistics ----------------------------------------------------------------------------------------


@pytest.fixture
def image():
    return np.random.default_rng(0).random((1, 3, 64, 64), dtype=np.float32)


@RUNTIMES
def test_statistics_stay_what_they_were_while_others_are_taken(runtime, tiny_artifacts, image):
    model = open_artifact(tiny_artifacts / FILES[runtime])
    assert isinstance(model, LookModel)
    own, others = model.look(image), model.look(image[..., ::-1] ** 2)
    first = model.restore(image, own)
    np.testing.assert_array_equal(model.restore(image, own), first)  # the inputs are still there
    other = model.restore(image, others)
    assert np.abs(other - first).max() > 1e-3
    np.testing.assert_array_equal(model.restore(image, own), first)
    np.testing.assert_array_equal(model(image), first)


@pytest.mark.parametrize("runtime", ["executorch", "litert"])
def test_a_photo_has_one_entry_loaded_at_a_time(runtime, described, image, tmp_path):
    path = described(runtime, lambda manifest: None)
    model = open_artifact(path)
    statistics = model.look(image)
    assert list(model._loaded) == ["look"]
    restored = model.restore(image, statistics)
    assert list(model._loaded) == ["restore"]
    np.testing.assert_array_equal(model(image), restored)  # looks and tiles in turn
    assert sorted(model._loaded) == ["look", "restore"]
    model = open_artifact(path)
    (tmp_path / "other").write_bytes(path.read_bytes())
    (tmp_path / "other").replace(path)
    with pytest.raises(UserError, match=rf"{path.suffix} changed while it was used; start again"):
        model.restore(image, statistics)


@RUNTIMES
def test_a_program_s_statistics_are_the_network_s(runtime, tiny_artifacts, tiny_weights, image):
    model, network = open_artifact(tiny_artifacts / FILES[runtime]), TorchModel(load_weights(tiny_weights))
    sheet = image[..., ::-1].copy() ** 2
    restored = model.restore(image, model.look(sheet))
    np.testing.assert_allclose(restored, network.restore(image, network.look(sheet)), atol=1e-5)


def changed(key):
    def change(manifest):
        if key == "weights":
            manifest["source"]["sha256"] = "1" * 64
        else:
            manifest["precision"] = "fp16"

    return change


@RUNTIMES
@pytest.mark.parametrize("key", ["weights", "precision"])
def test_statistics_of_another_program_are_refused_in_one_line(
    runtime, key, described, tiny_artifacts, image
):
    model = open_artifact(tiny_artifacts / FILES[runtime])
    other = open_artifact(described(runtime, changed(key)))
    with pytest.raises(UserError) as caught:
        model.restore(image, other.look(image))
    message = str(caught.value)
    assert message.startswith(f"statistics of {runtime} ")
    assert message.endswith(
        f"given to {model.name}, which is {model.promise.origin}: a program takes its own alone"
    )
    assert "\n" not in message
    assert ("weights 111111111111" if key == "weights" else "fp16") in message


@RUNTIMES
def test_statistics_of_the_network_or_another_tile_are_refused(runtime, tiny_artifacts, tiny_weights, image):
    model = open_artifact(tiny_artifacts / FILES[runtime])
    network = TorchModel(load_weights(tiny_weights))
    with pytest.raises(UserError, match="statistics of Statistics were given to tiny_"):
        model.restore(image, network.look(image))
    own = model.look(image)
    smaller = own._replace(origin=own.origin._replace(tile=32))
    with pytest.raises(UserError, match=r"statistics of .*, tile 32, .* tile 64, weights"):
        model.restore(image, smaller)


@RUNTIMES
def test_a_look_that_gives_nan_is_one_line(runtime, tiny_artifacts, image):
    model = open_artifact(tiny_artifacts / FILES[runtime])
    with pytest.raises(UserError) as caught:
        model.look(np.full_like(image, np.nan))
    assert str(caught.value) == (
        f"{model.name} on {model.accelerator} looked at the photo and returned NaN or infinity"
    )


@RUNTIMES
def test_nothing_is_written_after_such_a_look(runtime, tiny_artifacts, tmp_path, monkeypatch):
    Image.fromarray(np.zeros((80, 100, 3), np.uint8)).save(tmp_path / "photo.png")
    [backend, *_] = find_runtime(runtime).backends.values()
    runner = resolve_name(backend.runner)
    look = runner.run_look
    monkeypatch.setattr(runner, "run_look", lambda self, sheet: [v * np.nan for v in look(self, sheet)])
    program = tiny_artifacts / FILES[runtime]
    result = anyir("restore", tmp_path / "photo.png", tmp_path / "out.png", "--with", program)
    assert result.returncode == 1
    assert result.stderr.count("looked at the photo and returned NaN or infinity") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


@RUNTIMES
def test_a_photo_s_tiles_have_one_look(runtime, tiny_artifacts, tiny_weights):
    photo = data.chelsea()[:150, :200]
    restored = Restorer(tiny_artifacts / FILES[runtime])(photo)
    network = TorchModel(load_weights(tiny_weights))
    network.tile = 64  # looks at a sheet of 64, as the programs do
    assert np.abs(restored.astype(int) - Restorer(network)(photo)).max() <= 1
    alone = Restorer(tiny_artifacts / FILES[runtime], statistics="tile")(photo)
    assert np.abs(restored.astype(int) - alone).max() > 1
