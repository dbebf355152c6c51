"""Where a test lets this process die or freeze: right behind a write, right before one. In production nothing is set.

TRADINGD_CRASH_AT=AFTER_CLAIM kills the daemon with -9 when it first comes there; TRADINGD_FREEZE_AT stops it with
SIGSTOP, once. The names are those of scheduler.md 3.6; what follows each is proved in tests/end_to_end/chaos.
"""

import os
import signal
from enum import StrEnum


class Point(StrEnum):
    """A place between two steps that belong together."""

    AFTER_CLAIM = "AFTER_CLAIM"  # the run is inserted, no worker is asked for
    AFTER_SPAWN = "AFTER_SPAWN"  # a worker is asked for, it may or may not have taken the run
    BEFORE_END_WRITE = "BEFORE_END_WRITE"  # the worker has ended, nobody has written so
    AFTER_END_WRITE = "AFTER_END_WRITE"
    AFTER_CURSOR = "AFTER_CURSOR"  # slots that do not run are recorded
    MID_RELOAD = "MID_RELOAD"  # a new generation is recorded, but not in use


def crash_point(point: Point) -> None:
    """Die or freeze here, if the environment says so."""
    if os.environ.get("TRADINGD_CRASH_AT") == point:
        os.kill(os.getpid(), signal.SIGKILL)
    if os.environ.get("TRADINGD_FREEZE_AT") == point:
        del os.environ["TRADINGD_FREEZE_AT"]
        os.kill(os.getpid(), signal.SIGSTOP)
