"""By when a contract month must be left, and how long that is. Pure: dates in, dates out.

Data may be broken on the very day that counts: nothing here reads a price or a volume (orders_and_risk.md, chaos 22).
Source: orders_and_risk.md 6.4.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from trading.errors import DataError
from trading.objects.open_days import OpenDays


class Side(StrEnum):
    """Who holds: only the long side of a physical contract can be assigned a delivery early."""

    LONG = "LONG"
    SHORT = "SHORT"

    @classmethod
    def of(cls, position: int) -> "Side":
        """The side of a position; of none the stricter one."""
        return cls.SHORT if position < 0 else cls.LONG


class Settlement(StrEnum):
    """How a contract ends."""

    PHYSICAL = "PHYSICAL"
    CASH = "CASH"
    LME = "LME"  # physical, with the longer close-out period of the London Metal Exchange


BUFFER_DAYS: Final[Mapping[Settlement, int]] = {Settlement.PHYSICAL: 5, Settlement.CASH: 2, Settlement.LME: 7}


@dataclass(frozen=True, kw_only=True)
class ContractDates:
    """Dates on the exchange's own calendar; None: the contract has no such day, or it is not known."""

    last_trade: date
    first_notice: date | None = None
    first_position: date | None = None


@dataclass(frozen=True, kw_only=True)
class CloseOutDates:
    """One contract month in our table and in the broker's; None: the broker's table does not list it."""

    own: ContractDates
    broker: ContractDates | None = None
    broker_cut_off: date | None = None  # the last day on which the broker lets this side be held


class DatesUnknown(DataError):
    """A long position in a physical contract whose first notice day nobody knows."""


def must_be_out_by(side: Side, dates: CloseOutDates, kind: Settlement, open_days: OpenDays) -> date:
    """The last day on which a position of `side` may be held, a business day.

    Long and physical: the earliest of first position, first notice and last trade day; else the last trade day. The
    broker's date wins when it is earlier. From that 5 business days are taken (cash-settled 2, LME 7), and the
    broker's cut-off is kept when it comes before even that.

    A disagreement of the two tables does not raise here, for what is held must still be left; see `check_dates_agree`.

    Raises:
        DatesUnknown: long, physical, and no table has a first notice or first position day.
    """
    tables = [table for table in (dates.own, dates.broker) if table is not None]
    early = [day for table in tables for day in (table.first_notice, table.first_position) if day is not None]
    if side is Side.LONG and kind is Settlement.PHYSICAL and not early:
        raise DatesUnknown(f"No first notice day is known of the contract that last trades on {dates.own.last_trade}, "
                           f"so a long position in it cannot be timed. Add the day to the contract's dates, and hold "
                           f"none until then.")
    out = open_days.before(min(_leaving(side, table, kind) for table in tables), BUFFER_DAYS[kind])
    return out if dates.broker_cut_off is None else min(out, open_days.before(dates.broker_cut_off, 0))


def days_left(today: date, out_by: date, open_days: OpenDays) -> int:
    """Business days from `today` to `out_by`: 0 on that day itself, negative on every later one, a Saturday too."""
    if today > out_by:
        return min(-1, open_days.between(today, out_by))
    return open_days.between(today, out_by)


def _leaving(side: Side, table: ContractDates, kind: Settlement) -> date:
    """The day before which the position is to be left, by one table."""
    if side is Side.SHORT or kind is Settlement.CASH:
        return table.last_trade
    early = (table.first_position, table.first_notice, table.last_trade)
    return min(day for day in early if day is not None)
