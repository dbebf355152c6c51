"""Ten thousand random expressions around every change of every clock since 1970, against a walk over all minutes.

The walk is Debian cron's own (the virtual time of its main loop), and shares nothing with what it checks.
SOAK_SECONDS bounds the time (default: until done); SOAK_EACH says how many expressions each change meets.
"""

import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pytest

from daemon.cron.clock_changes import changes
from daemon.schedule import CronError, between, check, next_after

pytestmark = pytest.mark.soak

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FIRST, LAST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2037, 12, 30, tzinfo=UTC)
EXPRESSIONS, AROUND = 10_000, 2 * DAY
ZONES = sorted(available_timezones() - {"localtime"})
NAMES = {name: number for names, start in (("sun mon tue wed thu fri sat", 0),
                                           ("jan feb mar apr may jun jul aug sep oct nov dec", 1))
         for number, name in enumerate(names.split(), start=start)}
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return wall(instant, zone) - instant.replace(tzinfo=None)


@cache
def changes_of(name: str) -> tuple[datetime, ...]:
    """When the clock of this zone changes, found by a look at every day."""
    zone, found = ZoneInfo(name), []
    days = [FIRST + i * DAY for i in range((LAST - FIRST).days)]
    offsets = [offset(day, zone) for day in days]
    for i in range(1, len(days)):
        if offsets[i] != offsets[i - 1]:
            low, high = days[i - 1], days[i]
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // timedelta(seconds=2) * timedelta(seconds=1)
                low, high = (middle, high) if offset(middle, zone) == offsets[i - 1] else (low, middle)
            found.append(high)
    return tuple(found)


def random_field(rng: random.Random, low: int, high: int, names: list[str]) -> str:
    a, b = sorted((rng.randint(low, high), rng.randint(low, high)))
    forms = ["*", "*", f"*/{rng.randint(1, high + 5)}", str(a), str(a), f"{a}-{b}", f"{a}-{b}/{rng.randint(1, 9)}",
             f"{a},{b}", f"{a},{b}-{high}/{rng.randint(1, 3)}", f"*,{a}"]
    return rng.choice([*forms, rng.choice(names)] if names else forms)


def random_expressions() -> list[str]:
    rng, found = random.Random(1), []
    weekdays, months = list(NAMES)[:7], list(NAMES)[7:]
    while len(found) < EXPRESSIONS:
        fields = [random_field(rng, low, high, names)
                  for (low, high), names in zip(RANGES, ([], [], [], months, weekdays), strict=True)]
        if rng.random() < 0.7:  # most of what people write names every day
            fields[2:] = ["*", "*", rng.choice(("*", "*", fields[4]))]
        if rng.random() < 0.5:  # most clocks change at night
            fields[1] = random_field(rng, 0, 4, [])
        try:
            check(" ".join(fields))
        except CronError:
            continue  # a date that does not exist
        found.append(" ".join(fields))
    return found


@cache
def values(text: str, low: int, high: int) -> np.ndarray:
    """Whether each number from 0 to 60 is named by a field."""
    named = np.zeros(61, dtype=bool)
    for item in text.split(","):
        span, _, step = item.partition("/")
        first, dash, last = span.replace("*", f"{low}-{high}").partition("-")
        start = NAMES[first] if first in NAMES else int(first)
        end = int(last) if dash else start
        named[start:end + 1:int(step or 1)] = True
    return named


class Walls:
    """The local minutes of some days, field by field."""

    def __init__(self, minutes: np.ndarray) -> None:
        days = minutes // 1440
        dates = days.astype("datetime64[D]")
        months = dates.astype("datetime64[M]")
        self.minute, self.hour, self.weekday = minutes % 60, minutes // 60 % 24, (days + 4) % 7
        self.day = (dates - months).astype(int) + 1
        self.month = months.astype(int) % 12 + 1

    def match(self, expression: str) -> np.ndarray:
        minute, hour, day, month, weekday = expression.split()
        by_day, named = values(day, 1, 31)[self.day], values(weekday, 0, 7)
        by_weekday = named[self.weekday] | (named[7] & (self.weekday == 0))
        star = day.startswith("*") or weekday.startswith("*")
        return (values(minute, 0, 59)[self.minute] & values(hour, 0, 23)[self.hour] & values(month, 1, 12)[self.month]
                & (by_day & by_weekday if star else by_day | by_weekday))


