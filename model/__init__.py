"""AnyIR: the network, its deploy form, degradations, training, evaluation and restoration.

Names are imported when first used, so that ``anyir --help`` does not wait for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anyir.model.checkpoint import load_weights as load_weights
    from anyir.model.config import PRESETS as PRESETS
    from anyir.model.config import AnyIRConfig as AnyIRConfig
    from anyir.model.data.degradations import degrade as degrade
    from anyir.model.deploy.network import to_deploy as to_deploy
    from anyir.model.metrics import psnr as psnr
    from anyir.model.metrics import ssim as ssim
    from anyir.model.network import AnyIR as AnyIR
    from anyir.model.restore.batch import restore_file as restore_file
    from anyir.model.restore.restorer import Restorer as Restorer

_HOME = {
    "AnyIR": "network",
    "AnyIRConfig": "config",
    "PRESETS": "config",
    "Restorer": "restore.restorer",
    "degrade": "data.degradations",
    "load_weights": "checkpoint",
    "psnr": "metrics",
    "ssim": "metrics",
    "restore_file": "restore.batch",
    "to_deploy": "deploy.network",
}
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
