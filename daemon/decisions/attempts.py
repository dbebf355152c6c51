"""Whether a slot is tried again after its run has ended, and when. Pure (scheduler.md 2.9)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from daemon.decisions.run_outcome import NO_RETRY
from trading.control.due_slot import DueSlot
from trading.control.process_run import Kind, ProcessRun, RunState
from trading.process_config import OnLost, ProcessConfig

_AUTOMATIC: Final = frozenset({Kind.SCHEDULED, Kind.CATCHUP, Kind.SUCCESS, Kind.BOOT, Kind.BACKFILL})
_LONGEST_PAUSE_S: Final = 60
_LOST_AT_MOST: Final = 3  # a job that takes its daemon along must not do so all night


def next_attempt(process: ProcessConfig, ended: ProcessRun, tried: int, now: datetime) -> DueSlot | None:
    """The slot of `ended` as it waits for its next attempt; None: that was the last.

    A run that no worker took has done nothing and starts again while it is not late. A lost one is repeated only where
    the configuration says that repeating is harmless. What a person asked for is not repeated by itself.

    Args:
        tried: how many runs of the slot a worker took, `ended` among them; what none took is no try.
    """
    if ended.kind not in _AUTOMATIC or ended.due is None:
        return None
    slot = DueSlot(key=ended.slot, kind=ended.kind, due=ended.due, trading_day=ended.trading_day, not_before=now,
                   attempt=ended.attempt + 1, nominals=ended.nominals)
    if ended.state is RunState.CANCELLED:
        late = ended.kind is Kind.SCHEDULED and now - ended.due > timedelta(seconds=process.misfire_grace)
        pause_s = 0 if ended.attempt == 1 else min(2 ** ended.attempt, _LONGEST_PAUSE_S)
        return None if late else replace(slot, not_before=now + timedelta(seconds=pause_s))
    if ended.state is RunState.LOST:
        again = process.on_lost is OnLost.RETRY and tried < max(process.max_attempts, _LOST_AT_MOST)
        return slot if again else None
    if ended.state is not RunState.ERROR or ended.exit_code in NO_RETRY or tried >= process.max_attempts:
        return None
    pause_s = min(process.retry_delay * process.retry_factor ** (tried - 1), process.retry_cap)
    return replace(slot, not_before=now + timedelta(seconds=pause_s))
