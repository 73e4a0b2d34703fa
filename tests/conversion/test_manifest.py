import json
import shutil
import subprocess

import jsonschema
import pytest
import torch

from anyir.conversion.manifest import (
    SCHEMA_FILE,
    Manifest,
    manifest_path,
    schema_text,
    verify_artifact,
)
from anyir.conversion.runtimes import SUFFIXES
from anyir.conversion.tree import tree_sha256
from anyir.model import AnyIR, AnyIRConfig
from anyir.model.deploy.network import to_deploy_pair
from anyir.model.errors import UserError
from anyir.model.files import sha256

TFLITE = "tiny_litert_cpu_fp32_64x64.tflite"


@pytest.fixture
def copied(tiny_artifacts, tmp_path):
    """One artifact and its manifest, to be damaged."""
    shutil.copy(tiny_artifacts / TFLITE, tmp_path)
    shutil.copy(manifest_path(tiny_artifacts / TFLITE), tmp_path)
    return tmp_path / TFLITE


def test_published_schema_is_the_model_s():
    assert SCHEMA_FILE.read_text() == schema_text(), "run python -m anyir.conversion.manifest"


def test_manifests_are_by_the_published_schema(tiny_artifacts):
    schema = json.loads(SCHEMA_FILE.read_text())
    artifacts = [p for p in tiny_artifacts.iterdir() if p.suffix in SUFFIXES]
    assert len(artifacts) == 8
    for artifact in artifacts:
        data = json.loads(manifest_path(artifact).read_text())
        jsonschema.validate(data, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**data, "surplus": 1}, schema)
        assert Manifest.load(manifest_path(artifact)).to_json() == manifest_path(artifact).read_text()


def test_manifest_names_its_source_and_contract(tiny_artifacts, tiny_weights):
    manifest = verify_artifact(tiny_artifacts / TFLITE)
    assert manifest.source.sha256 == sha256(tiny_weights)
    assert manifest.source.preset == "tiny"
    look, restore = manifest.entries.look, manifest.entries.restore
    assert [t.name for t in look.inputs] == ["image"]
    assert [t.name for t in restore.outputs] == ["restored"]
    for image in (look.inputs[0], restore.inputs[0], restore.outputs[0]):
        assert (image.shape, image.layout, image.range) == ([1, 3, 64, 64], "NCHW", [0, 1])
    assert restore.inputs[1:] == look.outputs
    shapes = statistic_shapes(manifest.source.config)
    assert [t.shape for t in look.outputs] == shapes
    assert {(t.layout, t.range, t.dtype) for t in look.outputs} == {("opaque", None, "float32")}
    assert sorted(t.name for t in look.outputs) == [t.name for t in look.outputs]
    assert manifest.bytes == (tiny_artifacts / TFLITE).stat().st_size
    assert "litert-torch" in manifest.versions
    # Nothing of the machine it was built on.
    assert str(tiny_weights.parent) not in manifest_path(tiny_artifacts / TFLITE).read_text()


def statistic_shapes(config):
    """As the deploy form gives them."""
    look, _ = to_deploy_pair(AnyIR(AnyIRConfig.from_dict(config)), 16, 16)
    with torch.inference_mode():
        return [list(statistic.shape) for statistic in look(torch.zeros(1, 3, 16, 16))]


def test_changed_bytes_are_noticed(copied):
    data = bytearray(copied.read_bytes())
    data[len(data) // 2] ^= 1
    copied.write_bytes(data)
    with pytest.raises(UserError, match="changed since it was built"):
        verify_artifact(copied)


@pytest.mark.parametrize("name", ["other.tflite", "../other.tflite", "/etc/hostname"])
def test_manifest_of_another_file(copied, name):
    data = json.loads(manifest_path(copied).read_text())
    manifest_path(copied).write_text(json.dumps({**data, "file": name}))
    with pytest.raises(UserError, match="describes"):
        verify_artifact(copied)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "other"}, "names the program 'other', not 'tiny_litert_cpu_fp32_64x64'"),
        ({"runtime": "executorch"}, "says executorch, whose programs end in .pte, not in .tflite"),
        ({"runtime": "onnx"}, "runtime: Input should be 'executorch', 'litert', 'coreml' or 'coreai'"),
        ({"bytes": 7}, "its manifest says 7"),
    ],
    ids=["name", "runtime", "unknown runtime", "bytes"],
)
def test_what_a_manifest_says_of_its_file_is_checked(change, message, copied):
    data = json.loads(manifest_path(copied).read_text())
    manifest_path(copied).write_text(json.dumps({**data, **change}))
    with pytest.raises(UserError) as caught:
        verify_artifact(copied)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("where", "shape", "message"),
    [
        (("restore", "outputs", 0), [], "`restore` gives []; [1, 3, 64, 64] is due"),
        (("restore", "inputs", 0), [1, 3, 128, 128], "`restore` takes [1, 3, 128, 128]; [1, 3, 64, 64]"),
        (("look", "inputs", 0), [3, 64, 64], "`look` takes [3, 64, 64]; [1, 3, 64, 64] is due"),
        (("restore", "inputs", 0), [1, 3, -64, -64], "Input should be greater than 0"),
    ],
)
def test_shapes_that_are_not_the_tile_s(where, shape, message, copied):
    data = json.loads(manifest_path(copied).read_text())
    entry, side, index = where
    data["entries"][entry][side][index]["shape"] = shape
    manifest_path(copied).write_text(json.dumps(data))
    with pytest.raises(UserError) as caught:
        verify_artifact(copied)
    assert message in str(caught.value)


