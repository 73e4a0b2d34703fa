"""What tests of commands check again and again."""

from anyir.model.photo.encoder import encode


def save(path, photo):
    path.write_bytes(encode(photo, {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF"}[path.suffix])[0])


def files(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def fails(result, folder, before, *words):
    """One line on stderr with these words, exit code 1, and no file made, changed or left behind."""
    code, _, err = result
    assert code == 1
    assert err.startswith("anyir: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err
    assert files(folder) == before
