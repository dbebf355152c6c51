"""A worker is silent when its newest sign has been the newest for a minute, whatever the wall clock says."""

from datetime import UTC, datetime, timedelta

from daemon.children.signs_of_life import SILENT_AFTER_S, SignsOfLife
from trading.control.process_run import Kind, ProcessRun, RunState

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def a_run(heartbeat: datetime | None, state: RunState = RunState.RUNNING) -> ProcessRun:
    return ProcessRun(id="job@s#1", process="job", slot="s", attempt=1, kind=Kind.SCHEDULED, trading_day="2026-03-02",
                      state=state, created=NOON, owner="me", heartbeat=heartbeat)


def test_a_worker_that_beats_is_not_silent_however_the_wall_clock_is_set() -> None:
    signs, wall = SignsOfLife(), NOON
    for number in range(100):
        if number == 50:
            wall -= timedelta(hours=1)
        if number == 70:
            wall += timedelta(days=3)
        wall += timedelta(seconds=15)
        assert signs.silent([a_run(wall)], 15.0 * number) == set()


def test_one_whose_signs_end_is_silent_after_a_minute_and_no_longer_when_they_come_again() -> None:
    signs = SignsOfLife()
    assert signs.silent([a_run(NOON)], 100.0) == set()
    assert signs.silent([a_run(NOON)], 100.0 + SILENT_AFTER_S - 1) == set()
    assert signs.silent([a_run(NOON)], 100.0 + SILENT_AFTER_S) == {"job@s#1"}
    assert signs.silent([a_run(NOON + timedelta(seconds=5))], 200.0) == set()


def test_one_that_has_ended_or_has_not_begun_is_not_silent() -> None:
    signs = SignsOfLife()
    for state in (RunState.STARTING, RunState.FINISHED):
        assert signs.silent([a_run(None, state)], 0.0) == set()
        assert signs.silent([a_run(None, state)], 1000.0) == set()
