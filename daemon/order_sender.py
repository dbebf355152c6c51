"""OrderSender: the last step of an order before the wire, over whatever connection there is now.

What it claims is stored before it leaves, and leaves at most once; what it cannot prove unsent it never says was not.
"""

import asyncio
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final, Protocol

from daemon.broker_parts import BrokerParts
from daemon.turn_queue import Urgency
from trading.broker.facts import OrderEvidence
from trading.broker.ib.library import MESSAGES_FOR_ORDERS, IbLibrary
from trading.errors import BrokerError, BrokerUnavailable
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.gate import GateFacts, change_problem, gate_problem
from trading.execution.order_ids import is_ours
from trading.log import get_log

log = get_log()

JOURNAL_WITHIN_S: Final = 5.0
CLAIM_WITHIN_S: Final = 5.0  # by then the price of an order, and what the gate saw, are old
CHANGEABLE: Final = frozenset({BrokerLifecycle.ACKED, BrokerLifecycle.WORKING})


class Connection(Protocol):
    """The one to the broker, as a sender needs it; see BrokerService."""

    @property
    def next_valid_id(self) -> int:
        """The order id that the broker offered when it was made."""

    async def library(self, asker: str = "", urgency: Urgency = Urgency.QUESTION, messages: int = 1) -> IbLibrary: ...
    def ready_library(self) -> IbLibrary: ...
    def is_connected_by(self, library: IbLibrary) -> bool: ...


