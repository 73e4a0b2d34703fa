"""``anyir teach``: a teacher's answers to photos, as files to learn from and to compare with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from anyir.model.teachers.answers import Answer


def run(
    photos: Annotated[Path, typer.Argument(metavar="PHOTOS", help="A folder of photos with one fault.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder of answers, kept from run to run.")],
    kind: Annotated[str, typer.Option(help="The fault: noise, rain, blur, haze, low_light.")],
    teacher: Annotated[
        Path, typer.Option(help="The unpacked npm package, with package.json and models/model.json.")
    ],
    python: Annotated[  # no Path, which makes ./python the python on PATH
        str, typer.Option(help="A Python interpreter that has TensorFlow and Pillow.")
    ],
    size: Annotated[int, typer.Option(min=64, help="Pixels that a photo's longer side may have.")] = 384,
    fit: Annotated[
        Literal["shrink", "crop"],
        typer.Option(help="Shrink larger photos, or take their middle: shrinking takes noise away."),
    ] = "shrink",
    every: Annotated[int, typer.Option(min=1, help="One photo in so many.")] = 1,
    minutes: Annotated[
        float | None,
        typer.Option(min=0, help="Begin no further photo after this; run it again to go on."),
    ] = None,
    judged: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of photos that you judge by: those are left out; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the record as JSON.")] = False,
) -> None:
    """Ask a network that was trained on real pairs, and keep those of its answers that mend the fault alone.

    What was answered before is not asked again; every answer is judged again.

    Example: [bold]anyir teach photos/rain answers/rain --kind rain --teacher maxim-deraining --python
    tensorflow/bin/python[/bold]
    """
    import json
    import sys
    from dataclasses import asdict

    from anyir.model.errors import UserError, unknown
    from anyir.model.teachers.answers import Answers, ask_all
    from anyir.model.teachers.filter import BOUNDS
    from anyir.model.teachers.judged import JudgedPhotos
    from anyir.model.teachers.worker import Teacher

    if kind not in BOUNDS:
        raise UserError(unknown("kind of teacher", kind, BOUNDS))
    answers = Answers(out, kind)
    heard: list[Answer] = []

    def told(answer: Answer) -> None:
        heard.append(answer)
        if not as_json:
            outcome = f"rejected: {answer.rejected}" if answer.rejected else "taken"
            print(f"{answer.photo}: {answer.seconds:.0f} s, {outcome}", flush=True)

    known = JudgedPhotos(judged or [])

    def leave_out(path: Path) -> bool:
        same = known.same_as(path)
        if same is not None:
            print(f"left out: {path} is {same}, which you judge by", file=sys.stderr)
        return same is not None

    left = ask_all(
        answers,
        photos,
        Teacher(teacher, python, size, fit),
        every=every,
        minutes=minutes,
        leave_out=leave_out,
        told=told,
    )
    taken = sum(not answer.rejected for answer in heard)
    if as_json:
        print(json.dumps({"left": left, "answers": [asdict(answer) for answer in heard]}, indent=2))
    print(f"{taken} of {len(heard)} answers taken, {left} photos left", file=sys.stderr)
