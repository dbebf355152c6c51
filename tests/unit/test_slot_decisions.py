"""What becomes of slots: started, late, missed, caught up, skipped, coalesced, given up. Each has one outcome."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from daemon.decisions.slot_decisions import Evaluation, evaluate
from daemon.decisions.slot_facts import SlotFacts
from trading.control.due_slot import DueSlot, SlotOutcome
from trading.control.process_control import Desired, ProcessControl
from trading.control.process_run import Kind
from trading.process_config import ProcessConfig

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EACH_MINUTE = {"cron": "* * * * *", "timeout": 60, "misfire_grace": 60}


def process_of(**more: object) -> ProcessConfig:
    return ProcessConfig.model_validate(EACH_MINUTE | more)


def facts(process: ProcessConfig, now: datetime, control: ProcessControl | None = None, why: str = "") -> SlotFacts:
    """`control` None: it has been looked at up to 12:00:30, and nothing waits."""
    if control is None:
        control = evaluate(facts(process, NOON + timedelta(seconds=30), ProcessControl(name="job"))).control
    return SlotFacts(name="job", process=process, zone=ZoneInfo("UTC"), calendar=None, control=control, now=now,
                     trading_day=lambda at: at.date().isoformat(), why=why)


def at(minute: int, second: int = 0) -> datetime:
    return NOON + timedelta(minutes=minute, seconds=second)


def waiting(decided: Evaluation) -> list[int]:
    """The minutes of the slots that may start."""
    return [slot.due.minute for slot in decided.control.pending]


def outcomes(decided: Evaluation) -> list[tuple[int, SlotOutcome]]:
    return [(int(tick.slot[14:16]), tick.outcome) for tick in decided.ticks]


def busy(process: ProcessConfig, *waits: int, why: str = "", running: bool = True) -> SlotFacts:
    """12:01 runs, or has just ended; the slots of the minutes `waits` stand in the queue; it is 12:04."""
    pending = tuple(DueSlot(key=f"2026-03-02T12:{minute:02}:00Z", kind=Kind.SCHEDULED, due=at(minute),
                            not_before=at(minute), trading_day="2026-03-02") for minute in waits)
    control = replace(facts(process, NOON).control, pending=pending, evaluated_through=at(3),
                      active_run="job@2026-03-02T12:01:00Z#1" if running else None)
    return facts(process, at(4), control, why)


# --- late, missed, caught up ----------------------------------------------------------------------------------


def test_a_slot_that_is_late_within_its_grace_runs_and_a_later_one_is_missed() -> None:
    assert waiting(evaluate(facts(process_of(), at(1, 59)))) == [1]
    late = evaluate(facts(process_of(cron="1 * * * *"), at(2, 1)))
    assert (waiting(late), outcomes(late)) == ([], [(1, SlotOutcome.MISSED)])
    assert "noticed 61 s late (grace 60 s, catchup: none)" in late.ticks[0].reason


@pytest.mark.parametrize(("more", "runs", "left_out"), [
    ({}, [9, 10], [(minute, SlotOutcome.MISSED) for minute in range(1, 9)]),
    ({"coalesce": True}, [10], [(minute, SlotOutcome.MISSED) for minute in range(1, 9)] + [(9, SlotOutcome.COALESCED)]),
    ({"catchup": "latest"}, [9, 10], [(minute, SlotOutcome.COALESCED) for minute in range(1, 9)]),
    ({"catchup": "latest", "cron": "1-5 * * * *"}, [5], [(minute, SlotOutcome.COALESCED) for minute in range(1, 5)]),
    ({"catchup": "all", "catchup_max": 3}, [1, 2, 3, 9, 10], [(minute, SlotOutcome.MISSED) for minute in range(4, 9)]),
    ({"catchup": "all", "catchup_max": 99, "catchup_window": 300}, [5, 6, 7, 8, 9, 10],
     [(minute, SlotOutcome.MISSED) for minute in range(1, 5)]),
])
def test_after_ten_minutes_of_absence_each_rule_does_what_it_says(more: dict[str, object], runs: list[int],
                                                                  left_out: list[tuple[int, SlotOutcome]]) -> None:
    decided = evaluate(facts(process_of(**more), at(10, 0)))
    assert waiting(decided) == runs
    assert outcomes(decided) == left_out
    came = list(range(1, 11 if "cron" not in more else 6))
    assert decided.control.evaluated_through == at(came[-1])
    assert sorted([*runs, *(minute for minute, _ in left_out)]) == came, "one outcome each"


def test_of_a_long_absence_the_older_slots_are_missed_in_one_record() -> None:
    decided = evaluate(facts(process_of(), NOON + timedelta(days=2)))
    assert sum(tick.count for tick in decided.ticks) + len(decided.control.pending) == 2 * 24 * 60
    assert len(decided.ticks) <= 1001


def test_a_new_or_edited_schedule_begins_now() -> None:
    # given a job of 12:01 that has run
    control = replace(evaluate(facts(process_of(cron="1 12 * * *"), at(1))).control, pending=())

    # when its time becomes 11:30, or 12:01 once more by other words, then nothing is made up for
    for cron in ("30 11 * * *", "1 12 2 3 *"):
        decided = evaluate(facts(process_of(cron=cron, catchup="all"), at(2), control))
        assert (decided.control.pending, decided.ticks) == ((), ())

    # when it becomes 12:05, then that runs
    edited = evaluate(facts(process_of(cron="5 12 * * *"), at(2), control)).control
    assert waiting(evaluate(facts(process_of(cron="5 12 * * *"), at(5), edited))) == [5]


def test_after_a_step_back_of_the_clock_nothing_is_due_again() -> None:
    control = replace(evaluate(facts(process_of(), at(3))).control, pending=())
    assert evaluate(facts(process_of(), at(2), control)).control == control


# --- who is busy ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "before", "after", "left_out", "stops"), [
    ("skip", (), [], [(4, SlotOutcome.SKIPPED)], False),
    ("queue_one", (), [4], [], False),
    ("queue_one", (3,), [4], [(3, SlotOutcome.COALESCED)], False),
    ("queue_all", (2, 3), [2, 3, 4], [], False),
    ("terminate_old", (), [4], [], True),
    ("terminate_old", (3,), [4], [(3, SlotOutcome.COALESCED)], True),
])
def test_a_slot_that_comes_while_another_runs(rule: str, before: tuple[int, ...], after: list[int],
                                              left_out: list[tuple[int, SlotOutcome]], stops: bool) -> None:
    decided = evaluate(busy(process_of(overlap=rule, queue_max=3), *before))
    assert (waiting(decided), outcomes(decided), decided.stop_active) == (after, left_out, stops)


def test_a_queue_that_is_full_takes_no_more() -> None:
    decided = evaluate(busy(process_of(overlap="queue_all", queue_max=2), 2, 3))
    assert (waiting(decided), outcomes(decided)) == ([2, 3], [(4, SlotOutcome.SKIPPED)])
    assert "2 slots wait already (queue_max)" in decided.ticks[0].reason


@pytest.mark.parametrize(("rule", "why", "outcome", "words"), [
    ("queue_one", "", SlotOutcome.COALESCED, "the newer slot 2026-03-02T12:04:00Z took its place in the queue"),
    ("terminate_old", "", SlotOutcome.COALESCED, "the newer slot 2026-03-02T12:04:00Z took its place in the queue"),
    ("queue_one", "b has not run", SlotOutcome.SKIPPED, "it waited until the next slot, 2026-03-02T12:04:00Z: b has "
                                                        "not run"),
    ("skip", "", SlotOutcome.SKIPPED, "it waited until the next slot, 2026-03-02T12:04:00Z"),
])
def test_a_slot_that_still_waits_when_the_run_has_ended_gives_way_to_the_next_one(rule: str, why: str,
                                                                                  outcome: SlotOutcome,
                                                                                  words: str) -> None:
    decided = evaluate(busy(process_of(overlap=rule), 3, why=why, running=False))
    assert waiting(decided) == [4]
    assert [(tick.outcome, tick.reason) for tick in decided.ticks] == [(outcome, words)]


# --- people, deadlines, windows, days -------------------------------------------------------------------------


def test_a_slot_of_a_pause_or_one_that_was_called_off_is_skipped_with_its_reason() -> None:
    control = facts(process_of(), NOON).control
    paused = evaluate(facts(process_of(), at(1), control.wished(Desired.PAUSED, "holiday")))
    assert [tick.reason for tick in paused.ticks] == ["paused: holiday"]
    called_off = replace(control, skips=("2026-03-02T12:01:00Z", "2026-03-02T12:03:00Z"))
    decided = evaluate(facts(process_of(), at(2), called_off))
    assert (waiting(decided), outcomes(decided)) == ([2], [(1, SlotOutcome.SKIPPED)])
    assert decided.control.skips == ("2026-03-02T12:03:00Z",)


@pytest.mark.parametrize(("more", "given_up_at", "words"), [
    ({"deadline": 600}, at(13, 1), "its deadline, 10 min after the slot, has passed"),
    ({"window": {"start": "12:00", "stop": "12:20"}}, at(20), "its window ended"),
    ({}, datetime(2026, 3, 3, tzinfo=UTC), "trading day 2026-03-02 ended while it waited"),
])
def test_a_slot_that_waits_in_vain_is_given_up_with_its_reason(more: dict[str, object], given_up_at: datetime,
                                                               words: str) -> None:
    process = process_of(cron="3 12 * * *", **more)
    control = replace(busy(process, 3, running=False).control)
    still = evaluate(facts(process, given_up_at - timedelta(seconds=1), control, "it waits for b"))
    assert waiting(still) == [3]
    over = evaluate(facts(process, given_up_at, control, "it waits for b"))
    assert waiting(over) == []
    assert [(tick.outcome, tick.reason) for tick in over.ticks] == [(SlotOutcome.SKIPPED, f"{words}: it waits for b")]
