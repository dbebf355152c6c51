"""How much capital is traded: the account's value carried forward by one of three rules (pysystemtrade.md 9). Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from trading.errors import DataError

LARGEST_RISE: Final = 0.10  # more in a day is rather a deposit than a profit
LARGEST_FALL: Final = 0.25  # a loss is believed sooner: sizes must follow it down


class CapitalRise(DataError):
    """The account rose so much that it may be a deposit; the smaller capital stays in use."""


class CapitalFall(DataError):
    """The account fell so much that a person must look before anything is traded on it."""


class CapitalMethod(StrEnum):
    """What happens to profits and losses."""

    FULL = "full"  # both are traded with
    HALF = "half"  # losses shrink the capital, profits restore it up to its maximum
    FIXED = "fixed"  # neither


@dataclass(frozen=True, kw_only=True)
class Capital:
    """One day's state, all amounts in the base currency."""

    broker_value: float
    total: float
    maximum: float
    profit: float

    @classmethod
    def opened_with(cls, broker_value: float) -> "Capital":
        return cls(broker_value=broker_value, total=broker_value, maximum=broker_value, profit=0.0)

    def after(self, broker_value: float, method: CapitalMethod) -> "Capital":
        """The state when the account is worth `broker_value`.

        Raises:
            CapitalRise, CapitalFall: the value changed more in a day than is believed without a person.
        """
        change = broker_value - self.broker_value
        if change > LARGEST_RISE * abs(self.broker_value):
            raise CapitalRise(f"The account went from {self.broker_value:,.0f} to {broker_value:,.0f}, more than "
                              f"{LARGEST_RISE:.0%} up in a day: a deposit? The capital stays as it was.")
        if change < -LARGEST_FALL * abs(self.broker_value):
            raise CapitalFall(f"The account went from {self.broker_value:,.0f} to {broker_value:,.0f}, more than "
                              f"{LARGEST_FALL:.0%} down in a day: a withdrawal, wrong data, or a disaster? Nothing "
                              f"is decided on it until a person looks.")
        total, maximum = _moved(self.total, self.maximum, change, method)
        return Capital(broker_value=broker_value, total=total, maximum=maximum, profit=self.profit + change)


def _moved(total: float, maximum: float, change: float, method: CapitalMethod) -> tuple[float, float]:
    if method is CapitalMethod.FIXED:
        return total, maximum
    if method is CapitalMethod.HALF:
        return max(0.0, min(total + change, maximum)), maximum
    total = max(0.0, total + change)
    return total, total


def split_by_weight(total: float, weights: dict[str, float]) -> dict[str, float]:
    """The capital of each strategy, in proportion to its weight."""
    everything = sum(weights.values())
    return {name: total * weight / everything for name, weight in weights.items()}
