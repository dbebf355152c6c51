"""The slots of a process: when its clock says that it is due, and which of these moments are left out. Pure.

A slot comes from `cron` or `every`, is moved or left out by the calendar, and left out by the window. Nothing is lost
on the way: a slot that does not run says why, one that was moved or merged keeps the local times it stands for.
What runs after itself (after_finish), after another (on_success_of) or at a start (@reboot) has no slots.
"""

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from daemon.cron.business_days import BusinessDays
from daemon.cron.clock_changes import first_instant
from daemon.cron.windows import OpenWindow, next_window, openings, whole_days, window_at
from daemon.schedule import REBOOT, FireTime, between
from trading.process_config import OnHoliday, ProcessConfig

_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta.resolution
_HORIZON: Final = timedelta(days=400)  # behind the first slot, left out or not
_RAREST: Final = timedelta(days=366 * 9)  # 29 February around 2100


@dataclass(frozen=True)
class Slot:
    """A due moment (`instant`, UTC), the local times it stands for (naive), and why it does not run, if so."""

    instant: datetime
    nominals: tuple[datetime, ...]
    left_out: str = ""


def slots_between(process: ProcessConfig, zone: ZoneInfo, calendar: BusinessDays | None, start: datetime,
                  end: datetime) -> Iterator[Slot]:
    """Every slot later than `start` and not later than `end` (aware), in order, with those that are left out."""
    return _Rhythm(process, zone, calendar).slots(start.astimezone(UTC), end.astimezone(UTC))


def next_slot(process: ProcessConfig, zone: ZoneInfo, calendar: BusinessDays | None, after: datetime) -> Slot | None:
    """The first slot later than `after` (aware) that is not left out; None when the next 400 days have none."""
    rhythm, after = _Rhythm(process, zone, calendar), after.astimezone(UTC)
    slot = next(rhythm.slots(after, after + _RAREST), None)
    if slot is None:
        return None
    end = slot.instant + _HORIZON
    while slot is not None and slot.left_out:
        slot = next(rhythm.slots(max(slot.instant, rhythm.none_before(slot, end) - _TICK), end), None)
    return slot


def never_fires(process: ProcessConfig, zone: ZoneInfo, calendar: BusinessDays | None, now: datetime) -> str:
    """Why none of the slots of the next 400 days would run; empty when one does, or when there are no slots at all."""
    first = next(slots_between(process, zone, calendar, now, now + _RAREST), None)
    if first is None or next_slot(process, zone, calendar, now) is not None:
        return ""
    if calendar is not None and not calendar.knows(first.nominals[0].date()):
        return ""  # a rare slot, in a year whose holidays are not published yet
    local = f"{first.nominals[0]:%Y-%m-%d %H:%M}"
    return (f"it never runs: every slot of the next 400 days is left out, the first ({local}) because "
            f"{_because(first.left_out)}. Change its times, its window or its calendar")


