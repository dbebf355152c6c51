"""How much of an order meets the market at one moment, and at what price. Pure.

At every print the exchange offers `lots` contracts at the touch, as many one tick further, and so on. What others
have taken since that print is gone: who comes first is served first. A market order goes as deep as it needs.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from trading.broker.simulated.listing import Touch
from trading.broker.simulated.orders import Action
from trading.broker.simulated.price_grid import PriceGrid

DEEPEST: Final = 1000  # levels; what is left waits for the next print


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What stands against an order: the touch, its grid, the size of a level (None: endless), and what is gone."""

    touch: Touch
    grid: PriceGrid
    lots: int | None
    taken: int = 0


@dataclass(frozen=True)
class Slice:
    """A part of an order at one price."""

    shares: int
    price: Decimal


def sweep(action: Action, wanted: int, limit: Decimal | None, offer: Offer) -> list[Slice]:
    """The slices, the best price first, never worse than `limit`; together at most `wanted`."""
    price = offer.touch.ask if action is Action.BUY else offer.touch.bid
    slices, gone = [], offer.taken
    for _ in range(DEEPEST):
        if wanted == 0 or (limit is not None and action.sign * (limit - price) < 0):
            break
        room = wanted if offer.lots is None else max(0, offer.lots - gone)
        gone = 0 if offer.lots is None else max(0, gone - offer.lots)
        if room:
            slices.append(Slice(min(room, wanted), price))
            wanted -= slices[-1].shares
        price = offer.grid.beside(price, action.sign)
    return slices
