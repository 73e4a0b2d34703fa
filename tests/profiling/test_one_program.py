"""The two entries beside the one program that they replace."""

import re

import pytest

from anyir.conversion.manifest import verify_artifact
from anyir.model.errors import UserError
from anyir.profiling.one_program import build_one, measure

FP32, FP16 = (f"tiny_litert_cpu_{precision}_64x64.tflite" for precision in ("fp32", "fp16"))
NAME = FP32.removesuffix(".tflite")


def test_both_forms_are_timed_in_turn(tiny_artifacts, tiny_weights, tmp_path, capsys):
    measure([tiny_artifacts / FP32], str(tiny_weights), tmp_path, runs=2)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{NAME} ")]
    time = r"\d+\.\d ms \(\d+\.\d\), (\d\.\d{3}) of one program"
    memory = r"peak memory \d+ MB, file \d+\.\d{2} MB"
    assert re.fullmatch(f"{NAME} one program: {time}", lines[0])[1] == "1.000"
    assert re.fullmatch(f"{NAME} one program: {memory}", lines[1])
    assert re.fullmatch(f"{NAME} restore: {time}", lines[2])
    assert re.fullmatch(f"{NAME} look: {time}", lines[3])
    assert re.fullmatch(f"{NAME} both entries: {memory}", lines[4])
    [one] = tmp_path.iterdir()
    before = one.stat().st_mtime_ns
    manifest = verify_artifact(tiny_artifacts / FP32)
    assert build_one(tiny_artifacts / FP32, manifest, tiny_weights, tmp_path) == one
    assert one.stat().st_mtime_ns == before


def test_what_cannot_be_compared_is_refused(tiny_artifacts, tiny_weights, tmp_path):
    with pytest.raises(UserError, match="is litert fp16; executorch or litert fp32 is due"):
        measure([tiny_artifacts / FP16], str(tiny_weights), tmp_path, runs=1)
    with pytest.raises(UserError, match="was made from other weights than small"):
        measure([tiny_artifacts / FP32], "small", tmp_path, runs=1)
    assert not list(tmp_path.iterdir())
