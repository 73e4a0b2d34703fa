"""A teacher in a process of its own, under a Python that has TensorFlow."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Literal, Self

from anyir.model.errors import UserError

PROGRAM = Path(__file__).with_name("maxim.py")
Fit = Literal["shrink", "crop"]


@dataclass(frozen=True)
class Teacher:
    """A network of an npm package, what runs it, and how large a photo it sees.

    Attributes:
        folder: the package's, with ``package.json`` and ``models/model.json``.
        python: an interpreter that has TensorFlow: a path, or a name that is looked up on PATH.
        size: pixels that the longer side of a photo may have.
        fit: what becomes of a larger one: it is shrunk, or cut to its middle, where shrinking would take the
            fault away.
    """

    folder: Path
    python: str
    size: int
    fit: Fit = "shrink"

    @property
    def name(self) -> str:
        """What answered, as ``answers.tsv`` has it.

        Raises:
            UserError: the folder is no such package.
        """
        try:
            package = json.loads((self.folder / "package.json").read_text(encoding="utf-8"))
            name, version = package["name"].rpartition("/")[2], package["version"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{self.folder} is no unpacked npm package: no package.json to read") from error
        return f"{name} {version}, {self.fit} {self.size}"


class TeacherProcess:
    """A running teacher: ``with TeacherProcess(teacher) as ask: seconds = ask(input, output)``.

    Raises:
        UserError: on entry, it cannot be started or ends before its network is loaded.
    """

    def __init__(self, teacher: Teacher) -> None:
        self.teacher = teacher

    def __enter__(self) -> Self:
        models = self.teacher.folder / "models"
        if not (models / "model.json").is_file():
            raise UserError(f"there is no {models / 'model.json'}: unpack what `npm pack` fetched")
        command = [self.teacher.python, str(PROGRAM), str(models)]
        self.complaints = TemporaryFile("w+", errors="replace")  # a pipe that nobody empties would block it
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.complaints, text=True
            )
        except OSError as error:
            self.complaints.close()
            raise UserError(f"{self.teacher.python} cannot be started ({error.strerror})") from error
        if "ready" not in self._hear():
            why = self._why_it_ended()
            self.complaints.close()
            raise UserError(why)
        return self

    def __call__(self, source: Path, target: Path) -> float:
        """Have one photo answered, from and into PNG files; returns the seconds that it took.

        Raises:
            UserError: it failed on this photo, or its process ended.
        """
        job = json.dumps({"input": str(source), "output": str(target)})
        try:
            self._pipe(self.process.stdin).write(job + "\n")
            self._pipe(self.process.stdin).flush()
        except OSError as error:
            raise UserError(self._why_it_ended()) from error
        said = self._hear()
        if not said:
            raise UserError(self._why_it_ended())
        if "error" in said:
            raise UserError(f"the teacher failed on {source}: {said['error']}")
        return float(said["seconds"])

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.complaints.close()

    def _hear(self) -> dict[str, Any]:
        """What it says next; empty if it has ended. A line that is no JSON is a library's."""
        for line in self._pipe(self.process.stdout):
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if isinstance(said, dict):
                return said
        return {}

    def _why_it_ended(self) -> str:
        self.process.wait()
        self.complaints.seek(0)
        last = (self.complaints.read().strip().splitlines() or ["it said nothing"])[-1]
        return f"{self.teacher.python} with {PROGRAM.name} ended ({last}); see docs/guides/teachers.md"

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe
