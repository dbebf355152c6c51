"""The books: fills, adjustments, and the positions that are their sums. What moves together is one transaction.

Positions by contract and by strategy are only a view: `rebuilt` folds them from zero, and must find the same.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from pymongo.client_session import ClientSession

from trading.data.mongo.chained import Chained, ChainedWriter, values_of
from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.errors import ConcurrentUpdate, NotFound
from trading.execution.adjustments import Adjustment, Movement, Positions, fold
from trading.execution.booking import Family, booked, foreign_lock, lock_for
from trading.execution.broker_orders import BrokerOrder
from trading.execution.fills import Fill, FillStatus, Merge, busted, merged, quarantined
from trading.execution.locks import Lock, LockCause
from trading.execution.orders import ContractOrder, InstrumentOrder, story_of

_HELD: Final = {"quantity": {"$ne": 0}}


class MongoBooks:
    """Fills and positions of the account."""

    def __init__(self, store: MongoStore) -> None:
        self._store = store
        self._database = store.database
        self._writer = ChainedWriter(store)
        self._locks = MongoInstrumentLocks(store)

    def fills(self, trading_day: str | None = None) -> list[Fill]:
        query = {} if trading_day is None else {"trading_day": trading_day}
        return [_fill(row) for row in self._database.fills.find(query).sort("at", 1)]

    def fills_since(self, instant: datetime, instrument: str | None = None) -> list[Fill]:
        """Those at `instant` (aware) or later, oldest first; of all instruments, or of one."""
        wanted: Document = {"at": {"$gte": instant}} | ({} if instrument is None else {"instrument": instrument})
        return [_fill(row) for row in self._database.fills.find(wanted).sort("at", 1)]

    def fills_between(self, first: str, last: str) -> list[Fill]:
        """Those of the trading days from `first` to `last`, oldest first."""
        wanted = {"trading_day": {"$gte": first, "$lte": last}}
        return [_fill(row) for row in self._database.fills.find(wanted).sort("at", 1)]

    def fill(self, fill_id: str) -> Fill:
        """One of them.

        Raises:
            NotFound: there is none of this id.
        """
        row = self._database.fills.find_one({"_id": fill_id})
        if row is None:
            raise NotFound(f"There is no fill {fill_id}. See: tradectl fills")
        return _fill(row)

    def has_traded(self, contract: str) -> bool:
        """Whether any fill of `contract` is in the books."""
        return self._database.fills.find_one({"contract": contract}, {"_id": 1}) is not None

    def fills_of(self, broker_order: str) -> list[Fill]:
        return [_fill(row) for row in self._database.fills.find({"broker_order": broker_order}).sort("at", 1)]

    def contract_positions(self, session: ClientSession | None = None) -> dict[str, int]:
        """Contract key to lots; only what is not flat."""
        rows = self._database.contract_positions.find(_HELD, session=session).sort("_id", 1)
        return {row["_id"]: int(row["quantity"]) for row in rows}

    def contract_positions_by_con_id(self) -> dict[str, tuple[int, int]]:
        """Contract key to the broker's number of it and lots; only what is not flat."""
        rows = self._database.contract_positions.find(_HELD).sort("_id", 1)
        return {row["_id"]: (int(row["con_id"]), int(row["quantity"])) for row in rows}

    def strategy_positions(self, session: ClientSession | None = None) -> dict[tuple[str, str], int]:
        """(strategy, instrument) to lots; only what is not flat."""
        rows = self._database.strategy_positions.find(_HELD, session=session).sort("_id", 1)
        return {(row["strategy"], row["instrument"]): int(row["quantity"]) for row in rows}

    def instrument_positions(self) -> dict[str, int]:
        """Instrument to lots, all strategies and contracts together."""
        found: dict[str, int] = {}
        for (_, instrument), lots in self.strategy_positions().items():
            found[instrument] = found.get(instrument, 0) + lots
        return found

    def positions(self) -> Positions:
        """What is held, both ways."""
        return Positions(contracts=self.contract_positions(), strategies=self.strategy_positions())

    def rebuilt(self) -> Positions:
        """The same, folded from every fill and adjustment."""
        return fold(self._movements())

    def proof(self) -> tuple[Positions, Positions]:
        """What is stored, and the same folded from zero, both of one moment.

        Raises:
            ConcurrentUpdate: positions moved during each of three attempts.
        """
        for _ in range(3):
            before = self._moves()
            both = self.positions(), self.rebuilt()
            if self._moves() == before:
                return both
        raise ConcurrentUpdate("what is held", before)

    def _moves(self) -> int:
        """How often anything that is held has moved so far."""
        return sum(int(row["v"]) for name in ("contract_positions", "strategy_positions")
                   for row in self._database[name].find({}, {"v": 1}))

    def fills_in(self, contract: str) -> list[Fill]:
        """The fills of one contract, whoever traded, oldest first."""
        return [_fill(row) for row in self._database.fills.find({"contract": contract}).sort("at", 1)]

    def apply_fill(self, fill: Fill) -> bool:
        """Book `fill` once: itself, its three orders, both positions, and the lock that it calls for.

        A newer revision replaces an older one by its difference. A fill of nobody's order moves the contract and the
        strategy _EXTERNAL. False when it was heard of before.
        """
        return self._store.transact(lambda session: self.apply_fill_within(fill, session))

    def bust(self, fill_id: str) -> bool:
        """Take back an execution that the exchange has busted; False when it was taken back before."""
        return self._store.transact(lambda session: self.bust_within(fill_id, session))

    def bust_within(self, fill_id: str, session: ClientSession) -> bool:
        """The same, as a part of a transaction."""
        row = self._database.fills.find_one({"_id": fill_id}, session=session)
        if row is None:
            raise NotFound(f"There is no fill {fill_id}. See: tradectl fills")
        known = _fill(row)
        if known.status is FillStatus.BUSTED:
            return False
        self._book(known, busted(known), session)
        return True

    def adjust(self, adjustment: Adjustment) -> None:
        """Change positions without a trade, once."""
        self._store.transact(lambda session: self.adjust_within(adjustment, session))

    def adjust_within(self, adjustment: Adjustment, session: ClientSession) -> None:
        """The same, as a part of a transaction."""
        if self._database.position_adjustments.find_one({"_id": adjustment.id}, session=session) is None:
            self._writer.write("position_adjustments", adjustment, "adjustment", session)
            for entry in adjustment.entries:
                self._move(Movement(contract=entry.contract, strategy=entry.strategy, instrument=entry.instrument,
                                    lots=entry.lots), entry.con_id, session)

    def adjustments(self) -> list[Adjustment]:
        rows = self._database.position_adjustments.find({}).sort("at", 1)
        return [Adjustment.from_dict(values_of(row)) for row in rows]

    def apply_commission(self, fill_id: str, amount: Decimal, currency: str) -> bool:
        """Add what a fill cost, once; False when the fill is not known (yet) or already has it."""
        def steps(session: ClientSession) -> bool:
            row = self._database.fills.find_one({"_id": fill_id}, session=session)
            if row is None:
                return False
            fill = _fill(row)
            if (fill.commission, fill.commission_currency) == (amount, currency):
                return False
            changed: list[tuple[str, Chained, str]] = [
                ("fills", replace(fill, commission=amount, commission_currency=currency), "commission")]
            if fill.broker_order is not None:
                order = self._broker_order(fill.broker_order, session)
                total = (order.commission or Decimal(0)) + amount - (fill.commission or Decimal(0))
                changed.append(("broker_orders", replace(order, commission=total, commission_currency=currency),
                                "commission"))
            self._writer.write_all(changed, session, _story(fill))
            return True
        return self._store.transact(steps)

    def apply_fill_within(self, fill: Fill, session: ClientSession) -> bool:
        """The same, as a part of a transaction."""
        row = self._database.fills.find_one({"_id": fill.id}, session=session)
        known = None if row is None else _fill(row)
        merge = merged(known, fill)
        if merge.conflict and fill.instrument is not None:
            self._locks.lock_within(Lock(instrument=fill.instrument, cause=LockCause.CONFLICT, subject=fill.id,
                                         reason=merge.conflict, opened_at=fill.at), session)
        if merge.is_news:
            self._book(known, merge, session)
        return merge.is_news

    def _book(self, known: Fill | None, merge: Merge, session: ClientSession) -> None:
        fill = merge.fill
        if fill.broker_order is None:
            self._book_foreign(known, merge, session)
            return
        before = self._family(fill.broker_order, session)
        if known is None and not before.broker.owns(fill):
            self._book_foreign(None, replace(merge, fill=quarantined(fill)), session)
            return
        fill = before.broker.owned(fill)
        after = booked(before, merge.change, is_correction=known is not None) if merge.change else before
        changed: list[tuple[str, Chained, str]] = [("fills", fill, "fill" if known is None else "fill corrected")]
        if merge.change:
            changed += [("broker_orders", after.broker, "broker order"),
                        ("contract_orders", after.contract, "contract order"),
                        ("instrument_orders", after.instrument, "instrument order")]
        self._writer.write_all(changed, session, before.instrument.id)
        self._move_by(fill, merge.change, session)
        lock = lock_for(before, after, fill)
        if lock is not None:
            self._locks.lock_within(lock, session)

    def _book_foreign(self, known: Fill | None, merge: Merge, session: ClientSession) -> None:
        self._writer.write("fills", merge.fill, "foreign fill" if known is None else "fill corrected", session)
        if merge.fill.instrument is not None:
            self._move_by(merge.fill, merge.change, session)
        lock = foreign_lock(merge.fill)
        if lock is not None and merge.change:
            self._locks.lock_within(lock, session)

    def _move_by(self, fill: Fill, change: int, session: ClientSession) -> None:
        if change:
            assert fill.instrument is not None
            self._move(Movement(contract=fill.contract, strategy=fill.strategy, instrument=fill.instrument,
                                lots=change), fill.con_id, session)

    def _move(self, movement: Movement, con_id: int, session: ClientSession) -> None:
        strategy = {"strategy": movement.strategy, "instrument": movement.instrument}
        self._add("strategy_positions", f"{movement.strategy}/{movement.instrument}", movement.lots, strategy, session)
        if movement.contract is not None:
            self._add("contract_positions", movement.contract, movement.lots, {"con_id": con_id}, session)

    def _add(self, collection: str, key: str, lots: int, facts: Document, session: ClientSession) -> None:
        self._database[collection].update_one({"_id": key}, {"$inc": {"quantity": lots, "v": 1}, "$set": facts},
                                              upsert=True, session=session)

    def _movements(self) -> Iterator[Movement]:
        for row in self._database.fills.find({"instrument": {"$ne": None}},
                                             {"contract": 1, "strategy": 1, "instrument": 1, "quantity": 1}):
            yield Movement(contract=row["contract"], strategy=row["strategy"], instrument=row["instrument"],
                           lots=row["quantity"])
        for adjustment in self.adjustments():
            for entry in adjustment.entries:
                yield Movement(contract=entry.contract, strategy=entry.strategy, instrument=entry.instrument,
                               lots=entry.lots)

    def _family(self, broker_order: str, session: ClientSession) -> Family:
        broker = self._broker_order(broker_order, session)
        leg = ContractOrder.from_dict(self._row("contract_orders", broker.parent, session))
        parent = InstrumentOrder.from_dict(self._row("instrument_orders", leg.parent, session))
        return Family(broker=broker, contract=leg, instrument=parent)

    def _broker_order(self, order_id: str, session: ClientSession) -> BrokerOrder:
        return BrokerOrder.from_dict(self._row("broker_orders", order_id, session))

    def _row(self, collection: str, key: str, session: ClientSession) -> Document:
        row = self._database[collection].find_one({"_id": key}, session=session)
        assert row is not None, f"{collection} {key} must exist: its child does"
        return values_of(row)


def _fill(row: Document) -> Fill:
    return Fill.from_dict(values_of(row))


def _story(fill: Fill) -> str:
    return "" if fill.broker_order is None else story_of(fill.broker_order)