def jitter_s(name: str, key: str, jitter: int) -> float:
    """By how much the slot `key` of process `name` is delayed, from 0 to below `jitter`: the same on every machine."""
    digest = hashlib.sha256(f"{name}@{key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % (jitter * 1000) / 1000


def _because(reason: str) -> str:
    return f"it lies {reason}" if reason.startswith("outside") else reason


@dataclass(frozen=True)
class _Rhythm:
    """What determines the slots of one process."""

    process: ProcessConfig
    zone: ZoneInfo
    calendar: BusinessDays | None

    def slots(self, start: datetime, end: datetime) -> Iterator[Slot]:
        slots: Iterator[Slot] = (slot for fire in self._fires(start, end) if (slot := self._in_its_place(fire)))
        if self.calendar is not None and self.process.on_holiday in (OnHoliday.PREVIOUS, OnHoliday.NEXT):
            slots = _one_an_instant(heapq.merge(slots, self._moved(self.calendar, start, end), key=_instant))
        return self._within_windows(slots, start) if self.process.window else slots

    def none_before(self, left_out: Slot, end: datetime) -> datetime:
        """A moment before which no slot runs that comes after one that was left out."""
        if self.process.window and window_at(self.process.window, self.zone, left_out.instant) is None:
            return next_window(self.process.window, self.zone, left_out.instant).opens
        assert self.calendar is not None
        day = self.calendar.next(left_out.nominals[0].date())
        if self.calendar.until is not None and day > self.calendar.until:
            return end
        return self._midnight(day)

    def _fires(self, start: datetime, end: datetime) -> Iterator[FireTime]:
        """Regardless of windows and calendar; only `every` needs its window to know where to begin."""
        if self.process.cron is not None:
            return iter(()) if self.process.cron.strip() == REBOOT else between(
                self.process.cron, self.zone, start, end)
        return iter(()) if self.process.every is None else self._repeats(timedelta(seconds=self.process.every),
                                                                         start, end)

    def _repeats(self, every: timedelta, start: datetime, end: datetime) -> Iterator[FireTime]:
        for opening in self._openings(start):
            instant = opening.opens + max(0, (start - opening.opens) // every + 1) * every
            while instant < opening.closes and instant <= end:
                yield FireTime(instant, (instant.astimezone(self.zone).replace(tzinfo=None, fold=0),))
                instant += every
            if opening.closes > end:
                return

    def _openings(self, start: datetime) -> Iterator[OpenWindow]:
        if self.process.window:
            return openings(self.process.window, self.zone, start)
        return whole_days(self.zone, start)

    def _in_its_place(self, fire: FireTime) -> Slot | None:
        """The slot at its own instant, run or left out; None when the calendar moves it elsewhere."""
        calendar, rule = self.calendar, self.process.on_holiday
        if calendar is None or rule is OnHoliday.RUN:
            return Slot(*fire)
        days = {nominal: nominal.date() for nominal in fire.nominals}
        kept = tuple(nominal for nominal, day in days.items() if calendar.knows(day) and calendar.is_business_day(day))
        if kept:
            return Slot(fire.instant, kept)
        day = days[fire.nominals[0]]
        if not calendar.knows(day) or not calendar.knows(self._target(calendar, day)):
            return Slot(*fire, left_out=self._unknown(calendar, day))
        if rule is OnHoliday.SKIP:
            return Slot(*fire, left_out=f"{day} is no business day of {self.process.calendar}")
        return None

    def _target(self, calendar: BusinessDays, day: date) -> date:
        """The date on which a slot of `day`, no business day, runs."""
        if self.process.on_holiday is OnHoliday.SKIP:
            return day
        return calendar.next(day) if self.process.on_holiday is OnHoliday.NEXT else calendar.previous(day)

    def _unknown(self, calendar: BusinessDays, day: date) -> str:
        return (f"the calendar {self.process.calendar} is good from {calendar.since or 'any date'} to "
                f"{calendar.until or 'any date'}, so nobody knows on which business day {day} would run")

    def _moved(self, calendar: BusinessDays, start: datetime, end: datetime) -> Iterator[Slot]:
        """The slots that come from other days, each at its own local time on a business day."""
        target = calendar.next(start.astimezone(self.zone).date() - 2 * _DAY)
        last = end.astimezone(self.zone).date() + _DAY
        while target <= last:
            if self.process.on_holiday is OnHoliday.NEXT:
                idle = (calendar.previous(target) + _DAY, target - _DAY)
            else:
                idle = (target + _DAY, calendar.next(target) - _DAY)
            if idle[0] <= idle[1] and calendar.knows(target):
                yield from (slot for slot in self._moved_onto(target, calendar, *idle) if start < slot.instant <= end)
            target = calendar.next(target)

    def _moved_onto(self, target: date, calendar: BusinessDays, first: date, last: date) -> list[Slot]:
        """What falls on `first` to `last`, none of them a business day, at its local times on `target`."""
        moved: dict[datetime, set[datetime]] = {}
        # a day more on both sides, for clocks that change at midnight
        for fire in self._fires(self._midnight(first) - _DAY, self._midnight(last) + 2 * _DAY):
            for nominal in fire.nominals:
                if first <= nominal.date() <= last and calendar.knows(nominal.date()):
                    instant = first_instant(self.zone, datetime.combine(target, nominal.time()))
                    moved.setdefault(instant, set()).add(nominal)
        return [Slot(instant, tuple(sorted(moved[instant]))) for instant in sorted(moved)]

    def _within_windows(self, slots: Iterator[Slot], start: datetime) -> Iterator[Slot]:
        """Slots outside every window are left out."""
        windows = openings(self.process.window, self.zone, start)
        current = next(windows)
        reason = f"outside its window{'s' if len(self.process.window) > 1 else ''} " \
                 f"{' and '.join(map(str, self.process.window))}"
        for slot in slots:
            while current.closes <= slot.instant:
                current = next(windows)
            yield slot if current.opens <= slot.instant else replace(slot, left_out=reason)

    def _midnight(self, day: date) -> datetime:
        return first_instant(self.zone, datetime.combine(day, time()))


def _instant(slot: Slot) -> datetime:
    return slot.instant


def _one_an_instant(slots: Iterator[Slot]) -> Iterator[Slot]:
    """Slots that fall on one instant are one; it runs if any of them does."""
    for instant, group in groupby(slots, key=_instant):
        found = list(group)
        chosen = [slot for slot in found if not slot.left_out] or found
        yield Slot(instant, tuple(sorted({nominal for slot in chosen for nominal in slot.nominals})),
                   chosen[0].left_out)
