"""Corrections and busts: the same execution id but for its last part, which counts up (ib_wire.md 3.2). Pure."""

from dataclasses import replace

from trading.broker.simulated.book import base_of, revision_of
from trading.broker.simulated.orders import Execution


def corrected(fill: Execution, price: float, shares: int) -> Execution:
    """The next revision of `fill`."""
    return replace(fill, exec_id=f"{base_of(fill.exec_id)}.{revision_of(fill.exec_id) + 1:02d}", price=price,
                   shares=shares, cumulative=fill.cumulative + shares - fill.shares)


def busted(fill: Execution) -> Execution:
    """The revision that takes `fill` back: nothing was traded, nothing is owed."""
    return replace(corrected(fill, fill.price, 0), commission=0.0, realised=None)
