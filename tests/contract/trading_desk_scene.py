"""A desk over a store: two instruments, a described contract each, strategies s and t, and a person who signs."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from trading.broker.facts import ContractDetails
from trading.control.trading_day import TradingDays
from trading.data.mongo.books import MongoBooks
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.contracts import MongoContracts
from trading.data.mongo.instruments import InstrumentRecord, MongoInstruments
from trading.data.mongo.orders import MongoOrders
from trading.data.trading_desk.deed import Deed, Outcome, Preview, Signed
from trading.data.trading_desk.desk import TradingDesk
from trading.data.trading_desk.positions import Opening
from trading.data.trading_desk.records import House
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.fills import EXTERNAL, Fill
from trading.execution.order_ids import broker_order_id
from trading.execution.orders import ContractOrder, InstrumentOrder, spawn
from trading.objects.contracts import Contract
from trading.objects.instruments import Instrument
from trading.risk.order_kind import OrderKind

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
HOUSE = House(account="DU1", strategies=frozenset({"s", "t"}), trading_day=TradingDays(zone=ZoneInfo("UTC")).day_of)
SP, GOLD = "SP500/20260600", "GOLD/20260400"


def furnish(store: MongoStore) -> None:
    """What the desk finds there."""
    MongoInstruments(store).save_all({code: InstrumentRecord(
        instrument=Instrument(code=code, point_size=50.0, currency="USD"), rolls=None, broker=None)
        for code in ("SP500", "GOLD")})
    for number, key in enumerate((SP, GOLD, "SP500/20260900")):
        contract = Contract.parse(key)
        MongoContracts(store).save(contract, ContractDetails(
            con_id=40 + number, symbol=contract.instrument, local_symbol="", exchange="CME", currency="USD",
            multiplier="50", price_magnifier=1, min_tick=Decimal("0.25"), contract_month=str(contract.month)[:6],
            last_trade_date="20260619", trading_hours="", time_zone="UTC"), True, NOW)


@dataclass
class Scene:
    """A person at the desk."""

    store: MongoStore
    now: datetime = NOW

    def __post_init__(self) -> None:
        furnish(self.store)
        self.desk = TradingDesk(self.store, HOUSE)
        self.orders, self.books = MongoOrders(self.store), MongoBooks(self.store)
        self._numbers = count(1)

    def signed(self, **changes: Any) -> Signed:
        return replace(Signed(id=f"d{next(self._numbers)}", who="ann", why="because", at=self.now), **changes)

    def look(self, deed: Deed) -> Preview:
        return self.desk.preview(deed, self.signed(why=""))

    def do(self, deed: Deed, **changes: Any) -> Outcome:
        return self.desk.do(deed, self.signed(**changes))

    def later(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    def holds(self, lots: int, strategy: str = "s", contract: str = SP) -> None:
        """As if it had been held before our books began."""
        self.do(Opening(contract=contract, strategy=strategy, lots=lots))

    def external(self, lots: int, contract: str = SP, con_id: int = 40) -> None:
        """Somebody else traded."""
        name = f"x{con_id - 40 or ''}"
        self.books.apply_fill(Fill(
            id=f"DU1/{name}", execution_id=f"{name}.01", revision=1, broker_order=None, contract=contract,
            con_id=con_id, quantity=lots, price=Decimal("5000.25"), at=NOW, trading_day="2026-03-02",
            instrument="SP500", strategy=EXTERNAL))

    def an_order(self, number: int = 1, **changes: Any) -> InstrumentOrder:
        """An open instrument order without children."""
        stored = self.orders.add_instrument_order(InstrumentOrder(**{  # type: ignore[arg-type]
            "id": f"IO-{number}", "idempotency_key": f"k{number}", "account": "DU1", "strategy": "s",
            "instrument": "SP500", "kind": OrderKind.STRATEGY, "quantity": 5, "trading_day": "2026-03-02",
            "created": NOW} | changes))
        assert stored is not None
        return stored

    def at_the_broker(self, number: int = 1, **changes: Any) -> BrokerOrder:
        """An instrument order whose one broker order works."""
        parent = self.an_order(number, **changes)
        self.orders.spawned(*spawn(parent, SP, NOW))
        leg, = self.orders.contract_orders_of(parent.id)
        return self.orders.add_broker_order(replace(leg, next_child=2), working(leg))


def working(leg: ContractOrder) -> BrokerOrder:
    return BrokerOrder(
        id=broker_order_id(leg), parent=leg.id, account="DU1", strategy=leg.strategy, instrument=leg.instrument,
        contract=leg.contract, con_id=40, exchange="CME", kind=leg.kind, quantity=leg.quantity, order_type="LMT",
        limit_price=Decimal("5000.25"), time_in_force="DAY", bid=Decimal("5000.00"), ask=Decimal("5000.25"),
        trading_day="2026-03-02", created=NOW, lifecycle=BrokerLifecycle.WORKING, perm_id=70, epoch="e",
        ib_order_id=500)
