"""K61: a month of twelve processes on two nodes, with whatever may go wrong at random moments; the promises hold.

The seed is shown when a month fails, and can be given again: CHAOS_SEED=... pytest tests/unit/test_thirty_days.py.
"""

import os
import secrets
from collections import Counter
from datetime import datetime, timedelta

import pytest
from runner_month import NAMES, Month

from trading.control.due_slot import slot_key

pytestmark = pytest.mark.usefixtures("without_log_lines")


def a_month(one_machine: bool, days: int) -> Month:
    """Played to its end; every promise is checked after each thing that happens, and at rest after each day.

    The long one is another one each time.
    """
    seed = int(os.environ.get("CHAOS_SEED") or (4 if days < 30 else secrets.randbelow(1_000_000)))
    print(f"CHAOS_SEED={seed}")
    month = Month(seed, one_machine)
    try:
        month.play(days)
    finally:
        month.close()
    return month


@pytest.mark.parametrize("one_machine", [True, False], ids=["one machine", "two machines"])
@pytest.mark.parametrize("days", [3, pytest.param(30, marks=pytest.mark.soak)])
def test_k61_whatever_goes_wrong_in_days_of_twelve_processes_the_promises_hold(days: int, one_machine: bool) -> None:
    # when
    month = a_month(one_machine, days)

    # then, beside the promises, every hour of those days has exactly one outcome
    assert month.days >= days * 0.8
    hours = _hours(month)
    assert len(hours) >= 24 * days * 0.7
    outcomes = _outcomes(month, "hourly")
    assert {hour: outcomes[hour] for hour in hours if outcomes[hour] != 1} == {}

    # and it was no quiet time
    ran = {row["process"] for row in month.world.processes.runs_kept.values() if row["state"] == "FINISHED"}
    terms = len(month.world.processes.fences)
    assert len(ran) > len(NAMES) / 2
    assert terms > days
    if days == 30:
        states = Counter(row["state"] for row in month.world.processes.runs_kept.values())
        left_out = Counter(row["outcome"] for row in month.world.processes.ticks_kept.values())
        print(dict(states), dict(left_out), terms)
        assert min(states[each] for each in ("ERROR", "LOST", "CANCELLED")) > 0
        assert states["STOPPED"] + states["TERMINATED"] > 0
        assert min(left_out[each] for each in ("MISSED", "SKIPPED", "COALESCED")) > 0
        assert ran == set(NAMES)


def _hours(month: Month) -> list[str]:
    """The slots of `hourly` that were looked at, computed here and not by the code under test."""
    looks = [event["data"]["evaluated_through"] for event in month.world.processes.events_kept
             if event["process"] == "hourly" and event["data"].get("evaluated_through")]
    instant: datetime = looks[0].replace(minute=7, second=0, microsecond=0)
    if instant <= looks[0]:
        instant += timedelta(hours=1)
    hours = []
    while instant <= looks[-1]:
        hours.append(slot_key(instant))
        instant += timedelta(hours=1)
    return hours


def _outcomes(month: Month, name: str) -> Counter[str]:
    """How many outcomes each slot has: a chain of runs, a tick, or a place in the queue."""
    kept = month.world.processes
    found = Counter({row["slot"] for row in kept.runs_kept.values() if row["process"] == name})
    for row in kept.ticks_kept.values():
        if row["process"] == name:
            found[row["slot"]] += 1
    found.update(slot.key for slot in kept.control(name).pending if slot.attempt == 1)
    return found
