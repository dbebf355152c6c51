"""The three order tiers, fills and positions. A step that touches several of them is one transaction.

Prices are stored as texts, so that no digit is lost; ids are ours, so repeating any step changes nothing.
"""

from collections.abc import Iterable
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.versioned import replace_version
from trading.errors import NotFound
from trading.execution.broker_orders import TERMINAL, BrokerLifecycle, BrokerOrder
from trading.execution.fills import Fill
from trading.execution.orders import CloseReason, ContractOrder, InstrumentOrder, Lifecycle, OrderKind

_CLOSED = Lifecycle.CLOSED.value
_TERMINAL = [state.value for state in TERMINAL]


class MongoOrders:
    """Instrument, contract and broker orders."""

    def __init__(self, store: MongoStore) -> None:
        self._store = store
        self._instrument = store.database.instrument_orders
        self._contract = store.database.contract_orders
        self._broker = store.database.broker_orders

    def add_instrument_order(self, order: InstrumentOrder) -> InstrumentOrder | None:
        """Store a new order; None when its decision already has one."""
        try:
            self._instrument.insert_one(_document(order) | {"v": 1})
        except DuplicateKeyError:
            return None
        return replace(order, version=1)

    def open_instrument_orders(self) -> list[InstrumentOrder]:
        return [instrument_order(row) for row in self._instrument.find({"lifecycle": {"$ne": _CLOSED}}).sort("_id", 1)]

    def open_contract_orders(self) -> list[ContractOrder]:
        return [contract_order(row) for row in self._contract.find({"lifecycle": {"$ne": _CLOSED}}).sort("_id", 1)]

    def live_broker_orders(self) -> list[BrokerOrder]:
        return [broker_order(row) for row in self._broker.find({"lifecycle": {"$nin": _TERMINAL}}).sort("_id", 1)]

    def contract_orders_of(self, parent: str) -> list[ContractOrder]:
        return [contract_order(row) for row in self._contract.find({"parent": parent}).sort("_id", 1)]

    def broker_orders_of(self, parent: str) -> list[BrokerOrder]:
        return [broker_order(row) for row in self._broker.find({"parent": parent}).sort("_id", 1)]

    def broker_order(self, order_id: str) -> BrokerOrder:
        row = self._broker.find_one({"_id": order_id})
        if row is None:
            raise NotFound(f"There is no broker order {order_id}. See: tradectl orders --all")
        return broker_order(row)

    def find_broker_order(self, reference: str, perm_id: int, ib_order_id: int, epoch: str) -> BrokerOrder | None:
        """The order that a broker message is about: by our reference, by permId, or by the handle of its connection."""
        wanted: list[Document] = [{"_id": reference}] if reference else []
        wanted += [{"perm_id": perm_id}] if perm_id else []
        wanted += [{"ib_order_id": ib_order_id, "epoch": epoch}] if ib_order_id else []
        for query in wanted:
            row = self._broker.find_one(query)
            if row is not None:
                return broker_order(row)
        return None

    def everything(self, only_open: bool) -> dict[str, list[Document]]:
        """The documents of all tiers, for people to read."""
        closed = [_CLOSED, *_TERMINAL]
        query: Document = {"lifecycle": {"$nin": closed}} if only_open else {}
        return {name: list(self._store.database[name].find(query).sort("_id", 1))
                for name in ("instrument_orders", "contract_orders", "broker_orders")}

    def spawned(self, parent: InstrumentOrder, children: Iterable[ContractOrder]) -> None:
        """Store the children together with the parent that counts them."""
        def steps(session: ClientSession) -> None:
            self.write(self._instrument, parent, session)
            for child in children:
                self.write(self._contract, child, session)
        self._store.transact(steps)

    def add_broker_order(self, parent: ContractOrder, order: BrokerOrder) -> BrokerOrder:
        """Store the intent together with the parent that counts it, before anything is sent."""
        def steps(session: ClientSession) -> BrokerOrder:
            self.write(self._contract, parent, session)
            self.write(self._broker, order, session)
            return replace(order, version=1)
        return self._store.transact(steps)

    def save_broker_order(self, order: BrokerOrder) -> BrokerOrder:
        """Write `order`.

        Raises:
            ConcurrentUpdate: somebody wrote since it was read.
        """
        self.write(self._broker, order, None)
        return replace(order, version=order.version + 1)

    def save_contract_order(self, order: ContractOrder) -> None:
        self.write(self._contract, order, None)

    def save_instrument_order(self, order: InstrumentOrder) -> None:
        self.write(self._instrument, order, None)

    def write(self, collection: Any, order: InstrumentOrder | ContractOrder | BrokerOrder,
              session: ClientSession | None) -> None:
        """Write one order against the version that it was read at, inside `session` if there is one."""
        replace_version(collection, _document(order), order.version, f"order {order.id}", session)


def _document(order: InstrumentOrder | ContractOrder | BrokerOrder) -> Document:
    document = {key: str(value) if isinstance(value, Decimal) else value for key, value in asdict(order).items()}
    for key in ("lifecycle", "kind", "close_reason"):
        if document.get(key) is not None:
            document[key] = str(document[key])
    document["_id"] = document.pop("id")
    del document["version"]
    return document


def instrument_order(row: Document) -> InstrumentOrder:
    """The order in one document of instrument_orders."""
    return InstrumentOrder(**_values(row, ("reference_price",)) | {
        "kind": OrderKind(row["kind"]), "lifecycle": Lifecycle(row["lifecycle"]),
        "close_reason": row["close_reason"] and CloseReason(row["close_reason"])})


def contract_order(row: Document) -> ContractOrder:
    """The order in one document of contract_orders."""
    return ContractOrder(**_values(row, ()) | {
        "kind": OrderKind(row["kind"]), "lifecycle": Lifecycle(row["lifecycle"]),
        "close_reason": row["close_reason"] and CloseReason(row["close_reason"])})


def broker_order(row: Document) -> BrokerOrder:
    """The order in one document of broker_orders."""
    return BrokerOrder(**_values(row, ("limit_price", "bid", "ask", "commission")) | {
        "kind": OrderKind(row["kind"]), "lifecycle": BrokerLifecycle(row["lifecycle"])})


def _values(row: Document, prices: tuple[str, ...]) -> Document:
    values = {key: value for key, value in row.items() if key not in ("_id", "v")}
    values |= {key: Decimal(row[key]) for key in prices if row[key] is not None}
    return values | {"id": row["_id"], "version": row["v"]}


def fill_document(fill: Fill) -> Document:
    """One document of fills."""
    document = asdict(fill) | {"_id": fill.id, "price": str(fill.price),
                               "commission": None if fill.commission is None else str(fill.commission)}
    del document["id"]
    return document


def fill_from(row: Document) -> Fill:
    """The fill in one document of fills."""
    values = {key: value for key, value in row.items() if key != "_id"}
    commission = row["commission"]
    return Fill(**values | {"id": row["_id"], "price": Decimal(row["price"]),
                            "commission": None if commission is None else Decimal(commission)})
