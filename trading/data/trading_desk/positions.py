"""Changing positions without a trade: to whom they belong, what our books missed, what was held before them."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from trading.data.trading_desk.deed import Deed, DeedRefused, Plan, Signed
from trading.data.trading_desk.records import Records, check_tick
from trading.errors import ConfigError
from trading.execution.adjustments import Adjustment, AdjustmentKind, Entry, reassigned, transfer
from trading.execution.fills import EXTERNAL


@dataclass(frozen=True, kw_only=True)
class Transfer(Deed):
    """`lots` (a count, the sign is that of what is held) go from one strategy to another; nothing is traded."""

    verb: ClassVar[str] = "transfer"
    instrument: str
    giver: str
    taker: str
    lots: int

    def plan(self, records: Records, signed: Signed) -> Plan:
        return _transfer(records, signed, self)


@dataclass(frozen=True, kw_only=True)
class Assign(Deed):
    """Give `lots` (a count; all, if none is given) of what nobody's order traded to a strategy."""

    verb: ClassVar[str] = "assign"
    instrument: str
    strategy: str
    lots: int | None = None

    def plan(self, records: Records, signed: Signed) -> Plan:
        held = records.external(self.instrument)
        if not held:
            raise DeedRefused(f"Nothing of {self.instrument} is unassigned. See: tradectl positions. "
                              f"Nothing was changed.")
        if self.lots is not None:
            return _transfer(records, signed, Transfer(instrument=self.instrument, giver=EXTERNAL,
                                                       taker=self.strategy, lots=self.lots))
        records.check_taker(self.strategy)
        return _given(records, signed, EXTERNAL, self.strategy, reassigned(held, self.strategy))


@dataclass(frozen=True, kw_only=True)
class Balance(Deed):
    """A trade (`lots` signed, + bought) that happened and is missing in our books, or never did and stands in them."""

    verb: ClassVar[str] = "balance"
    contract: str
    strategy: str
    lots: int
    price: Decimal

    def plan(self, records: Records, signed: Signed) -> Plan:
        return _book(records, signed, self, AdjustmentKind.BALANCE,
                     f"Our books change by {self.lots:+d} {self.contract} at {self.price}; nothing is sent to the "
                     f"broker.")


@dataclass(frozen=True, kw_only=True)
class Opening(Deed):
    """What was held (`lots` signed) before our books began."""

    verb: ClassVar[str] = "opening"
    contract: str
    strategy: str
    lots: int
    price: Decimal | None = None

    def plan(self, records: Records, signed: Signed) -> Plan:
        if records.books.has_traded(self.contract):
            raise DeedRefused(f"{self.contract} has been traded in our books, so it is no opening. Book a missed "
                              f"trade: tradectl positions balance. Nothing was changed.")
        if any(each.kind is AdjustmentKind.OPENING and (entry.contract, entry.strategy) == (self.contract,
                                                                                         self.strategy)
               for each in records.books.adjustments() for entry in each.entries):
            raise DeedRefused(f"{self.strategy} has an opening of {self.contract} already. Correct it: tradectl "
                              f"positions balance. Nothing was changed.")
        return _book(records, signed, self, AdjustmentKind.OPENING,
                     f"Our books begin with {self.lots:+d} {self.contract} for {self.strategy}.")


def _transfer(records: Records, signed: Signed, asked: Transfer) -> Plan:
    held = records.strategy_positions()
    given = held.get((asked.giver, asked.instrument), 0)
    _check_transfer(records, asked, given)
    if asked.giver == EXTERNAL:
        entries = reassigned(records.external(asked.instrument), asked.taker, asked.lots)
    else:
        entries = transfer(asked.instrument, asked.giver, asked.taker, asked.lots if given > 0 else -asked.lots)
    return _given(records, signed, asked.giver, asked.taker, entries)


def _given(records: Records, signed: Signed, giver: str, taker: str, entries: tuple[Entry, ...]) -> Plan:
    held, got = records.strategy_positions(), [each for each in entries if each.strategy == taker]
    instrument, lots = got[0].instrument, sum(each.lots for each in got)
    gives, takes = held.get((giver, instrument), 0), held.get((taker, instrument), 0)
    adjustment = _adjustment(signed, AdjustmentKind.TRANSFER, entries, None)
    what = ", ".join(f"{each.lots:+d} {each.contract or instrument}" for each in got)
    return Plan(before={f"{instrument} of {giver}": gives, f"{instrument} of {taker}": takes},
                after={f"{instrument} of {giver}": gives - lots, f"{instrument} of {taker}": takes + lots},
                meaning=f"{what} go from {giver} to {taker}; nothing is traded.",
                done=f"{taker} holds {takes + lots:+d} {instrument}, {giver} {gives - lots:+d}.",
                write=lambda session: records.books.adjust_within(adjustment, session),
                warnings=_working(records, instrument))


def _check_transfer(records: Records, asked: Transfer, given: int) -> None:
    records.check_taker(asked.taker)
    if asked.giver == asked.taker:
        raise ConfigError(f"{asked.giver} cannot give to itself. Nothing was changed.")
    if asked.lots <= 0:
        raise ConfigError(f"lots is {asked.lots}; say how many, from 1: the sign is that of what is held. "
                          f"Nothing was changed.")
    if asked.lots > abs(given):
        raise DeedRefused(f"{asked.giver} holds {given:+d} {asked.instrument} and cannot give {asked.lots}. "
                          f"Nothing was changed.")


def _book(records: Records, signed: Signed, asked: Balance | Opening, kind: AdjustmentKind, meaning: str) -> Plan:
    """Lots of a contract and of a strategy alike."""
    contract, details = records.described(asked.contract)
    if asked.strategy != EXTERNAL:
        records.check_strategy(asked.strategy)
    if asked.lots == 0:
        raise ConfigError("lots is 0; a change by no lots changes nothing. Nothing was changed.")
    if asked.price is not None:
        check_tick(asked.price, contract.key, details)
    entry = Entry(strategy=asked.strategy, instrument=contract.instrument, contract=contract.key,
                  con_id=details.con_id, lots=asked.lots)
    adjustment = _adjustment(signed, kind, (entry,), asked.price)
    of_contract = records.contract_positions().get(contract.key, 0)
    of_strategy = records.strategy_positions().get((asked.strategy, contract.instrument), 0)
    name = f"{contract.instrument} of {asked.strategy}"
    return Plan(before={contract.key: of_contract, name: of_strategy},
                after={contract.key: of_contract + asked.lots, name: of_strategy + asked.lots}, meaning=meaning,
                done=f"Our books hold {of_contract + asked.lots:+d} {contract.key}; {asked.strategy} has "
                     f"{of_strategy + asked.lots:+d} {contract.instrument}.",
                write=lambda session: records.books.adjust_within(adjustment, session),
                warnings=_working(records, contract.instrument))


def _adjustment(signed: Signed, kind: AdjustmentKind, entries: Iterable[Entry], price: Decimal | None) -> Adjustment:
    return Adjustment(id=f"A-{signed.id}", kind=kind, entries=tuple(entries), price=price, who=signed.who,
                      at=signed.at, reason=signed.why.strip() or "(reason follows)")


def _working(records: Records, instrument: str) -> tuple[str, ...]:
    """Orders that were decided on the position of before."""
    ids = [order.id for order in records.orders.open_instrument_orders() if order.instrument == instrument]
    return (f"{', '.join(ids)} of {instrument} {'are' if len(ids) > 1 else 'is'} open and knew the old position.",
            ) if ids else ()
