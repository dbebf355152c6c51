"""How much capital is traded: the account's value carried forward by one of three rules (pysystemtrade.md 9). Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from trading.conventions import OURS, Conventions
from trading.errors import DataError


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
        """The first day's state.

        Raises:
            DataError: the value is no number, or not above zero.
        """
        if not (math.isfinite(broker_value) and broker_value > 0):
            raise DataError(f"The account is worth {broker_value}: no capital to begin with. Look at the account.")
        return cls(broker_value=broker_value, total=broker_value, maximum=broker_value, profit=0.0)

    def after(self, broker_value: float, method: CapitalMethod, conventions: Conventions = OURS) -> "Capital":
        """The state when the account is worth `broker_value`.

        Raises:
            CapitalRise, CapitalFall: the value changed more in a day than is believed without a person.
            DataError: the value is no number.
        """
        if not math.isfinite(broker_value):
            raise DataError(f"The account is worth {broker_value}, which is no amount. The capital stays as it was.")
        change, moved = broker_value - self.broker_value, f"from {self.broker_value:,.0f} to {broker_value:,.0f}"
        if change > conventions.largest_rise * abs(self.broker_value):
            raise CapitalRise(f"The account went {moved}, more than {conventions.largest_rise:.0%} up in a day: a "
                              f"deposit? The capital stays as it was.")
        if change < -conventions.largest_fall * abs(self.broker_value):
            raise CapitalFall(f"The account went {moved}, more than {conventions.largest_fall:.0%} down in a day: a "
                              f"withdrawal, wrong data, or a disaster? Nothing is decided on it until a person looks.")
        total, maximum = _moved(self.total, self.maximum, change, method)
        return Capital(broker_value=broker_value, total=total, maximum=maximum, profit=self.profit + change)


def _moved(total: float, maximum: float, change: float, method: CapitalMethod) -> tuple[float, float]:
    if method is CapitalMethod.FIXED:
        return total, maximum
    if method is CapitalMethod.HALF:
        return max(0.0, min(total + change, maximum)), maximum
    total = max(0.0, total + change)
    return total, total


def split_by_weight(total: float, weights: Mapping[str, float]) -> dict[str, float]:
    """The capital of each strategy, in proportion to its weight.

    Raises:
        DataError: a weight is negative or no number, or they add up to nothing.
    """
    everything = math.fsum(weights.values())
    if not (0 < everything < math.inf) or min(weights.values()) < 0:
        raise DataError(f"The weights of the strategies cannot split capital: {dict(weights)}. Give each zero or more, "
                        f"and one of them more than zero.")
    return {name: total * weight / everything for name, weight in weights.items()}
