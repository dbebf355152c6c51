"""Slots that no clock names: after the process itself, after the success of another, at a start of the daemon. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from daemon.cron.cron_expression import REBOOT
from daemon.cron.windows import next_window, window_at
from daemon.decisions.slot_facts import SlotFacts
from trading.control.due_slot import SLOT_KEY, DueSlot, slot_key
from trading.control.process_control import ProcessControl
from trading.control.process_run import Kind


@dataclass(frozen=True)
class Trigger:
    """A slot that has come, and what made it come, so that it does so once."""

    slot: DueSlot
    by: str


def triggered(facts: SlotFacts, occupied: bool) -> Trigger | None:
    """What has come by now; `occupied`: the process runs, or a slot of it waits."""
    process, control, now = facts.process, facts.control, facts.now
    if not process.enabled:
        return None
    if process.on_success_of is not None and facts.upstream_success not in (None, control.triggered_by):
        upstream = str(facts.upstream_success)
        return Trigger(_immediate(facts, f"after-{upstream}", now, Kind.SUCCESS), upstream)
    if process.cron == REBOOT and facts.boot != control.triggered_by:
        return Trigger(_immediate(facts, f"boot-{facts.boot}", now, Kind.BOOT), facts.boot)
    if process.after_finish is not None and not occupied and (instant := after_last_end(facts)) <= now:
        return Trigger(_immediate(facts, slot_key(instant), instant, Kind.SCHEDULED), slot_key(now))
    return None


def _immediate(facts: SlotFacts, key: str, due: datetime, kind: Kind) -> DueSlot:
    return DueSlot(key=key, kind=kind, due=due, trading_day=facts.trading_day(due), not_before=due)


def after_last_end(facts: SlotFacts) -> datetime:
    """`after_finish` behind the last end, or behind a slot that came and was left out (else it came again at once);
    not before the schedule began, and within a window that is still open."""
    process, control = facts.process, facts.control
    assert process.after_finish is not None
    assert control.evaluated_through is not None
    last = control.last_run.ended if control.last_run else None
    pause = timedelta(seconds=process.after_finish)
    behind = [moment + pause for moment in (last, _last_came(control)) if moment is not None]
    earliest = max([control.evaluated_through, *behind])
    if not process.window:
        return earliest
    moment = max(earliest, facts.now)
    window = window_at(process.window, facts.zone, moment)
    return max(earliest, window.opens) if window else next_window(process.window, facts.zone, moment).opens


def _last_came(control: ProcessControl) -> datetime | None:
    """When the newest slot of a process that runs after itself came; None: none has, under this schedule."""
    try:
        return datetime.strptime(control.triggered_by, SLOT_KEY).replace(tzinfo=UTC)
    except ValueError:
        return None
