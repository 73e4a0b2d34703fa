import pytest


@pytest.fixture
def restore(anyir, tiny_weights):
    """Run ``anyir restore`` with the tiny network: (exit code, stdout, stderr)."""

    def run(*arguments):
        return anyir("restore", *arguments, "--with", tiny_weights, "--tile", 32, "--threads", 1)

    return run


@pytest.fixture
def photos(folder):
    (folder / "photos").mkdir()
    return folder / "photos"
