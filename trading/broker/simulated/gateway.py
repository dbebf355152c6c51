"""The gateway itself: one account, its book, and the clients that are connected. Knows no sockets.

Every change of the book is on disk before any client hears of it: `record` is the only way to change it.
"""

import logging
from collections import Counter
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from trading.broker.simulated import account, exchange, hours
from trading.broker.simulated.book import Changes
from trading.broker.simulated.exchange import Market, Venue
from trading.broker.simulated.faults.armed import ArmedFaults
from trading.broker.simulated.faults.fault import FaultKind
from trading.broker.simulated.faults.late_legs import TOGETHER, LateLegs
from trading.broker.simulated.faults.notices import BEGINNINGS, CUTTING, ENDINGS
from trading.broker.simulated.fill_responses import commission_report, execution
from trading.broker.simulated.history_pacing import HistoryPacing
from trading.broker.simulated.hours import ExecutionStamps
from trading.broker.simulated.linked_orders import consequences
from trading.broker.simulated.listing import BAG, FUTURE, Listing
from trading.broker.simulated.matching import Slice
from trading.broker.simulated.order_contract import known
from trading.broker.simulated.order_reports import ToldFill, order_messages
from trading.broker.simulated.orders import Holding, Order
from trading.broker.simulated.quote_sheet import QuoteSheet
from trading.broker.simulated.quotes import Watch, day_start
from trading.broker.simulated.recorded_market import NO_PRINTS, Prints, RecordedMarket
from trading.broker.simulated.refusals import Refusal
from trading.broker.simulated.responses import NO_REQUEST
from trading.broker.simulated.settings import GatewaySettings
from trading.broker.simulated.settlement import settlement
from trading.broker.simulated.world import World
from trading.clock import Clock
from trading.errors import DataError

if TYPE_CHECKING:
    from trading.broker.simulated.session import Session

log = logging.getLogger(__name__)


