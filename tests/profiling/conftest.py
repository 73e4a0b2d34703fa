import pytest
import torch

from anyir.model import PRESETS, AnyIR
from anyir.model.checkpoints import save_weights
from anyir.profiling.reference import make_reference


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """These networks are too small for two, whose waiting for each other on a busy machine takes minutes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory):
    """Untrained weights of the smallest preset, always the same."""
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_weights(AnyIR(PRESETS["tiny"]), path, notes={"steps": 0})
    return path


@pytest.fixture(scope="session")
def reference(tiny_weights, tmp_path_factory):
    """A reference of those weights, with tiles of 32 pixels."""
    return make_reference(tiny_weights, 32, tmp_path_factory.mktemp("reference"))
