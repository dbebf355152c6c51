"""Changes of positions that no execution explains: by a person or an expiry; each with who, why, evidence. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from trading.errors import TradingError
from trading.execution.documents import Document, from_document, to_document
from trading.execution.fills import EXTERNAL


class AdjustmentKind(StrEnum):
    """Why a position changes without a trade."""

    OPENING = "OPENING"  # held before tradingd kept the books
    BALANCE = "BALANCE"  # a trade that our books missed
    TRANSFER = "TRANSFER"  # between strategies; nothing is traded
    EXPIRY = "EXPIRY"  # settled by the exchange


class WrongAdjustment(TradingError):
    """An adjustment that would break the books."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """So many lots, signed, for a strategy, and for a contract unless only strategies change."""

    strategy: str
    instrument: str
    contract: str | None
    con_id: int
    lots: int


@dataclass(frozen=True, kw_only=True)
class Adjustment:
    """One change of the books. In every instrument strategies and contracts change by the same lots."""

    id: str
    kind: AdjustmentKind
    entries: tuple[Entry, ...]
    reason: str
    who: str
    at: datetime
    price: Decimal | None = None  # of the settlement, or the missed trade
    version: int = 0
    chain: str = ""

    def __post_init__(self) -> None:
        if not self.reason.strip():
            raise WrongAdjustment("A change of positions needs a reason: add --reason \"why\". Nothing was changed.")
        if not self.entries or any(each.lots == 0 for each in self.entries):
            raise WrongAdjustment("A change of positions by no lots changes nothing. Nothing was changed.")
        without = [each for each in self.entries if each.contract is None]
        if sum(each.lots for each in without):
            raise WrongAdjustment("What one strategy gives another one must get; the lots do not sum to zero. "
                                  "Nothing was changed.")

    def as_dict(self) -> Document:
        return to_document(self)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Adjustment":
        """What `as_dict` gave; raises Unreadable for anything else."""
        return from_document(cls, document)


def transfer(instrument: str, giver: str, taker: str, lots: int) -> tuple[Entry, ...]:
    """`lots` (signed) of what `giver` holds become `taker`'s."""
    return (Entry(strategy=giver, instrument=instrument, contract=None, con_id=0, lots=-lots),
            Entry(strategy=taker, instrument=instrument, contract=None, con_id=0, lots=lots))


def reassigned(held: Iterable[Entry], taker: str, lots: int | None = None) -> tuple[Entry, ...]:
    """What is `held` becomes `taker`'s, contract by contract: all, or so many `lots` (a count) of the sum's sign."""
    held = tuple(held)
    sign = 1 if sum(each.lots for each in held) > 0 else -1
    left, entries = lots, list[Entry]()
    for each in held:
        part = each.lots
        if left is not None:
            part = sign * min(left, max(0, sign * each.lots))
            left -= abs(part)
        if part:
            entries += [replace(each, lots=-part), replace(each, strategy=taker, lots=part)]
    return tuple(entries)


@dataclass(frozen=True, kw_only=True)
class Positions:
    """What is held, by contract and by (strategy, instrument); only what is not flat."""

    contracts: Mapping[str, int]
    strategies: Mapping[tuple[str, str], int]

    def uneven(self) -> dict[str, tuple[int, int]]:
        """Instruments whose strategies and contracts do not sum to the same lots: a fault of ours (B14)."""
        by_contract, by_strategy = _sums(self.contracts), _sums_by_instrument(self.strategies)
        return {code: (by_contract.get(code, 0), by_strategy.get(code, 0))
                for code in sorted({*by_contract, *by_strategy})
                if by_contract.get(code, 0) != by_strategy.get(code, 0)}

    @property
    def external(self) -> dict[str, int]:
        """What nobody's order traded, by instrument."""
        return {code: lots for (strategy, code), lots in self.strategies.items() if strategy == EXTERNAL}


@dataclass(frozen=True, kw_only=True)
class Movement:
    """So many lots of a contract, or of a strategy, or of both."""

    contract: str | None
    strategy: str
    instrument: str
    lots: int


def fold(movements: Iterable[Movement]) -> Positions:
    """Positions from zero: the only definition of what we hold (orders_and_risk.md 2.8)."""
    contracts: dict[str, int] = {}
    strategies: dict[tuple[str, str], int] = {}
    for each in movements:
        key = (each.strategy, each.instrument)
        strategies[key] = strategies.get(key, 0) + each.lots
        if each.contract is not None:
            contracts[each.contract] = contracts.get(each.contract, 0) + each.lots
    return Positions(contracts={key: lots for key, lots in sorted(contracts.items()) if lots},
                     strategies={key: lots for key, lots in sorted(strategies.items()) if lots})


def _sums(contracts: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, lots in contracts.items():
        code = key.rpartition("/")[0]
        found[code] = found.get(code, 0) + lots
    return found


def _sums_by_instrument(strategies: Mapping[tuple[str, str], int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for (_, code), lots in strategies.items():
        found[code] = found.get(code, 0) + lots
    return found
