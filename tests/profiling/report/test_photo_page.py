"""``anyir judge``: the page of real photos, its verdicts, and its summary."""

import re
from urllib.parse import unquote

import pytest

from anyir.profiling.report.photo_page import summarise
from tests.helpers import datasets as made
from tests.helpers.command_line import anyir


@pytest.fixture
def real(tmp_path):
    made.write(tmp_path / "real/haze/a b.png", made.photo(0, 64))
    made.write(tmp_path / "real/good/c.png", made.photo(1, 64))
    return tmp_path / "real"


def judge(*arguments):
    process = anyir("judge", *arguments)
    return process.returncode, process.stdout, process.stderr


def test_the_page_shows_every_photo_and_its_verdict(real, tmp_path, tiny_weights):
    out = tmp_path / "page"
    code, said, err = judge(real, "--out", out, "--with", tiny_weights)
    assert code == 0, err
    assert said.strip().endswith("(0 better, 0 same, 0 worse, 2 open)")
    table = out / "verdicts.tsv"
    lines = table.read_text().splitlines()
    assert lines[0] == "photo\tmodel\tverdict\twhy"
    model = lines[1].split("\t")[1]
    table.write_text(f"photo\tmodel\tverdict\twhy\nhaze/a b.png\t{model}\tworse\ta <grey> veil\n")
    code, said, err = judge(real, "--out", out, "--with", tiny_weights)
    assert code == 0, err
    assert "(0 better, 0 same, 1 worse, 1 open)" in said
    page = (out / "index.html").read_text()
    assert '<b class="worse">worse</b> a &lt;grey&gt; veil' in page
    assert "nobody has looked yet" in page
    assert page.count("of 255; a fault is 2.5 or more).</small>") == 2
    pictures = re.findall(r'<img src="([^"]+)"', page)
    assert len(pictures) == 2 * 2 + 1  # before and after of two, and haze's baseline
    assert all((out / unquote(file)).is_file() for file in pictures)
    assert "http" not in page


def test_a_summary_a_kind(real, tmp_path, tiny_weights):
    from anyir.model.evaluation.looking import list_kinds, see_photos
    from anyir.model.evaluation.verdicts import add_lines

    seen = list(see_photos(list_kinds(real), tmp_path / "page", lambda pixels: pixels, "same 1"))
    lines = add_lines(tmp_path / "v.tsv", [photo.key for photo in seen], "same 1")
    good, haze = summarise(seen, lines)
    assert (good.kind, haze.kind) == ("good", "haze")
    assert (good.photos, good.needed, good.verdicts[""]) == (1, 0, 1)
    assert haze.rows["after"] == (1, *haze.rows["before"][1:])
    assert haze.rows["after"][-1] == 100
    assert haze.rows["dark channel prior"][1] < haze.rows["before"][1]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 1, "nowhere is not a folder"),
        (["real", "--peer", "Teacher"], 2, "TITLE=FOLDER is due"),
        (["real", "--peer", "Teacher=nowhere"], 2, "nowhere is not a folder"),
        (["real", "--with", "nothing"], 1, "nothing"),
    ],
)
def test_bad_usage_is_one_line(real, tmp_path, monkeypatch, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    found, out, err = judge(*arguments)
    assert (found, out) == (code, "")
    assert message in err
    assert err.count("\n") == 1


def test_a_page_of_somebody_else_stays(real, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site").mkdir()
    (tmp_path / "site/index.html").write_text("mine")
    found, out, err = judge("real", "--out", "site")
    assert (found, out, (tmp_path / "site/index.html").read_text()) == (1, "", "mine")
    assert err.endswith("index.html is there already, and no earlier page of AnyIR; name another --out\n")
