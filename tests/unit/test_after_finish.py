"""A process that runs after itself: its slots come one after the other, whether they run or are left out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from runner_world import World

from daemon.decisions.slot_decisions import Evaluation, evaluate, next_look
from daemon.decisions.slot_facts import SlotFacts
from trading.control.process_control import Desired, LastRun, ProcessControl
from trading.process_config import ProcessConfig, WindowConfig

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
EACH_HOUR = ProcessConfig(after_finish=3600, timeout=60)
WINDOW = WindowConfig.model_validate({"start": "11:00", "stop": "13:00"})
IN_A_WINDOW = EACH_HOUR.model_copy(update={"window": (WINDOW,)})


def facts(control: ProcessControl, now: datetime, process: ProcessConfig = EACH_HOUR) -> SlotFacts:
    return SlotFacts(name="again", process=process, zone=ZoneInfo("UTC"), calendar=None, control=control, now=now,
                     trading_day=lambda moment: moment.date().isoformat(), boot="boot", booting=False)


def known(process: ProcessConfig = EACH_HOUR) -> ProcessControl:
    """Its schedule began at noon, and its first run ended then."""
    begun = evaluate(facts(ProcessControl(name="again"), NOON, process)).control
    return replace(begun, pending=(), last_run=LastRun(id="r", trading_day="2026-03-02", started=NOON, ended=NOON))


def ticks_within_a_minute(control: ProcessControl, begins: datetime) -> list[Evaluation]:
    """All decisions that leave something out while it is looked at again and again."""
    found = []
    for second in range(60):
        decided = evaluate(facts(control, begins + timedelta(seconds=second)))
        control = decided.control
        found += [decided] if decided.ticks else []
    return found


def test_its_slot_comes_as_long_after_the_last_end_as_it_says() -> None:
    assert evaluate(facts(known(), NOON + timedelta(minutes=59))).control.pending == ()
    [slot] = evaluate(facts(known(), NOON + timedelta(minutes=60))).control.pending
    assert slot.due == NOON + timedelta(minutes=60)


def test_a_slot_that_comes_in_a_pause_is_skipped_once_and_the_next_comes_as_long_after_it() -> None:
    # given a process that is paused
    paused = known().wished(Desired.PAUSED, "half day")

    # when its slot comes, and it is looked at many times
    [decided] = ticks_within_a_minute(paused, NOON + timedelta(hours=2))

    # then there is one record of it, and no reason to look again before the next slot
    [tick] = decided.ticks
    assert "paused" in tick.reason
    assert next_look(facts(decided.control, NOON + timedelta(hours=2, minutes=1))).at == NOON + timedelta(hours=3)
    resumed = decided.control.wished(Desired.ENABLED, "")
    assert len(evaluate(facts(resumed, NOON + timedelta(hours=3))).control.pending) == 1


@pytest.mark.parametrize("verb", ["pause", "kill"])
def test_a_process_that_may_not_run_is_not_looked_at_all_the_time(verb: str) -> None:
    # given a process that runs every minute
    world = World({"again": ProcessConfig(after_finish=60, timeout=300, grace=5)})
    world.start_daemon()
    world.advance(5)
    assert world.leader is not None

    # when it is paused, or killed and not reset, for ten minutes
    world.ask(lambda runner: runner.desk.pause_process("again", "wait") if verb == "pause" else
              runner.desk.kill_process("again", "enough", "operator"))
    before = len(world.processes.events_kept)
    for _ in range(600):
        world.advance(1)
        assert len(world.processes.events_kept) - before < 20, "a write for each look, and a look after each write"

    # then its slots are left out one by one
    assert 8 <= len(world.processes.ticks_kept) <= 11
    world.close()


def test_a_slot_that_comes_late_does_not_come_outside_its_window() -> None:
    # given a slot that was due at 13:00, when nobody looked; its window ended then
    late = NOON + timedelta(hours=5)

    # then it comes when the window opens again
    assert evaluate(facts(known(IN_A_WINDOW), late, IN_A_WINDOW)).control.pending == ()
    assert next_look(facts(known(IN_A_WINDOW), late, IN_A_WINDOW)).at == datetime(2026, 3, 3, 11, 0, tzinfo=UTC)


def test_a_slot_of_yesterdays_window_is_one_of_todays() -> None:
    tomorrow = NOON + timedelta(days=1)
    [slot] = evaluate(facts(known(IN_A_WINDOW), tomorrow, IN_A_WINDOW)).control.pending
    assert slot.due == datetime(2026, 3, 3, 11, 0, tzinfo=UTC)
