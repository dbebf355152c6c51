"""The trade limit of rolls: a bucket of their own, and loud when it is too small. Pure.

A roll that shares the strategies' limit is blocked by it in silence, and silence ends in delivery (pst #932).
"""

from dataclasses import dataclass
from typing import Final

_LOTS_A_UNIT: Final = 2  # a unit trades a lot of each leg
_TIMES_POSITION: Final = 3


@dataclass(frozen=True, kw_only=True)
class BudgetedRoll:
    """Spread units, signed, that may be traded now; `critical` is the sentence to page with when some were cut."""

    units: int
    critical: str | None


def within_budget(instrument: str, units: int, position: int, used: int) -> BudgetedRoll:
    """`units` as far as the day's bucket goes: three times `position` lots, of which `used` are traded already.

    Source: orders_and_risk.md RC-07 and 6.4.
    """
    bucket = _TIMES_POSITION * abs(position)
    possible = max(0, bucket - used) // _LOTS_A_UNIT
    if abs(units) <= possible:
        return BudgetedRoll(units=units, critical=None)
    cut = possible if units > 0 else -possible
    return BudgetedRoll(units=cut, critical=(
        f"The roll of {instrument} is cut from {units:+d} to {cut:+d} spread units: {used} of the {bucket} lots that "
        f"rolls may trade a day are used. The rest stays in the front contract until the limit is raised or the day "
        f"is over. See: tradectl rolls why {instrument}"))
