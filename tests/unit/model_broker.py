"""A broker for the order machine: it knows the truth, and tells it late, twice, out of order, or not at all.

It speaks the journal's language. A status that is on its way when the connection breaks is lost; what it knows of the
day it repeats when it is asked. Nothing here is a rule of ours.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.execution.broker_orders import BrokerOrder
from trading.execution.heard_messages import HeardMessages

ACCOUNT = "DU1"
CONTRACTS = {41: "SP500/20260300", 42: "SP500/20260600", 43: "GOLD/20260600"}
NUMBERS = {contract: number for number, contract in CONTRACTS.items()}
SPREAD = "SP500/20260300-20260600"  # its key; the broker knows it by no number of its own


@dataclass(frozen=True, kw_only=True)
class Known:
    """An order as the broker knows it."""

    reference: str
    ib_order_id: int
    epoch: str
    perm_id: int
    con_id: int
    quantity: int
    limit: Decimal
    filled: int = 0
    word: str = "PreSubmitted"
    months: tuple[int, int] | None = None  # of a spread, the near and the far one
    units: tuple[int, int] = (0, 0)  # of which each of them has traded its part

    @property
    def is_live(self) -> bool:
        return self.word in ("PreSubmitted", "Submitted")

    @property
    def left(self) -> int:
        return self.quantity - self.filled

    @property
    def most_traded(self) -> int:
        """Lots, unsigned; of a spread, those of the month that is ahead."""
        return max(map(abs, self.units)) if self.months else abs(self.filled)


@dataclass(frozen=True, kw_only=True)
class Traded:
    """One execution in its newest revision."""

    base: str
    revision: int
    reference: str
    perm_id: int
    con_id: int
    quantity: int
    price: Decimal
    liquidation: bool = False


@dataclass
class ModelBroker:
    """The truth, what is on its way, and the journal of what has arrived."""

    is_linked: bool = True
    connections: int = 1
    offered: int = 1  # when this connection was made
    orders: dict[int, Known] = field(default_factory=dict)  # by perm id
    refused: set[str] = field(default_factory=set)
    trades: dict[str, Traded] = field(default_factory=dict)
    on_the_way: list[tuple[MessageKind, dict[str, Any]]] = field(default_factory=list)
    journal: list[BrokerMessage] = field(default_factory=list)
    loses_next_order: bool = False
    loses_next_cancel: bool = False
    received: list[str] = field(default_factory=list)  # references of all that arrived: the oracle of exactly once
    _heard: HeardMessages = field(default_factory=HeardMessages)
    _perm: int = 1000

    @property
    def epoch(self) -> str:
        return f"e{self.connections}"

    @property
    def positions(self) -> dict[str, int]:
        """What the account holds, by contract key."""
        held = Counter[str]()
        for trade in self.trades.values():
            held[CONTRACTS[trade.con_id]] += trade.quantity
        return {key: lots for key, lots in held.items() if lots}

    def live(self) -> list[Known]:
        return [each for each in self.orders.values() if each.is_live]

    # --- what we send ---------------------------------------------------------------------------------------------

    def place(self, order: BrokerOrder) -> None:
        """A new order arrives, or is lost on its way."""
        if self.loses_next_order:
            self.loses_next_order = False
            return
        assert order.ib_order_id is not None
        assert order.limit_price is not None
        self.received.append(order.id)
        self._perm += 1
        months = None if order.spread is None else (order.spread.near.con_id, order.spread.far.con_id)
        self._tell(Known(reference=order.id, ib_order_id=order.ib_order_id, epoch=self.epoch, perm_id=self._perm,
                         con_id=order.con_id, quantity=order.quantity, limit=order.limit_price, months=months))

    def cancel(self, ib_order_id: int, epoch: str) -> None:
        """A cancel arrives, or is lost on its way; of an order that is over it is refused."""
        if self.loses_next_cancel:
            self.loses_next_cancel = False
            return
        found = [each for each in self.orders.values() if (each.ib_order_id, each.epoch) == (ib_order_id, epoch)]
        if found and found[0].is_live:
            self.ends(found[0], "Cancelled")
        else:
            self.say(MessageKind.ERROR, request_id=ib_order_id, code=10147, text="not found")

    def change(self, ib_order_id: int, epoch: str, limit: Decimal) -> None:
        """Another price arrives; of an order that is over it is refused."""
        found = [each for each in self.orders.values() if (each.ib_order_id, each.epoch) == (ib_order_id, epoch)]
        if found and found[0].is_live:
            self._tell(replace(found[0], limit=limit))
        else:
            self.say(MessageKind.ERROR, request_id=ib_order_id, code=104, text="Cannot modify a filled order.")

    def cancel_everything(self) -> None:
        for each in self.live():
            self.ends(each, "Cancelled")

    # --- what it does ---------------------------------------------------------------------------------------------

    def works(self, known: Known) -> None:
        self._tell(replace(known, word="Submitted"))

    def fills(self, known: Known, lots: int, price: Decimal) -> None:
        """So many lots (unsigned, no more than are left) are executed; of a spread, what is missing in each month."""
        signed = lots if known.quantity > 0 else -lots
        if known.months is None:
            self._execute(replace(known, filled=known.filled + signed), {known.con_id: signed}, price)
            return
        done = known.filled + signed
        near, far = (max(done, units, key=abs) for units in known.units)
        self._month_by_month(known, (near, far), price)

    def month_fills(self, known: Known, month: int, price: Decimal) -> None:
        """One lot of one month of a spread is executed, its near (0) or far (1) one."""
        units, unit = list(known.units), 1 if known.quantity > 0 else -1
        if abs(units[month]) < abs(known.quantity):
            units[month] += unit
            self._month_by_month(known, (units[0], units[1]), price)

    def _month_by_month(self, known: Known, units: tuple[int, int], price: Decimal) -> None:
        assert known.months is not None
        near, far = known.months
        lots = {near: known.units[0] - units[0], far: units[1] - known.units[1]}
        self._execute(replace(known, units=units, filled=min(units, key=abs)), lots, price)

    def _execute(self, filled: Known, lots: dict[int, int], price: Decimal) -> None:
        """`filled` is the order after signed `lots` of each contract."""
        if filled.is_live:
            filled = replace(filled, word="Filled" if filled.left == 0 else "Submitted")
        self.orders[filled.perm_id] = filled
        for con_id, change in lots.items():
            if change:
                self.trade(Traded(base=f"0001.{len(self.trades):04d}", revision=1, reference=filled.reference,
                                  perm_id=filled.perm_id, con_id=con_id, quantity=change, price=price))
        if filled.is_live or filled.word == "Filled":
            self._tell(filled)

    def trade(self, trade: Traded) -> None:
        """An execution, or a newer revision of one."""
        self.trades[trade.base] = trade
        self._tell_trade(trade)

    def rejects(self, known: Known) -> None:
        """Only what has not traded; it is forgotten at once, as a real gateway does."""
        del self.orders[known.perm_id]
        self.refused.add(known.reference)
        self.say(MessageKind.ERROR, request_id=known.ib_order_id, code=201, text="Order rejected - reason: margin")

    def ends(self, known: Known, word: str) -> None:
        self._tell(replace(known, word=word))

    def edits(self, known: Known, limit: Decimal, quantity: int) -> None:
        """A person changes our order in the broker's own program."""
        self._tell(replace(known, limit=limit, quantity=quantity))

    # --- what it says ---------------------------------------------------------------------------------------------

    def say(self, kind: MessageKind, **facts: Any) -> None:
        self.on_the_way.append((kind, facts))

    def _tell(self, known: Known) -> None:
        self.orders[known.perm_id] = known
        for each in self._status_of(known):
            self.say(*each[:1], **each[1])

    def _status_of(self, known: Known) -> list[tuple[MessageKind, dict[str, Any]]]:
        about = {"ib_order_id": known.ib_order_id if known.epoch == self.epoch else 0, "perm_id": known.perm_id,
                 "con_id": known.con_id, "status": known.word}
        status = about | {"filled": float(abs(known.filled))}
        if known.is_live:
            opened = about | {"reference": known.reference, "lots": abs(known.quantity), "limit": str(known.limit)}
            return [(MessageKind.OPEN_ORDER, opened), (MessageKind.ORDER_STATUS, status | {"reference": ""})]
        return [(MessageKind.ORDER_STATUS, status | {"reference": known.reference})]

    def _tell_trade(self, trade: Traded) -> None:
        self.say(MessageKind.EXECUTION, execution_id=f"{trade.base}.{trade.revision:02d}", reference=trade.reference,
                 perm_id=trade.perm_id, ib_order_id=0, con_id=trade.con_id, security="FUT", quantity=trade.quantity,
                 price=str(trade.price), at=None, time="", account=ACCOUNT, liquidation=trade.liquidation)

    def repeat_day(self) -> None:
        """Everything of the day once more: open and completed orders, and executions in their newest revision."""
        for known in self.orders.values():
            for each in self._status_of(known):
                self.say(*each[:1], **each[1])
        for trade in self.trades.values():
            self._tell_trade(trade)

    def forget_day(self) -> None:
        """Midnight: what ended is known no more. Executions are, for a week."""
        self.orders = {key: each for key, each in self.orders.items() if each.is_live}

    # --- the connection -------------------------------------------------------------------------------------------

    def arrives(self, place: int, now: Any, again: bool = False) -> None:
        """One of the messages on their way is journaled, unless it is an echo; some come once more."""
        kind, facts = self.on_the_way[place] if again else self.on_the_way.pop(place)
        if again or not self._heard.is_echo(kind, self.epoch, facts):
            self.hears(kind, facts, now)

    def hears(self, kind: MessageKind, facts: dict[str, Any], now: Any) -> None:
        """The journal takes it, whether it has it already or not."""
        self.journal.append(BrokerMessage(sequence=len(self.journal) + 1, at=now, epoch=self.epoch, kind=kind,
                                          facts=facts))

    def all_arrives(self, now: Any) -> None:
        while self.on_the_way:
            self.arrives(0, now)

    def disconnects(self) -> None:
        self.is_linked = False
        self.on_the_way = []

    def offered_next(self) -> int:
        """The id that a new connection is offered: behind every one that arrived."""
        return max((known.ib_order_id for known in self.orders.values()), default=0) + 1

    def reconnects(self, offered: int, now: Any) -> None:
        """The day is repeated before anything is sent."""
        self.is_linked, self.offered = True, offered
        self.connections += 1
        self.repeat_day()
        self.all_arrives(now)
