"""What an edit of the configuration changes, for the person who decides about it: in words and in fire times. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from daemon import schedule
from daemon.decisions.slots import Slot
from daemon.decisions.upcoming import Calendars, in_words, next_slots, zone_of
from trading.config import Config
from trading.process_config import ProcessConfig

SHOWN_TIMES: Final = 5
_COUNTED: Final = 200  # slots over which frequency is judged
_SECRET: Final = re.compile(r"uri|url|password|secret|token|key", re.IGNORECASE)


class ChangeKind(StrEnum):
    """What happened to a process, a strategy or a file."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    CHANGED = "changed"


@dataclass(frozen=True, kw_only=True)
class KeyChange:
    """One key with its two values, as processes.yaml would write them."""

    key: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """One process (or strategy, or section of tradingd.yaml) that an edit touches."""

    name: str
    kind: ChangeKind
    keys: tuple[KeyChange, ...] = ()
    old_words: str = ""
    new_words: str = ""
    old_times: tuple[datetime, ...] = ()  # in the operator's zone
    new_times: tuple[datetime, ...] = ()
    warnings: tuple[str, ...] = ()  # of the new schedule: clock changes within a year, doubtful expressions
    notes: tuple[str, ...] = ()

    @property
    def reschedules(self) -> bool:
        """Whether the process runs at other times than before."""
        return (self.old_words, self.old_times) != (self.new_words, self.new_times)


@dataclass(frozen=True, kw_only=True)
class _Side:
    """One of the two configurations, with what is needed to say when it fires."""

    config: Config
    calendars: Calendars
    now: datetime

    def slots(self, process: ProcessConfig | None, count: int) -> list[Slot]:
        if process is None:
            return []
        return list(islice(next_slots(process, self.config.service.zone, self.calendars, self.now), count))

    def times(self, process: ProcessConfig | None, zone: ZoneInfo) -> tuple[datetime, ...]:
        return tuple(slot.instant.astimezone(zone) for slot in self.slots(process, SHOWN_TIMES))


def describe(old: Config, new: Config, now: datetime,  # noqa: PLR0913, PLR0917 (two sides, and when they are compared)
             calendars_old: Calendars, calendars_new: Calendars, running: Collection[str] = ()) -> list[Change]:
    """What is different in `new`; `running` are the processes that have a run just now."""
    before = _Side(config=old, calendars=calendars_old, now=now)
    after = _Side(config=replace(new, service=old.service), calendars=calendars_new, now=now)  # until the restart
    changes = _processes(before, after, running)
    changes += _shared(old, new)
    for name in dict.fromkeys((*old.strategies, *new.strategies)):
        changes += map(_with_its_positions, _plain(f"strategy {name}", old.strategies.get(name),
                                                   new.strategies.get(name)))
    return changes + [_without_secrets(change) for change in _plain("tradingd.yaml", old.service, new.service)]


def as_lines(changes: Iterable[Change]) -> list[str]:
    """The changes for a person: a headline each, details indented under it."""
    lines: list[str] = []
    for change in changes:
        lines.append(_headline(change))
        if change.reschedules:
            lines += [f"  {sign} {words}{_times(times)}" for sign, words, times in (
                ("-", change.old_words, change.old_times), ("+", change.new_words, change.new_times)) if words]
        lines += [f"  note: {note}" for note in change.notes]
        lines += [f"  warning: {warning}" for warning in change.warnings]
    return lines


def headlines(changes: Iterable[Change]) -> list[str]:
    """A line a change, for a log."""
    return [_headline(change) for change in changes]


