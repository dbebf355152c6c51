"""Whether a slot is tried again: what no worker took is no try (scheduler.md 2.9)."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from daemon.decisions.attempts import next_attempt
from trading.control.process_run import Kind, ProcessRun, RunState
from trading.process_config import OnLost, ProcessConfig

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
ENDED = ProcessRun(id="p@slot#5", process="p", slot="slot", attempt=5, kind=Kind.SCHEDULED, trading_day="2026-03-02",
                   state=RunState.LOST, created=NOW, owner="me", due=NOW, nominals=("2026-03-02T20:00",))


@pytest.mark.parametrize("state", [RunState.LOST, RunState.ERROR])
@pytest.mark.parametrize("tried", [1, 2, 3, 4])
def test_claims_that_were_withdrawn_take_no_try_away(state: RunState, tried: int) -> None:
    # given a fifth attempt of which `tried` have had a body, and a job that is tried three times
    process = ProcessConfig(every=600, timeout=100, on_lost=OnLost.RETRY, max_attempts=3, retry_delay=20,
                            retry_factor=2)
    again = next_attempt(process, replace(ENDED, state=state, exit_code=1), tried, NOW)

    # then it goes on until three have; attempts are numbered on, whatever they were
    assert (again is not None) is (tried < 3)
    if again is not None:
        assert again.attempt == 6
        assert again.not_before is not None
        pause_s = 20 * 2 ** (tried - 1) if state is RunState.ERROR else 0
        assert (again.not_before - NOW).total_seconds() == pause_s
