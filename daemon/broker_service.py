"""BrokerService: owns the one connection to the broker and journals what it says; orders leave by its OrderSender.

The connection is a state machine of its own: it connects, synchronises, listens for its heartbeat, and begins again
with a growing pause whenever anything breaks. Nothing is sent before the day's orders were asked for on this very
connection, nor while the journal lags behind, nor by a daemon that does not lead.
"""

import asyncio
import secrets
from collections.abc import Callable, Collection
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from daemon.broker_parts import BrokerParts
from daemon.margin_asker import MarginAsker
from daemon.order_sender import OrderSender
from daemon.pacing import Pacing
from daemon.turn_queue import Urgency
from trading.broker.account_check import account_problem
from trading.broker.error_codes import shipped_error_policy
from trading.broker.facts import SpreadContract
from trading.broker.ib.library import MESSAGES_FOR_ORDERS, IbLibrary
from trading.errors import BrokerError, BrokerUnavailable
from trading.execution.broker_messages import MessageKind
from trading.execution.error_policy import CodeMeaning
from trading.log import get_log

log = get_log()

HEARTBEAT_ANSWER_S: Final = 5.0
CUT_OFF: Final = "the gateway lost its connection to the broker"
DEGRADED_AT_MOST_S: Final = 300.0
SEVER_AFTER_S: Final = 1.0
PAUSES_S: Final = (0.5, 1, 2, 5, 10, 30)


class Link(StrEnum):
    """How things stand with the broker."""

    DOWN = "down"
    SYNCHRONISING = "synchronising"
    READY = "ready"
    DEGRADED = "degraded"  # the socket is open, the broker is not behind it


class BrokerService:
    """One connection for all jobs; `on_ready` is called whenever it has come up."""

    on_ready: Callable[[], None]

    def __init__(self, parts: BrokerParts) -> None:
        self._parts = parts
        self.orders = OrderSender(self, parts)
        self.margins = MarginAsker(self, parts)
        self.link = Link.DOWN
        self.reason = "not connected yet"
        self.since: datetime = parts.clock.now()
        self._since_s = parts.clock.monotonic_s()
        self._is_cut_off = False  # the gateway has told that it lost the broker
        self._library: IbLibrary | None = None
        self.next_valid_id = 0
        self._pacing = Pacing(parts.settings.messages_per_s, parts.clock)
        self._lost = asyncio.Event()
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
        self.ready_library()
        if messages:
            await self._pacing.turn(urgency, asker, messages)
        return self.ready_library()  # the connection may have gone while it waited

    def ready_library(self) -> IbLibrary:
        """The connected library, whoever's turn it is.

        Raises:
            BrokerUnavailable: not ready; the message says why.
        """
        if self._library is None or self.link is not Link.READY:
            raise BrokerUnavailable(f"{self.problem}. It keeps trying; see: tradectl status")
        return self._library

    def is_connected_by(self, library: IbLibrary) -> bool:
        """Whether `library`, which was connected, is so still."""
        return library is self._library

    async def library_for_quotes(self, asker: str, wanted: Collection[int | SpreadContract]) -> IbLibrary:
        """The connected library, when `asker` may open the lines of contracts and spreads that are not open yet."""
        return await self.library(asker, messages=self.ready_library().new_lines(wanted))

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

    async def renew(self) -> None:
        """Give this connection up and make another one: what the broker offers then shows what it has ever seen."""
        self.ready_library()
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
        self.next_valid_id = await library.connect(host, port, settings.client_id, settings.connect_timeout_s)
        problem = account_problem(self._parts.mode, settings.account, library.accounts)
        if problem is not None:
            raise BrokerError(problem)
        journal.epoch = secrets.token_hex(8)
        self._move(Link.SYNCHRONISING, "asking for the day's orders")
        journal.note(MessageKind.CONNECTED, {"next_valid_id": self.next_valid_id, "client_id": settings.client_id,
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
                async with asyncio.timeout(self._parts.settings.heartbeat_s):
                    await self._lost.wait()
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
        elif meaning is CodeMeaning.TOO_FAST:
            self._pacing.slow_down()
            log.warning("broker_slowed", messages_per_s=round(self._pacing.per_s, 1),
                        reason="the broker takes no more", effect="until tradingd is started again")

    def _move(self, link: Link, reason: str) -> None:
        if (link, reason) != (self.link, self.reason):
            log.info("broker_link", state=link.value, reason=reason)
            self.link, self.reason, self.since = link, reason, self._parts.clock.now()
            self._since_s = self._parts.clock.monotonic_s()
