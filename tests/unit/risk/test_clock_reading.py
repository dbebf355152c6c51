"""How far a clock is off, by a broker that tells whole seconds and answers when it can."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.risk.clock_reading import ClockReading, jump, skew

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(("asked_s", "answered_s", "off_s"), [
    (0.0, 0.1, 0.0), (0.9, 1.0, 0.0), (0.0, 60.0, 0.0),  # whatever can be right is taken to be
    (3.0, 3.1, 2.0), (-4.1, -4.0, -4.0), (-1.5, -1.2, -1.2)])
def test_the_least_that_the_clock_can_be_off(asked_s: float, answered_s: float, off_s: float) -> None:
    assert skew(NOON, after(asked_s), after(answered_s)) == timedelta(seconds=off_s)


@given(st.floats(-100, 100), st.floats(0, 0.999), st.floats(0, 5), st.floats(0, 1))
def test_a_clock_that_is_right_is_never_found_wrong_and_a_wrong_one_never_worse(
        ahead_s: float, part_s: float, took_s: float, place: float) -> None:
    """The broker reads its clock somewhere between question and answer, and drops the part of the second."""
    asked, answered = after(part_s - place * took_s + ahead_s), after(part_s + (1 - place) * took_s + ahead_s)
    found = skew(NOON, asked, answered).total_seconds()
    assert abs(found) <= abs(ahead_s) + 1e-5
    assert found * ahead_s >= 0


@pytest.mark.parametrize(("wall_s", "real_s", "jump_s"), [(20, 20, 0), (80, 20, 60), (-40, 20, -60)])
def test_a_jump_is_what_the_wall_clock_did_beyond_time(wall_s: float, real_s: float, jump_s: float) -> None:
    old = ClockReading(wall=NOON, monotonic_s=100.0)
    new = ClockReading(wall=after(wall_s), monotonic_s=100.0 + real_s)
    assert jump(old, new) == timedelta(seconds=jump_s)