def as_values(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """The changes for a program."""
    return [{"name": change.name, "kind": change.kind.value, "keys": [vars(key) for key in change.keys],
             "old_words": change.old_words, "new_words": change.new_words,
             "old_times": [time.isoformat() for time in change.old_times],
             "new_times": [time.isoformat() for time in change.new_times],
             "warnings": list(change.warnings), "notes": list(change.notes)} for change in changes]


def _processes(before: _Side, after: _Side, running: Collection[str]) -> list[Change]:
    old, new = before.config.processes, after.config.processes
    former = {name: process.was for name, process in new.items()
              if name not in old and process.was is not None and process.was in old}
    changes = [_process(name, (before, old[name]), (after, None), running)
               for name in old if name not in new and name not in former.values()]
    for name, process in new.items():
        earlier = old.get(former.get(name, name))
        change = _process(name, (before, earlier), (after, process), running)
        if name in former:
            changes.append(_renamed(change, former[name], running))
        elif earlier != process or change.reschedules:  # a holiday file changes times, but no key
            changes.append(change)
    return changes


def _process(name: str, old: tuple[_Side, ProcessConfig | None], new: tuple[_Side, ProcessConfig | None],
             running: Collection[str]) -> Change:
    (before, earlier), (after, later) = old, new
    kind = ChangeKind.ADDED if earlier is None else ChangeKind.REMOVED if later is None else ChangeKind.CHANGED
    zone = after.config.service.zone
    change = Change(
        name=name, kind=kind, keys=_keys(earlier, later) if earlier and later else (),
        old_words=in_words(earlier) if earlier else "", new_words=in_words(later) if later else "",
        old_times=before.times(earlier, zone), new_times=after.times(later, zone))
    warnings = _warnings(later, after) if later is not None and change.reschedules else ()
    return replace(change, warnings=warnings, notes=tuple(_notes(change, old, new, name in running)))


def _warnings(process: ProcessConfig, side: _Side) -> tuple[str, ...]:
    if process.cron is None or process.cron.strip() == schedule.REBOOT or not process.enabled:
        return ()
    return tuple(schedule.lint(process.cron, zone_of(process, side.config.service.zone), side.now))


def _notes(change: Change, old: tuple[_Side, ProcessConfig | None], new: tuple[_Side, ProcessConfig | None],
           is_running: bool) -> Iterable[str]:
    (before, earlier), (after, later) = old, new
    if earlier is not None and later is not None and earlier.enabled != later.enabled:
        yield "switched on" if later.enabled else "switched off"
    elif earlier is not None and later is not None and change.reschedules:
        frequency = _frequency(before, earlier), _frequency(after, later)
        if frequency[1] > frequency[0]:
            yield "more frequent than before"
        elif frequency[1] < frequency[0]:
            yield "less frequent than before"
    if is_running:
        effect = "its run goes on to its end" if later is None else "it keeps its configuration until its end"
        yield f"running: {effect}"


def _frequency(side: _Side, process: ProcessConfig) -> float:
    """Slots a day, over as many as are counted."""
    slots = side.slots(process, _COUNTED)
    if len(slots) < 2:
        return 0.0
    return 86_400 * (len(slots) - 1) / (slots[-1].instant - slots[0].instant).total_seconds()


def _renamed(change: Change, former: str, running: Collection[str]) -> Change:
    notes = [f"carries on the history and the place in the schedule of {former}", *change.notes]
    if former in running:
        notes.append(f"running: the run of {former} goes on to its end")
    return replace(change, kind=ChangeKind.RENAMED, name=f"{former} -> {change.name}", notes=tuple(notes),
                 keys=tuple(key for key in change.keys if key.key != "was"))


def _shared(old: Config, new: Config) -> list[Change]:
    """The resources and calendars that processes share."""
    changes = []
    if old.resources != new.resources:
        changes.append(Change(name="resources", kind=ChangeKind.CHANGED, keys=tuple(
            KeyChange(key=name, old=_said(old.resources.get(name)), new=_said(new.resources.get(name)))
            for name in dict.fromkeys((*old.resources, *new.resources))
            if old.resources.get(name) != new.resources.get(name))))
    for name in dict.fromkeys((*old.calendars, *new.calendars)):
        changes += _plain(f"calendar {name}", old.calendars.get(name), new.calendars.get(name))
    return changes


def _plain(name: str, old: BaseModel | None, new: BaseModel | None) -> list[Change]:
    if old == new:
        return []
    kind = ChangeKind.ADDED if old is None else ChangeKind.REMOVED if new is None else ChangeKind.CHANGED
    return [Change(name=name, kind=kind, keys=_keys(old, new) if old and new else ())]


def _with_its_positions(change: Change) -> Change:
    """A strategy that goes leaves its positions behind; one with another name begins without any."""
    if change.kind is not ChangeKind.REMOVED:
        return change
    return replace(change, notes=("what it holds stays held, and is only rolled from now on",))


def _without_secrets(change: Change) -> Change:
    """A message may end up anywhere, and an address or a key may be a secret."""
    keys = tuple(replace(key, old="...", new="...") if _SECRET.search(key.key) else key for key in change.keys)
    moved = any(key.key == "timezone" for key in keys)
    return replace(change, keys=keys, notes=(
        "every process without a timezone of its own then runs at other times",) if moved else ())


def _keys(old: BaseModel, new: BaseModel) -> tuple[KeyChange, ...]:
    return tuple(_different("", old.model_dump(mode="json"), new.model_dump(mode="json")))


def _different(prefix: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[KeyChange]:
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key), new.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _different(f"{prefix}{key}.", before, after)
        elif before != after:
            yield KeyChange(key=f"{prefix}{key}", old=_said(before), new=_said(after))


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_said(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_said, value)) + "]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None else str(value)


def _headline(change: Change) -> str:
    keys = ", ".join(f"{key.key} {key.old} -> {key.new}" for key in change.keys)
    restart = "; restart to apply (tradectl restart)" if change.name == "tradingd.yaml" else ""
    if change.kind in (ChangeKind.CHANGED, ChangeKind.RENAMED) and keys:
        verb = "renamed, " if change.kind is ChangeKind.RENAMED else ""
        return f"{change.name}: {verb}{keys}{restart}"
    return f"{change.name}: {change.kind}{restart}"


def _times(times: tuple[datetime, ...]) -> str:
    return f": {', '.join(f'{time:%a %Y-%m-%d %H:%M %Z}' for time in times)}" if times else ""