@pytest.mark.parametrize("value", [1e308, -1e7])
def test_a_sample_that_no_image_holds(value, copied):
    data = json.loads(manifest_path(copied).read_text())
    data["parity"]["samples"][0]["values"][5] = value
    manifest_path(copied).write_text(json.dumps(data))
    with pytest.raises(UserError, match=r"parity\.samples\.0\.values\.5: Input should be"):
        verify_artifact(copied)


@pytest.mark.parametrize("target", ["weights", "weights/weight.bin"])
def test_a_link_in_an_artifact_is_refused(target, tmp_path):
    folder = tmp_path / "a.mlpackage"
    (folder / "weights").mkdir(parents=True)
    (folder / "weights/weight.bin").write_bytes(b"weights")
    elsewhere = tmp_path / "elsewhere"
    (folder / target).rename(elsewhere)
    (folder / target).symlink_to(elsewhere)
    with pytest.raises(UserError, match=f"a.mlpackage holds a link, {target}; files and folders are due"):
        tree_sha256(folder)


@pytest.mark.parametrize(
    ("text", "version"),
    [("{}", 1), ('{"name": "tiny", "operators": {}}', 1), ('{"schema_version": 3}', 3)],
)
def test_a_manifest_of_another_version_is_refused_by_its_version(copied, text, version):
    manifest_path(copied).write_text(text)
    with pytest.raises(UserError) as caught:
        verify_artifact(copied)
    assert str(caught.value) == (
        f"{manifest_path(copied)} is a manifest of schema {version}; 2 is due: "
        "build the artifact again with `anyir convert`"
    )


@pytest.mark.parametrize("text", ["", "[1]", '{"schema_version": 2}', "\xff", "[" * 10**5])
def test_what_is_no_manifest(copied, text):
    manifest_path(copied).write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError):
        verify_artifact(copied)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("sha256",), "abc"),
        (("source", "sha256"), "../x"),
        (("bytes",), -1),
        (("entries", "look", "operators", "delegated"), -1),
        (("entries", "restore", "operators", "delegated"), 10**6),
        (("entries", "look", "outputs", 0, "shape"), [2, 4, 5]),
        (("entries", "restore", "inputs"), []),
        (("parity", "bounds"), {}),
        (("parity", "bounds", "psnr"), None),
        (("parity", "samples", 0, "case"), -1),
    ],
)
def test_values_that_no_build_writes_are_named_in_one_line(copied, path, value):
    data = json.loads(manifest_path(copied).read_text())
    target = data
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    manifest_path(copied).write_text(json.dumps(data))
    with pytest.raises(UserError, match="is not a manifest by schema 2") as caught:
        verify_artifact(copied)
    assert path[0] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files(copied, tmp_path):
    with pytest.raises(UserError, match="no artifact"):
        verify_artifact(tmp_path / "missing.pte")
    with pytest.raises(UserError, match="is no artifact"):
        verify_artifact(manifest_path(copied))
    manifest_path(copied).unlink()
    with pytest.raises(UserError, match="anyir convert"):
        verify_artifact(copied)


def test_a_file_that_cannot_be_read_is_one_line(copied, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("anyir.conversion.tree.sha256", denied)
    with pytest.raises(UserError, match=r"cannot be read .*Permission denied"):
        verify_artifact(copied)


def test_hash_of_a_folder_is_what_sha256sum_makes_of_it(tmp_path):
    (tmp_path / "a/deep").mkdir(parents=True)
    (tmp_path / "a/deep/x.bin").write_bytes(b"x")
    (tmp_path / "a/b.txt").write_bytes(b"b")
    command = "find . -type f -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum | sha256sum"
    printed = subprocess.run(command, shell=True, cwd=tmp_path / "a", capture_output=True, text=True).stdout
    assert tree_sha256(tmp_path / "a") == printed.split()[0]
