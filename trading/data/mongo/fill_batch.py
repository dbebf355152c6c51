"""Fills and commissions booked within one transaction: what they touch is read once and written once.

What a batch does to a document is one change of it: one version, one event. Every fill is a document of its own, so
none is told less of; an order that got five of them at once has their sum. Positions count every fill.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeVar

from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from trading.data.mongo.chained import Chained, ChainedWriter, Change, values_of
from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.errors import NotFound
from trading.execution.adjustments import Movement
from trading.execution.booking import Family, booked, foreign_lock, lock_for
from trading.execution.broker_orders import BrokerOrder
from trading.execution.fills import Commission, Fill, Merge, merged, quarantined
from trading.execution.locks import Lock, LockCause
from trading.execution.order_ids import leg_of, story_of
from trading.execution.orders import ContractOrder, InstrumentOrder
from trading.execution.reconciliation.lost_orders import LostOrder, rebuilt

Heard = Fill | Commission
Fact = TypeVar("Fact", Fill, BrokerOrder, ContractOrder, InstrumentOrder)


@dataclass
class FillBatch:
    """The books of some fills, while one transaction lasts. Book, then write."""

    store: MongoStore
    writer: ChainedWriter
    locks: MongoInstrumentLocks
    session: ClientSession
    _facts: dict[tuple[str, str], Any] = field(default_factory=dict)
    _changed: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # to kind of event, and story
    _moves: dict[tuple[str, str], tuple[int, int, Document]] = field(default_factory=dict)

    def book_all(self, heard: Sequence[Heard]) -> list[bool]:
        """Book each, and write; whether each was news."""
        self._read(Fill, "fills", (each.id for each in heard))
        self._read_orders([each.broker_order for each in (*self._known_fills(), *heard) if isinstance(each, Fill)],
                          with_parents=any(isinstance(each, Fill) for each in heard))
        news = [self._book_commission(each) if isinstance(each, Commission) else self.book_heard(each)
                for each in heard]
        self.write()
        return news

    def book_heard(self, fill: Fill) -> bool:
        """A fill that was heard of; False when it was before."""
        known = self._facts.get(("fills", fill.id))
        merge = merged(known, fill)
        if merge.conflict and fill.instrument is not None:
            self.locks.lock_within(Lock(instrument=fill.instrument, cause=LockCause.CONFLICT, subject=fill.id,
                                        reason=merge.conflict, opened_at=fill.at), self.session)
        if merge.is_news:
            self.book(known, merge)
        return merge.is_news

    def book(self, known: Fill | None, merge: Merge) -> None:
        """What becomes of a fill, of its three orders, of positions, and the lock that it calls for."""
        if merge.fill.broker_order is None:
            self._book_foreign(known, merge)
            return
        before = self._family(merge.fill.broker_order)
        if known is None and not before.broker.owns(merge.fill):
            self._book_foreign(None, replace(merge, fill=quarantined(merge.fill)))
            return
        fill = before.broker.owned(merge.fill)
        after = before if not merge.change else booked(before, merge.change, known is not None, fill.con_id)
        story = before.instrument.id
        self._change("fills", fill, "fill" if known is None else "fill corrected", story)
        if merge.change:
            self._change("broker_orders", after.broker, "broker order", story)
            self._change("contract_orders", after.contract, "contract order", story)
            self._change("instrument_orders", after.instrument, "instrument order", story)
        self._move_by(fill, merge.change)
        lock = lock_for(before, after, fill)
        if lock is not None:
            self.locks.lock_within(lock, self.session)

    def rebuild(self, lost: LostOrder) -> Family | None:
        """The orders of `lost` made anew, and its fills theirs; written. None when the broker order is there."""
        if self._read(BrokerOrder, "broker_orders", [lost.reference]):
            return None
        self._read(ContractOrder, "contract_orders", [leg_of(lost.reference)])
        self._read(InstrumentOrder, "instrument_orders", [story_of(lost.reference)])
        family = rebuilt(lost, self._facts.get(("instrument_orders", story_of(lost.reference))),
                         self._facts.get(("contract_orders", leg_of(lost.reference))))
        for fill in self._read(Fill, "fills", lost.fills):
            if fill.is_foreign and family.broker.owns(fill):
                family = self._given_to(family, fill)
        for collection, order in (("instrument_orders", family.instrument), ("contract_orders", family.contract),
                                  ("broker_orders", family.broker)):
            self._change(collection, order, "rebuilt", family.instrument.id)
        self.write()
        return family

    def _given_to(self, family: Family, fill: Fill) -> Family:
        """The orders after `fill`, which was booked as nobody's, has become theirs; no contract moves."""
        owned = replace(family.broker.owned(fill), broker_order=family.broker.id)
        self._change("fills", owned, "fill assigned", family.instrument.id)
        if owned.strategy != fill.strategy and fill.quantity:
            for strategy, lots in ((fill.strategy, -fill.quantity), (owned.strategy, fill.quantity)):
                self.move(Movement(contract=None, strategy=strategy, instrument=family.broker.instrument, lots=lots),
                          fill.con_id)
        return booked(family, fill.quantity, False, fill.con_id) if fill.quantity else family

    def move(self, movement: Movement, con_id: int) -> None:
        """Lots of a strategy, and of a contract if it names one."""
        self._add("strategy_positions", f"{movement.strategy}/{movement.instrument}", movement.lots,
                  {"strategy": movement.strategy, "instrument": movement.instrument})
        if movement.contract is not None:
            self._add("contract_positions", movement.contract, movement.lots, {"con_id": con_id})

    def read_fill(self, fill_id: str) -> Fill | None:
        """A fill with its family, ready to be booked."""
        self._read(Fill, "fills", [fill_id])
        self._read_orders([fill.broker_order for fill in self._known_fills()], with_parents=True)
        found: Fill | None = self._facts.get(("fills", fill_id))
        return found

    def write(self) -> None:
        """Everything, a statement for each collection.

        Raises:
            ConcurrentUpdate: somebody wrote one of the documents since it was read; nothing is written.
        """
        changes = [Change(collection=collection, fact=self._facts[collection, key], kind=kind, story=story,
                          is_fresh=True) for (collection, key), (kind, story) in self._changed.items()]
        if changes:
            self.writer.write_all(changes, self.session)
        for collection in ("strategy_positions", "contract_positions"):
            moves = [UpdateOne({"_id": key}, {"$inc": {"quantity": lots, "v": times}, "$set": facts}, upsert=True)
                     for (where, key), (lots, times, facts) in self._moves.items() if where == collection]
            if moves:
                self.store.database[collection].bulk_write(moves, session=self.session)

    def _book_foreign(self, known: Fill | None, merge: Merge) -> None:
        self._change("fills", merge.fill, "foreign fill" if known is None else "fill corrected", "")
        if merge.fill.instrument is not None:
            self._move_by(merge.fill, merge.change)
        lock = foreign_lock(merge.fill)
        if lock is not None and merge.change:
            self.locks.lock_within(lock, self.session)

    def _book_commission(self, heard: Commission) -> bool:
        """False when the fill is not known (yet), or has it already."""
        fill: Fill | None = self._facts.get(("fills", heard.id))
        if fill is None or (fill.commission, fill.commission_currency) == (heard.amount, heard.currency):
            return False
        story = "" if fill.broker_order is None else story_of(fill.broker_order)
        self._change("fills", replace(fill, commission=heard.amount, commission_currency=heard.currency),
                     "commission", story)
        if fill.broker_order is not None:
            order: BrokerOrder = self._known("broker_orders", fill.broker_order)
            total = (order.commission or Decimal(0)) + heard.amount - (fill.commission or Decimal(0))
            self._change("broker_orders", replace(order, commission=total, commission_currency=heard.currency),
                         "commission", story)
        return True

    def _move_by(self, fill: Fill, change: int) -> None:
        if change:
            assert fill.instrument is not None
            self.move(Movement(contract=fill.contract, strategy=fill.strategy, instrument=fill.instrument,
                               lots=change), fill.con_id)

    def _add(self, collection: str, key: str, lots: int, facts: Document) -> None:
        before, times, _ = self._moves.get((collection, key), (0, 0, {}))
        self._moves[collection, key] = (before + lots, times + 1, facts)

    def _change(self, collection: str, fact: Chained, kind: str, story: str) -> None:
        """As it will be stored; what happened to it first names the event."""
        self._facts[collection, fact.id] = fact
        self._changed.setdefault((collection, fact.id), (kind, story))

    def _read_orders(self, broker_orders: Sequence[str | None], *, with_parents: bool) -> None:
        brokers = self._read(BrokerOrder, "broker_orders", (each for each in broker_orders if each is not None))
        if with_parents:
            legs = self._read(ContractOrder, "contract_orders", (order.parent for order in brokers))
            self._read(InstrumentOrder, "instrument_orders", (leg.parent for leg in legs))

    def _read(self, kind: type[Fact], collection: str, keys: Iterable[str]) -> list[Fact]:
        wanted = sorted(set(keys))
        if not wanted:
            return []
        query: Mapping[str, Any] = {"_id": wanted[0] if len(wanted) == 1 else {"$in": wanted}}
        found = [kind.from_dict(values_of(row))
                 for row in self.store.database[collection].find(query, session=self.session)]
        self._facts.update({(collection, each.id): each for each in found})
        return found

    def _known_fills(self) -> list[Fill]:
        return [fact for (collection, _), fact in self._facts.items() if collection == "fills"]

    def _family(self, broker_order: str) -> Family:
        broker: BrokerOrder = self._known("broker_orders", broker_order)
        leg: ContractOrder = self._known("contract_orders", broker.parent)
        return Family(broker=broker, contract=leg, instrument=self._known("instrument_orders", leg.parent))

    def _known(self, collection: str, key: str) -> Any:
        found = self._facts.get((collection, key))
        if found is None:
            raise NotFound(f"{collection} {key} must exist, since its child does; it is missing in the store. Nothing "
                           f"of it was booked. Restore it from a backup.")
        return found
