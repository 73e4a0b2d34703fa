"""The digest of the code that artifacts and their figures depend on."""

import re
from pathlib import Path

import anyir.model
from anyir.conversion.digest import code_files


def test_the_digest_of_the_code_covers_all_that_makes_networks_and_photos():
    """What the network, its deploy form, its sheets and the degradations import is in the digest, too."""
    covered = {path.resolve() for path in code_files()}
    model = Path(str(anyir.model.__file__)).parent
    waiting = [
        model / f"{name}.py" for name in ("deploy/network", "data/degradations", "metrics", "restore/look")
    ]
    seen = set()
    while waiting:
        path = waiting.pop().resolve()
        if path in seen or path.stem == "errors":
            continue
        seen.add(path)
        assert path in covered, f"{path.name} changes artifacts or their figures"
        named = re.findall(r"^from anyir\.model\.([\w.]+) import", path.read_text(), re.MULTILINE)
        waiting += [model / f"{name.replace('.', '/')}.py" for name in named]
        waiting = [path if path.is_file() else path.with_suffix("") / "__init__.py" for path in waiting]
    assert len(seen) >= 6
