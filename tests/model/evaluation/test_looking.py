"""Real photos before and after: pictures that are kept, peers, verdicts that people fill in."""

import numpy as np
import pytest
from PIL import Image

from anyir.model.errors import UserError
from anyir.model.evaluation.looking import list_kinds, see_photos
from anyir.model.evaluation.verdicts import Verdict, add_lines, read_verdicts
from tests.helpers import datasets as made


def brighter(pixels):
    return np.minimum(pixels.astype(int) + 20, 255).astype(np.uint8)


@pytest.fixture
def real(tmp_path):
    made.write(tmp_path / "real/haze/a.png", made.photo(0))
    made.write(tmp_path / "real/haze/b.png", made.photo(1))
    made.write(tmp_path / "real/rain/a.png", made.photo(2))
    return tmp_path / "real"


def see(real, out, restorer=brighter, model="tiny 1234", **options):
    return list(see_photos(list_kinds(real), out, restorer, model, **options))


def test_pictures_are_those_of_the_photo_and_its_restoration(real, tmp_path):
    seen = see(real, tmp_path / "page")
    assert [photo.key for photo in seen] == ["haze/a.png", "haze/b.png", "rain/a.png"]
    assert [[p.title for p in photo.pictures] for photo in seen] == [
        ["before", "after", "dark channel prior"],
        ["before", "after", "dark channel prior"],
        ["before", "after"],
    ]
    before, after = (np.asarray(Image.open(tmp_path / "page" / p.file)) for p in seen[0].pictures[:2])
    assert (before == made.photo(0)).all()
    assert (after == brighter(made.photo(0))).all()
    assert seen[0].pictures[1].change["shift"] == pytest.approx(20, abs=0.5)


def test_what_is_there_is_not_made_again(real, tmp_path):
    see(real, tmp_path / "page")
    see(real, tmp_path / "page", restorer=pytest.fail)
    asked = []
    see(real, tmp_path / "page", restorer=lambda pixels: asked.append(1) or pixels, model="tiny 5678")
    assert len(asked) == 3
    made.write(real / "rain/a.png", made.photo(7))  # another photo under the old name
    see(real, tmp_path / "page", restorer=lambda pixels: asked.append(1) or pixels)
    assert len(asked) == 4


def test_peers_stand_beside_and_must_have_the_photos_size(real, tmp_path):
    made.write(tmp_path / "peer/rain/a.jpg", made.photo(3))
    seen = see(real, tmp_path / "page", peers={"Teacher": tmp_path / "peer"})
    assert [p.title for p in seen[2].pictures] == ["before", "after", "Teacher"]
    assert "Teacher" not in [p.title for p in seen[0].pictures]
    made.write(tmp_path / "peer/rain/a.jpg", made.photo(3, 40))
    with pytest.raises(UserError, match=r"Teacher's rain/a.png is 40x40, the photo 48x48"):
        see(real, tmp_path / "page", peers={"Teacher": tmp_path / "peer"})


def test_photos_without_folders_are_one_kind(tmp_path):
    made.write(tmp_path / "haze/a.png", made.photo())
    assert list_kinds(tmp_path / "haze") == [("haze", tmp_path / "haze/a.png")]


def test_bad_folders_are_one_line(real, tmp_path):
    with pytest.raises(UserError, match="nowhere is not a folder"):
        list_kinds(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no photos in the folders of"):
        list_kinds(tmp_path / "empty")
    made.write(real / "rain/z.png", made.photo(0))
    made.write(real / "rain/y.png", made.photo(0)[:1])
    with pytest.raises(UserError, match=r"rain/y.png has 48x1 pixels; at least 2 a side are due"):
        list_kinds(real)
    (real / "rain/y.png").unlink()
    with pytest.raises(UserError, match=r"rain/z.png is the same photo as .*haze/a.png; remove one"):
        list_kinds(real)


def test_verdicts_are_kept_and_lines_added(tmp_path):
    table = tmp_path / "verdicts.tsv"
    assert add_lines(table, ["haze/a.png"], "old 1") == {"haze/a.png": Verdict("haze/a.png", "old 1")}
    table.write_text(table.read_text().replace("old 1\t\t", "old 1\tbetter\thaze thinner"))
    lines = add_lines(table, ["haze/a.png", "rain/b.png"], "new 2")
    assert [line.verdict for line in lines.values()] == ["", ""]
    assert read_verdicts(table)[0] == Verdict("haze/a.png", "old 1", "better", "haze thinner")
    assert len(read_verdicts(table)) == 3
    before = table.read_bytes()
    assert add_lines(table, ["haze/a.png"], "old 1")["haze/a.png"].verdict == "better"
    assert table.read_bytes() == before


def test_what_a_person_typed_stays_as_it_is(tmp_path):
    table = tmp_path / "v.tsv"
    own = 'photo\tmodel\tverdict\twhy\tby\r\nhaze/a\tm\tbetter\t"thin, they say\tAnna\r\nhaze/b\tm\tsame\r\n'
    table.write_bytes(own.encode())
    first, second = read_verdicts(table)
    assert (first.why, second.verdict) == ('"thin, they say', "same"), "an open quote takes no other line"
    assert add_lines(table, ["haze/a", "haze/c"], "m")["haze/a"] == first
    assert table.read_bytes() == own.encode() + b"haze/c\tm\t\t\t\n"


@pytest.mark.parametrize("name", ["haze/a\tb", "haze/a\nb", "haze/a\udcfe"])
def test_a_name_that_would_end_its_cell_is_refused(name, tmp_path):
    with pytest.raises(UserError, match="a name with such characters has no place in"):
        add_lines(tmp_path / "v.tsv", [name], "m")
    assert not (tmp_path / "v.tsv").exists()


def test_a_file_that_is_no_table_is_not_added_to(tmp_path):
    (tmp_path / "notes.txt").write_text("Milk, bread")
    with pytest.raises(UserError, match="names no column photo"):
        add_lines(tmp_path / "notes.txt", ["haze/a"], "m")
    assert (tmp_path / "notes.txt").read_text() == "Milk, bread"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"photo\tmodel\tverdict\twhy\nhaze/a\tm\tgood\t\n", "line 2: 'good' is none of better, same, worse"),
        (b"photo\tmodel\tverdict\twhy\nhaze/a\n", "line 2: a photo and a model are due"),
        (b"photo\tmodel\tverdict\twhy\nhaze/a\tm\t\tsky\tdark\n", "line 2: 5 cells; the first line names 4"),
        (b"photo\nhaze/a\n", "its first line names no column model"),
        (b"notes of mine\n", "its first line names no column photo"),
        (b"\xff\xfe", "is no table of verdicts"),
    ],
)
def test_a_table_that_cannot_be_used_is_one_line(tmp_path, text, message):
    (tmp_path / "v.tsv").write_bytes(text)
    with pytest.raises(UserError, match=message):
        read_verdicts(tmp_path / "v.tsv")
