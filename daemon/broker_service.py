"""BrokerService: owns the one connection to the broker, journals what it says, and sends what was stored to be sent.

The connection is a state machine of its own: it connects, synchronises, listens for its heartbeat, and begins again
with a growing pause whenever anything breaks. Nothing is sent before the day's orders were asked for on this very
connection, nor while the journal lags behind, nor by a daemon that does not lead.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from daemon.leadership import Leadership
from daemon.pacing import Pacing
from daemon.store.async_store import AsyncStore
from daemon.store.journal_writer import JournalWriter
from daemon.turn_queue import Urgency
from trading.broker.account_check import account_problem
from trading.broker.error_codes import shipped_error_policy
from trading.broker.facts import OrderEvidence
from trading.broker.ib.library import MESSAGES_FOR_ORDERS, IbLibrary
from trading.clock import Clock
from trading.config import BrokerConfig, Mode
from trading.errors import BrokerError, BrokerUnavailable
from trading.execution.broker_messages import MessageKind
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.error_policy import CodeMeaning
from trading.execution.gate import GateFacts, change_problem, gate_problem
from trading.log import get_log

log = get_log()

HEARTBEAT_ANSWER_S: Final = 5.0
JOURNAL_WITHIN_S: Final = 5.0
CLAIM_WITHIN_S: Final = 5.0  # by then the price of an order, and what the gate saw, are old
CUT_OFF: Final = "the gateway lost its connection to the broker"
DEGRADED_AT_MOST_S: Final = 300.0
SEVER_AFTER_S: Final = 1.0
CHANGEABLE: Final = frozenset({BrokerLifecycle.ACKED, BrokerLifecycle.WORKING})
PAUSES_S: Final = (0.5, 1, 2, 5, 10, 30)


class Link(StrEnum):
    """How things stand with the broker."""

    DOWN = "down"
    SYNCHRONISING = "synchronising"
    READY = "ready"
    DEGRADED = "degraded"  # the socket is open, the broker is not behind it


@dataclass(frozen=True, kw_only=True)
class BrokerParts:
    """What the service works with."""

    store: AsyncStore
    journal: JournalWriter
    leadership: Leadership
    clock: Clock
    settings: BrokerConfig
    mode: Mode
    halt_flag: Path  # while this file exists nothing is sent, whatever the store says
    address: Callable[[], tuple[str, int]]  # asked at each attempt: a restarted gateway may have moved


class BrokerService:
    """One connection for all jobs; `on_ready` is called whenever it has come up."""

    on_ready: Callable[[], None]

    def __init__(self, parts: BrokerParts) -> None:
        self._parts = parts
        self.link = Link.DOWN
        self.reason = "not connected yet"
        self.since: datetime = parts.clock.now()
        self._since_s = parts.clock.monotonic_s()
        self._is_cut_off = False  # the gateway has told that it lost the broker
        self._library: IbLibrary | None = None
        self._next_valid_id = 0
        self._pacing = Pacing(parts.settings.messages_per_s, parts.clock)
        self._lost = asyncio.Event()
        self._sending: set[str] = set()  # orders whose claim is stored, or being stored, and that may leave any moment
        self._task: asyncio.Task[None] | None = None
        self.reconnects = 0
        self._policy = shipped_error_policy()

    def start(self) -> None:
        """Connect, and stay connected, in the background."""
        self._task = asyncio.create_task(self._stay_connected(), name="broker connection")
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._library is not None:
            self._library.disconnect()
        self._move(Link.DOWN, "the daemon is stopping")

    @property
    def problem(self) -> str | None:
        """Why jobs cannot use the broker, as a sentence; None when they can."""
        return None if self.link is Link.READY else f"the broker link is {self.link} ({self.reason})"

    async def library(self, asker: str = "", urgency: Urgency = Urgency.QUESTION, messages: int = 1) -> IbLibrary:
        """The connected library, when it is the turn of `asker` to send `messages` messages; at once for none.

        Raises:
            BrokerUnavailable: not ready; the message says why.
        """
        self._ready_library()
        if messages:
            await self._pacing.turn(urgency, asker, messages)
        return self._ready_library()  # the connection may have gone while it waited

    def _ready_library(self) -> IbLibrary:
        if self._library is None or self.link is not Link.READY:
            raise BrokerUnavailable(f"{self.problem}. It keeps trying; see: tradectl status")
        return self._library

    async def library_for_quotes(self, asker: str, con_ids: Collection[int]) -> IbLibrary:
        """The connected library, when `asker` may open the lines of `con_ids` that are not open yet."""
        return await self.library(asker, messages=self._ready_library().new_lines(con_ids))

    async def submit(self, order_id: str) -> BrokerOrder:
        """Send the stored intent `order_id`, at most once in its life.

        An order that was claimed before is not sent again, whatever became of it.

        Raises:
            BrokerUnavailable: not ready; nothing was sent and the order is still an intent.
            BrokerError: the books were not compared over this connection yet; likewise.
        """
        await self.library(urgency=Urgency.ORDER)
        await self._wait_for_journal()
        store = self._parts.store
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
        store, clock, looked_s = self._parts.store, self._parts.clock, self._parts.clock.monotonic_s()
        if order.id in self._sending:
            raise BrokerError(f"Broker order {order.id} is being sent by an earlier request.")
        self._sending.add(order.id)
        try:
            highest = await store.call(store.orders.highest_order_id)
            library = self._ready_library()
            claimed = replace(order.moved(BrokerLifecycle.SENDING), epoch=self._parts.journal.epoch,
                              ib_order_id=library.allocate_order_id(highest), sent=clock.now())
            self._refuse_unless_leading()
            claimed = await store.call(store.orders.save_broker_order, claimed)
            self._refuse_unless_leading()
            is_of_now = library is self._library and claimed.epoch == self._parts.journal.epoch
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
        if self._parts.halt_flag.exists():
            return "the halt flag was laid in the state directory before it was sent"
        if took_s > CLAIM_WITHIN_S:
            return f"the store took {took_s:.0f} s to confirm its claim, and its price is as old"
        return ""

    async def change(self, order_id: str, limit: Decimal) -> BrokerOrder:
        """Ask for another price of a live order; it goes on under its old one until the broker confirms.

        Raises:
            BrokerError: the order is not confirmed as living on this connection, or the gate refuses; nothing was sent.
        """
        library = await self.library(urgency=Urgency.ORDER)
        await self._wait_for_journal()
        store = self._parts.store
        order = await store.call(store.orders.broker_order, order_id)
        if order.epoch != self._parts.journal.epoch or order.lifecycle not in CHANGEABLE:
            raise BrokerError(f"Broker order {order_id} is {order.lifecycle} and not known to live on this connection, "
                              f"so its price is not changed: it could become a second order.")
        problem = change_problem(order, limit, await self._gate_facts(order))
        if problem is not None:
            raise BrokerError(f"The price of {order_id} was not changed: {problem}.")
        self._refuse_unless_leading()
        wanted = await store.call(store.orders.save_broker_order, replace(
            order.with_terms_wanted(limit), changed_at=self._parts.clock.now()))
        self._refuse_unless_leading()
        library.place(replace(wanted, limit_price=limit))
        return wanted

    async def _gate_facts(self, order: BrokerOrder) -> GateFacts:
        store = self._parts.store
        return replace(await store.call(store.gate.facts, order, self._parts.journal.epoch),
                       is_halted_by_flag=self._parts.halt_flag.exists())

    async def _refuse(self, order: BrokerOrder, problem: str) -> BrokerOrder:
        """An intent that was never claimed ends here: it has provably not been sent."""
        log.warning("refused_at_the_gate", order=order.id, reason=problem)
        store = self._parts.store
        return await store.call(store.orders.save_broker_order, order.moved(
            BrokerLifecycle.NOT_SENT, f"refused at the gate: {problem}"))

    async def cancel(self, order_id: str) -> None:
        """Ask for a cancel of a live order; repeating it is harmless."""
        library = await self.library(urgency=Urgency.CANCEL)
        store = self._parts.store
        order = await store.call(store.orders.broker_order, order_id)
        if order.ib_order_id is None or not order.may_be_alive:
            raise BrokerError(f"Broker order {order_id} is {order.lifecycle} and cannot be cancelled.")
        library.cancel(order.ib_order_id)

    async def book(self, asker: str) -> tuple[str, list[tuple[MessageKind, dict[str, Any]]]]:
        """The connection, and what the broker lists of orders and executions over it; all of it is journaled first."""
        library = await self.library(asker, messages=MESSAGES_FOR_ORDERS)
        epoch = self._parts.journal.epoch
        heard = await library.everything()
        await self._parts.journal.flush()
        if epoch != self._parts.journal.epoch:
            raise BrokerUnavailable("The connection to the broker was made anew while it answered; nothing is known.")
        return epoch, heard

    async def open_references(self) -> set[str]:
        """Every order that works at the broker, of all clients; one without a reference of ours counts as well."""
        library = await self.library(messages=MESSAGES_FOR_ORDERS)
        opened, _, _ = await library.ask_for_orders()
        await self._parts.journal.flush()
        return opened

    async def sever(self) -> None:
        """Cancel every order of the account, those of others too, and stay away from the broker until `join`."""
        if self._task is None:
            return
        library = await self.library(urgency=Urgency.CANCEL)
        library.cancel_everything()
        await asyncio.sleep(SEVER_AFTER_S)  # the cancel must leave before the socket is closed
        await self.stop()
        self._library, self._task = None, None
        self.stay_severed()

    def stay_severed(self) -> None:
        """Do not connect: the kill level forbids it."""
        self._move(Link.DOWN, "severed by kill level K5; a person may end it: tradectl resume-trading")

    def join(self) -> None:
        """Connect again, if the connection was severed."""
        if self._task is None:
            self.start()

    async def evidence(self, order_id: str) -> OrderEvidence:
        """Where the broker knows `order_id` from; everything that it says is journaled first.

        Raises:
            BrokerUnavailable: the order is in the middle of being sent, so that an empty answer would prove nothing.
        """
        if order_id in self._sending:
            raise BrokerUnavailable(f"Broker order {order_id} is being sent at this moment; ask again.")
        library = await self.library(messages=MESSAGES_FOR_ORDERS)
        epoch = self._parts.journal.epoch
        opened, completed, executed = await library.ask_for_orders()
        await self._parts.journal.flush()
        if epoch != self._parts.journal.epoch:
            raise BrokerUnavailable("The connection to the broker was made anew while it answered; nothing is known.")
        store = self._parts.store
        order = await store.call(store.orders.broker_order, order_id)
        offered = await store.call(store.journal.offered_after, order.epoch or "")
        return OrderEvidence(found_open=order_id in opened, found_completed=order_id in completed,
                             found_executed=order_id in executed, epoch=epoch,
                             next_valid_id=self._next_valid_id if offered is None else offered)

    async def renew(self) -> None:
        """Give this connection up and make another one: what the broker offers then shows what it has ever seen."""
        self._ready_library()
        old = self._parts.journal.epoch
        log.info("connection_renewed", effect="every order is asked for on a fresh one")
        self._lost.set()
        deadline_s = self._parts.clock.monotonic_s() + self._parts.settings.connect_timeout_s
        while self.link is not Link.READY or self._parts.journal.epoch == old:
            if self._parts.clock.monotonic_s() > deadline_s:
                raise BrokerUnavailable(f"{self.problem}. It keeps trying; see: tradectl status")
            await asyncio.sleep(0.05)

    async def refresh(self) -> None:
        """Have all orders and executions of the day repeated into the journal."""
        library = await self.library(messages=MESSAGES_FOR_ORDERS)
        await library.ask_for_orders()
        await self._parts.journal.flush()

    def _refuse_unless_leading(self) -> None:
        if not self._parts.leadership.is_leader:
            raise BrokerUnavailable("This daemon does not lead; nothing was sent.")

    async def _wait_for_journal(self) -> None:
        """Nothing is sent while what the broker said cannot be stored."""
        try:
            await asyncio.wait_for(self._parts.journal.flush(), JOURNAL_WITHIN_S)
        except TimeoutError as error:
            raise BrokerUnavailable("The journal waits for the store; nothing was sent.") from error

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """Only a bug ends the connection's loop; it is told, and the connection is made anew."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("bug_in_broker_connection", error=repr(error), exc_info=error)
            self._move(Link.DOWN, f"a bug in the connection: {error!r}")
            asyncio.get_running_loop().call_later(PAUSES_S[-1], self.start)

    async def _stay_connected(self) -> None:
        failures = 0
        while True:
            try:
                await self._connect()
                failures = 0
                await self._listen()
            except (BrokerError, OSError) as error:
                if str(error) != self.reason:
                    log.warning("broker_not_connected", reason=str(error), effect="it is tried again all the time")
                self._move(Link.DOWN, str(error))
            self._drop()
            pause_s = PAUSES_S[min(failures, len(PAUSES_S) - 1)]
            failures += 1
            self.reconnects += 1
            await asyncio.sleep(pause_s)

    async def _connect(self) -> None:
        self._lost.clear()
        self._is_cut_off = False
        journal, settings = self._parts.journal, self._parts.settings
        self._library = library = IbLibrary(self._note, settings.request_timeout_s)
        library.on_disconnect(self._lost.set)
        host, port = self._parts.address()
        self._next_valid_id = await library.connect(host, port, settings.client_id, settings.connect_timeout_s)
        problem = account_problem(self._parts.mode, settings.account, library.accounts)
        if problem is not None:
            raise BrokerError(problem)
        journal.epoch = secrets.token_hex(8)
        self._move(Link.SYNCHRONISING, "asking for the day's orders")
        journal.note(MessageKind.CONNECTED, {"next_valid_id": self._next_valid_id, "client_id": settings.client_id,
                                             "host": host, "port": port})
        await library.ask_for_orders()
        await journal.flush()
        if self._is_cut_off:  # it was said while we asked: what was answered may be incomplete
            self._move(Link.DEGRADED, CUT_OFF)
            return
        self._move(Link.READY, "")
        self.on_ready()

    async def _listen(self) -> None:
        """Return when the connection is lost; a missed heartbeat is a loss too (ib_wire.md 1.4, L9)."""
        assert self._library is not None
        while not self._lost.is_set():
            try:
                await asyncio.wait_for(self._lost.wait(), self._parts.settings.heartbeat_s)
            except TimeoutError:
                await self._library.current_time(HEARTBEAT_ANSWER_S)
                self._refuse_to_wait_for_ever()
        self._move(Link.DOWN, "the gateway closed the connection")

    def _refuse_to_wait_for_ever(self) -> None:
        """A gateway that never says that the broker is back is asked anew: connecting shows how things stand."""
        if self.link is Link.DEGRADED and self._parts.clock.monotonic_s() - self._since_s > DEGRADED_AT_MOST_S:
            raise BrokerUnavailable(f"The gateway has been without the broker for {DEGRADED_AT_MOST_S:g} s; a new "
                                    f"connection is tried.")

    def _drop(self) -> None:
        if self._library is not None:
            self._library.disconnect()
            self._library = None
            self._parts.journal.note(MessageKind.DISCONNECTED, {"reason": self.reason})

    def _note(self, kind: MessageKind, facts: dict[str, object]) -> None:
        self._parts.journal.note(kind, facts)
        if kind is MessageKind.ERROR:
            self._heed(self._policy.of(int(str(facts["code"]))))

    def _heed(self, meaning: CodeMeaning) -> None:
        if meaning is CodeMeaning.LINK_LOST:
            self._is_cut_off = True
            if self.link is Link.READY:
                self._move(Link.DEGRADED, CUT_OFF)
        elif meaning is CodeMeaning.LINK_RESTORED and self._is_cut_off:
            self._lost.set()  # begin again: every order is asked for on a fresh connection

    def _move(self, link: Link, reason: str) -> None:
        if (link, reason) != (self.link, self.reason):
            log.info("broker_link", state=link.value, reason=reason)
            self.link, self.reason, self.since = link, reason, self._parts.clock.now()
            self._since_s = self._parts.clock.monotonic_s()
