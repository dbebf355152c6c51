"""A price of one contract, moved to another by the last difference that both had at the same moment. Pure.

Never by the back-adjusted series, and never by guess: an order whose reference or limit cannot be moved is not made.
Source: pysystemtrade.md 2.6, orders_and_risk.md 5.5.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.errors import DataError

Prices = Mapping[datetime, Decimal]  # of one contract, by aware times


class NoMatchedPrices(DataError):
    """Two contracts have no finite price at a common time."""


@dataclass(frozen=True, kw_only=True)
class ContractPrice:
    """A price always names its contract; `known_at` is when its prices were known, later ones do not count."""

    contract: str
    price: Decimal
    known_at: datetime


def shifted_prices(reference: ContractPrice, contracts: Collection[str],
                   prices: Mapping[str, Prices]) -> dict[str, Decimal]:
    """`reference` in each of `contracts`: all of them, or none. Not rounded to a tick.

    Raises:
        NoMatchedPrices: for one of them; then no child order of the whole is to be made.
    """
    return {contract: reference.price + _difference(reference, contract, prices) for contract in contracts}


def _difference(reference: ContractPrice, contract: str, prices: Mapping[str, Prices]) -> Decimal:
    """Price of `contract` less that of the reference's contract, at their last common time."""
    if contract == reference.contract:
        return Decimal(0)
    old, new = prices.get(reference.contract, {}), prices.get(contract, {})
    common = [at for at in old.keys() & new.keys()
              if at <= reference.known_at and old[at].is_finite() and new[at].is_finite()]
    if not common:
        raise NoMatchedPrices(f"The price {reference.price} of {reference.contract} cannot be moved to {contract}: the "
                              f"two have no price at the same time until {reference.known_at.isoformat()}. No order "
                              f"is made. Sample both contracts, then decide again.")
    return new[max(common)] - old[max(common)]
