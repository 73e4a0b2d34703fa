"""The programs that are compared: our two entries and other networks, by the same converters and settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from anyir.conversion import contract
from anyir.model.errors import UserError, one_line
from anyir.model.files import write_atomically
from anyir.profiling.bench.peers import PEERS, build_peer

RUNTIMES = {"litert": ".tflite", "executorch": ".pte"}
STRAIGHT = "anyir-straight"
"""The network as the paper writes it, converted without the deploy form's rewrites."""
OURS = {"anyir-look": contract.LOOK, "anyir-restore": contract.RESTORE}
"""Network of ours -> entry."""
NETWORKS = (*OURS, STRAIGHT, *PEERS)
FLOAT = "fp32"
PRECISIONS = (FLOAT, "int8", "mixed")
"""Those but the first: of our networks by ExecuTorch, quantized as `anyir convert` does it."""
FORWARD = "forward"


class Variant(NamedTuple):
    """What a program is made of."""

    network: str
    runtime: str
    precision: str = FLOAT

    def __str__(self) -> str:
        return f"{self.network} {self.runtime}" + (f" {self.precision}" if self.precision != FLOAT else "")

    @property
    def is_offered(self) -> bool:
        return self.precision == FLOAT or (self.network in OURS and self.runtime == "executorch")


@dataclass
class Program:
    """One network by one runtime at one size, as one program of one entry.

    Attributes:
        tile: side in pixels.
        precision: one of ``PRECISIONS``.
        parameters: of the network; None where that is no network of its own.
        multiply_adds: at this size.
        error: why it does not convert, in one line.
        calls, delegated, total: how often it enters XNNPACK, with how many of its operators.
    """

    network: str
    runtime: str
    tile: int
    precision: str = FLOAT
    parameters: int | None = None
    multiply_adds: int | None = None
    path: str | None = None
    bytes: int | None = None
    error: str | None = None
    calls: int | None = None
    delegated: int | None = None
    total: int | None = None

    @property
    def name(self) -> str:
        return str(Variant(self.network, self.runtime, self.precision))

    @property
    def file(self) -> Path:
        """Where the program is.

        Raises:
            UserError: it does not convert.
        """
        if self.path is None:
            raise UserError(f"{self.name} does not convert: {self.error}")
        return Path(self.path)

    def load_arrays(self) -> tuple[list[Any], list[Any]]:
        """What it is called with, and what PyTorch then gives."""
        with np.load(self.file.with_suffix(".npz")) as arrays:
            names = sorted(arrays.files)
            return [arrays[n] for n in names if n[0] == "i"], [arrays[n] for n in names if n[0] == "o"]

    def to_dict(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key != "path"}


def make_network(name: str, weights: Path, tile: int) -> tuple[Any, tuple[Any, ...]]:
    """A network by name as a module, and what it is called with: the tile first.

    Raises:
        UserError: not a weights file.
    """
    import torch

    from anyir.model.checkpoint import load_weights

    image = torch.from_numpy(example(tile))
    if name in PEERS:
        return build_peer(name), (image,)
    if name == STRAIGHT:
        return load_weights(weights), (image,)
    from anyir.model.deploy.network import to_deploy_pair

    look, restore = to_deploy_pair(load_weights(weights), tile, tile)
    if OURS[name] == contract.LOOK:
        return look, (image,)
    with torch.inference_mode():
        statistics = look(image)
    return restore, (image, *(statistic.clone() for statistic in statistics))


@lru_cache(maxsize=1)
def quantized(precision: str, weights: Path, tile: int) -> dict[str, Any]:
    """Both entries with convolutions in 8 bits, as ``anyir convert`` makes them for XNNPACK.

    Raises:
        UserError: there is no choice of convolutions for ``mixed`` beside these weights.
    """
    from anyir.conversion.executorch.quantize import quantize_mixed, quantize_static
    from anyir.conversion.source import Source

    source = Source(weights, tile)
    quantize = {"int8": quantize_static, "mixed": quantize_mixed}[precision]
    modules, _ = quantize(dict(source.deployed), source)
    return modules


def example(tile: int) -> Any:
    """(1, 3, T, T) of noise, the same each time."""
    return np.random.default_rng(0).random(contract.shape(tile), dtype=np.float32)


