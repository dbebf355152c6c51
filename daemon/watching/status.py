"""Rows for people, one a process or a slot: the same from the daemon and, while it is down, from the store. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from trading.control.due_slot import Tick
from trading.control.process_control import Desired, ProcessControl
from trading.control.process_run import ProcessRun
from trading.risk.kill_level import KillState


def process_row(control: ProcessControl, now: datetime, waiting_for: str = "",
                next_slot: datetime | None = None) -> dict[str, Any]:
    """What `tradectl status` shows of one process."""
    last = control.last_run
    return {
        "process": control.name, "state": control.state.value, "desired": control.desired.value,
        "run": last and last.id, "trading_day": last and last.trading_day,
        "start": _iso(last.started if last else None), "end": _iso(last.ended if last else None),
        "active": control.active_run, "stopping": control.stop_reason, "failures": control.consecutive_failures,
        "detail": control.detail, "why": _why(control, now, waiting_for), "next": _iso(next_slot),
        "pending": [slot.key for slot in control.pending],
    }


def kill_row(state: KillState) -> dict[str, Any]:
    """How much trading is allowed, who said so and why, and what is paused beside."""
    return {"level": state.level.name, "by": state.who, "reason": state.reason, "since": _iso(state.when),
            "paused": [str(pause.scope) for pause in state.pauses]}


def _why(control: ProcessControl, now: datetime, waiting_for: str) -> str:
    """Why it does not run although it might, in one sentence."""
    if control.active_run is not None:
        return f"stopping: {control.stop_reason}" if control.stop_reason else ""
    if control.is_paused(now):
        until = f" until {control.paused_until:%Y-%m-%d %H:%M} UTC" if control.paused_until else ""
        return f"paused{until}: {control.wish_reason or 'no reason given'}"
    if waiting_for:
        return waiting_for
    retry = next((slot for slot in control.pending if slot.attempt > 1), None)
    if retry is not None:
        return f"attempt {retry.attempt} at {retry.not_before:%H:%M:%S} UTC: {control.detail}"
    return control.detail if control.desired is Desired.ENABLED else ""


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def history_rows(runs: Sequence[ProcessRun], ticks: Sequence[Tick], limit: int) -> list[dict[str, Any]]:
    """The newest runs and the slots that never ran, newest first."""
    rows = [(run.created, _run_row(run)) for run in runs] + [(tick.decided_at, _tick_row(tick)) for tick in ticks]
    return [row for _, row in sorted(rows, key=lambda each: each[0], reverse=True)[:limit]]


def _run_row(run: ProcessRun) -> dict[str, Any]:
    return {"run": run.id, "slot": run.slot, "attempt": run.attempt, "kind": run.kind.value, "state": run.state.value,
            "trading_day": run.trading_day, "due": _iso(run.due), "start": _iso(run.created), "end": _iso(run.ended),
            "exit_code": run.exit_code, "signal": run.signal, "reason": run.reason, "log": run.log,
            "nominals": list(run.nominals), "token": run.token, "node": run.node, "generation": run.generation,
            "max_rss_kb": run.max_rss_kb, "cpu_s": run.cpu_s}


def _tick_row(tick: Tick) -> dict[str, Any]:
    return {"run": tick.id, "slot": tick.slot, "attempt": 0, "kind": "slot", "state": tick.outcome.value,
            "trading_day": None, "due": None, "start": None, "end": None, "exit_code": None, "signal": None,
            "reason": tick.reason, "log": "", "nominals": list(tick.nominals), "count": tick.count,
            "decided_at": _iso(tick.decided_at)}
