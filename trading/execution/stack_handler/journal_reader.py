"""Bring the journal into the books: message by message, in order; a message applied twice changes nothing.

Executions and commissions that stand one behind the other are booked together: hundreds come at once after an outage.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.execution.broker_orders import BrokerOrder
from trading.execution.error_policy import ErrorPolicy
from trading.execution.fills import Commission, Fill, execution_base
from trading.execution.ports import Books, Journal, Locks, Market, OrderStore
from trading.execution.stack_handler.reports import Today, after_error, after_status, fill_of
from trading.execution.twins import has_ended, is_about, is_twin, twin_lock
from trading.log import get_log

log = get_log()
_OF_FILLS: Final = frozenset({MessageKind.EXECUTION, MessageKind.COMMISSION})


@dataclass
class JournalReader:
    """Reads behind the last applied message."""

    journal: Journal
    orders: OrderStore
    books: Books
    market: Market
    locks: Locks
    account: str
    today: Today
    policy: ErrorPolicy
    connection: str = ""  # the newest one that the journal tells of
    _early_commissions: dict[str, Commission] = field(default_factory=dict)

    def apply_new(self) -> int:
        """Apply everything that is stored; the last message applied."""
        applied = self.journal.applied()
        while messages := self.journal.after(applied):
            applied = self.apply(messages)
        return applied

    def apply(self, messages: Sequence[BrokerMessage]) -> int:
        """Apply `messages`, at least one, which lie behind the last applied; the last of them."""
        for are_fills, run in groupby(messages, key=lambda message: message.kind in _OF_FILLS):
            if are_fills:
                self._book(run)
            else:
                for message in run:
                    self._apply(message)
        self.journal.mark_applied(messages[-1].sequence)
        return messages[-1].sequence

    def _apply(self, message: BrokerMessage) -> None:
        facts = message.facts
        if message.kind is MessageKind.CONNECTED:
            self.connection = message.epoch
        elif message.kind in (MessageKind.ORDER_STATUS, MessageKind.OPEN_ORDER, MessageKind.COMPLETED_ORDER):
            order = self._order(message)
            if order is not None:
                self._save(order, after_status(order, facts))
            elif has_ended(facts):
                self._release(message)
        elif message.kind is MessageKind.ERROR and facts["request_id"] > 0:
            order = self.orders.find_broker_order("", 0, facts["request_id"], message.epoch)
            if order is not None:
                self._save(order, after_error(order, facts, self.policy))

    def _book(self, messages: Iterable[BrokerMessage]) -> None:
        """A run of executions and commissions; a commission that came before its execution waits for it."""
        fills, commissions = list[Fill](), list[Commission]()
        orders = _Once(self._order)
        for message in messages:
            if message.kind is MessageKind.COMMISSION:
                commissions += self._commissions_in(message.facts)
                continue
            for fill in self._fills_in(message, orders):
                fills.append(fill)
                commissions += [self._early_commissions.pop(fill.id)] if fill.id in self._early_commissions else []
        heard: list[Fill | Commission] = [*fills, *commissions]
        news = self.books.apply(heard)
        for each, was_news in zip(heard, news, strict=True):
            if isinstance(each, Fill) and was_news:
                log.info("fill", order=each.broker_order or "not ours", contract=each.contract,
                         quantity=each.quantity, price=str(each.price))
            elif isinstance(each, Commission) and not was_news:
                self._early_commissions[each.id] = each

    def _fills_in(self, message: BrokerMessage, orders: "_Once") -> list[Fill]:
        facts = message.facts
        if facts["security"] == "BAG" or facts["account"] != self.account:
            return []  # the legs of a spread report themselves; other accounts are not ours
        return [fill_of(message, orders.of(message), self.market.contract_of(facts["con_id"]), self.today)]

    def _commissions_in(self, facts: dict[str, Any]) -> list[Commission]:
        if facts["amount"] is None:
            return []
        fill_id = f"{self.account}/{execution_base(facts['execution_id'])[0]}"
        return [Commission(id=fill_id, amount=Decimal(facts["amount"]), currency=facts["currency"])]

    def _order(self, message: BrokerMessage) -> BrokerOrder | None:
        """The order of ours that `message` is about; the second life of one is nobody's, and locks its instrument."""
        facts = message.facts
        order = self.orders.find_broker_order(*_names(message))
        if order is None or not is_twin(order, facts):
            return order
        if not has_ended(facts):
            log.error("order_lives_twice", order=order.id, perm_id=order.perm_id, twin=facts["perm_id"],
                      effect=f"{order.instrument} is not traded until the second one has ended")
            self.locks.lock(twin_lock(order, facts["perm_id"], message.at))
        return None

    def _release(self, message: BrokerMessage) -> None:
        """If it is the second life of an order that has ended: what it traded is external, and locked for itself."""
        for lock in self.locks.all():
            if is_about(lock, message.facts["perm_id"]):
                self.locks.unlock(lock.id, "the second order has ended", message.at)

    def _save(self, old: BrokerOrder, new: BrokerOrder) -> None:
        if new != old:
            self.orders.save_broker_order(new)
            if new.lifecycle is not old.lifecycle:
                log.info("broker_order", id=new.id, state=new.lifecycle.value, reason=new.reason)


@dataclass
class _Once:
    """Finds the order of each execution in a run; what it fills changes neither its names nor whose it is."""

    find: Callable[[BrokerMessage], BrokerOrder | None]
    _known: dict[tuple[str, int, int, str], BrokerOrder | None] = field(default_factory=dict)

    def of(self, message: BrokerMessage) -> BrokerOrder | None:
        names = _names(message)
        if names not in self._known:
            self._known[names] = self.find(message)
        return self._known[names]


def _names(message: BrokerMessage) -> tuple[str, int, int, str]:
    """What a message calls its order: our reference, permanent id, and the handle of its connection."""
    facts = message.facts
    return (facts.get("reference") or "", facts.get("perm_id") or 0, facts.get("ib_order_id") or 0, message.epoch)
