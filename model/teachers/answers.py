"""A teacher's answers to a folder of photos, kept as files: what is there already is not asked again.

A folder of answers is a folder of pairs, which training and evaluation read:

- ``input/NAME.png``: the photo as the teacher saw it,
- ``target/NAME.png``: its answer;
- ``rejected/``: the answers that the filter refused, ``NAME.png``, with their photos, ``NAME.input.png``;
- ``answers.tsv``: a line each: photo, its digest, teacher, seconds, and why it was refused.
"""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from PIL import Image

from anyir.model.data.decode import read_float, read_pixels
from anyir.model.data.photo_bank import list_photos
from anyir.model.errors import UserError
from anyir.model.files import sha256, write_atomically
from anyir.model.photo.pixels import to_8_bits
from anyir.model.teachers.filter import judge_answer
from anyir.model.teachers.worker import Fit, Teacher, TeacherProcess

RECORD = "answers.tsv"
PHOTO, ANSWER, REJECTED = "input", "target", "rejected"


@dataclass(frozen=True)
class Answer:
    """One line of ``answers.tsv``.

    Attributes:
        photo: its path below the folder of photos.
        sha256: of the photo's file.
        teacher: what answered, and how large a photo it saw.
        seconds: that the answer took.
        rejected: why it is not learnt from; empty where it is.
    """

    photo: str
    sha256: str
    teacher: str
    seconds: float
    rejected: str = ""

    @property
    def name(self) -> str:
        """Of its files: subfolders become a part of it."""
        return Path(self.photo).with_suffix(".png").as_posix().replace("/", "__")


class Answers:
    """The answers in a folder.

    Args:
        folder: made if it is not there.
        kind: the fault, a key of ``anyir.model.teachers.filter.BOUNDS``.

    Raises:
        UserError: a record that cannot be read, or a folder of other files, which stay as they are.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        if folder.exists() and not (folder / RECORD).is_file():
            if not folder.is_dir():
                raise UserError(f"{folder} is a file; name a folder for the answers")
            if any(folder.iterdir()):
                raise UserError(f"{folder} holds files and no {RECORD}, which are kept; name another folder")
        self.folder, self.kind = folder, kind
        self.lines = {answer.photo: answer for answer in _read(folder / RECORD)}

    def files(self, answer: Answer) -> tuple[Path, Path]:
        """Where its photo and the teacher's answer are."""
        if answer.rejected:
            name = answer.name.removesuffix(".png")
            return self.folder / REJECTED / f"{name}.input.png", self.folder / REJECTED / answer.name
        return self.folder / PHOTO / answer.name, self.folder / ANSWER / answer.name

    def has(self, photo: str, digest: str, teacher: str) -> bool:
        """Whether this teacher has answered to this very photo, and its files are there."""
        answer = self.lines.get(photo)
        if answer is None or (answer.sha256, answer.teacher) != (digest, teacher):
            return False
        return all(path.is_file() for path in self.files(answer))

    def judge(self, answer: Answer) -> Answer:
        """Let the filter judge it anew, put its files where they belong, and record it."""
        here = self.files(answer)
        why = judge_answer(read_float(here[0]), read_float(here[1]), self.kind)
        judged = replace(answer, rejected=why)
        for old, new in zip(here, self.files(judged), strict=True):
            new.parent.mkdir(parents=True, exist_ok=True)
            os.replace(old, new)
        self.lines[answer.photo] = judged
        self.record()
        return judged

    def record(self) -> None:
        """Write ``answers.tsv``."""
        text = io.StringIO()
        columns = [field.name for field in fields(Answer)]
        writer = csv.DictWriter(text, columns, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(answer) for answer in self.lines.values())
        write_atomically(self.folder / RECORD, text.getvalue().encode(errors="surrogateescape"))


def ask_all(
    answers: Answers,
    photos: Path,
    teacher: Teacher,
    *,
    every: int = 1,
    minutes: float | None = None,
    leave_out: Callable[[Path], bool] = lambda path: False,
    start: Callable[[Teacher], TeacherProcess] = TeacherProcess,
    told: Callable[[Answer], None] = lambda answer: None,
) -> int:
    """Have the photos answered that are not yet, and every answer judged; returns how many are left.

    Args:
        answers: where they go.
        photos: a folder of photos, searched below.
        teacher: whom to ask; it is started only if there is something to ask.
        every: one photo in so many.
        minutes: after which no further photo is begun; None for all.
        leave_out: whether a photo is not to be learnt from; an answer that it had is removed.
        start: what makes a process of the teacher.
        told: called after each that was answered or judged again.

    Raises:
        UserError: no photos, photos that lie among the answers or the other way round, two whose answers
            would have one name, a photo that cannot be read, or a teacher that fails; what was answered
            before is kept.
    """
    began = time.monotonic()
    _check_apart(photos, answers.folder)
    listed = list_photos([photos])[::every]
    for path in [path for path in listed if leave_out(path)]:
        listed.remove(path)
        if _forget(answers, path.relative_to(photos).as_posix()):
            answers.record()
    names: dict[str, Path] = {}
    open_: list[tuple[Path, Answer]] = []
    for path in listed:
        asked = Answer(path.relative_to(photos).as_posix(), sha256(path), teacher.name, 0.0)
        if names.setdefault(asked.name, path) is not path:
            raise UserError(f"{path} and {names[asked.name]} would have one answer, {asked.name}; rename one")
        if answers.has(asked.photo, asked.sha256, asked.teacher):
            told(answers.judge(answers.lines[asked.photo]))
        else:
            open_.append((path, asked))
    if not open_:
        return 0
    with start(teacher) as ask:
        answers.record()  # first: of a run that is ended here, the folder is known as one of answers
        for place, (path, asked) in enumerate(open_):
            if minutes is not None and time.monotonic() - began > 60 * minutes:
                return len(open_) - place
            source, target = answers.files(asked)
            for folder in (source.parent, target.parent):
                folder.mkdir(parents=True, exist_ok=True)
            _forget(answers, asked.photo)
            fitted(path, teacher.size, teacher.fit).save(source, "PNG")
            told(answers.judge(replace(asked, seconds=ask(source, target))))
    return 0


def fitted(path: Path, size: int, fit: Fit) -> Image.Image:
    """A photo, 8 bits, RGB, with no side above ``size``: shrunk (Lanczos), or its middle.

    Raises:
        UserError: it cannot be read.
    """
    image = Image.fromarray(to_8_bits(read_pixels(path)))
    if fit == "shrink":
        image.thumbnail((size, size), Image.Resampling.LANCZOS)
        return image
    width, height = min(size, image.width), min(size, image.height)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _check_apart(photos: Path, answers: Path) -> None:
    """Photos are searched below their folder: an answer there would be the next run's photo."""
    asked, out = photos.resolve(), answers.resolve()
    if asked.is_relative_to(out) or out.is_relative_to(asked):
        raise UserError(f"one of {photos} and {answers} lies in the other; keep photos and answers apart")


def _forget(answers: Answers, photo: str) -> bool:
    """Remove an older answer, of another photo or teacher; whether there was one."""
    old = answers.lines.pop(photo, None)
    for path in answers.files(old) if old else ():
        path.unlink(missing_ok=True)
    return old is not None


def _read(path: Path) -> list[Answer]:
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
        return [Answer(**{**row, "seconds": float(row["seconds"])}) for row in rows]  # type: ignore[arg-type]
    except (csv.Error, TypeError, KeyError, ValueError) as error:
        raise UserError(f"{path} is no record of a teacher's answers; name another folder") from error