def build_programs(variants: list[Variant], weights: Path, tile: int, folder: Path) -> Iterator[Program]:
    """Convert networks, each for its runtime. One that cannot be converted is a program with its error.

    What lies in ``folder`` of the same weights, size and code is kept, unless it changed since.
    """
    import json

    digest = _digest(weights)
    folder.mkdir(parents=True, exist_ok=True)
    for variant in variants:
        stem = "_".join((*variant, str(tile), digest))
        path, about = folder / f"{stem}{RUNTIMES[variant.runtime]}", folder / f"{stem}.json"
        program = _kept(about, path)
        if program is None:
            program = _build(variant, weights, tile, path)
            record = {"program": asdict(program), "sha256": _digests(program, path)}
            write_atomically(about, json.dumps(record).encode())
        yield program


def _kept(about: Path, path: Path) -> Program | None:
    """The program of an earlier run; None where there is none, or not all of it is as it was written."""
    import json

    try:
        record = json.loads(about.read_text(encoding="utf-8"))
        program = Program(**record["program"])
        if record["sha256"] != _digests(program, path):
            return None
    except (OSError, ValueError, TypeError, KeyError):
        return None
    program.path = program.path and str(path)  # the folder may have moved
    return program


def _digests(program: Program, path: Path) -> dict[str, str]:
    """Of a program's file and of its arrays, by their suffixes; of one with an error, none."""
    from anyir.model.files import sha256

    files = [] if program.error else [path, path.with_suffix(".npz")]
    return {file.suffix: sha256(file) for file in files}


def _digest(weights: Path) -> str:
    """Of what programs are made of: weights, the code that converts, and the peers'."""
    import hashlib

    from anyir.conversion.digest import code_sha256
    from anyir.model.files import sha256

    here = Path(__file__).parent
    code = [code_sha256(), sha256(Path(__file__)), *map(sha256, sorted((here / "peers").glob("*.py")))]
    return f"{sha256(weights)[:8]}_{hashlib.sha256(''.join(code).encode()).hexdigest()[:8]}"


def _build(variant: Variant, weights: Path, tile: int, path: Path) -> Program:
    network, runtime, precision = variant
    module, inputs = make_network(network, weights, tile)
    program = Program(network, runtime, tile, precision)
    if network not in OURS:
        program.parameters = sum(parameter.numel() for parameter in module.parameters())
    program.multiply_adds = _count(module, inputs)
    try:
        if precision != FLOAT:
            module = quantized(precision, weights, tile)[OURS[network]]
        data, operators = CONVERTERS[runtime](module, inputs)
    except Exception as error:  # whatever a converter does not take, which is what is asked
        program.error = f"{type(error).__name__}: {_first_line(error)}"
        return program
    write_atomically(path, data)
    _save_arrays(path.with_suffix(".npz"), module, inputs)
    program.path, program.bytes = str(path), len(data)
    program.calls = operators.partitions
    program.delegated, program.total = operators.delegated, operators.total
    return program


def _save_arrays(path: Path, module: Any, inputs: tuple[Any, ...]) -> None:
    import torch

    with torch.inference_mode():
        given = module(*inputs)
    outputs = given if isinstance(given, list | tuple) else [given]
    arrays = {f"i{i:03}": value.numpy() for i, value in enumerate(inputs)}
    np.savez(path, **arrays, **{f"o{i:03}": value.numpy() for i, value in enumerate(outputs)})


def _count(module: Any, inputs: tuple[Any, ...]) -> int:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        module(*inputs)
    return int(counter.get_total_flops()) // 2


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return one_line(lines[0] if lines else "")[:200]


def _to_executorch(module: Any, inputs: tuple[Any, ...]) -> tuple[bytes, Any]:
    import torch

    from anyir.conversion.executorch.exporter import lower, whole_graph_partitioner
    from anyir.conversion.executorch.xnnpack_layout import free_rows

    with free_rows():
        lowered = lower({FORWARD: torch.export.export(module, inputs)}, whole_graph_partitioner())
    return bytes(lowered.data), lowered.operators[FORWARD]


def _to_litert(module: Any, inputs: tuple[Any, ...]) -> tuple[bytes, Any]:
    from anyir.conversion.litert.exporter import to_litert
    from anyir.conversion.litert.graph import count, load_first

    names = [contract.INPUT, *contract.statistic_names(len(inputs) - 1)] if inputs[1:] else [contract.INPUT]
    data = to_litert({FORWARD: (_Named(module, names).module, dict(zip(names, inputs, strict=True)))})
    return data, count(load_first(data).nodes)


class _Named:
    """A module that is called by its inputs' names."""

    def __init__(self, inner: Any, names: list[str]) -> None:
        from torch import nn

        class Module(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.inner = inner

            def forward(self, **inputs: Any) -> Any:
                return self.inner(*(inputs[name] for name in names))

        self.module = Module().eval()


CONVERTERS = {"executorch": _to_executorch, "litert": _to_litert}
"""Runtime -> what makes a program's bytes, and counts its operators."""
