"""The three order tiers. A step that touches several orders is one transaction, and each change has its event in it.

Ids are ours, so repeating any step changes nothing. A document that is not what it should be is told, never skipped:
an order that cannot be seen would be traded again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from trading.data.mongo.chained import Chained, ChainedWriter, values_of
from trading.data.mongo.connection import Document, MongoStore
from trading.errors import ConcurrentUpdate, NotFound, TradingError
from trading.execution.broker_orders import SENT_PERHAPS, TERMINAL, BrokerOrder
from trading.execution.order_states import Lifecycle
from trading.execution.orders import ContractOrder, InstrumentOrder, child_number, story_of

_CLOSED = Lifecycle.CLOSED.value
_TERMINAL = [state.value for state in TERMINAL]
Order = TypeVar("Order", InstrumentOrder, ContractOrder, BrokerOrder)


class TooManyLots(TradingError):
    """A broker order that would make more lots possible than its parent has left; nothing was stored."""

    def __init__(self, parent: ContractOrder, order: BrokerOrder, committed: int) -> None:
        super().__init__(f"{order.id} for {order.quantity:+d} was not stored: {parent.id} is for {parent.quantity:+d}, "
                         f"{parent.filled:+d} are filled and {committed:+d} may still be alive at the broker.")


@dataclass(frozen=True, kw_only=True)
class SentLately:
    """The broker orders of an instrument that live or are of a trading day, oldest first; of all others the count."""

    of_instrument: tuple[BrokerOrder, ...]
    open_orders: int
    in_flight: int
    day_orders: int


class MongoOrders:
    """Instrument, contract and broker orders."""

    def __init__(self, store: MongoStore) -> None:
        self._store = store
        self._instrument = store.database.instrument_orders
        self._contract = store.database.contract_orders
        self._broker = store.database.broker_orders
        self._writer = ChainedWriter(store)

    def add_instrument_order(self, order: InstrumentOrder) -> InstrumentOrder | None:
        """Store a new order; None when its decision already has one."""
        try:
            return self._store.transact(lambda session: self.write("instrument_orders", order, session))
        except (ConcurrentUpdate, DuplicateKeyError):
            if self._instrument.find_one({"idempotency_key": order.idempotency_key}, {"_id": 1}) is None:
                raise
            return None

    def open_instrument_orders(self) -> list[InstrumentOrder]:
        return [_instrument_order(row) for row in self._instrument.find({"lifecycle": {"$ne": _CLOSED}}).sort("_id", 1)]

    def open_contract_orders(self) -> list[ContractOrder]:
        return [_contract_order(row) for row in self._contract.find({"lifecycle": {"$ne": _CLOSED}}).sort("_id", 1)]

    def live_broker_orders(self) -> list[BrokerOrder]:
        return [_broker_order(row) for row in self._broker.find({"lifecycle": {"$nin": _TERMINAL}}).sort("_id", 1)]

    def ended_broker_orders(self, since: str) -> list[BrokerOrder]:
        """Those of trading day `since` (YYYY-MM-DD) or later that have ended."""
        query = {"trading_day": {"$gte": since}, "lifecycle": {"$in": _TERMINAL}}
        return [_broker_order(row) for row in self._broker.find(query).sort("_id", 1)]

    def contract_orders_of(self, parent: str) -> list[ContractOrder]:
        return [_contract_order(row) for row in self._contract.find({"parent": parent}).sort("_id", 1)]

    def broker_orders_of(self, parent: str) -> list[BrokerOrder]:
        """Oldest first, by their number."""
        found = [_broker_order(row) for row in self._broker.find({"parent": parent})]
        return sorted(found, key=lambda order: child_number(order.id))

    def broker_orders_on(self, trading_day: str) -> list[BrokerOrder]:
        return [_broker_order(row) for row in self._broker.find({"trading_day": trading_day})]

    def sent_lately(self, instrument: str, trading_day: str) -> SentLately:
        """What the controls of an intent count; an order has its parent's day, so all siblings are here."""
        wanted = {"$or": [{"lifecycle": {"$nin": _TERMINAL}}, {"trading_day": trading_day}]}
        rows = list(self._broker.find({"instrument": instrument} | wanted))
        others = list(self._broker.find({"instrument": {"$ne": instrument}} | wanted,
                                        {"lifecycle": 1, "trading_day": 1}))
        living = [row["lifecycle"] for row in (*rows, *others) if row["lifecycle"] not in _TERMINAL]
        return SentLately(
            of_instrument=tuple(sorted(map(_broker_order, rows), key=lambda order: child_number(order.id))),
            open_orders=len(living), in_flight=sum(state in SENT_PERHAPS for state in living),
            day_orders=sum(row["trading_day"] == trading_day for row in (*rows, *others)))

    def contract_orders_between(self, first: str, last: str) -> list[ContractOrder]:
        """Those of the trading days from `first` to `last`, oldest first, whatever became of them."""
        rows = self._contract.find({"trading_day": {"$gte": first, "$lte": last}}).sort("_id", 1)
        return [_contract_order(row) for row in rows]

    def broker_orders_between(self, first: str, last: str) -> list[BrokerOrder]:
        """The same of the broker orders, in no order."""
        return [_broker_order(row) for row in self._broker.find({"trading_day": {"$gte": first, "$lte": last}})]

    def instrument_orders_between(self, first: str, last: str) -> list[InstrumentOrder]:
        """The same of the instrument orders, oldest first."""
        rows = self._instrument.find({"trading_day": {"$gte": first, "$lte": last}}).sort("_id", 1)
        return [_instrument_order(row) for row in rows]

    def broker_order(self, order_id: str) -> BrokerOrder:
        row = self._broker.find_one({"_id": order_id})
        if row is None:
            raise NotFound(f"There is no broker order {order_id}. See: tradectl orders --all")
        return _broker_order(row)

    def find_broker_order(self, reference: str, perm_id: int, ib_order_id: int, epoch: str) -> BrokerOrder | None:
        """The order that a broker message is about: by our reference, by permId, or by the handle of its connection."""
        wanted: list[Document] = [{"_id": reference}] if reference else []
        wanted += [{"perm_id": perm_id}] if perm_id else []
        wanted += [{"ib_order_id": ib_order_id, "epoch": epoch}] if ib_order_id else []
        for query in wanted:
            row = self._broker.find_one(query)
            if row is not None:
                return _broker_order(row)
        return None

    def highest_order_id(self) -> int:
        """The highest handle that any order was ever sent with; 0 when none was."""
        row = self._broker.find_one({"ib_order_id": {"$ne": None}}, {"ib_order_id": 1}, sort=[("ib_order_id", -1)])
        return 0 if row is None else int(row["ib_order_id"])

    def everything(self, only_open: bool) -> dict[str, list[Document]]:
        """The documents of all tiers, for people to read."""
        closed = [_CLOSED, *_TERMINAL]
        query: Document = {"lifecycle": {"$nin": closed}} if only_open else {}
        return {name: list(self._store.database[name].find(query).sort("_id", 1))
                for name in ("instrument_orders", "contract_orders", "broker_orders")}

    def instrument_order(self, order_id: str) -> InstrumentOrder:
        row = self._instrument.find_one({"_id": order_id})
        if row is None:
            raise NotFound(f"There is no instrument order {order_id}. See: tradectl orders --all")
        return _instrument_order(row)

    def contract_order(self, order_id: str) -> ContractOrder:
        row = self._contract.find_one({"_id": order_id})
        if row is None:
            raise NotFound(f"There is no contract order {order_id}. See: tradectl orders --all")
        return _contract_order(row)

    def spawned(self, parent: InstrumentOrder, children: Iterable[ContractOrder]) -> None:
        """Store the children together with the parent that counts them."""
        orders: list[tuple[str, Chained, str]] = [
            ("instrument_orders", parent, "instrument order"),
            *(("contract_orders", child, "contract order") for child in children)]
        self._store.transact(lambda session: self._writer.write_all(orders, session, parent.id))

    def add_broker_order(self, parent: ContractOrder, order: BrokerOrder) -> BrokerOrder:
        """Store the intent together with the parent that counts it, before anything is sent.

        Raises:
            TooManyLots: with it, more lots than the parent has could be filled.
        """
        def steps(session: ClientSession) -> BrokerOrder:
            rows = self._broker.find({"parent": parent.id, "lifecycle": {"$nin": _TERMINAL}}, session=session)
            committed = sum(_broker_order(row).committed for row in rows)
            available = parent.available(committed)
            if order.quantity * available < 0 or abs(order.quantity) > abs(available):
                raise TooManyLots(parent, order, committed)
            chains = self._writer.write_all([("contract_orders", parent, "contract order"),
                                             ("broker_orders", order, "broker order")], session, story_of(order.id))
            return replace(order, version=order.version + 1, chain=chains[1])
        return self._store.transact(steps)

    def save_broker_order(self, order: BrokerOrder) -> BrokerOrder:
        """Write `order`.

        Raises:
            ConcurrentUpdate: somebody wrote since it was read.
        """
        return self._store.transact(lambda session: self.write("broker_orders", order, session))

    def save_contract_order(self, order: ContractOrder) -> None:
        self._store.transact(lambda session: self.write("contract_orders", order, session))

    def save_instrument_order(self, order: InstrumentOrder) -> None:
        self._store.transact(lambda session: self.write("instrument_orders", order, session))

    def write(self, collection: str, order: Order, session: ClientSession) -> Order:
        """Write one order against the version that it was read at, with its event."""
        chain = self._writer.write(collection, order, collection.removesuffix("s").replace("_", " "), session,
                                   story_of(order.id))
        return replace(order, version=order.version + 1, chain=chain)


def _instrument_order(row: Document) -> InstrumentOrder:
    return InstrumentOrder.from_dict(values_of(row))


def _contract_order(row: Document) -> ContractOrder:
    return ContractOrder.from_dict(values_of(row))


def _broker_order(row: Document) -> BrokerOrder:
    return BrokerOrder.from_dict(values_of(row))
