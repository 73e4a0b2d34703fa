"""``anyir bench``: where a program's time goes, beside other networks and the processor's own rate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from anyir.model.config import DEFAULT_TILE, MOST_THREADS, SIZE_MULTIPLE
from anyir.model.errors import UserError, unknown


def run(
    weights: Annotated[str | None, typer.Option(help="A file or a shipped preset; default: small.")] = None,
    tile: Annotated[int, typer.Option(max=1024, help="Pixels a side, a multiple of 16.")] = DEFAULT_TILE,
    networks: Annotated[
        list[str] | None, typer.Option("--network", help="One of the networks; repeatable; default: all.")
    ] = None,
    runtimes: Annotated[
        list[str] | None, typer.Option("--runtime", help="litert or executorch; repeatable; default: both.")
    ] = None,
    precisions: Annotated[
        list[str] | None,
        typer.Option(
            "--precision",
            help="fp32, int8 or mixed, the latter of our networks by ExecuTorch; repeatable; default: fp32.",
        ),
    ] = None,
    skip: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN", help="Programs to leave out, such as 'nafnet* executorch'; repeatable."
        ),
    ] = None,
    runs: Annotated[
        int, typer.Option(min=0, help="Timed runs of each program; 0: convert and keep the programs only.")
    ] = 20,
    threads: Annotated[int, typer.Option(min=1, max=MOST_THREADS, help="CPU threads of each program.")] = 1,
    programs: Annotated[Path, typer.Option(help="Folder for the programs, which are kept.")] = Path(
        "build/bench"
    ),
    note: Annotated[str, typer.Option(help="What else the reader must know, such as other work here.")] = "",
    out: Annotated[Path, typer.Option(help="Results file.")] = Path("build/bench/results.json"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Convert this network and others by the same converters, and time them in turn with matrix products.

    Networks: look and restore of these weights; the network as the paper writes it, without rewrites;
    NAFNet, Restormer, PromptIR and MoCE-IR-S in their papers' shapes with random weights. One that does not
    convert is a row with its reason.

    Example: [bold]taskset -c 0 anyir bench --tile 256 --network anyir-restore --network nafnet-w32[/bold]
    """
    import os
    from fnmatch import fnmatchcase

    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table
    from rich.text import Text

    from anyir.model.checkpoint import find_weights
    from anyir.model.evaluation.tables import table_console
    from anyir.model.files import check_replaceable, is_json_with, write_atomically
    from anyir.model.processes import printing_to_stderr
    from anyir.profiling.bench.measure import GEMM, measure, operator_times
    from anyir.profiling.bench.programs import FLOAT, NETWORKS, PRECISIONS, RUNTIMES, Variant, build_programs
    from anyir.profiling.bench.results import HEADINGS, BenchResults, BenchRow, Gemm, findings, table
    from anyir.profiling.environment import describe_host

    if tile < 2 * SIZE_MULTIPLE or tile % (2 * SIZE_MULTIPLE):
        raise typer.BadParameter(f"--tile {tile}: a positive multiple of {2 * SIZE_MULTIPLE} is due")
    for what, names, known in (
        ("network", networks, NETWORKS),
        ("runtime", runtimes, RUNTIMES),
        ("precision", precisions, PRECISIONS),
    ):
        for name in names or []:
            if name not in known:
                raise UserError(unknown(what, name, known))
    found = find_weights(weights)
    check_replaceable(out, "results", is_json_with("schema_version", "rows", "products"))
    out.parent.mkdir(parents=True, exist_ok=True)
    terminal = Console(stderr=True)
    with Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        # Precisions before networks: both entries are quantized at once.
        asked = [
            Variant(network, runtime, precision)
            for runtime in runtimes or RUNTIMES
            for precision in precisions or [FLOAT]
            for network in networks or NETWORKS
        ]
        variants = [
            variant
            for variant in asked
            if variant.is_offered and not any(fnmatchcase(str(variant), pattern) for pattern in skip or [])
        ]
        if not variants:
            raise UserError("no such program is offered: int8 and mixed are of our networks by ExecuTorch")
        task = bar.add_task("converting", total=len(variants))
        built = []
        with printing_to_stderr():  # converters have a line or two for standard output
            for program in build_programs(variants, found, tile, programs):
                built.append(program)
                bar.update(task, advance=1, description=program.name)
        built.sort(key=lambda program: NETWORKS.index(program.network))
        good = [program for program in built if program.error is None]
        if not runs:
            for program in built:
                print(f"{program.name}: {program.error or program.path}")
            return
        task = bar.add_task("running", total=runs)
        samples, refused = measure(
            good, runs=runs, threads=threads, say=lambda done: bar.update(task, completed=done)
        )
        operators = {}
        for program in good:
            if program.runtime != "executorch" or program.name in refused:
                continue
            try:
                operators[program.name] = operator_times(program, threads, runs=5)
            except UserError as error:  # the samples are not lost for that
                terminal.print(f"{error}; its operators are left out", markup=False)
        for program in good:
            program.error = refused.get(program.name)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    results = BenchResults(
        schema_version=2,
        environment=describe_host(),
        note=note,
        threads=threads,
        cores_allowed=cores,
        rows=[
            BenchRow(
                **program.to_dict(),
                samples_ms=samples.get(program.name, []),
                operators_ms=operators.get(program.name),
            )
            for program in built
        ],
        products={
            name: Gemm(multiply_adds=a * b * c, samples_ms=samples[name]) for name, (a, b, c) in GEMM.items()
        },
    )
    write_atomically(out, results.to_json())
    if as_json:
        print(results.to_json().decode(), end="")
        return
    shown = Table(*HEADINGS)
    for row in table(results):
        shown.add_row(*map(Text, row))  # a reason may look like markup
    table_console().print(shown)
    print("\n".join(findings(results)))
    print(f"results: {out}")