class Gateway:
    """Shared by all sessions. Not thread-safe; one event loop drives it."""

    def __init__(self, market: RecordedMarket, settings: GatewaySettings, clock: Clock, world: World) -> None:
        self.market: Final = market
        self.settings = settings
        self.clock: Final = clock
        self.zone: Final = settings.tz
        self.listing: Final = Listing(market, settings.base_currency, settings.tz, settings.grids)
        self.venue = self._venue()
        self._markets: Final[dict[int, Market]] = {}
        self.sheet: Final = QuoteSheet(settings.tz)
        self.book: Final = world.load()
        self.sessions: Final[dict[int, Session]] = {}
        self.is_match_due = False
        self.faults: Final = ArmedFaults()
        self.requests: Final[Counter[str]] = Counter()  # that arrived, by name
        self.history_pacing: Final = HistoryPacing()
        self._announced: Final[set[FaultKind]] = set()  # begun, and not over as far as the clients know
        self._late_legs: Final = LateLegs()
        self._world: Final = world

    def now(self) -> datetime:
        return self.clock.now()

    @property
    def stamps(self) -> ExecutionStamps:
        return self.settings.stamps

    def change(self, settings: GatewaySettings) -> None:
        """Go on with `settings`; what a gateway has for life must be as before."""
        self.settings = settings
        self.venue = self._venue()

    def _venue(self) -> Venue:
        return Venue(self.settings.account, self.settings.tz, self.settings.timetable, self.settings.lots,
                     self._prices_of)

    def admit(self, session: "Session", client_id: int) -> bool:
        """Take a client in, unless its id is in use."""
        if client_id in self.sessions or self.faults.holds(FaultKind.ID_IN_USE, self.clock.monotonic_s()):
            return False
        self.sessions[client_id] = session
        return True

    def dismiss(self, session: "Session") -> None:
        """Forget a client that has gone; its orders stay."""
        if session.client_id is not None and self.sessions.get(session.client_id) is session:
            del self.sessions[session.client_id]

    def record(self, changes: Changes, *, silent: bool = False) -> None:
        """Commit, apply, then tell the owners; fills also reach everybody who watches positions or the account.

        What follows for linked orders is recorded behind it. `silent`: the owners are told by the caller.
        """
        self._world.commit(changes)
        self.book.apply(changes)
        for order in () if silent else changes.orders:
            self._tell_owner(order, changes)
        self._tell_of_fills_alone(changes)
        held = {fill.con_id for fill in changes.executions if self.book.contracts[fill.con_id].sec_type != BAG}
        for session in self.sessions.values():
            for con_id in sorted(held):
                session.position_changed(con_id)
        following = consequences(changes, self.book, self.now())
        if following is not None:
            self.is_match_due = True
            self.record(following)

    def match(self) -> None:
        """Bring every open order up to the record's present, the oldest first; one that fills may free others.

        One that a fault keeps from filling ends in its time all the same.
        """
        if self.is_cut_off():
            return
        hold = self.faults.holds(FaultKind.HOLD, self.clock.monotonic_s())
        self.is_match_due = True
        while self.is_match_due:
            self.is_match_due = False
            for order in list(self.book.open_orders()):
                if hold is None or not hold.strikes_order(order.order_ref):
                    self._advance(order.perm_id)
                elif (over := exchange.ended(order, self.now())) is not None:
                    self.record(over)

    def fill_now(self, order: Order, lots: int) -> None:
        """So many lots of `order` at the last price, whatever its terms."""
        market = self.market_of(order)
        price = None if market is None else market.contract.prints.until(self.now()).last()
        if market is not None and price is not None:
            self.record(exchange.filled(order, market, self.book, Slice(lots, Decimal(repr(price))), self.now()))

    def quote_again(self) -> None:
        """Tell every stream its market once more, whether it has moved or not."""
        for session in self.sessions.values():
            session.quote_again()

    def traded_beside(self, watch: Watch, now: datetime) -> int:
        """Lots of the day that no print shows: the fills of our clients, and what others trade between two prints."""
        if watch.contract.facts.sec_type != FUTURE:
            return 0
        start, end = day_start(watch, now, self.zone), now - watch.kind.age
        ours = sum(fill.shares for fill in self.book.fills_of.get(watch.contract.facts.con_id, ())
                   if start <= fill.time <= end)
        return ours + int(self.settings.traded_a_minute * (end - start).total_seconds() / 60)

    def is_empty(self) -> bool:
        """Does a fault hide all orders and positions, as just after a start of the real gateway?"""
        return self.faults.holds(FaultKind.EMPTY, self.clock.monotonic_s()) is not None

    def is_cut_off(self) -> bool:
        """Has the gateway lost the broker behind it?"""
        now_s = self.clock.monotonic_s()
        return any(self.faults.holds(kind, now_s) for kind in CUTTING)

    def announce(self, notice: Refusal) -> None:
        """A notice that concerns no request, to every client."""
        for session in self.sessions.values():
            session.refuse(NO_REQUEST, notice)

    def announce_fault(self, kind: FaultKind) -> None:
        """Tell everybody that `kind` begins, if that is told at all; when it is over, they are told again."""
        if kind in BEGINNINGS:
            self._announced.add(kind)
            self.announce(BEGINNINGS[kind])

    def tell(self, client_id: int, order_id: int, problem: Refusal) -> None:
        """An error about an order, to its owner if he is there."""
        if client_id in self.sessions:
            self.sessions[client_id].refuse(order_id, problem)

    def _settle(self) -> None:
        """Positions in contracts that have ended are closed in cash."""
        today = hours.local_date(self.now(), self.zone)
        while (ended := settlement(self.book, self._last_price, today, self.now())) is not None:
            self.record(ended)

    def _restore(self) -> None:
        """What lasted and is over is announced."""
        now_s = self.clock.monotonic_s()
        over = [kind for kind in self._announced if not self.faults.holds(kind, now_s)]
        for kind in over:
            self._announced.discard(kind)
            self.announce(ENDINGS[kind])

    def market_of(self, order: Order) -> Market | None:
        """How the market looks to an order; None when the record no longer has its contract."""
        if order.con_id not in self._markets:
            found = known(self.book.contracts[order.con_id], self.listing)
            if found is None:
                return None
            self._markets[order.con_id] = found
        return self._markets[order.con_id]

    def poll(self) -> None:
        """Once a second: orders, streams and account refreshes follow the record's clock."""
        self._restore()
        self._fill_late_legs()
        self.match()
        self._settle()
        for session in self.sessions.values():
            session.poll()

    def statement(self, name: str) -> account.Statement:
        """What the account `name` is worth now."""
        return account.statement(self.book.account(name), self.settings.base_currency, self.settings.starting_cash,
                                 self._last_price, self.rate)

    def _advance(self, perm_id: int) -> None:
        """Everything that happens to one order; it may change between, or end with another."""
        while (order := self.book.orders[perm_id]).status.is_open:
            market = self.market_of(order)
            if market is None:
                log.warning("order %s waits: its contract %s is not in the record", perm_id, order.con_id)
                return
            changes = exchange.advance(order, market, self.book, self.venue, self.now())
            if changes is None:
                return
            self.record(self._alone_or_together(changes))

    def _alone_or_together(self, changes: Changes) -> Changes:
        """A combination fills with all its legs, unless a fault lets one come alone."""
        if len(changes.executions) > TOGETHER:
            reference = changes.orders[0].order_ref
            fault = self.faults.take({FaultKind.LEG_ALONE}, lambda each: each.strikes_order(reference))
            if fault is not None:
                return self._late_legs.first_alone(changes, fault, self.clock.monotonic_s())
        return changes

    def _fill_late_legs(self) -> None:
        late = self._late_legs.due(self.clock.monotonic_s(), self.now())
        if late is not None:
            self.record(late)

    def _tell_owner(self, order: Order, changes: Changes) -> None:
        session = self.sessions.get(order.client_id)
        if session is None:
            return
        fills = [ToldFill(fill, self.book.contracts[fill.con_id]) for fill in changes.executions
                 if fill.perm_id == order.perm_id]
        session.send(*order_messages(order, self.book.contracts[order.con_id], fills, self.stamps, session.version))

    def _tell_of_fills_alone(self, changes: Changes) -> None:
        """Corrections, and trades that no client of ours asked for: whoever owns the order, or client 0, hears them."""
        owned = {order.perm_id for order in changes.orders}
        for fill in changes.executions:
            session = self.sessions.get(fill.client_id)
            if fill.perm_id in owned or session is None:
                continue
            facts = self.book.contracts[fill.con_id]
            session.send(execution(NO_REQUEST, fill, facts, self.stamps, session.version), commission_report(fill))

    def _prices_of(self, con_id: int) -> Prints:
        contract = self.listing.by_id(con_id)
        return NO_PRINTS if contract is None else contract.prints

    def _last_price(self, holding: Holding) -> float | None:
        contract = self.listing.by_id(holding.con_id)
        return None if contract is None else contract.prints.until(self.now()).last()

    def rate(self, currency: str) -> float:
        """One unit of `currency` in the base currency, now."""
        rate = self.market.rate(currency, self.settings.base_currency, self.now())
        if rate is None:
            raise DataError(f"No recorded rate of {currency} in {self.settings.base_currency}: "
                            f"the account cannot be valued. Add the pair to the record.")
        return rate
