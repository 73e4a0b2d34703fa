"""Programs in turn beside matrix products: what converts, runs and is counted, and what does not."""

import json

import pytest
import torch
from torch import nn

from anyir.model.errors import UserError
from anyir.profiling.bench import programs
from anyir.profiling.bench.measure import GEMM, check_outputs, measure, operator_times
from anyir.profiling.bench.programs import CONVERTERS, Program, Variant, build_programs, example
from anyir.profiling.bench.results import BenchResults, findings, table
from anyir.profiling.environment import describe_host
from tests.helpers.command_line import anyir

TILE = 32


@pytest.fixture
def one_convolution(monkeypatch):
    """Every network is one convolution."""
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 8, 3, padding=1).eval()

    def make(name, weights, tile):
        return conv, (torch.from_numpy(example(tile)),)

    monkeypatch.setattr(programs, "make_network", make)


def test_what_does_not_convert_is_a_program_with_its_reason(
    one_convolution, monkeypatch, tiny_weights, tmp_path
):
    def refuse(module, inputs):
        raise NotImplementedError("complex tensors\nand more")

    monkeypatch.setitem(CONVERTERS, "executorch", refuse)
    variant = Variant("nafnet-w32", "executorch")
    [program] = build_programs([variant], tiny_weights, TILE, tmp_path)
    assert program.error == "NotImplementedError: complex tensors"
    assert program.multiply_adds == 3 * 8 * 9 * TILE * TILE
    monkeypatch.delitem(CONVERTERS, "executorch")  # kept: nothing is converted again
    assert list(build_programs([variant], tiny_weights, TILE, tmp_path)) == [program]
    with pytest.raises(UserError, match="nafnet-w32 executorch does not convert: NotImplemented"):
        _ = program.file


@pytest.mark.slow
def test_programs_run_in_turn_with_products(one_convolution, tiny_weights, tmp_path):
    variants = [Variant("nafnet-w32", "litert"), Variant("nafnet-w32", "executorch")]
    built = list(build_programs(variants, tiny_weights, TILE, tmp_path))
    assert [(program.error, program.calls) for program in built] == [(None, 1), (None, 1)]
    rounds = []
    samples, refused = measure(built, runs=2, threads=1, say=rounds.append)
    assert set(samples) == {*GEMM, "nafnet-w32 litert", "nafnet-w32 executorch"}
    assert refused == {}
    assert all(len(times) == 2 and min(times) > 0 for times in samples.values())
    assert rounds == [1, 2, 3, 4]
    assert any("Convolution" in kind for kind in operator_times(built[1], threads=1, runs=2))
    _, [due] = built[0].load_arrays()
    check_outputs(built[0], [due])
    with pytest.raises(UserError, match="of its range from PyTorch's"):
        check_outputs(built[0], [due + 1])
    with pytest.raises(UserError, match="0 outputs; PyTorch gives 1"):
        check_outputs(built[0], [])
    (tmp_path / "broken.npz").write_bytes(built[0].file.with_suffix(".npz").read_bytes())
    (tmp_path / "broken.tflite").write_bytes(b"nothing")
    broken = Program("broken", "litert", TILE, path=str(tmp_path / "broken.tflite"))
    samples, refused = measure([broken], runs=1, threads=1, say=rounds.append)
    assert set(samples) == {*GEMM}
    assert list(refused) == ["broken litert"]


def results_of(rows):
    fp32, int8 = GEMM
    products = {
        fp32: {"multiply_adds": 10**9, "samples_ms": [10.0, 12.0, 14.0]},
        int8: {"multiply_adds": 10**9, "samples_ms": [3.0]},
    }
    given = {"schema_version": 2, "note": "", "threads": 1, "cores_allowed": 1, "rows": rows}
    return BenchResults.model_validate_json(
        json.dumps({**given, "products": products, "environment": describe_host().model_dump(mode="json")})
    )


def row(network, runtime, precision, multiply_adds, samples):
    program = Program(
        network, runtime, TILE, precision, 17_000_000, multiply_adds, "x", 5_000_000, None, 1, 9, 9
    )
    return {**program.to_dict(), "samples_ms": samples, "operators_ms": None}


