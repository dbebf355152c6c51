"""What a statement of the broker says was traded: the last word, a day late. Pure facts; nothing is compared here.

A statement knows what the API no longer tells: an execution that was taken back overnight, a correction, a commission
that never came, a fill of an evening that nobody asked about in time (orders_and_risk.md 4.3, step 10).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from trading.execution.fills import execution_base

_CORE_BEGINS, _CORE_ENDS = time(9), time(16)  # what trades in these hours belongs to the date of the clock, everywhere
_SATURDAY: Final = 5


class StatementKind(StrEnum):
    """Which report of the broker it is."""

    ACTIVITY = "activity statement"  # all trades of whole days, a day later
    CONFIRMATIONS = "trade confirmations"  # what was confirmed so far; that something is missing says nothing


class RowKind(StrEnum):
    """What a row does to its execution."""

    TRADE = "trade"
    CANCEL = "cancel"  # takes back
    CORRECTION = "correction"  # replaces


@dataclass(frozen=True, kw_only=True)
class StatementTrade:
    """One row about one execution of a future. `row` is how a person finds it; `money` is what the lots were worth."""

    row: str
    account: str
    execution_id: str
    con_id: int
    quantity: int  # signed, + bought, also in a row that takes back
    price: Decimal
    at: datetime
    kind: RowKind = RowKind.TRADE
    commission: Decimal | None = None  # what was paid; negative: what was got
    currency: str = ""  # of the commission
    reference: str = ""
    is_liquidation: bool = False
    money: Decimal | None = None

    @property
    def base(self) -> str:
        """The id of the execution, whatever its revision."""
        return execution_base(self.execution_id)[0]

    @property
    def revision(self) -> int:
        return execution_base(self.execution_id)[1]

    @property
    def terms(self) -> tuple[int, int, Decimal]:
        return self.con_id, self.quantity, self.price


@dataclass(frozen=True, kw_only=True)
class UnclearRow:
    """A row that cannot be booked, and why. `takes_back`: it may concern another one, of contract `con_id` (0: any)."""

    row: str
    why: str
    con_id: int = 0
    takes_back: bool = False
    has_execution: bool = False  # it names an execution, so no fill of ours is missed for it


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One report over the days from `first` to `last`. `left_out`: rows that are no futures, by kind of asset."""

    kind: StatementKind
    account: str
    first: date
    last: date
    zone: ZoneInfo  # of its times, and of its days
    trades: tuple[StatementTrade, ...] = ()
    unclear: tuple[UnclearRow, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()

    def covers(self, at: datetime) -> bool:
        """Whether a trade at `at` must stand in it, whatever date the exchange gives to an evening or a weekend.

        In the middle of a day its date is that of the clock; else it may be that of the weekday before or behind.
        """
        local = at.astimezone(self.zone)
        day = local.date()
        if day.weekday() < _SATURDAY and _CORE_BEGINS <= local.time() < _CORE_ENDS:
            return self.first <= day <= self.last
        return self.first <= weekday_before(day) and weekday_behind(day) <= self.last


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What the rows about one execution come to: its terms, or that it was taken back, or that they contradict."""

    trade: StatementTrade | None
    contradicts: bool = False


def standing_of(rows: Iterable[StatementTrade]) -> Standing:
    """What counts of the `rows` of one execution, in whatever order they stand."""
    rows = sorted(rows, key=lambda row: repr(replace(row, row="")))
    living = [row for row in rows if row.kind is not RowKind.CANCEL]
    cancelled = max((row.revision for row in rows if row.kind is RowKind.CANCEL), default=0)
    newest = max((row.revision for row in living), default=0)
    top = [row for row in living if row.revision == newest]
    corrections = [row for row in top if row.kind is RowKind.CORRECTION]
    if not living or cancelled > newest or (cancelled == newest and not corrections):
        return Standing(trade=None)
    counted = corrections or top
    return Standing(trade=counted[-1], contradicts=len({row.terms for row in counted}) > 1)


def weekday_before(day: date) -> date:
    """The last Monday to Friday before `day`."""
    return _step(day, -1)


def weekday_behind(day: date) -> date:
    """The first Monday to Friday after `day`."""
    return _step(day, 1)


def _step(day: date, days: int) -> date:
    day += timedelta(days=days)
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=days)
    return day
