"""The three order tiers. A step that touches several orders is one transaction, and each change has its event in it.

Ids are ours, so repeating any step changes nothing. A document that is not what it should be is told, never skipped:
an order that cannot be seen would be traded again.
"""

from collections.abc import Collection as Names
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final, TypeVar

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from trading.data.mongo.chained import ChainedWriter, Change, values_of
from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.grouped import Grouped
from trading.data.mongo.sent_lately import COUNTED, SentTogether
from trading.data.mongo.together import together
from trading.data.mongo.understood import Understood
from trading.errors import ConcurrentUpdate, NotFound, TradingError
from trading.execution.broker_orders import TERMINAL, BrokerLifecycle, BrokerOrder
from trading.execution.family_ending import Ending, ending
from trading.execution.order_ids import child_number, story_of
from trading.execution.order_states import Lifecycle
from trading.execution.orders import ContractOrder, InstrumentOrder
from trading.execution.ports import Intent, Spawned
from trading.risk.order_kind import OrderKind

_CLOSED = Lifecycle.CLOSED.value
_TERMINAL = [state.value for state in TERMINAL]
_LIVE = [state.value for state in BrokerLifecycle if state not in TERMINAL]
_STATES = sorted([*_LIVE, *_TERMINAL])
_GAPS: list[Document] = [{"$lt": _STATES[0]}, {"$gt": _STATES[-1]},
                         *({"$gt": before, "$lt": behind} for before, behind in pairwise(_STATES))]
_AT_ONCE: Final = 100  # new orders of one transaction: it must end well within its time on a busy machine
_KINDS: Final = {"instrument_orders": "instrument order", "contract_orders": "contract order",
                 "broker_orders": "broker order"}
Order = TypeVar("Order", InstrumentOrder, ContractOrder, BrokerOrder)


class TooManyLots(TradingError):
    """A broker order that would make more lots possible than its parent has left; nothing was stored."""

    def __init__(self, parent: ContractOrder, order: BrokerOrder, committed: int) -> None:
        super().__init__(f"{order.id} for {order.quantity:+d} was not stored: {parent.id} is for {parent.quantity:+d}, "
                         f"{parent.filled:+d} are filled and {committed:+d} may still be alive at the broker.")


