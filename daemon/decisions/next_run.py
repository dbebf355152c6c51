"""Which of the slots that wait may run now, and why the others may not. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from daemon.run_conditions import RunFacts, can_process_run
from trading.control.due_slot import DueSlot, SlotOutcome, Tick
from trading.control.process_control import ProcessControl
from trading.control.process_run import Kind
from trading.process_config import ProcessConfig

_BY_SCHEDULE = frozenset({Kind.SCHEDULED, Kind.CATCHUP})


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a start depends on beside the process itself."""

    process: ProcessConfig
    upstream: Mapping[str, ProcessControl]
    now: datetime
    is_leader: bool
    broker_problem: str | None
    resources_missing: str
    limit_key: Callable[[DueSlot], str]  # the window or trading day within which max_runs counts


@dataclass(frozen=True, kw_only=True)
class NextRun:
    """The process without the slots that are decided; the slot that starts; why the first one waits."""

    control: ProcessControl
    start: DueSlot | None = None
    ticks: tuple[Tick, ...] = ()
    why: str = ""
    in_line: bool = False  # it waits for nothing but a resource


def facts_for(slot: DueSlot, control: ProcessControl, around: Surroundings, force: bool = False) -> RunFacts:
    """All that decides whether `slot` may run."""
    process, limit = around.process, around.process.max_runs
    counted = control.run_count if control.runs_on == around.limit_key(slot) else 0
    return RunFacts(
        process=process, control=control, upstream=around.upstream, trading_day=slot.trading_day, now=around.now,
        is_leader=around.is_leader, broker_ready=around.broker_problem is None,
        broker_reason=around.broker_problem or "", resources_missing=around.resources_missing,
        runs_left=limit is None or slot.attempt > 1 or counted < limit, scheduled=slot.kind in _BY_SCHEDULE,
        force=force)


def next_run(control: ProcessControl, around: Surroundings) -> NextRun:
    """Decide about the slots that wait, in their order; the first that must wait makes the others wait too."""
    if control.active_run is not None:
        return NextRun(control=control, why=f"it is running ({control.active_run})" if control.pending else "")
    ticks: list[Tick] = []
    for slot in control.pending:
        if slot.not_before > around.now:
            continue
        decision = can_process_run(facts_for(slot, control, around))
        if decision.allowed:
            return NextRun(control=control, start=slot, ticks=tuple(ticks))
        if decision.wait:
            return NextRun(control=control, ticks=tuple(ticks), why=decision.reason, in_line=decision.in_line)
        control = without(control, slot)
        if slot.attempt == 1:
            ticks.append(Tick(process=control.name, slot=slot.key, outcome=SlotOutcome.SKIPPED, reason=decision.reason,
                              decided_at=around.now, nominals=slot.nominals))
    return NextRun(control=control, ticks=tuple(ticks))


def without(control: ProcessControl, slot: DueSlot) -> ProcessControl:
    """`control` with `slot` no longer waiting."""
    return replace(control, pending=tuple(each for each in control.pending if each != slot))


def counted(control: ProcessControl, slot: DueSlot, key: str) -> ProcessControl:
    """`control` with one more run in the window or day `key`; later attempts at a slot count once."""
    if slot.attempt > 1:
        return control
    return replace(control, runs_on=key, run_count=control.run_count + 1 if control.runs_on == key else 1)
