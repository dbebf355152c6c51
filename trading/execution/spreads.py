"""Calendar spreads: two months of one instrument, traded as one at the price of the far month less the near one. Pure.

A unit that is bought sells a lot of the near month and buys one of the far month; units that are sold do the reverse.
What counts are the fills of the months: a unit is done once both have traded (orders_and_risk.md 2.7, 5.6).
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from trading.execution.fills import Fill

_BETWEEN: Final = "-"  # the months of a spread's key: SP500/20211200-20220300


@dataclass(frozen=True, kw_only=True)
class Month:
    """One contract of a spread, by our key and the broker's number."""

    contract: str
    con_id: int


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Two months as the broker trades them together, and the lots (signed) of each that have traded so far."""

    symbol: str
    currency: str
    near: Month
    far: Month
    near_filled: int = 0
    far_filled: int = 0

    @property
    def key(self) -> str:
        """What stands for it where the key of a contract stands for an outright."""
        return f"{self.near.contract}{_BETWEEN}{self.far.contract.rpartition('/')[2]}"

    def contract_of(self, con_id: int) -> str | None:
        """The month that the broker calls so; None when it is neither."""
        return next((month.contract for month in (self.near, self.far) if month.con_id == con_id), None)

    def lots_of(self, contract: str, units: int) -> int:
        """Signed lots of a contract in so many signed units."""
        return {self.near.contract: -units, self.far.contract: units}.get(contract, 0)

    def left_of(self, contract: str, units: int) -> int:
        """What of these has not traded yet; none once more has."""
        wanted = self.lots_of(contract, units)
        left = wanted - (self.near_filled if contract == self.near.contract else self.far_filled)
        return left if left * wanted > 0 else 0

    def with_lots(self, contract: str, change: int) -> "Spread":
        """The spread after `change` (signed) lots more of one of its months."""
        if contract == self.near.contract:
            return replace(self, near_filled=self.near_filled + change)
        return replace(self, far_filled=self.far_filled + change)

    @property
    def units(self) -> int:
        """Whole units, signed, of which both months have traded."""
        sold, bought = -self.near_filled, self.far_filled
        return min(sold, bought, key=abs) if sold * bought > 0 else 0

    @property
    def alone(self) -> dict[str, int]:
        """Lots by contract that have traded without the other month; empty when all are whole units."""
        left = {self.near.contract: self.near_filled + self.units, self.far.contract: self.far_filled - self.units}
        return {contract: lots for contract, lots in left.items() if lots}

    def is_over(self, units: int) -> bool:
        """Whether one of its months has traded more than `units` (signed) ask for, or the other way."""
        return any(done * units < 0 or abs(done) > abs(units) for done in (-self.near_filled, self.far_filled))


def months_of(key: str) -> tuple[str, ...]:
    """The contracts that a key stands for: both months of a spread, or the outright itself."""
    instrument, _, months = key.rpartition("/")
    return tuple(f"{instrument}/{month}" for month in months.split(_BETWEEN))


def is_spread(key: str) -> bool:
    return len(months_of(key)) > 1


def share_a_month(one: str, other: str) -> bool:
    """Whether what stands for both keys trades in a common contract."""
    return not set(months_of(one)).isdisjoint(months_of(other))


def traded_units(near: Iterable[Fill], far: Iterable[Fill]) -> list[Fill]:
    """The fills of both months as fills of units, at the difference of their prices; what is alone is left out.

    They are matched in their order, so no average is taken and costs add up to the last digit.
    """
    sold, bought, found = deque(near), deque(far), []
    while sold and bought and sold[0].quantity * bought[0].quantity < 0:
        units = min(-sold[0].quantity, bought[0].quantity, key=abs)
        found.append(replace(bought[0], quantity=units, price=bought[0].price - sold[0].price))
        for rest, lots in ((sold, sold[0].quantity + units), (bought, bought[0].quantity - units)):
            first = rest.popleft()
            if lots:
                rest.appendleft(replace(first, quantity=lots))
    return found
