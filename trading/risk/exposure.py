"""What an order does to the risk that we carry, counted on the worst side. Pure.

The worst side never assumes that somebody else fills us first: a buy adds only our own buys, a sell only our own sells.
Committed leaves are what may still fill: working orders, and orders whose fate is unknown.
Source: orders_and_risk.md section 3, first paragraph, and decision 11.
"""

from dataclasses import dataclass
from enum import StrEnum


class Effect(StrEnum):
    """What a message would do to our exposure."""

    ADDS_RISK = "ADDS_RISK"          # it opens, grows or turns a position, be it only with its last lot
    REDUCES_RISK = "REDUCES_RISK"    # it can only bring a position nearer to zero
    CANCEL = "CANCEL"                # it takes a working order back


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """Signed lots held, and lots (never negative) that our live orders may still buy or sell."""

    position: int = 0
    working_buys: int = 0
    working_sells: int = 0

    def __post_init__(self) -> None:
        if self.working_buys < 0 or self.working_sells < 0:
            raise ValueError(f"Working lots are counted from zero, a side each: buys {self.working_buys}, sells "
                             f"{self.working_sells}. Give sells as a positive number.")

    @property
    def longest(self) -> int:
        """The position when all our buys fill and none of our sells."""
        return self.position + self.working_buys

    @property
    def shortest(self) -> int:
        """The position when all our sells fill and none of our buys."""
        return self.position - self.working_sells

    @property
    def worst(self) -> int:
        """Lots at risk, never negative, on the side where they are most."""
        return max(abs(self.longest), abs(self.shortest))

    @property
    def closing_leaves(self) -> int:
        """Lots that already work to close the position."""
        if self.position == 0:
            return 0
        return self.working_sells if self.position > 0 else self.working_buys

    def closable(self) -> int:
        """Signed lots of the largest order that cannot do anything but close."""
        left = max(0, abs(self.position) - self.closing_leaves)
        return -left if self.position > 0 else left


def effect(quantity: int, holding: Holding) -> Effect:
    """What an order of `quantity` signed lots does; one that would cross zero adds, and one of 0 lots does not."""
    closable = holding.closable()
    inside = 0 <= quantity <= closable if closable > 0 else closable <= quantity <= 0
    return Effect.REDUCES_RISK if inside else Effect.ADDS_RISK


def reducing_part(quantity: int, holding: Holding) -> int:
    """As much of an order as only reduces: the same sign or 0, and never more lots."""
    closable = holding.closable()
    return max(0, min(quantity, closable)) if quantity > 0 else min(0, max(quantity, closable))
