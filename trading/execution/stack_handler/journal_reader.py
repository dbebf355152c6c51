"""Bring the journal into the books: message by message, in order; a message applied twice changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from trading.execution.broker_messages import BrokerMessage, MessageKind
from trading.execution.broker_orders import BrokerOrder
from trading.execution.error_policy import ErrorPolicy
from trading.execution.fills import execution_base
from trading.execution.ports import Books, Journal, Locks, Market, OrderStore
from trading.execution.stack_handler.reports import Today, after_error, after_status, fill_of
from trading.execution.twins import has_ended, is_about, is_twin, twin_lock
from trading.log import get_log

log = get_log()


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
    _early_commissions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def apply_new(self) -> int:
        """Apply everything that is stored; the last message applied."""
        applied = self.journal.applied()
        while messages := self.journal.after(applied):
            applied = self.apply(messages)
        return applied

    def apply(self, messages: Sequence[BrokerMessage]) -> int:
        """Apply `messages`, at least one, which lie behind the last applied; the last of them."""
        for message in messages:
            self._apply(message)
        self.journal.mark_applied(messages[-1].sequence)
        return messages[-1].sequence

    def _apply(self, message: BrokerMessage) -> None:
        facts = message.facts
        if message.kind is MessageKind.CONNECTED:
            self.connection = message.epoch
        elif message.kind is MessageKind.EXECUTION:
            self._apply_execution(message)
        elif message.kind is MessageKind.COMMISSION:
            self._apply_commission(facts)
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

    def _apply_execution(self, message: BrokerMessage) -> None:
        facts = message.facts
        if facts["security"] == "BAG" or facts["account"] != self.account:
            return  # the legs of a spread report themselves; other accounts are not ours
        order = self._order(message)
        contract = self.market.contract_of(facts["con_id"])
        fill = fill_of(message, order, contract, self.today)
        if self.books.apply_fill(fill):
            log.info("fill", order=fill.broker_order or "not ours", contract=fill.contract, quantity=fill.quantity,
                     price=str(fill.price))
        early = self._early_commissions.pop(facts["execution_id"], None)
        if early is not None:
            self._apply_commission(early)

    def _apply_commission(self, facts: dict[str, Any]) -> None:
        if facts["amount"] is None:
            return
        fill_id = f"{self.account}/{execution_base(facts['execution_id'])[0]}"
        if not self.books.apply_commission(fill_id, Decimal(facts["amount"]), facts["currency"]):
            self._early_commissions[facts["execution_id"]] = facts

    def _order(self, message: BrokerMessage) -> BrokerOrder | None:
        """The order of ours that `message` is about; the second life of one is nobody's, and locks its instrument."""
        facts = message.facts
        order = self.orders.find_broker_order(facts.get("reference") or "", facts.get("perm_id") or 0,
                                              facts.get("ib_order_id") or 0, message.epoch)
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