def test_a_table_has_rates_by_the_median_and_reasons(tmp_path):
    bad = Program("restormer", "executorch", TILE, error="TypeError: no")
    results = results_of(
        [
            row("nafnet-w32", "litert", "fp32", 2 * 10**9, [30.0, 48.0, 60.0]),
            row("anyir-look", "executorch", "int8", 10**9, [6.0]),
            {**bad.to_dict(), "samples_ms": [], "operators_ms": None},
        ]
    )
    first, second, third = table(results)
    assert first == ("nafnet-w32", "litert", "fp32", "17.00", "2.00", "5.0", "1", "48.0", "24.0", "50 %", "")
    assert second[7:] == ("6.0", "6.0", "200 %", "50 %")
    assert third[7] == "no: TypeError: no"
    path = tmp_path / "results.json"
    path.write_bytes(results.to_json())
    assert BenchResults.load(path) == results
    path.write_text("{}")
    with pytest.raises(UserError, match="holds no results of `anyir bench`"):
        BenchResults.load(path)


def test_findings_compare_rows_that_differ_in_one_thing():
    bad = Program("moce-ir-s", "executorch", TILE, error="TypeError: no")
    results = results_of(
        [
            row("anyir-restore", "litert", "fp32", 10**9, [20.0]),
            row("anyir-restore", "executorch", "fp32", 10**9, [30.0]),
            row("anyir-restore", "executorch", "int8", 10**9, [20.0]),
            row("nafnet-w32", "litert", "fp32", 2 * 10**9, [50.0]),
            {**bad.to_dict(), "samples_ms": [], "operators_ms": None},
        ]
    )
    assert findings(results) == [
        "moce-ir-s (fp32) has no figures by executorch: its row says why.",
        "anyir-restore by ExecuTorch takes 1.50 of the time by LiteRT.",
        "A multiply-add of ours takes, in times of one of nafnet-w32's: 0.80 (anyir-restore, litert).",
        "anyir-restore in int8 by executorch is 1.50 times as fast as in float32.",
        "The 8-bit product is 4.00 times as fast as the float32 one.",
    ]


@pytest.mark.slow
def test_eight_bits_are_of_the_quantized_module(one_convolution, monkeypatch, tiny_weights, tmp_path):
    variants = [Variant("anyir-restore", "executorch", precision) for precision in ("mixed", "int8")]
    pointwise = nn.Conv2d(3, 8, 1).eval()
    choose = programs.quantized
    monkeypatch.setattr(
        programs,
        "quantized",
        lambda precision, *where: (
            {"restore": pointwise} if precision == "int8" else choose(precision, *where)
        ),
    )
    [mixed, int8] = build_programs(variants, tiny_weights, TILE, tmp_path)
    assert "no choice of convolutions" in str(mixed.error)
    assert (int8.name, int8.error, int8.calls) == ("anyir-restore executorch int8", None, 1)
    assert int8.multiply_adds == 3 * 8 * 9 * TILE * TILE  # of the float network
    samples, _ = measure([int8], runs=1, threads=2, say=lambda done: None)
    assert min(samples[int8.name]) > 0


def test_wrong_names_and_sizes_are_one_line():
    unknown, size = anyir("bench", "--network", "nafnet"), anyir("bench", "--tile", "40")
    none = anyir("bench", "--network", "nafnet-w32", "--precision", "int8")
    assert none.returncode == 1
    assert "no such program is offered" in none.stderr
    assert (unknown.returncode, size.returncode) == (1, 2)
    assert "unknown network 'nafnet' (did you mean 'nafnet-w32'?)" in unknown.stderr
    assert "a positive multiple of 16 is due" in size.stderr


def test_results_replace_nothing_but_results(tiny_weights, tmp_path):
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(tiny_weights.read_bytes())
    refused = anyir("bench", "--weights", weights, "--out", weights, "--programs", tmp_path / "programs")
    assert refused.returncode == 1
    assert refused.stderr.endswith(
        "w.safetensors is there already, and no earlier results; name another --out\n"
    )
    assert weights.read_bytes() == tiny_weights.read_bytes()
    assert not (tmp_path / "programs").exists()


@pytest.mark.slow
def test_standard_output_is_the_results_alone(one_convolution, tiny_weights, tmp_path):
    """Without programs from before; LiteRT's converter prints a line of its own."""
    asked = ("--weights", tiny_weights, "--tile", TILE, "--network", "anyir-restore", "--runtime", "litert")
    files = ("--programs", tmp_path / "programs", "--out", tmp_path / "results.json")
    printed = anyir("bench", *asked, *files, "--runs", 1, "--json")
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout == (tmp_path / "results.json").read_text()
    [program] = (tmp_path / "programs").glob("*.tflite")
    made = program.read_bytes()
    program.write_bytes(made[: len(made) // 2])
    again = anyir("bench", *asked, *files, "--runs", 1)
    assert again.returncode == 0, again.stderr
    assert program.read_bytes() == made, "a damaged one is converted again"
    [headings] = [line for line in again.stdout.splitlines() if "ms/GMAC" in line]
    assert "of fp32 product" in headings
    assert "of int8 product" in headings
