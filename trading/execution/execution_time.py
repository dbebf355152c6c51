"""When an execution happened, from the broker's words for it. Pure.

A gateway writes UTC with a dash, a local time with the name of its zone, or a local time alone, as it is set; and some
names nobody knows. What words leave open is closed by the gateway's zone, and by when they were heard (ib_wire.md 2.6).
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_FORM: Final = re.compile(r"(?P<day>\d{8})(?P<dash>-| +)(?P<time>\d\d:\d\d:\d\d)(?: +(?P<zone>\S.*))?")
_QUARTER: Final = timedelta(minutes=15)
_AT_ONCE: Final = timedelta(seconds=30)  # a fill that is heard as it happens


def told_instant(words: str) -> datetime | None:
    """The instant that `words` name by themselves; None when they leave anything open."""
    form = _FORM.fullmatch(words)
    if form is None:
        return None
    if form["dash"] == "-":
        return _local(form).replace(tzinfo=UTC)
    zone = _known(form["zone"])
    if zone is None:
        return None
    first, second = _both(_local(form), zone)
    return first if first == second else None


def instant_of(words: str, gateway: ZoneInfo, heard: datetime) -> datetime:
    """The instant that `words`, heard at `heard` from a gateway in the zone `gateway`, most likely mean.

    Of an hour that the clocks show twice it is the one nearer to `heard`; words that cannot be read mean `heard`.
    """
    form = _FORM.fullmatch(words)
    if form is None:
        return heard
    if form["dash"] == "-":
        return _local(form).replace(tzinfo=UTC)
    zone = _known(form["zone"]) if form["zone"] else gateway
    if zone is None:
        return _in_a_zone_of_nobody(_local(form), gateway, heard)
    return _nearer(_local(form), zone, heard)


def _in_a_zone_of_nobody(local: datetime, gateway: ZoneInfo, heard: datetime) -> datetime:
    """One heard as it happens gives its offset away, in quarters of an hour; an older one is read as the gateway's."""
    offset = round((local - heard.replace(tzinfo=None)) / _QUARTER) * _QUARTER
    live = local.replace(tzinfo=timezone(offset)).astimezone(UTC) if abs(offset) < timedelta(hours=24) else None
    own = _nearer(local, gateway, heard)
    is_live = live is not None and abs(live - heard) <= _AT_ONCE
    return live if live is not None and (is_live or own > heard + _AT_ONCE) else own


def _nearer(local: datetime, zone: ZoneInfo, heard: datetime) -> datetime:
    return min(_both(local, zone), key=lambda instant: abs(instant - heard))


def _both(local: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The two instants of a local time; nearly always they are one."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return first, second


def _local(form: "re.Match[str]") -> datetime:
    return datetime.strptime(f"{form['day']} {form['time']}", "%Y%m%d %H:%M:%S")  # noqa: DTZ007 its zone follows


def _known(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name or "")
    except (ZoneInfoNotFoundError, OSError, ValueError):  # the last two: names that are paths
        return None
