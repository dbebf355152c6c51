"""Combinations: several contracts traded as one, at the sum of their prices (ib_wire.md 2.8). Pure.

The price of a combination is what one of it costs: bought legs count positive, sold ones negative, each as often as
its ratio says. So the price of a roll, SELL near and BUY far, is far minus near, and may be negative or zero.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from trading.broker.simulated.listing import BAG, CON_ID_MASK, ContractFacts, ListedContract
from trading.broker.simulated.place_order import ComboLeg
from trading.broker.simulated.price_grid import PriceGrid
from trading.broker.simulated.recorded_market import NO_PRINTS, Prints

WIRE_CON_ID: Final = 28812380  # what the broker calls every combination


@dataclass(frozen=True)
class PricedLeg:
    """A leg with the contract that it names; `sign` is that of the combination bought."""

    leg: ComboLeg
    contract: ListedContract

    @property
    def weight(self) -> int:
        return self.leg.ratio if self.leg.action == "BUY" else -self.leg.ratio


def combined(symbol: str, exchange: str, currency: str, legs: Sequence[PricedLeg]) -> ListedContract:
    """The combination as one contract, quoted whenever one of its legs is."""
    tick = min(each.contract.grid.finest for each in legs)
    first = legs[0].contract.facts
    facts = ContractFacts(
        con_id=_con_id(legs), sec_type=BAG, symbol=symbol, exchange=exchange, currency=currency, local_symbol=symbol,
        trading_class="COMB", multiplier=first.multiplier, magnifier=first.magnifier, month="",
        expiry=min(each.contract.facts.expiry for each in legs), legs=legs_text([each.leg for each in legs]))
    return ListedContract(facts=facts, long_name=f"{symbol} combination", grid=PriceGrid.even(tick), half_spread=tick,
                          listed_from=max(each.contract.listed_from for each in legs),
                          prints=combined_prints([(each.weight, each.contract.prints) for each in legs]))


def combined_prints(parts: Sequence[tuple[int, Prints]]) -> Prints:
    """The weighted sum at every time at which one part is printed and all have a price."""
    if any(not len(prints) for _, prints in parts):
        return NO_PRINTS
    times = np.unique(np.concatenate([prints.times for _, prints in parts]))
    times = times[times >= max(int(prints.times[0]) for _, prints in parts)]
    total = np.zeros(len(times))
    for weight, prints in parts:
        total += weight * prints.prices[np.searchsorted(prints.times, times, side="right") - 1]
    return Prints(times, total)


def leg_prices(legs: Sequence[PricedLeg], last: Sequence[float], price: float) -> list[float]:
    """A price for each leg whose weighted sum is `price`: the last prices, the last leg giving way.

    `last` are the last recorded prices of the legs, in order.
    """
    others = sum(each.weight * known for each, known in zip(legs[:-1], last[:-1], strict=True))
    closing = (Decimal(repr(price)) - Decimal(repr(others))) / legs[-1].weight
    return [*last[:-1], float(round(closing, 10))]


def legs_text(legs: Sequence[ComboLeg]) -> str:
    return json.dumps([[leg.con_id, leg.ratio, leg.action, leg.exchange] for leg in legs])


def legs_of(facts: ContractFacts) -> tuple[ComboLeg, ...]:
    return tuple(ComboLeg(*row) for row in json.loads(facts.legs)) if facts.legs else ()


def _con_id(legs: Sequence[PricedLeg]) -> int:
    """Ours alone: on the wire every combination has the same."""
    return zlib.crc32(legs_text([each.leg for each in legs]).encode()) & CON_ID_MASK
