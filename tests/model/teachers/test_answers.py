"""A teacher's answers as files: kept, resumed, judged again; and the process that gives them."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from anyir.model.data.discovery import find_dataset
from anyir.model.errors import UserError
from anyir.model.teachers import answers as module
from anyir.model.teachers.answers import Answers, ask_all, fitted
from anyir.model.teachers.judged import JudgedPhotos
from anyir.model.teachers.maxim import read_constants
from anyir.model.teachers.worker import Teacher, TeacherProcess
from tests.helpers import datasets as made
from tests.helpers.command_checks import files as contents

TENSORFLOW = """
import json, sys
print("a library says hello")
print(json.dumps({"ready": 1}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    if "broken" in job["input"]:
        print(json.dumps({"error": "ValueError: too broken"}), flush=True)
        continue
    if "crash" in job["input"]:
        sys.exit("out of everything")
    open(job["output"], "wb").write(open(job["input"], "rb").read())
    print(json.dumps({"seconds": 1.5}), flush=True)
"""


class Smoother:
    """A teacher in this process: a blur, or what a photo that is named ``same`` was."""

    asked: list[str]

    def __init__(self, teacher):
        self.teacher = teacher

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def __call__(self, source, target):
        Smoother.asked.append(source.name)
        with Image.open(source) as image:
            radius = 0 if "same" in source.name else 0.9
            image.filter(ImageFilter.GaussianBlur(radius)).save(target)
        return 2.0


class Interrupted(Smoother):
    def __call__(self, source, target):
        raise KeyboardInterrupt


@pytest.fixture
def teacher(tmp_path):
    """A folder like an unpacked package; nothing runs it."""
    folder = tmp_path / "maxim"
    (folder / "models").mkdir(parents=True)
    (folder / "models/model.json").write_text("{}")
    (folder / "package.json").write_text('{"name": "@upscalerjs/maxim-denoising", "version": "0.1.0"}')
    Smoother.asked = []
    return Teacher(folder, sys.executable, size=40)


@pytest.fixture
def photos(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("a", "sub/b", "same"):
        noise = rng.normal(0, 20, (64, 72, 3))
        pixels = np.clip(made.data.coffee()[80:144, 200:272] + noise, 0, 255)
        made.write(tmp_path / f"photos/{name}.png", pixels.astype(np.uint8))
    return tmp_path / "photos"


def ask(tmp_path, photos, teacher, **options):
    return ask_all(Answers(tmp_path / "out", "noise"), photos, teacher, start=Smoother, **options)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))


def test_answers_are_pairs_and_refused_ones_lie_apart(tmp_path, photos, teacher):
    assert ask(tmp_path, photos, teacher) == 0
    out = tmp_path / "out"
    assert files(out) == [
        "input/a.png", "input/sub__b.png", "rejected/same.input.png", "rejected/same.png",
        "target/a.png", "target/sub__b.png",
    ]  # fmt: skip
    pairs = find_dataset("pairs", "train", out).pairs
    assert [(pair.degraded.name, pair.clean.name) for pair in pairs] == [
        ("a.png", "a.png"),
        ("sub__b.png", "sub__b.png"),
    ]
    assert Image.open(out / "input/a.png").size == (40, 36)
    lines = (out / "answers.tsv").read_text().splitlines()
    assert lines[0] == "photo\tsha256\tteacher\tseconds\trejected"
    assert [line.split("\t")[4] for line in lines[1:]] == ["", "nothing changed", ""]
    assert all("maxim-denoising 0.1.0, shrink 40" in line for line in lines[1:])


def test_what_is_answered_is_not_asked_again(tmp_path, photos, teacher):
    assert ask(tmp_path, photos, teacher, minutes=0) == 3
    assert Smoother.asked == []
    assert ask(tmp_path, photos, teacher, every=2) == 0
    assert len(Smoother.asked) == 2
    assert ask(tmp_path, photos, teacher) == 0
    assert len(Smoother.asked) == 3
    assert ask(tmp_path, photos, teacher) == 0
    assert len(Smoother.asked) == 3
    (tmp_path / "out/target/a.png").unlink()
    made.write(photos / "same.png", made.photo(4, 64))  # another photo under the old name
    assert ask(tmp_path, photos, teacher) == 0
    assert len(Smoother.asked) == 5
    assert ask(tmp_path, photos, Teacher(teacher.folder, teacher.python, size=32)) == 0
    assert len(Smoother.asked) == 8


def test_another_filter_moves_the_files(tmp_path, photos, teacher, monkeypatch):
    ask(tmp_path, photos, teacher)
    monkeypatch.setattr(module, "judge_answer", lambda photo, answer, kind: "looks odd")
    ask(tmp_path, photos, teacher)
    assert len(Smoother.asked) == 3
    assert not list((tmp_path / "out/target").iterdir())
    assert len(list((tmp_path / "out/rejected").iterdir())) == 6


def test_the_middle_is_taken_where_shrinking_would_hide_the_fault(tmp_path):
    path = made.write(tmp_path / "a.png", made.photo(0, 64))
    assert (np.asarray(fitted(path, 40, "crop")) == made.photo(0, 64)[12:52, 12:52]).all()
    assert fitted(path, 100, "crop").size == fitted(path, 100, "shrink").size == (64, 64)


def test_a_folder_of_other_files_stays_as_it_is(command, tmp_path, photos, teacher):
    mine = tmp_path / "mine"
    made.write(mine / "input/a.png", made.photo(1, 64))
    made.write(mine / "target/a.png", made.photo(2, 64))
    before = contents(tmp_path)
    for out, message in (
        (mine, "mine holds files and no answers.tsv, which are kept; name another folder"),
        (mine / "input/a.png", "a.png is a file; name a folder for the answers"),
    ):
        code, said, err = command(
            "teach", photos, out, "--kind", "noise", "--teacher", teacher.folder, "--python", sys.executable
        )
        assert (code, said, err.count("\n")) == (1, "", 1)
        assert message in err
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("asked", "out"), [("out", "out"), ("out/input", "out"), ("photos", "photos/answers"), (".", "out")]
)
def test_answers_are_no_photos(tmp_path, photos, teacher, asked, out):
    ask(tmp_path, photos, teacher)
    before = contents(tmp_path)
    with pytest.raises(UserError, match="lies in the other; keep photos and answers apart"):
        ask_all(Answers(tmp_path / out, "noise"), tmp_path / asked, teacher, start=Smoother)
    assert contents(tmp_path) == before


def test_a_run_that_was_ended_goes_on(tmp_path, photos, teacher):
    with pytest.raises(KeyboardInterrupt):
        ask_all(Answers(tmp_path / "out", "noise"), photos, teacher, start=Interrupted)
    assert files(tmp_path / "out") == ["input/a.png"]
    assert ask(tmp_path, photos, teacher) == 0


def test_a_name_that_is_no_utf8_is_recorded(tmp_path, photos, teacher):
    (photos / "a.png").rename(photos / os.fsdecode(b"a\xff.png"))
    for _ in range(2):
        assert ask(tmp_path, photos, teacher) == 0
        assert len(Smoother.asked) == 3
    assert b"\na\xff.png\t" in (tmp_path / "out/answers.tsv").read_bytes()


def test_two_photos_of_one_name_are_refused(tmp_path, photos, teacher):
    made.write(photos / "a.jpg", made.photo(0, 64))
    with pytest.raises(UserError, match=r"a.png and .*a.jpg would have one answer, a.png; rename one"):
        ask(tmp_path, photos, teacher)


@pytest.mark.parametrize("text", ["photo\tsha256\n1\t2\n", "photo\tsha256\tteacher\tseconds\n1\t2\t3\tx\n"])
def test_a_record_that_cannot_be_read_is_one_line(tmp_path, text):
    (tmp_path / "answers.tsv").write_text(text)
    with pytest.raises(UserError, match=r"answers.tsv is no record of a teacher's answers"):
        Answers(tmp_path, "noise")


def test_a_process_answers_and_its_troubles_are_one_line(tmp_path, teacher, monkeypatch):
    program = tmp_path / "program.py"
    program.write_text(TENSORFLOW)
    monkeypatch.setattr("anyir.model.teachers.worker.PROGRAM", program)
    made.write(tmp_path / "a.png", made.photo())
    with TeacherProcess(teacher) as process:
        assert process(tmp_path / "a.png", tmp_path / "b.png") == 1.5
        assert (tmp_path / "b.png").read_bytes() == (tmp_path / "a.png").read_bytes()
        with pytest.raises(UserError, match=r"the teacher failed on .*broken.png: ValueError: too broken"):
            process(tmp_path / "broken.png", tmp_path / "c.png")
        with pytest.raises(UserError, match=r"program.py ended \(out of everything\)"):
            process(tmp_path / "crash.png", tmp_path / "c.png")
    assert process.process.poll() is not None


def test_a_python_without_tensorflow_says_so(teacher):
    with pytest.raises(UserError, match=r"maxim.py ended \(.*No module named 'tensorflow'\)"):
        TeacherProcess(teacher).__enter__()


def test_constants_are_unpacked_as_the_package_has_them(tmp_path):
    values = np.array([[0.5, -1.0], [2.0, 3.0]], "<f4")
    packed = np.array([0, 128, 255], np.uint8)
    data = values.tobytes() + packed.tobytes() + np.array([7], "<i4").tobytes()
    (tmp_path / "one.bin").write_bytes(data[:10])
    (tmp_path / "two.bin").write_bytes(data[10:])
    quantization = {"dtype": "uint8", "scale": 0.1, "min": -2.0}
    weights = [
        {"name": "w", "shape": [2, 2], "dtype": "float32"},
        {"name": "q", "shape": [3], "dtype": "float32", "quantization": quantization},
        {"name": "n", "shape": [], "dtype": "int32"},
    ]
    found = read_constants(tmp_path, [{"paths": ["one.bin", "two.bin"], "weights": weights}])
    np.testing.assert_array_equal(found["w"], values)
    np.testing.assert_allclose(found["q"], [-2.0, 10.8, 23.5], rtol=1e-6)
    assert found["n"] == 7
    assert found["n"].shape == ()


def test_the_command(command, tmp_path, photos, teacher, monkeypatch):
    program = tmp_path / "program.py"
    program.write_text(TENSORFLOW)
    monkeypatch.setattr("anyir.model.teachers.worker.PROGRAM", program)
    common = ("--kind", "noise", "--teacher", teacher.folder, "--python", sys.executable, "--size", 64)
    code, out, err = command("teach", photos, tmp_path / "out", *common)
    assert (code, err) == (0, "0 of 3 answers taken, 0 photos left\n")
    assert out.splitlines()[0] == "a.png: 2 s, rejected: nothing changed"
    code, out, _ = command("teach", photos, tmp_path / "out", *common, "--json")
    assert [each["photo"] for each in json.loads(out)["answers"]] == ["a.png", "same.png", "sub/b.png"]
    for wrong, message in (
        (("--kind", "snow"), "unknown kind of teacher 'snow'; known: noise, rain"),
        (("--teacher", tmp_path), "is no unpacked npm package: no package.json to read"),
        (("--python", tmp_path / "nowhere"), "nowhere cannot be started (No such file or directory)"),
    ):
        code, out, err = command("teach", photos, tmp_path / "new", *common, *wrong)
        assert (code, out) == (1, "")
        assert message in err
        assert err.count("\n") == 1


def test_a_real_teacher_where_there_is_one(tmp_path):
    """``ANYIR_TEACHER`` names an unpacked package, ``ANYIR_TENSORFLOW`` the interpreter for it."""
    folder, python = os.environ.get("ANYIR_TEACHER"), os.environ.get("ANYIR_TENSORFLOW")
    if not folder or not python:
        pytest.skip("needs a teacher: set ANYIR_TEACHER and ANYIR_TENSORFLOW")
    made.write(tmp_path / "a.png", made.photo(0, 64))
    with TeacherProcess(Teacher(Path(folder), python, 64)) as process:
        process(tmp_path / "a.png", tmp_path / "b.png")
    assert np.asarray(Image.open(tmp_path / "b.png")).shape == (64, 64, 3)


def test_photos_that_are_judged_by_are_left_out(tmp_path, photos, teacher):
    ask(tmp_path, photos, teacher)
    judged = tmp_path / "judged"
    with Image.open(photos / "a.png") as photo:
        half = photo.resize((photo.width // 2, photo.height // 2), Image.Resampling.BICUBIC)
    judged.mkdir()
    half.save(judged / "another name.jpg", quality=80)
    known = JudgedPhotos([judged])
    assert known.same_as(photos / "a.png") == judged / "another name.jpg"
    assert known.same_as(photos / "same.png") is None
    assert JudgedPhotos([]).same_as(photos / "a.png") is None
    ask(tmp_path, photos, teacher, leave_out=lambda path: known.same_as(path) is not None)
    assert len(Smoother.asked) == 3
    assert [name for name in files(tmp_path / "out") if name.endswith("a.png")] == []
    assert "a.png" not in Answers(tmp_path / "out", "noise").lines
