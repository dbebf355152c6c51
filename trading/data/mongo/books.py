"""The books: fills, adjustments, and the positions that are their sums. What moves together is one transaction.

Positions by contract and by strategy are only a view: `rebuilt` folds them from zero, and must find the same.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from trading.data.mongo.chained import ChainedWriter, values_of
from trading.data.mongo.connection import Document, MongoStore
from trading.data.mongo.fill_batch import FillBatch, Heard
from trading.data.mongo.grouped import Grouped
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.errors import ConcurrentUpdate, NotFound, TradingError
from trading.execution.adjustments import Adjustment, Entry, Movement, Positions, fold
from trading.execution.booking import Family
from trading.execution.fills import EXTERNAL, Commission, Fill, FillStatus, busted
from trading.execution.reconciliation.lost_orders import LostOrder

_HELD: Final = {"quantity": {"$ne": 0}}
_AT_ONCE: Final = 200  # fills of one transaction: it must end well within its time on a busy machine


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

    def fills_together(self, instant: datetime, instruments: Collection[str]) -> Grouped[Fill]:
        """The same of some instruments, read at once."""
        wanted: Document = {"instrument": {"$in": sorted(instruments)}, "at": {"$gte": instant}}
        return Grouped.by("instrument", instruments, self._database.fills.find(wanted).sort("at", 1), _fill)

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

    def fills_about(self, ids: Collection[str], since: datetime, session: ClientSession | None = None) -> list[Fill]:
        """Those of `ids`, and all at `since` (aware) or later, oldest first."""
        wanted: Document = {"$or": [{"_id": {"$in": sorted(ids)}}, {"at": {"$gte": since}}]}
        return [_fill(row) for row in self._database.fills.find(wanted, session=session).sort("at", 1)]

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

    def external(self, session: ClientSession | None = None) -> list[Entry]:
        """What no strategy's order traded and nobody was given: lots by contract, only what is not flat."""
        foreign = {"strategy": EXTERNAL, "instrument": {"$ne": None}}
        lots = [((row["instrument"], row["contract"], int(row["con_id"])), int(row["quantity"]))
                for row in self._database.fills.find(foreign, session=session)]
        for row in self._database.position_adjustments.find({"entries.strategy": EXTERNAL}, session=session):
            lots += [((each.instrument, each.contract, each.con_id), each.lots)
                     for each in Adjustment.from_dict(values_of(row)).entries if each.strategy == EXTERNAL]
        held: dict[tuple[str, str | None, int], int] = {}
        for key, count in lots:
            held[key] = held.get(key, 0) + count
        return [Entry(strategy=EXTERNAL, instrument=instrument, contract=contract, con_id=con_id, lots=left)
                for (instrument, contract, con_id), left in sorted(held.items(), key=str) if left]

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
        return self.apply([fill])[0]

    def apply_commission(self, fill_id: str, amount: Decimal, currency: str) -> bool:
        """Add what a fill cost, once; False when the fill is not known (yet) or already has it."""
        return self.apply([Commission(id=fill_id, amount=amount, currency=currency)])[0]

    def apply(self, heard: Sequence[Heard]) -> list[bool]:
        """Book fills and commissions in their order, many in one transaction; whether each was news.

        Raises:
            TradingError: one of them cannot be booked; those before it are.
        """
        parts = (heard[start:start + _AT_ONCE] for start in range(0, len(heard), _AT_ONCE))
        return [was_news for part in parts for was_news in self._applied(part)]

    def _applied(self, heard: Sequence[Heard]) -> list[bool]:
        """Together, or, when that does not work or takes too long, by halves: what is booked is not booked again."""
        try:
            return self._store.transact(lambda session: self._batch(session).book_all(heard))
        except (TradingError, PyMongoError) as error:
            if len(heard) == 1 or (isinstance(error, PyMongoError) and not error.timeout):
                raise
        half = len(heard) // 2
        return [*self._applied(heard[:half]), *self._applied(heard[half:])]

    def bust(self, fill_id: str) -> bool:
        """Take back an execution that the exchange has busted; False when it was taken back before."""
        return self._store.transact(lambda session: self.bust_within(fill_id, session))

    def bust_within(self, fill_id: str, session: ClientSession) -> bool:
        """The same, as a part of a transaction."""
        batch = self._batch(session)
        known = batch.read_fill(fill_id)
        if known is None:
            raise NotFound(f"There is no fill {fill_id}. See: tradectl fills")
        if known.status is FillStatus.BUSTED:
            return False
        batch.book(known, busted(known))
        batch.write()
        return True

    def rebuild(self, lost: LostOrder) -> Family | None:
        """Make the three orders anew that `lost` tells of, with what they have traded; None when they are there."""
        return self._store.transact(lambda session: self._batch(session).rebuild(lost))

    def adjust(self, adjustment: Adjustment) -> None:
        """Change positions without a trade, once."""
        self._store.transact(lambda session: self.adjust_within(adjustment, session))

    def adjust_within(self, adjustment: Adjustment, session: ClientSession) -> None:
        """The same, as a part of a transaction."""
        if self._database.position_adjustments.find_one({"_id": adjustment.id}, session=session) is None:
            self._writer.write("position_adjustments", adjustment, "adjustment", session)
            batch = self._batch(session)
            for entry in adjustment.entries:
                batch.move(Movement(contract=entry.contract, strategy=entry.strategy, instrument=entry.instrument,
                                    lots=entry.lots), entry.con_id)
            batch.write()

    def adjustments(self) -> list[Adjustment]:
        rows = self._database.position_adjustments.find({}).sort("at", 1)
        return [Adjustment.from_dict(values_of(row)) for row in rows]

    def apply_fill_within(self, fill: Fill, session: ClientSession) -> bool:
        """The same as `apply_fill`, as a part of a transaction."""
        return self._batch(session).book_all([fill])[0]

    def apply_within(self, heard: Sequence[Heard], session: ClientSession) -> list[bool]:
        """The same as `apply`, all or nothing, as a part of a transaction."""
        return self._batch(session).book_all(heard) if heard else []

    def _batch(self, session: ClientSession) -> FillBatch:
        return FillBatch(store=self._store, writer=self._writer, locks=self._locks, session=session)

    def _movements(self) -> Iterator[Movement]:
        for row in self._database.fills.find({"instrument": {"$ne": None}},
                                             {"contract": 1, "strategy": 1, "instrument": 1, "quantity": 1}):
            yield Movement(contract=row["contract"], strategy=row["strategy"], instrument=row["instrument"],
                           lots=row["quantity"])
        for adjustment in self.adjustments():
            for entry in adjustment.entries:
                yield Movement(contract=entry.contract, strategy=entry.strategy, instrument=entry.instrument,
                               lots=entry.lots)


def _fill(row: Document) -> Fill:
    return Fill.from_dict(values_of(row))
