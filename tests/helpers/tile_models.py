"""Models without weights, for processes that open them by name."""

import os
import signal

from anyir.model.errors import UserError
from anyir.model.restore.restorer import Restorer


class Inverted:
    """Gives the negative."""

    name, accelerator, tile = "inverted", "numpy", None

    def __call__(self, tile):
        return 1 - tile


class Stopping(Inverted):
    """The system ends its process at a tile that is black."""

    def __call__(self, tile):
        if not tile.any():
            os.kill(os.getpid(), signal.SIGKILL)
        return 1 - tile


def inverting(threads=None):
    return Restorer(Inverted(), tile=16, overlap=4)


def stopping(threads=None):
    return Restorer(Stopping(), tile=16, overlap=4)


def refusing(threads=None):
    raise UserError("no weights today")
