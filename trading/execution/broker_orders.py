"""What the broker was told, and what is known of its fate. Pure.

A broker order that may be alive is alive: until there is proof of its end, nothing else is sent for its parent.
Library-made states are never believed; only what came over the wire moves an order (orders_and_risk.md 2.3).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from trading.errors import TradingError
from trading.execution.documents import Document, from_document, to_document
from trading.execution.fills import Fill, Merge, merged, quarantined
from trading.execution.order_states import AdaptivePriority, FillState, Flag, fill_state
from trading.execution.quotes import Touch
from trading.execution.shortfall import Child, Part, Trade, Traded, point_costs
from trading.execution.spreads import Spread, traded_units
from trading.risk.order_kind import OrderKind


class BrokerLifecycle(StrEnum):
    """The life of one order at the broker."""

    INTENT = "INTENT"  # stored, not yet claimed by the sender
    SENDING = "SENDING"  # claimed; bytes may have left
    SENT = "SENT"  # handed to the socket
    UNKNOWN = "UNKNOWN"  # sent perhaps, no answer: ask, never resend
    ACKED = "ACKED"  # the broker knows it
    WORKING = "WORKING"  # at the exchange
    PENDING_REPLACE = "PENDING_REPLACE"  # new terms requested; it lives under the old or the new ones
    PENDING_CANCEL = "PENDING_CANCEL"  # cancel requested; it can still fill
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"  # its time in force was over
    REJECTED = "REJECTED"
    NOT_SENT = "NOT_SENT"  # proven never to have reached the broker


_B = BrokerLifecycle
TERMINAL: Final = frozenset({_B.FILLED, _B.CANCELLED, _B.EXPIRED, _B.REJECTED, _B.NOT_SENT})
SENT_PERHAPS: Final = frozenset({_B.SENDING, _B.SENT, _B.UNKNOWN})
_AT_BROKER: Final = frozenset({_B.ACKED, _B.WORKING, _B.PENDING_CANCEL, _B.PENDING_REPLACE, _B.UNKNOWN, _B.FILLED,
                               _B.CANCELLED, _B.EXPIRED, _B.REJECTED})
_HEARD_OF: Final = _AT_BROKER - {_B.PENDING_REPLACE}  # nobody changes what the broker has not confirmed
MOVES: Final[Mapping[BrokerLifecycle, frozenset[BrokerLifecycle]]] = {
    _B.INTENT: frozenset({_B.SENDING, _B.NOT_SENT}),
    _B.SENDING: _HEARD_OF | {_B.SENT, _B.NOT_SENT},
    _B.SENT: _HEARD_OF | {_B.NOT_SENT},
    _B.UNKNOWN: _HEARD_OF | {_B.NOT_SENT},
    _B.ACKED: _AT_BROKER,
    _B.WORKING: _AT_BROKER - {_B.ACKED},
    _B.PENDING_REPLACE: _AT_BROKER - {_B.ACKED},
    _B.PENDING_CANCEL: _AT_BROKER - {_B.ACKED, _B.WORKING, _B.PENDING_REPLACE},
    # a fill can overtake any ending: the books follow the fill
    _B.CANCELLED: frozenset({_B.FILLED}),
    _B.EXPIRED: frozenset({_B.FILLED}),
    _B.REJECTED: frozenset({_B.FILLED}),
    _B.NOT_SENT: frozenset({_B.FILLED}),
    _B.FILLED: frozenset(),
}
NEVER_TRADED: Final = frozenset({_B.REJECTED, _B.NOT_SENT})  # a fill after these shows that their proof was wrong
CANCEL_WORDS: Final = frozenset({"Cancelled", "ApiCancelled"})


class InvalidMove(TradingError):
    """A broker order was to change in a way that MOVES does not list."""

    def __init__(self, order: str, old: BrokerLifecycle, new: BrokerLifecycle) -> None:
        allowed = ", ".join(sorted(MOVES[old])) or "none"
        super().__init__(f"broker order {order} is {old} and cannot become {new} (allowed: {allowed}). "
                         f"See its story: tradectl story {order}")


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
    bid: Decimal | None  # the quote that it was made beside; None: of an order that was rebuilt
    ask: Decimal | None
    trading_day: str
    created: datetime
    tick: Decimal | None = None  # of its price grid
    collar: tuple[Decimal, ...] | None = None  # lowest and highest price at which it may ever stand
    mid: Decimal | None = None  # when it was made
    adaptive: AdaptivePriority | None = None  # of the broker's own algo, if that works it
    good_till: datetime | None = None  # when it ends by itself; None: with its session
    spread: Spread | None = None  # of which `quantity` counts the units, and `contract` is the key
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
    wanted_limit: Decimal | None = None  # of a change that the broker has not confirmed
    changes: int = 0  # how often new terms were asked for
    changed_at: datetime | None = None
    broker_quantity: int | None = None  # signed; differs from `quantity` when a person edited the order at the broker
    told_status: str = ""  # the broker's last word on its end, and the lots that it counted as filled then
    told_filled: int | None = None
    flags: frozenset[Flag] = frozenset()
    reason: str = ""
    version: int = 0
    chain: str = ""  # the digest of its newest event

    def __post_init__(self) -> None:
        if type(self.quantity) is not int or self.quantity == 0:
            raise TradingError(f"Broker order {self.id} is for {self.quantity!r} lots; lots are whole numbers, not 0.")

    @property
    def residual(self) -> int:
        return self.quantity - self.filled

    @property
    def whole(self) -> int:
        """Lots, signed, of the order as the broker has it."""
        return self.quantity if self.broker_quantity is None else self.broker_quantity

    @property
    def committed(self) -> int:
        """Lots, signed, that may still be filled: none once it has ended, and never those of the other side."""
        left = self.whole - self.filled
        return left if self.may_be_alive and left * self.whole > 0 else 0

    @property
    def has_traded(self) -> bool:
        """Whether anything is booked for it; of a spread, in either month."""
        in_a_month = self.spread is not None and (self.spread.near_filled != 0 or self.spread.far_filled != 0)
        return self.filled != 0 or in_a_month

    @property
    def may_be_alive(self) -> bool:
        return self.lifecycle not in TERMINAL

    def committed_in(self, contract: str) -> int:
        """Signed lots of `contract` that may still be filled."""
        if self.spread is not None and self.may_be_alive:
            return self.spread.left_of(contract, self.whole)
        return self.committed if contract == self.contract else 0

    @property
    def net(self) -> int:
        """Signed lots by which it changes the position in its instrument: none when it is a spread."""
        return 0 if self.spread else self.quantity

    @property
    def net_committed(self) -> int:
        """Of these, the lots that may still be filled."""
        return 0 if self.spread else self.committed

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

    def told(self, status: str, filled: int | None) -> "BrokerOrder":
        """The order after the broker's word `status`, which counts so many lots (unsigned) as filled."""
        return replace(self, told_status=status, told_filled=filled).settled()

    def with_cancel_wanted(self, now: datetime, reason: str) -> "BrokerOrder":
        """The order when a cancel is asked for. One of unknown fate stays so: that we ask proves nothing about it."""
        asked = replace(self, cancel_requested=now)
        return asked if self.lifecycle is BrokerLifecycle.UNKNOWN else asked.advanced(_B.PENDING_CANCEL, reason)

    def settled(self) -> "BrokerOrder":
        """Filled, once all that the broker has of it has traded: fewer or more lots when a person edited it there.

        Cancelled, once the broker has said so and all that it counted as filled is in our books: two sources agree,
        or nothing is concluded, for a cancel and a fill may cross (orders_and_risk.md 2.3, row 18).
        """
        if self.filled * self.whole > 0 and abs(self.filled) >= abs(self.whole):
            return self.advanced(BrokerLifecycle.FILLED)
        is_over = self.told_status in CANCEL_WORDS and self.told_filled == abs(self.filled)
        return self.advanced(BrokerLifecycle.CANCELLED) if is_over else self

    def with_terms_wanted(self, limit: Decimal) -> "BrokerOrder":
        """The order whose price is to change; one change is in flight at a time.

        Raises:
            InvalidMove: the broker has not confirmed it, or it ends.
        """
        return replace(self.moved(BrokerLifecycle.PENDING_REPLACE), wanted_limit=limit, changes=self.changes + 1)

    def with_terms_told(self, limit: Decimal | None, lots: int | None) -> "BrokerOrder":
        """The order after the broker has told its terms: a change of ours is confirmed, another one is adopted."""
        if limit is None or lots is None:
            return self
        quantity = lots if self.quantity > 0 else -lots
        if self.lifecycle is BrokerLifecycle.PENDING_REPLACE and limit == self.wanted_limit:
            confirmed = replace(self, limit_price=limit, wanted_limit=None)
            return confirmed.advanced(BrokerLifecycle.WORKING)
        if limit == self.limit_price and quantity == (self.broker_quantity or self.quantity):
            return self
        if self.lifecycle is BrokerLifecycle.PENDING_REPLACE and quantity == self.quantity:
            return self  # the echo of the old terms
        edited = replace(self, limit_price=limit, broker_quantity=quantity, flags=self.flags | {Flag.MANUAL_TOUCH})
        return edited.settled() if self.may_be_alive else edited  # an end is not undone by an old echo

    def with_terms_refused(self, reason: str) -> "BrokerOrder":
        """The broker refused a change: the order goes on under its old terms."""
        if self.lifecycle is not BrokerLifecycle.PENDING_REPLACE:
            return self
        return replace(self.moved(BrokerLifecycle.WORKING, reason), wanted_limit=None)

    def with_algo_refused(self) -> "BrokerOrder":
        """The order after the broker's word that its own algo does not work it: another one without it may follow."""
        return self if self.adaptive is None else replace(self, flags=self.flags | {Flag.ALGO_REFUSED})

    @property
    def awaits_approval(self) -> bool:
        """Was it refused for limits that a person has set in the gateway, and has nobody let another one go yet?"""
        return self.lifecycle is BrokerLifecycle.REJECTED and Flag.PRECAUTION in self.flags \
            and Flag.APPROVED not in self.flags

    def owns(self, fill: Fill) -> bool:
        """Whether `fill` can be one of ours: the other side is nobody's (orders_and_risk.md 2.4, I-d)."""
        if self.spread is None:
            return fill.quantity * self.quantity >= 0
        contract = self.spread.contract_of(fill.con_id)
        return contract is not None and fill.quantity * self.spread.lots_of(contract, self.quantity) >= 0

    def contract_of(self, con_id: int) -> str:
        """The contract of a fill of ours: of a spread, the month that has traded."""
        return self.contract if self.spread is None else self.spread.contract_of(con_id) or self.contract

    def owned(self, fill: Fill) -> Fill:
        """`fill` as one of this order: whose it is follows from the order, not from whoever heard of it."""
        contract = self.contract_of(fill.con_id)
        is_behind = self.spread is not None and contract == self.spread.far.contract
        return replace(fill, strategy=self.strategy, kind=self.kind, instrument=self.instrument, contract=contract,
                       is_behind=is_behind)

    def add_fill(self, known: Fill | None, heard: Fill) -> "tuple[BrokerOrder, Merge]":
        """The order after an execution that was heard of, perhaps again or corrected, and what became of the fill.

        Args:
            known: the fill of the same id in the books. An execution that is known changes nothing; one of the other
                side is booked as nobody's.
        """
        merge = merged(known, heard)
        if known is None and not self.owns(heard):
            return self, replace(merge, fill=quarantined(merge.fill))
        is_correction = known is not None
        after = self.traded(merge.change, heard.con_id, is_correction=is_correction) if merge.change else self
        return after, replace(merge, fill=self.owned(merge.fill))

    def update_fill(self, change: int, *, is_correction: bool = False) -> "BrokerOrder":
        """The order with `change` (signed) lots more, and the flags that this calls for; it is never revived.

        Raises:
            TradingError: lots that are no whole number.
        """
        if type(change) is not int:
            raise TradingError(f"Broker order {self.id} cannot fill {change!r} lots; lots are whole numbers.")
        return self._flagged(replace(self, filled=self.filled + change), is_correction=is_correction)

    def traded(self, change: int, con_id: int, *, is_correction: bool) -> "BrokerOrder":
        """The order after `change` (signed) lots more of the contract that the broker calls `con_id`.

        Of a spread that is one of its months, and a unit is filled once both have traded.
        """
        if self.spread is None:
            return self.update_fill(change, is_correction=is_correction)
        spread = self.spread.with_lots(self.contract_of(con_id), change)
        return self._flagged(replace(self, spread=spread, filled=spread.units), is_correction=is_correction)

    def _flagged(self, after: "BrokerOrder", *, is_correction: bool) -> "BrokerOrder":
        return replace(after, flags=self.flags | self.fill_flags(after, is_correction=is_correction)).settled()

    def fill_flags(self, after: "BrokerOrder", *, is_correction: bool) -> frozenset[Flag]:
        """What a person should know of the lots that have made it `after`."""
        found = {Flag.CORRECTED} if is_correction else set() if self.may_be_alive else {Flag.LATE_FILL}
        return frozenset(found | ({Flag.OVERFILL} if after.is_overfilled else set()))

    @property
    def is_overfilled(self) -> bool:
        """Whether more has traded than it was for."""
        if self.spread is not None:
            return self.spread.is_over(self.quantity)
        return fill_state(self.quantity, self.filled) is FillState.OVER

    @property
    def quote(self) -> Touch | None:
        """The quote that it was made beside; None when nobody knows."""
        return None if self.bid is None or self.ask is None else Touch(bid=self.bid, ask=self.ask, at=self.created)

    def worked(self, fills: Iterable[Fill]) -> Child:
        """The quote that it was made beside, and those of `fills` that are its own."""
        return Child(quote=self.quote, fills=tuple(
            Traded(lots=fill.quantity, price=fill.price) for fill in self.fills_among(fills)))

    def fills_among(self, fills: Iterable[Fill]) -> list[Fill]:
        """Its own of `fills`; those of a spread as fills of its units, at its price."""
        mine = [fill for fill in fills if fill.broker_order == self.id]
        if self.spread is None:
            return mine
        near, far = ([fill for fill in mine if fill.contract == month.contract]
                     for month in (self.spread.near, self.spread.far))
        return traded_units(near, far)

    def calculate_slippage(self, fills: Iterable[Fill], decided: Decimal | None,
                           unfilled_at: Decimal | None = None) -> dict[Part, Decimal | None]:
        """What it cost in points times lots, before fees, in parts; positive is bad, None is not known.

        Source: orders_and_risk.md 5.5 (S-15).
        """
        return point_costs(Trade(quantity=self.quantity, children=(self.worked(fills),), money_per_point=None,
                                 decided=decided, unfilled_at=unfilled_at))

    def as_dict(self) -> Document:
        """All fields as plain values."""
        return to_document(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "BrokerOrder":
        """What `as_dict` gave; raises Unreadable for anything else."""
        return from_document(cls, document)