class MongoOrders:
    """Instrument, contract and broker orders."""

    def __init__(self, store: MongoStore) -> None:
        self._store = store
        self._instrument = store.database.instrument_orders
        self._contract = store.database.contract_orders
        self._broker = store.database.broker_orders
        self._writer = ChainedWriter(store)
        self._instrument_order = Understood(lambda row: InstrumentOrder.from_dict(values_of(row)))
        self._contract_order = Understood(lambda row: ContractOrder.from_dict(values_of(row)))
        self._broker_order = Understood(lambda row: BrokerOrder.from_dict(values_of(row)))
        self._highest = 0  # handles only rise: what was seen once is not looked at again
        self._has_odd_states: bool | None = None  # None: nobody has looked

    def add_instrument_order(self, order: InstrumentOrder) -> InstrumentOrder | None:
        """Store a new order; None when its decision already has one."""
        try:
            return self._store.transact(lambda session: self.write("instrument_orders", order, session))
        except (ConcurrentUpdate, DuplicateKeyError):
            if self._instrument.find_one({"idempotency_key": order.idempotency_key}, {"_id": 1}) is None:
                raise
            return None

    def add_instrument_orders(self, orders: Sequence[InstrumentOrder]) -> list[InstrumentOrder | Exception | None]:
        """The same of many, in one transaction; an exception says why one of them was not stored."""
        parts = (orders[start:start + _AT_ONCE] for start in range(0, len(orders), _AT_ONCE))
        return [stored for part in parts
                for stored in together(part, self._add_instrument_orders, self.add_instrument_order)]

    def _add_instrument_orders(self, orders: Sequence[InstrumentOrder]) -> list[InstrumentOrder | None]:
        changes = [_change("instrument_orders", order) for order in orders]
        chains = self._store.transact(lambda session: self._writer.write_all(changes, session))
        return [replace(order, version=order.version + 1, chain=chain)
                for order, chain in zip(orders, chains, strict=True)]

    def known_decisions(self, keys: Iterable[str]) -> set[str]:
        """Those of the idempotency keys that an order has already."""
        wanted = {"idempotency_key": {"$in": list(keys)}}
        return {row["idempotency_key"] for row in self._instrument.find(wanted, {"idempotency_key": 1})}

    def open_instrument_orders(self) -> list[InstrumentOrder]:
        return list(map(self._instrument_order, _not_closed(self._instrument)))

    def open_contract_orders(self) -> list[ContractOrder]:
        return list(map(self._contract_order, _not_closed(self._contract)))

    def parents_of_open_legs(self) -> set[str]:
        """The instrument orders that have an open contract order."""
        return {row["parent"] for row in _not_closed(self._contract, "parent")}

    def live_broker_orders(self) -> list[BrokerOrder]:
        return [self._broker_order(row) for row in self._broker.find(self._living()).sort("_id", 1)]

    def _living(self) -> Document:
        """Asked for states by name, the embedded server uses their index; for all but some, it reads every order.

        Once it is looked whether any order is in a state that nobody knows: that must be seen, until it is put right.
        """
        if self._has_odd_states is not False:
            self._has_odd_states = any(self._broker.find_one({"lifecycle": gap}, {"_id": 1}) for gap in _GAPS)
        return {"lifecycle": {"$nin": _TERMINAL} if self._has_odd_states else {"$in": _LIVE}}

    def ended_broker_orders(self, since: str) -> list[BrokerOrder]:
        """Those of trading day `since` (YYYY-MM-DD) or later that have ended."""
        query = {"trading_day": {"$gte": since}, "lifecycle": {"$in": _TERMINAL}}
        return [self._broker_order(row) for row in self._broker.find(query).sort("_id", 1)]

    def contract_orders_of(self, parent: str) -> list[ContractOrder]:
        return [self._contract_order(row) for row in self._contract.find({"parent": parent}).sort("_id", 1)]

    def broker_orders_of(self, parent: str) -> list[BrokerOrder]:
        """Oldest first, by their number."""
        found = [self._broker_order(row) for row in self._broker.find({"parent": parent})]
        return sorted(found, key=lambda order: child_number(order.id))

    def broker_orders_under(self, parents: Names[str]) -> Grouped[BrokerOrder]:
        """The same of some parents, read at once; in no order."""
        rows = self._broker.find({"parent": {"$in": sorted(parents)}}) if parents else ()
        return Grouped.by("parent", parents, rows, self._broker_order)

    def sent_together(self, instruments: Names[str], trading_days: Names[str]) -> SentTogether:
        """What the controls of intents count: all orders; those of the instruments are read.

        An order has its parent's day, so all siblings are among them.
        """
        living = self._broker.find(self._living(), COUNTED)
        of_days = self._broker.find({"trading_day": {"$in": sorted(trading_days)}}, COUNTED)
        counted = {row["_id"]: row for row in (*living, *of_days)}
        wanted = sorted(key for key, row in counted.items() if row["instrument"] in instruments)
        rows = self._broker.find({"_id": {"$in": wanted}}) if wanted else ()
        return SentTogether(counted=list(counted.values()),
                            orders=Grouped.by("instrument", instruments, rows, self._broker_order))

    def rolls_on(self, trading_day: str) -> list[tuple[InstrumentOrder, list[ContractOrder]]]:
        """The rolls of a trading day, each with its legs."""
        rows = self._instrument.find({"trading_day": trading_day, "kind": OrderKind.ROLL.value}).sort("_id", 1)
        return [(self._instrument_order(row), self.contract_orders_of(row["_id"])) for row in rows]

    def contract_orders_between(self, first: str, last: str) -> list[ContractOrder]:
        """Those of the trading days from `first` to `last`, oldest first, whatever became of them."""
        rows = self._contract.find({"trading_day": {"$gte": first, "$lte": last}}).sort("_id", 1)
        return [self._contract_order(row) for row in rows]

    def broker_orders_between(self, first: str, last: str) -> list[BrokerOrder]:
        """The same of the broker orders, in no order."""
        return [self._broker_order(row) for row in self._broker.find({"trading_day": {"$gte": first, "$lte": last}})]

    def instrument_orders_between(self, first: str, last: str) -> list[InstrumentOrder]:
        """The same of the instrument orders, oldest first."""
        rows = self._instrument.find({"trading_day": {"$gte": first, "$lte": last}}).sort("_id", 1)
        return [self._instrument_order(row) for row in rows]

    def broker_order(self, order_id: str) -> BrokerOrder:
        row = self._broker.find_one({"_id": order_id})
        if row is None:
            raise NotFound(f"There is no broker order {order_id}. See: tradectl orders --all")
        return self._broker_order(row)

    def find_broker_order(self, reference: str, perm_id: int, ib_order_id: int, epoch: str) -> BrokerOrder | None:
        """The order that a broker message is about: by our reference, by permId, or by the handle of its connection."""
        wanted: list[Document] = [{"_id": reference}] if reference else []
        wanted += [{"perm_id": perm_id}] if perm_id else []
        wanted += [{"ib_order_id": ib_order_id, "epoch": epoch}] if ib_order_id else []
        for query in wanted:
            row = self._broker.find_one(query)
            if row is not None:
                return self._broker_order(row)
        return None

    def highest_order_id(self) -> int:
        """The highest handle that any order was ever sent with; 0 when none was."""
        newer = {"ib_order_id": {"$gt": self._highest} if self._highest else {"$ne": None}}
        row = self._broker.find_one(newer, {"ib_order_id": 1}, sort=[("ib_order_id", -1)])
        if row is not None:
            self._highest = int(row["ib_order_id"])
        return self._highest

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
        return self._instrument_order(row)

    def contract_order(self, order_id: str) -> ContractOrder:
        row = self._contract.find_one({"_id": order_id})
        if row is None:
            raise NotFound(f"There is no contract order {order_id}. See: tradectl orders --all")
        return self._contract_order(row)

    def spawned(self, parent: InstrumentOrder, children: Iterable[ContractOrder]) -> None:
        """Store the children together with the parent that counts them."""
        self._spawn([Spawned(parent, tuple(children))])

    def spawned_all(self, families: Sequence[Spawned]) -> list[Exception | None]:
        """The same of many, in one transaction; an exception says why one family was not stored."""
        parts = (families[start:start + _AT_ONCE] for start in range(0, len(families), _AT_ONCE))
        return [each for part in parts for each in together(part, self._spawn, lambda family: self._spawn([family])[0])]

    def _spawn(self, families: Sequence[Spawned]) -> list[None]:
        changes = [_change("instrument_orders", parent) for parent, _ in families]
        changes += [_change("contract_orders", child) for _, children in families for child in children]
        self._store.transact(lambda session: self._writer.write_all(changes, session))
        return [None] * len(families)

    def add_broker_order(self, parent: ContractOrder, order: BrokerOrder) -> BrokerOrder:
        """Store the intent together with the parent that counts it, before anything is sent.

        Raises:
            TooManyLots: with it, more lots than the parent has could be filled.
        """
        return self._intend([Intent(parent, order)])[0]

    def add_broker_orders(self, intents: Sequence[Intent]) -> list[BrokerOrder | Exception]:
        """The same of many parents, in one transaction; an exception says why one intent was not stored."""
        return together(intents, self._intend, lambda intent: self._intend([intent])[0])

    def _intend(self, intents: Sequence[Intent]) -> list[BrokerOrder]:
        def steps(session: ClientSession) -> list[str]:
            committed = self._committed([parent.id for parent, _ in intents], session)
            for parent, order in intents:
                _refuse_too_many(parent, order, committed.get(parent.id, 0))
            return self._writer.write_all([*(_change("broker_orders", order) for _, order in intents),
                                           *(_change("contract_orders", parent) for parent, _ in intents)], session)
        chains = self._store.transact(steps)
        return [replace(order, version=order.version + 1, chain=chain)
                for (_, order), chain in zip(intents, chains, strict=False)]  # those of the parents come behind

    def _committed(self, parents: Sequence[str], session: ClientSession) -> dict[str, int]:
        """Lots of each parent that may be alive at the broker."""
        found: dict[str, int] = {}
        wanted: Document = {"parent": {"$in": list(parents)}, "lifecycle": {"$nin": _TERMINAL}}
        for order in map(self._broker_order, self._broker.find(wanted, session=session)):
            found[order.parent] = found.get(order.parent, 0) + order.committed
        return found

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

    def ending_of(self, root: InstrumentOrder, reason: str = "") -> Ending:
        """What becomes of `root` and its family when it is taken back."""
        legs = self.contract_orders_of(root.id)
        return ending(root, legs, (order for leg in legs for order in self.broker_orders_of(leg.id)), reason)

    def end(self, family: Ending, session: ClientSession | None = None) -> None:
        """Write what changes of a family that is taken back, all or nothing.

        Raises:
            ConcurrentUpdate: somebody wrote one of them since it was read.
        """
        changes = [_change("contract_orders", leg) for leg in family.legs]
        changes += [_change("instrument_orders", family.new)] if family.new != family.old else []
        if session is not None:
            self._writer.write_all(changes, session)
        elif changes:
            self._store.transact(lambda session: self._writer.write_all(changes, session))

    def write(self, collection: str, order: Order, session: ClientSession) -> Order:
        """Write one order against the version that it was read at, with its event."""
        chain = self._writer.write(collection, order, _KINDS[collection], session, story_of(order.id))
        return replace(order, version=order.version + 1, chain=chain)


def _change(collection: str, order: InstrumentOrder | ContractOrder | BrokerOrder) -> Change:
    return Change(collection=collection, fact=order, kind=_KINDS[collection], story=story_of(order.id))


def _refuse_too_many(parent: ContractOrder, order: BrokerOrder, committed: int) -> None:
    available = parent.available(committed)
    if order.quantity * available < 0 or abs(order.quantity) > abs(available):
        raise TooManyLots(parent, order, committed)


def _not_closed(collection: Collection[Document], *fields: str) -> list[Document]:
    """By two ranges of the index: asked for what is not equal, the embedded server reads all that was ever stored.

    What an order may be lies behind CLOSED, so none slips through between the two; before it lies only what it may
    not be, and what cannot be understood must be seen.
    """
    rows = [row for side in ("$gt", "$lt") for row in collection.find({"lifecycle": {side: _CLOSED}}, fields or None)]
    return sorted(rows, key=lambda row: str(row["_id"]))
