"""How far a target has moved, measured by how far it usually moves: what the control RC-32 judges. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import stdev
from typing import Final

from trading.errors import DataError

_DAYS: Final = 60
_LEAST: Final = 2  # changes, for a deviation


@dataclass(frozen=True, kw_only=True)
class TargetJump:
    """In lots. `usual_change` is the standard deviation of the last 60 daily changes; None: there are too few."""

    change: float
    usual_change: float | None
    turned_by: float  # abs(change) when the sign turned, else 0


def target_jump(history: Sequence[float], target: float) -> TargetJump:
    """The step from the last of `history`, daily targets with the oldest first, to `target`; from nothing when empty.

    Raises:
        DataError: a target is not a finite number.
    """
    if not all(math.isfinite(each) for each in (*history, target)):
        raise DataError(f"A target among {[*history, target][-5:]} is not a number. Nothing is traded; run the "
                        f"strategy again.")
    last = history[-1] if history else 0.0
    changes = [new - old for old, new in pairwise(history)][-_DAYS:]
    return TargetJump(change=target - last, turned_by=abs(target - last) if last * target < 0 else 0.0,
                      usual_change=stdev(changes) if len(changes) >= _LEAST else None)
