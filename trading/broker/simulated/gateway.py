"""The gateway itself: one account, its book, and the clients that are connected. Knows no sockets.

Every change of the book is on disk before any client hears of it: `record` is the only way to change it.
"""

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Final

from trading.broker.simulated import account, exchange
from trading.broker.simulated.exchange import Venue
from trading.broker.simulated.listing import ListedContract, Listing
from trading.broker.simulated.order_reports import order_messages
from trading.broker.simulated.orders import Changes, Holding, Order
from trading.broker.simulated.recorded_market import RecordedMarket
from trading.broker.simulated.settings import GatewaySettings
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
        self.settings: Final = settings
        self.clock: Final = clock
        self.zone: Final = settings.tz
        self.venue: Final = Venue(settings.account, settings.tz)
        self.listing: Final = Listing(market, settings.base_currency, settings.tz)
        self.book: Final = world.load()
        self.sessions: Final[dict[int, Session]] = {}
        self.is_match_due = False
        self._world: Final = world

    def now(self) -> datetime:
        return self.clock.now()

    def admit(self, session: "Session", client_id: int) -> bool:
        """Take a client in, unless its id is in use."""
        if client_id in self.sessions:
            return False
        self.sessions[client_id] = session
        return True

    def dismiss(self, session: "Session") -> None:
        """Forget a client that has gone; its orders stay."""
        if session.client_id is not None and self.sessions.get(session.client_id) is session:
            del self.sessions[session.client_id]

    def record(self, changes: Changes) -> None:
        """Commit, apply, then tell the owners; fills also reach everybody who watches positions or the account."""
        self._world.commit(changes)
        self.book.apply(changes)
        for order in changes.orders:
            self._tell_owner(order, changes)
        for fill in changes.executions:
            for session in self.sessions.values():
                session.position_changed(fill.con_id)

    def match(self) -> None:
        """Bring every open order up to the record's present."""
        self.is_match_due = False
        for order in self.book.open_orders():
            contract = self.listing.by_id(order.con_id)
            if contract is None:
                log.warning("order %s waits: its contract %s is not in the record", order.perm_id, order.con_id)
                continue
            self._advance(order, contract)

    def poll(self) -> None:
        """Once a second: orders, streams and account refreshes follow the record's clock."""
        self.match()
        for session in self.sessions.values():
            session.poll()

    def statement(self) -> account.Statement:
        return account.statement(self.book, self.settings.base_currency, self.settings.starting_cash,
                                 self._last_price, self._rate)

    def _advance(self, order: Order, contract: ListedContract) -> None:
        changes = exchange.advance(order, contract, self.book, self.venue, self.now())
        if changes is not None:
            self.record(changes)

    def _tell_owner(self, order: Order, changes: Changes) -> None:
        session = self.sessions.get(order.client_id)
        if session is None:
            return
        fill = next((fill for fill in changes.executions if fill.perm_id == order.perm_id), None)
        facts = self.book.contracts[order.con_id]
        session.send(*order_messages(order, facts, fill, self.zone, session.version))

    def _last_price(self, holding: Holding) -> float | None:
        contract = self.listing.by_id(holding.con_id)
        return None if contract is None else contract.prints.until(self.now()).last()

    def _rate(self, currency: str) -> float:
        rate = self.market.rate(currency, self.settings.base_currency, self.now())
        if rate is None:
            raise DataError(f"No recorded rate of {currency} in {self.settings.base_currency}: "
                            f"the account cannot be valued. Add the pair to the record.")
        return rate