class Walk:
    """Debian's main loop over the days around one change: its virtual time, and what each minute makes up for."""

    def __init__(self, zone: ZoneInfo, change: datetime) -> None:
        self.start = (change - AROUND).replace(second=0) - offset(change - AROUND, zone) % MINUTE
        step = MINUTE if offset(self.start, zone) % MINUTE == timedelta(0) == offset(change, zone) % MINUTE \
            else timedelta(seconds=30)
        self.instants = [self.start + i * step for i in range(2 * AROUND // step)]
        shown = [wall(instant, zone) for instant in self.instants]
        self.begins = np.array([each.second == 0 for each in shown])  # a minute of the local clock begins
        self.minutes = np.array([(each - datetime(1970, 1, 1)) // MINUTE for each in shown])
        self.walls = Walls(self.minutes)
        reached = np.maximum.accumulate(self.minutes)
        self.reached = np.concatenate([[reached[0] - 1], reached[:-1]])
        jump = int(np.argmax(self.minutes - self.reached))
        size = int(self.minutes[jump] - self.reached[jump])
        self.jump = jump + int(np.argmax(self.begins[jump:])) if size > 1 else None
        self.skipped = Walls(np.arange(self.reached[jump] + 1, self.minutes[jump]))

    def firings(self, expression: str) -> list[datetime]:
        hit = self.walls.match(expression) & self.begins
        if not any(text.startswith("*") for text in expression.split()[:2]):
            hit &= self.minutes > self.reached
            if self.jump is not None:
                hit[self.jump] |= self.skipped.match(expression).any()
        return [self.instants[i] for i in np.flatnonzero(hit)]


def test_every_change_of_every_clock_is_known() -> None:
    for name in ZONES:
        assert [change.instant for change in changes(ZoneInfo(name), FIRST, LAST - DAY)] == list(changes_of(name)), name


def test_firings_around_every_change_of_every_zone() -> None:
    limit, each = float(os.environ.get("SOAK_SECONDS", "inf")), int(os.environ.get("SOAK_EACH", "12"))
    expressions, began = random_expressions(), time.monotonic()
    compared, met = 0, set()
    for number, (name, change) in enumerate(every_zone_in_turn()):
        zone = ZoneInfo(name)
        shift = offset(change, zone) - offset(change - timedelta(seconds=1), zone)
        if abs(shift) > 180 * MINUTE:
            continue
        walk = Walk(zone, change)
        for i in range(each):
            expression = expressions[(number * each + i) % EXPRESSIONS]
            assert_equal(expression, zone, walk)
            compared, met = compared + 1, met | {expression}
        if time.monotonic() - began > limit:
            break
    print(f"\n{compared} comparisons, {len(met)} expressions, {number + 1} changes")
    assert compared > 0


def every_zone_in_turn() -> Iterator[tuple[str, datetime]]:
    """Some change of each zone, then another of each, until none is left."""
    zones, turn = random.Random(2).sample(ZONES, len(ZONES)), 0
    while zones:
        for name in zones:
            found = changes_of(name)
            if turn < len(found):
                yield name, random.Random(name).sample(found, len(found))[turn]
        zones, turn = [name for name in zones if turn + 1 < len(changes_of(name))], turn + 1


def assert_equal(expression: str, zone: ZoneInfo, walk: Walk) -> None:
    start, end = walk.instants[0] - timedelta(seconds=1), walk.instants[-1]
    expected = walk.firings(expression)
    found = [fire.instant for fire in between(expression, zone, start, end)]
    assert found == expected, f"{expression} in {zone.key} around {walk.instants[len(walk.instants) // 2]}"
    for now, following in islice(pairwise(expected), 3):
        assert next_after(expression, zone, now).instant == following, f"{expression} in {zone.key} after {now}"
        assert next_after(expression, zone, following - MINUTE / 2).instant == following
