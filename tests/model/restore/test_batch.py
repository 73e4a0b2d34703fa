"""What a folder's run says of the files that it leaves out."""

from PIL import Image

from anyir.model.restore.batch import find_jobs, why_left_out


def test_every_file_left_out_has_its_own_reason(tmp_path):
    source = tmp_path / "in"
    (source / ".thumbnails").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(source / "photo.png")
    for name in ("photo.avif", ".hidden.png", "notes.txt"):
        (source / name).write_text("x")
    (source / "link").symlink_to(tmp_path)
    jobs, others = find_jobs(source, tmp_path / "out")
    assert [job.source.name for job in jobs] == ["photo.png"]
    assert {path.name: why_left_out(path) for path in others} == {
        ".thumbnails": "hidden",
        ".hidden.png": "hidden",
        "link": "a link to a folder",
        "notes.txt": "not a photo",
        "photo.avif": "AVIF is not written: name it by itself, with another suffix for OUT",
    }
