"""When each exchange is open: its sessions in its own zone, and its holidays. Pure.

By default one timetable serves all: Monday to Friday, around the clock, in the gateway's zone, because a record may
hold prices at any time. With `real_hours` each exchange has its own. A session belongs to the trading day on which it
ends, so that of Monday may open on Sunday.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from trading.broker.simulated import hours

DAY: Final = timedelta(days=1)
LOOK_AHEAD_DAYS: Final = 30  # no exchange is closed for longer


@dataclass(frozen=True)
class Span:
    """From and to, as offsets from local midnight of the trading day; negative ones lie on the day before."""

    opens: timedelta
    closes: timedelta


@dataclass(frozen=True)
class OpenSession:
    """One session on the calendar; both ends in UTC."""

    day: date
    opens: datetime
    closes: datetime


@dataclass(frozen=True, kw_only=True)
class ExchangeHours:
    """The timetable of one exchange."""

    zone: str
    trading: tuple[Span, ...]
    liquid: tuple[Span, ...]
    holidays: frozenset[date] = frozenset()

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def is_trading_day(self, day: date) -> bool:
        return hours.is_trading_day(day) and day not in self.holidays

    def is_open(self, instant: datetime, *, only_liquid: bool = False) -> bool:
        """The instant of the opening is open, that of the close is not."""
        day = instant.astimezone(self.tz).date()
        return any(session.opens <= instant < session.closes
                   for session in self.sessions(day - DAY, day + DAY, only_liquid=only_liquid))

    def next_open(self, instant: datetime) -> datetime:
        """`instant` itself while the exchange is open, else the next opening; in UTC."""
        return max(instant, self._session_at_or_after(instant).opens).astimezone(UTC)

    def session_close(self, instant: datetime) -> datetime:
        """When the session that is open at `instant`, or opens next after it, ends; in UTC."""
        return self._session_at_or_after(instant).closes

    def sessions(self, first: date, last: date, *, only_liquid: bool = False) -> Iterator[OpenSession]:
        """Of the trading days `first` to `last`, oldest first."""
        for ahead in range((last - first).days + 1):
            day = first + ahead * DAY
            for span in (self.liquid if only_liquid else self.trading) if self.is_trading_day(day) else ():
                yield OpenSession(day, self._instant(day, span.opens), self._instant(day, span.closes))

    def text(self, today: date, *, only_liquid: bool = False) -> str:
        """The next six trading days the way contract details list them (ib_wire.md 2.6)."""
        days = (today + ahead * DAY for ahead in range(hours.DAYS_AHEAD))
        return ";".join(self._day_text(day, only_liquid=only_liquid) for day in days)

    def _day_text(self, day: date, *, only_liquid: bool) -> str:
        sessions = list(self.sessions(day, day, only_liquid=only_liquid))
        if not sessions:
            return f"{day:%Y%m%d}:CLOSED"
        return ";".join(f"{self._local(session.opens)}-{self._local(session.closes)}" for session in sessions)

    def _local(self, instant: datetime) -> str:
        return f"{instant.astimezone(self.tz):%Y%m%d:%H%M}"

    def _session_at_or_after(self, instant: datetime) -> OpenSession:
        day = instant.astimezone(self.tz).date()
        return next(session for session in self.sessions(day - DAY, day + LOOK_AHEAD_DAYS * DAY)
                    if session.closes > instant)

    def _instant(self, day: date, offset: timedelta) -> datetime:
        """Wall time, so that a session opens at the same hour in summer and in winter."""
        local = datetime.combine(day, time.min) + offset
        return local.replace(tzinfo=self.tz).astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """The hours of every exchange."""

    everywhere: ExchangeHours
    exchanges: Mapping[str, ExchangeHours]

    def of(self, exchange: str) -> ExchangeHours:
        return self.exchanges.get(exchange, self.everywhere)

    def is_open(self, exchange: str, instant: datetime) -> bool:
        return self.of(exchange).is_open(instant)

    def next_open(self, exchange: str, instant: datetime) -> datetime:
        return self.of(exchange).next_open(instant)

    def session_close(self, exchange: str, instant: datetime) -> datetime:
        return self.of(exchange).session_close(instant)


@cache
def timetable(zone: str, holidays: frozenset[date], *, real_hours: bool) -> Timetable:
    """What a gateway in `zone` goes by; `holidays` close every exchange."""
    own = _spans("00:00-23:59")
    everywhere = ExchangeHours(zone=zone, trading=own, liquid=own, holidays=holidays)
    exchanges = {name: replace(each, holidays=each.holidays | holidays) for name, each in REAL_HOURS.items()}
    return Timetable(everywhere=everywhere, exchanges=exchanges if real_hours else {})


def _spans(text: str) -> tuple[Span, ...]:
    """`-17:00-16:00 18:00-20:00`: a leading minus is the day before, hours from 24 on are the day after."""
    return tuple(_span(part) for part in text.split())


def _span(text: str) -> Span:
    opens, _, closes = text.removeprefix("-").partition("-")
    return Span(_offset(opens) - (DAY if text.startswith("-") else timedelta(0)), _offset(closes))


def _offset(text: str) -> timedelta:
    hour, minute = text.split(":")
    return timedelta(hours=int(hour), minutes=int(minute))


def _hours(zone: str, trading: str, liquid: str) -> ExchangeHours:
    return ExchangeHours(zone=zone, trading=_spans(trading), liquid=_spans(liquid))


_CHICAGO: Final = _hours("US/Central", "-17:00-16:00", "08:30-16:00")
_NEW_YORK_METALS: Final = _hours("US/Eastern", "-18:00-17:00", "09:30-17:00")
_EUREX: Final = _hours("MET", "01:10-22:00", "09:00-17:30")
_PARIS: Final = _hours("MET", "08:00-22:00", "09:00-17:30")
_LONDON_ICE: Final = _hours("Europe/London", "01:00-23:00", "08:00-18:00")
_SYDNEY: Final = _hours("Australia/NSW", "-17:10-07:00 09:50-16:30", "09:50-16:30")
REAL_HOURS: Final[Mapping[str, ExchangeHours]] = {
    "CME": _CHICAGO, "CBOT": _CHICAGO, "CFE": _CHICAGO,
    "NYMEX": _NEW_YORK_METALS, "COMEX": _NEW_YORK_METALS,
    "NYBOT": _hours("US/Eastern", "-20:00-18:00", "09:30-16:00"),
    "EUREX": _EUREX, "DTB": _EUREX, "SOFFEX": _EUREX,
    "MONEP": _PARIS, "MATIF": _PARIS, "FTA": _PARIS, "IDEM": _PARIS, "MEFFRV": _PARIS, "BELFOX": _PARIS,
    "OMS": _hours("Europe/Stockholm", "09:00-17:25", "09:00-17:25"),
    "ICEEU": _LONDON_ICE, "ICEEUSOFT": _LONDON_ICE, "IPE": _LONDON_ICE,
    "LSE": _hours("Europe/London", "08:00-16:35", "08:00-16:30"),
    "HKFE": _hours("Hongkong", "09:15-12:00 13:00-16:30 17:15-27:00", "09:15-12:00 13:00-16:30"),
    "OSE.JPN": _hours("Japan", "-17:00-06:00 08:45-15:45", "08:45-15:45"),
    "OSE": _hours("Japan", "-17:00-06:00 08:45-15:45", "08:45-15:45"),
    "SGX": _hours("Singapore", "07:30-20:10 20:25-29:15", "09:00-17:00"),
    "SNFE": _SYDNEY, "ASX": _SYDNEY,
    "KSE": _hours("Asia/Seoul", "08:45-15:45", "09:00-15:45"),
    "NSE": _hours("Asia/Calcutta", "09:15-15:30", "09:15-15:30"),
    "IDEALPRO": _hours("US/Eastern", "-17:15-17:00", "-17:15-17:00"),
}
