"""When a contract trades, from the broker's words for it. Pure.

The words are those of contract details: `20211013:1700-20211014:1600;20211015:CLOSED`, in a zone that stands beside
them; the older form `20211013:0830-1500,1530-1600` is understood as well (ib_wire.md 4).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from trading.errors import DataError


@dataclass(frozen=True, kw_only=True)
class OpenHours:
    """From `start` up to, not including, `end`; both aware, UTC."""

    start: datetime
    end: datetime


def open_hours(words: str, zone: str) -> tuple[OpenHours, ...]:
    """Every session that the words name, in time order; those that touch are one.

    Raises:
        DataError: the words or the zone cannot be understood; nothing may be concluded from them.
    """
    try:
        local = ZoneInfo(zone)
        found = sorted(_sessions(words, local), key=lambda each: each.start)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise DataError(f"The trading hours {words[:60]!r} in zone {zone!r} cannot be understood: {error}. "
                        f"Run: tradectl run update_futures_contracts") from error
    return tuple(_joined(found))


def _sessions(words: str, zone: ZoneInfo) -> Iterator[OpenHours]:
    for day in filter(None, words.split(";")):
        name, _, times = day.partition(":")
        if times == "CLOSED":
            continue
        for each in times.split(","):
            begin, _, end = each.partition("-")
            start, stop = _instant(name, begin, zone), _instant(name, end, zone)
            yield OpenHours(start=start, end=stop if stop > start else stop + timedelta(days=1))


def _instant(day: str, text: str, zone: ZoneInfo) -> datetime:
    """`text` is HHMM of `day`, or YYYYMMDD:HHMM."""
    stamp = text.replace(":", "") if ":" in text else day + text
    return datetime.strptime(stamp, "%Y%m%d%H%M").replace(tzinfo=zone).astimezone(UTC)


def _joined(sessions: list[OpenHours]) -> Iterator[OpenHours]:
    current: OpenHours | None = None
    for each in sessions:
        if current is not None and each.start <= current.end:
            current = OpenHours(start=current.start, end=max(current.end, each.end))
            continue
        if current is not None:
            yield current
        current = each
    if current is not None:
        yield current
