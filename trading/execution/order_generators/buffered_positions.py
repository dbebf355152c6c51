"""One order for one instrument of a strategy whose position lies outside its buffer. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from trading.execution.buffered import required_trade
from trading.execution.orders import Decision, InstrumentOrder, new_instrument_order_id
from trading.risk.order_kind import OrderKind


class WantedPosition(Protocol):
    """What a system wants to hold: a buffer in lots, and the price that this was decided on."""

    @property
    def lower(self) -> float: ...
    @property
    def upper(self) -> float: ...
    @property
    def reference_price(self) -> float: ...
    @property
    def reference_contract(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """Lots in the books, and lots of orders that still work."""

    held: int
    working: int


def order_for_position(strategy: str, instrument: str, wanted: WantedPosition, holdings: Holdings,
                       decision: Decision) -> InstrumentOrder | None:
    """The order that brings `holdings` to the edge of the buffer; None when they lie inside.

    Its key is strategy, instrument and trading day: deciding again on the same day finds the same order.
    """
    trade = required_trade(holdings.held, holdings.working, wanted.lower, wanted.upper)
    if trade == 0:
        return None
    return InstrumentOrder(
        id=new_instrument_order_id(), idempotency_key=f"{strategy}/{instrument}/{decision.trading_day}",
        account=decision.account, strategy=strategy, instrument=instrument, kind=OrderKind.STRATEGY, quantity=trade,
        trading_day=decision.trading_day, created=decision.now, reference_price=Decimal(repr(wanted.reference_price)),
        reference_contract=wanted.reference_contract)
