import pytest


@pytest.fixture
def no_validation(monkeypatch):
    """For what is said and recorded around a training. Validating takes most of a short one."""
    monkeypatch.setattr("anyir.model.training.trainer.validate", lambda network, clean: {})
