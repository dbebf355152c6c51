"""What the broker was told, and what is known of its fate. Pure.

A broker order that may be alive is alive: until there is proof of its end, nothing else is sent for its parent.
Library-made states are never believed; only what came over the wire moves an order (orders_and_risk.md 2.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from trading.errors import TradingError
from trading.execution.orders import OrderKind


class BrokerLifecycle(StrEnum):
    """The life of one order at the broker."""

    INTENT = "INTENT"  # stored, not yet claimed by the sender
    SENDING = "SENDING"  # claimed; bytes may have left
    SENT = "SENT"  # handed to the socket
    UNKNOWN = "UNKNOWN"  # sent perhaps, no answer: ask, never resend
    ACKED = "ACKED"  # the broker knows it
    WORKING = "WORKING"  # at the exchange
    PENDING_CANCEL = "PENDING_CANCEL"  # cancel requested; it can still fill
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    NOT_SENT = "NOT_SENT"  # proven never to have reached the broker


_B = BrokerLifecycle
TERMINAL: Final = frozenset({_B.FILLED, _B.CANCELLED, _B.REJECTED, _B.NOT_SENT})
SENT_PERHAPS: Final = frozenset({_B.SENDING, _B.SENT, _B.UNKNOWN})
_LIVE: Final = frozenset({_B.ACKED, _B.WORKING, _B.PENDING_CANCEL, _B.UNKNOWN, _B.FILLED, _B.CANCELLED, _B.REJECTED})
MOVES: Final[Mapping[BrokerLifecycle, frozenset[BrokerLifecycle]]] = {
    _B.INTENT: frozenset({_B.SENDING, _B.NOT_SENT}),
    _B.SENDING: _LIVE | {_B.SENT, _B.NOT_SENT},
    _B.SENT: _LIVE | {_B.NOT_SENT},
    _B.UNKNOWN: _LIVE | {_B.NOT_SENT},
    _B.ACKED: _LIVE,
    _B.WORKING: _LIVE - {_B.ACKED},
    _B.PENDING_CANCEL: _LIVE - {_B.ACKED, _B.WORKING},
    # a fill can overtake any ending: the books follow the fill
    _B.CANCELLED: frozenset({_B.FILLED}),
    _B.REJECTED: frozenset({_B.FILLED}),
    _B.NOT_SENT: frozenset({_B.FILLED}),
    _B.FILLED: frozenset(),
}


class InvalidMove(TradingError):
    """A broker order was to change in a way that MOVES does not list."""

    def __init__(self, order: str, old: BrokerLifecycle, new: BrokerLifecycle) -> None:
        allowed = ", ".join(sorted(MOVES[old])) or "none"
        super().__init__(f"broker order {order} is {old} and cannot become {new} (allowed: {allowed}). "
                         f"See its story: tradectl orders {order}")


@dataclass(frozen=True, kw_only=True)
class BrokerOrder:
    """One order as it was meant; `id` is the order reference that the broker echoes."""

    id: str
    parent: str
    account: str
    strategy: str
    instrument: str
    contract: str
    con_id: int
    exchange: str
    kind: OrderKind
    quantity: int
    order_type: str
    limit_price: Decimal | None
    time_in_force: str
    bid: Decimal
    ask: Decimal
    trading_day: str
    created: datetime
    lifecycle: BrokerLifecycle = BrokerLifecycle.INTENT
    epoch: str | None = None  # the connection that it was sent over
    ib_order_id: int | None = None  # a routing handle of that connection, never an identity
    perm_id: int | None = None
    sent: datetime | None = None
    cancel_requested: datetime | None = None
    held: bool = False  # the broker keeps it until its exchange opens: neither late nor lost
    filled: int = 0
    commission: Decimal | None = None
    commission_currency: str | None = None
    reason: str = ""
    version: int = 0

    @property
    def residual(self) -> int:
        return self.quantity - self.filled

    @property
    def may_be_alive(self) -> bool:
        return self.lifecycle not in TERMINAL

    def moved(self, new: BrokerLifecycle, reason: str = "") -> "BrokerOrder":
        """The order in its new state.

        Raises:
            InvalidMove: MOVES does not list this change.
        """
        if new not in MOVES[self.lifecycle]:
            raise InvalidMove(self.id, self.lifecycle, new)
        return replace(self, lifecycle=new, reason=reason or self.reason)

    def advanced(self, new: BrokerLifecycle, reason: str = "") -> "BrokerOrder":
        """Like `moved`, but a repeated or overtaken report changes nothing: reports come unordered and twice."""
        return self.moved(new, reason) if new in MOVES[self.lifecycle] and new is not self.lifecycle else self
