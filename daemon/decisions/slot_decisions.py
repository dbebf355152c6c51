"""What becomes of each slot: due, missed, caught up, left out, queued, given up (scheduler.md 2.4 and 2.7). Pure.

No slot disappears. Every slot up to `evaluated_through` has a run, a tick with its reason, or stands in `pending`;
the three change together, in one write of the process.
"""

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from daemon.cron.windows import window_at
from daemon.decisions.slot_facts import SlotFacts, decided_through, on_its_schedule, utc_offset_s
from daemon.decisions.slots import Slot, jitter_s, next_slot, slots_between
from daemon.decisions.triggers import after_last_end, triggered
from trading.control.due_slot import DueSlot, SlotOutcome, Tick, slot_key
from trading.control.process_control import ProcessControl
from trading.control.process_run import Kind
from trading.process_config import CatchUp, Overlap, ProcessConfig, ProcessKind

MOST_SINGLE: Final = 1000  # slots that are recorded one by one; older ones of a long absence share one record
_TOOK_ITS_PLACE: Final = "the newer slot {} took its place in the queue"
_KEPT: Final = frozenset({Kind.CATCHUP, Kind.BACKFILL})  # these wait their turn; nothing newer takes their place


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The process as it must be written, the slots that never run, and whether the active run must make room."""

    control: ProcessControl
    ticks: tuple[Tick, ...] = ()
    stop_active: bool = False


def evaluate(facts: SlotFacts) -> Evaluation:
    """Decide about every slot that has come since the last time, and about those that wait."""
    control = on_its_schedule(facts)
    facts = replace(facts, control=control)
    queue = _Queue(facts)
    queue.give_up()
    slots: list[Slot] = []
    begins = decided_through(facts)
    if facts.process.enabled and begins is not None and begins < facts.now:
        slots = list(slots_between(facts.process, facts.zone, facts.calendar, begins, facts.now))
    singles = queue.sum_up(slots)
    queue.arrive(_timely_and_caught_up(facts, singles, queue))
    queue.trigger()
    return queue.evaluation(slots)


@dataclass(frozen=True, kw_only=True)
class NextLook:
    """When a process must be looked at again if nothing else happens (None: not by itself), and its next slot."""

    at: datetime | None
    slot: datetime | None


def next_look(facts: SlotFacts) -> NextLook:
    """When there is a reason to look at the process again."""
    process, control, now = facts.process, facts.control, facts.now
    following: datetime | None = None
    moments = [slot.not_before for slot in control.pending if slot.not_before > now]
    if len(moments) < len(control.pending):
        moments.append(now + timedelta(seconds=30))  # what it waits for mostly announces itself
    through = decided_through(facts)
    if process.enabled and through is not None:
        coming = next_slot(process, facts.zone, facts.calendar, max(through, now))
        following = coming.instant if coming is not None else None
        if process.after_finish is not None and control.active_run is None:
            following = after_last_end(facts)
    if following is not None:
        moments.append(following)
    return NextLook(at=min(moments, default=None), slot=following)


def run_limit_key(process: ProcessConfig, zone: ZoneInfo, slot: DueSlot) -> str:
    """The window or trading day within which `max_runs` counts."""
    window = window_at(process.window, zone, slot.due) if process.window else None
    return slot.trading_day if window is None else window.day.isoformat()


def _timely_and_caught_up(facts: SlotFacts, slots: list[Slot], queue: "_Queue") -> list[DueSlot]:
    timely: list[DueSlot] = []
    missed: list[DueSlot] = []
    for slot in slots:
        reason = _left_out(facts, slot)
        due = _due(facts, slot)
        if reason:
            queue.leave_out(due, SlotOutcome.SKIPPED, reason)
        elif facts.now - due.not_before > timedelta(seconds=facts.process.misfire_grace):
            missed.append(due)
        else:
            timely.append(due)
    caught_up = _caught_up(facts, missed, timely, queue)
    if facts.process.coalesce and timely:
        for older in timely[:-1]:
            queue.leave_out(older, SlotOutcome.COALESCED, f"the slot {timely[-1].key} runs in its place")
        timely = timely[-1:]
    return [*caught_up, *timely]


def _left_out(facts: SlotFacts, slot: Slot) -> str:
    if slot.left_out:
        return slot.left_out
    if slot_key(slot.instant) in facts.control.skips:
        return "an operator called it off"
    if facts.control.is_paused(facts.now):
        return f"paused{': ' + facts.control.wish_reason if facts.control.wish_reason else ''}"
    return ""


def _due(facts: SlotFacts, slot: Slot) -> DueSlot:
    key = slot_key(slot.instant)
    delay_s = 0.0
    if facts.process.jitter is not None:
        following = next_slot(facts.process, facts.zone, facts.calendar, slot.instant)
        room_s = (following.instant - slot.instant).total_seconds() - 1 if following else facts.process.jitter
        delay_s = min(jitter_s(facts.name, key, facts.process.jitter), room_s)
    return DueSlot(key=key, kind=Kind.SCHEDULED, due=slot.instant, trading_day=facts.trading_day(slot.instant),
                   not_before=slot.instant + timedelta(seconds=delay_s),
                   nominals=tuple(nominal.isoformat(timespec="minutes") for nominal in slot.nominals))


def _caught_up(facts: SlotFacts, missed: list[DueSlot], timely: list[DueSlot], queue: "_Queue") -> list[DueSlot]:
    """The missed slots that run after all, oldest first; the others are recorded."""
    rule, process = facts.process.catchup, facts.process
    if rule is CatchUp.ALL:
        oldest = facts.now - timedelta(seconds=process.catchup_window)
        room = process.catchup_max - queue.catching_up
        chosen = [slot for slot in missed if slot.due >= oldest][:max(room, 0)]
    else:
        chosen = missed[-1:] if rule is CatchUp.LATEST and not timely else []
    for slot in missed:
        if slot in chosen:
            continue
        if rule is CatchUp.LATEST:
            runs = timely[-1] if timely else chosen[-1]
            queue.leave_out(slot, SlotOutcome.COALESCED, f"missed; the slot {runs.key} runs in its place")
        else:
            queue.leave_out(slot, SlotOutcome.MISSED, f"noticed {_ago(facts.now - slot.due)} late "
                            f"(grace {process.misfire_grace} s, catchup: {rule})")
    return [replace(slot, kind=Kind.CATCHUP) for slot in chosen]


@dataclass
class _Queue:
    """The slots of one process that wait, while a decision about them is being made."""

    facts: SlotFacts
    waiting: list[DueSlot] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)
    stop_active: bool = False
    triggered_by: str = ""

    def __post_init__(self) -> None:
        self.waiting = list(self.facts.control.pending)
        self.triggered_by = self.facts.control.triggered_by

    @property
    def catching_up(self) -> int:
        return sum(slot.kind is Kind.CATCHUP for slot in self.waiting)

    def leave_out(self, slot: DueSlot, outcome: SlotOutcome, reason: str) -> None:
        """Record that `slot` never runs. A later attempt leaves no tick: its slot has a run already."""
        if slot.attempt == 1:
            self.ticks.append(Tick(process=self.facts.name, slot=slot.key, outcome=outcome, reason=reason,
                                   decided_at=self.facts.now, nominals=slot.nominals))

    def sum_up(self, slots: list[Slot]) -> list[Slot]:
        """The slots that are decided one by one; the older ones of a very long absence are missed as one."""
        facts = self.facts
        cut = max(len(slots) - MOST_SINGLE, 0)
        if facts.process.catchup is CatchUp.ALL:
            oldest = facts.now - timedelta(seconds=facts.process.catchup_window)
            cut = min(cut, bisect_left(slots, oldest, key=lambda slot: slot.instant))
        if cut:
            first, last = slots[0].instant, slots[cut - 1].instant
            self.ticks.append(Tick(
                process=facts.name, slot=slot_key(first), until=slot_key(last), count=cut, outcome=SlotOutcome.MISSED,
                decided_at=facts.now, reason=f"{cut:,} slots from {slot_key(first)} to {slot_key(last)}: noticed up to "
                                             f"{_ago(facts.now - first)} late"))
        return slots[cut:]

    def give_up(self) -> None:
        """Slots that have waited longer than their deadline, window or day."""
        for slot in list(self.waiting):
            reason = _given_up(self.facts, slot)
            if reason:
                self.waiting.remove(slot)
                self.leave_out(slot, SlotOutcome.SKIPPED, reason)

    def trigger(self) -> None:
        """What comes by no clock, unless the process is paused."""
        trigger = triggered(self.facts, occupied=self.facts.control.active_run is not None or bool(self.waiting))
        if trigger is None:
            return
        self.triggered_by = trigger.by
        if self.facts.control.is_paused(self.facts.now):
            self.leave_out(trigger.slot, SlotOutcome.SKIPPED, "paused")
        else:
            self.arrive([trigger.slot])

    def arrive(self, slots: list[DueSlot]) -> None:
        """Newly come slots meet the active run and what waits already."""
        if not slots or self._serves_already():
            return
        if self.facts.control.active_run is None:
            self._take_the_place_of_older(slots[0])
            self.waiting += slots
            return
        for slot in slots:
            self._arrive_while_busy(slot)

    def _serves_already(self) -> bool:
        """Whether a service is at work, or will be as soon as it can: that is all that its slots are for."""
        process, control = self.facts.process, self.facts.control
        return process.kind is ProcessKind.SERVICE and process.overlap is Overlap.SKIP and (
            control.active_run is not None or any(slot.not_before <= self.facts.now for slot in self.waiting))

    def _take_the_place_of_older(self, newer: DueSlot) -> None:
        """A slot that waits for something in vain ends with the next one, and so does a retry."""
        if self.facts.process.overlap is Overlap.QUEUE_ALL:
            return
        queued = self.facts.process.overlap is not Overlap.SKIP and not self.facts.why  # it waited for its turn alone
        waited = f"it waited until the next slot, {newer.key}" + (f": {self.facts.why}" if self.facts.why else "")
        for slot in [each for each in self.waiting if each.kind not in _KEPT]:
            self.waiting.remove(slot)
            if queued:
                self.leave_out(slot, SlotOutcome.COALESCED, _TOOK_ITS_PLACE.format(newer.key))
            else:
                self.leave_out(slot, SlotOutcome.SKIPPED, waited)

    def _arrive_while_busy(self, slot: DueSlot) -> None:
        rule, blocker = self.facts.process.overlap, self.facts.control.active_run
        if slot.kind in _KEPT and self.facts.process.catchup is CatchUp.ALL:
            self.waiting.append(slot)
        elif rule is Overlap.SKIP:
            self.leave_out(slot, SlotOutcome.SKIPPED, f"{blocker} was still running (overlap: skip)")
        elif rule is Overlap.QUEUE_ALL:
            if len(self.waiting) >= self.facts.process.queue_max:
                self.leave_out(slot, SlotOutcome.SKIPPED, f"{blocker} was still running and "
                                                          f"{len(self.waiting)} slots wait already (queue_max)")
            else:
                self.waiting.append(slot)
        else:
            for older in [each for each in self.waiting if each.kind not in _KEPT]:
                self.waiting.remove(older)
                self.leave_out(older, SlotOutcome.COALESCED, _TOOK_ITS_PLACE.format(slot.key))
            self.waiting.append(slot)
            self.stop_active |= rule is Overlap.TERMINATE_OLD

    def evaluation(self, slots: list[Slot]) -> Evaluation:
        control = self.facts.control
        passed = {slot_key(slot.instant) for slot in slots}
        if slots:
            through = max(slots[-1].instant, control.evaluated_through or slots[-1].instant)
            control = replace(control, evaluated_through=through,
                              utc_offset_s=utc_offset_s(self.facts.zone, through))
        newer = replace(control, pending=tuple(self.waiting), triggered_by=self.triggered_by,
                        skips=tuple(key for key in control.skips if key not in passed))
        return Evaluation(control=newer, ticks=tuple(self.ticks), stop_active=self.stop_active)


def _given_up(facts: SlotFacts, slot: DueSlot) -> str:
    """Why `slot` is not to be waited for any longer; empty: it still may run."""
    process, now = facts.process, facts.now
    why = f": {facts.why}" if facts.why else ""
    if process.deadline is not None and now > slot.due + timedelta(seconds=process.deadline):
        return f"its deadline, {_ago(timedelta(seconds=process.deadline))} after the slot, has passed{why}"
    if slot.kind is Kind.BACKFILL:
        return ""
    if process.window:
        window = window_at(process.window, facts.zone, slot.due)
        if window is None or now >= window.closes:
            return f"its window ended{why}"
    waited = now - slot.not_before > timedelta(seconds=process.misfire_grace)
    if waited and slot.kind is not Kind.CATCHUP and facts.trading_day(now) != slot.trading_day:
        return f"trading day {slot.trading_day} ended while it waited{why}"
    return ""


def _ago(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