@dataclass
class OrderSender:
    """Submit, change, cancel, and the evidence of what became of an order."""

    link: Connection
    parts: BrokerParts
    _sending: set[str] = field(default_factory=set)  # whose claim is stored, or being stored, and that may leave now

    async def submit(self, order_id: str) -> BrokerOrder:
        """Send the stored intent `order_id`, at most once in its life.

        An order that was claimed before is not sent again, whatever became of it.

        Raises:
            BrokerUnavailable: not ready; nothing was sent and the order is still an intent.
            BrokerError: the books were not compared over this connection yet; likewise.
        """
        await self.link.library(urgency=Urgency.ORDER)
        await self._wait_for_journal()
        store = self.parts.store
        order = await store.call(store.orders.broker_order, order_id)
        if order.lifecycle is not BrokerLifecycle.INTENT:
            return order
        facts = await self._gate_facts(order)
        if facts.unreconciled is not None:
            raise BrokerError(f"{facts.unreconciled} {order_id} was not sent, and is still an intent.")
        problem = gate_problem(order, facts)
        if problem is not None:
            return await self._refuse(order, problem)
        placed = await self._claim_and_place(order)
        return await store.call(store.orders.save_broker_order, placed)

    async def _claim_and_place(self, order: BrokerOrder) -> BrokerOrder:
        """As SENT over the connection of this moment, which the order names; NOT_SENT when it was overtaken."""
        store, clock, looked_s = self.parts.store, self.parts.clock, self.parts.clock.monotonic_s()
        if order.id in self._sending:
            raise BrokerError(f"Broker order {order.id} is being sent by an earlier request.")
        self._sending.add(order.id)
        try:
            highest = await store.call(store.orders.highest_order_id)
            library = self.link.ready_library()
            claimed = replace(order.moved(BrokerLifecycle.SENDING), epoch=self.parts.journal.epoch,
                              ib_order_id=library.allocate_order_id(highest), sent=clock.now())
            self._refuse_unless_leading()
            claimed = await store.call(store.orders.save_broker_order, claimed)
            self._refuse_unless_leading()
            is_of_now = self.link.is_connected_by(library) and claimed.epoch == self.parts.journal.epoch
            overtaken = self._overtaken(clock.monotonic_s() - looked_s) if is_of_now else (
                "the connection was made anew before it was sent")
            if overtaken:
                return claimed.moved(BrokerLifecycle.NOT_SENT, overtaken)
            library.place(claimed)
            return replace(claimed.moved(BrokerLifecycle.SENT), sent=clock.now())
        finally:
            self._sending.discard(order.id)

    def _overtaken(self, took_s: float) -> str:
        """Why an order whose claim took so long must not leave after all; empty: it may."""
        if self.parts.halt_flag.exists():
            return "the halt flag was laid in the state directory before it was sent"
        if took_s > CLAIM_WITHIN_S:
            return f"the store took {took_s:.0f} s to confirm its claim, and its price is as old"
        return ""

    async def change(self, order_id: str, limit: Decimal) -> BrokerOrder:
        """Ask for another price of a live order; it goes on under its old one until the broker confirms.

        Raises:
            BrokerError: the order is not confirmed as living on this connection, or the gate refuses; nothing was sent.
        """
        library = await self.link.library(urgency=Urgency.ORDER)
        await self._wait_for_journal()
        store = self.parts.store
        order = await store.call(store.orders.broker_order, order_id)
        if order.epoch != self.parts.journal.epoch or order.lifecycle not in CHANGEABLE:
            raise BrokerError(f"Broker order {order_id} is {order.lifecycle} and not known to live on this connection, "
                              f"so its price is not changed: it could become a second order.")
        problem = change_problem(order, limit, await self._gate_facts(order))
        if problem is not None:
            raise BrokerError(f"The price of {order_id} was not changed: {problem}.")
        self._refuse_unless_leading()
        wanted = await store.call(store.orders.save_broker_order, replace(
            order.with_terms_wanted(limit), changed_at=self.parts.clock.now()))
        self._refuse_unless_leading()
        library.place(replace(wanted, limit_price=limit))
        return wanted

    async def _gate_facts(self, order: BrokerOrder) -> GateFacts:
        store = self.parts.store
        return replace(await store.call(store.gate.facts, order, self.parts.journal.epoch),
                       is_halted_by_flag=self.parts.halt_flag.exists())

    async def _refuse(self, order: BrokerOrder, problem: str) -> BrokerOrder:
        """An intent that was never claimed ends here: it has provably not been sent."""
        log.warning("refused_at_the_gate", order=order.id, reason=problem)
        store = self.parts.store
        return await store.call(store.orders.save_broker_order, order.moved(
            BrokerLifecycle.NOT_SENT, f"refused at the gate: {problem}"))

    async def cancel(self, order_id: str) -> None:
        """Ask for a cancel of a live order; repeating it is harmless."""
        library = await self.link.library(urgency=Urgency.CANCEL)
        store = self.parts.store
        order = await store.call(store.orders.broker_order, order_id)
        if order.ib_order_id is None or not order.may_be_alive:
            raise BrokerError(f"Broker order {order_id} is {order.lifecycle} and cannot be cancelled.")
        library.cancel(order.ib_order_id)

    async def cancel_unread(self) -> list[str]:
        """Ask for a cancel of each order that the broker shows with a reference of ours; their references.

        For the time when the store cannot say which they are, and everything must be cancelled.
        """
        library = await self.link.library(urgency=Urgency.CANCEL)
        ours = [order for order in await library.open_orders()
                if order.client_id == self.parts.settings.client_id and is_ours(order.reference)]
        for order in ours:
            library.cancel(order.ib_order_id)
        return [order.reference for order in ours]

    async def evidence(self, order_id: str) -> OrderEvidence:
        """Where the broker knows `order_id` from; everything that it says is journaled first.

        Raises:
            BrokerUnavailable: the order is in the middle of being sent, so that an empty answer would prove nothing.
        """
        if order_id in self._sending:
            raise BrokerUnavailable(f"Broker order {order_id} is being sent at this moment; ask again.")
        library = await self.link.library(messages=MESSAGES_FOR_ORDERS)
        epoch = self.parts.journal.epoch
        opened, completed, executed = await library.ask_for_orders()
        await self.parts.journal.flush()
        if epoch != self.parts.journal.epoch:
            raise BrokerUnavailable("The connection to the broker was made anew while it answered; nothing is known.")
        store = self.parts.store
        order = await store.call(store.orders.broker_order, order_id)
        offered = await store.call(store.journal.offered_after, order.epoch or "")
        return OrderEvidence(found_open=order_id in opened, found_completed=order_id in completed,
                             found_executed=order_id in executed, epoch=epoch,
                             next_valid_id=self.link.next_valid_id if offered is None else offered)

    def _refuse_unless_leading(self) -> None:
        if not self.parts.leadership.is_leader:
            raise BrokerUnavailable("This daemon does not lead; nothing was sent.")

    async def _wait_for_journal(self) -> None:
        """Nothing is sent while what the broker said cannot be stored."""
        try:
            async with asyncio.timeout(JOURNAL_WITHIN_S):
                await self.parts.journal.flush()
        except TimeoutError as error:
            raise BrokerUnavailable("The journal waits for the store; nothing was sent.") from error
