"""Where two honest calculations differ: ours, and those of pysystemtrade, so that its numbers can be reproduced.

Nobody else knows the other system: whoever needs a choice asks the field that names it. Source: oracle
PEER_ODDITIES.md; each field says what is right, and is true by default.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, kw_only=True)
class Conventions:
    """Each field true: ours."""

    sunday_belongs_to_monday: bool = True  # else a price of Sunday evening is Friday's close: it looks ahead
    every_cost_counts: bool = True  # else of two costs on one day only one does
    rolls_have_a_price: bool = True  # else a cost in percent is nothing when a position is rolled
    costs_know_no_future: bool = True  # else they are scaled by the volatility of the last day
    costs_begin_at_nothing: bool = True  # else nothing is known of the net gain before the first cost
    gains_compound: bool = True  # else losses below the highest capital, and what makes up for them, count less


class ConventionsName(StrEnum):
    """What a configuration file says."""

    OURS = "ours"
    PYSYSTEMTRADE = "pysystemtrade"

    @property
    def conventions(self) -> Conventions:
        return OURS if self is ConventionsName.OURS else PYSYSTEMTRADE


OURS = Conventions()
PYSYSTEMTRADE = Conventions(sunday_belongs_to_monday=False, every_cost_counts=False, rolls_have_a_price=False,
                            costs_know_no_future=False, costs_begin_at_nothing=False, gains_compound=False)
