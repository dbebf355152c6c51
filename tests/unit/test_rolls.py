"""Months that follow from roll parameters, for any cycle."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import DataError
from trading.objects.contracts import MONTH_LETTERS, DeliveryMonth
from trading.objects.rolls import RollParameters, required

CYCLES = st.sets(st.sampled_from(MONTH_LETTERS), min_size=1).map(lambda letters: "".join(sorted(letters)))
MONTHS = st.builds(DeliveryMonth, st.integers(1990, 2050), st.integers(1, 12))
DAYS = st.dates(date(1990, 1, 1), date(2050, 12, 31))


@st.composite
def roll_parameters(draw: st.DrawFn) -> RollParameters:
    return RollParameters(hold_cycle=draw(CYCLES), priced_cycle=draw(CYCLES),
                          roll_offset_days=draw(st.integers(-700, 500)), carry_offset=draw(st.sampled_from([-1, 1])),
                          expiry_offset_days=draw(st.integers(-40, 40)))


@given(roll_parameters(), MONTHS)
def test_the_next_held_month_is_the_nearest_later_one_of_the_cycle(rolls: RollParameters,
                                                                   month: DeliveryMonth) -> None:
    following = rolls.next_held(month)
    assert month < following <= month.shifted(12)
    assert following.letter in rolls.hold_cycle
    between = [month.shifted(n) for n in range(1, 13) if month.shifted(n) < following]
    assert all(skipped.letter not in rolls.hold_cycle for skipped in between)


@given(roll_parameters(), MONTHS)
def test_carry_lies_on_the_side_that_the_parameters_say(rolls: RollParameters, month: DeliveryMonth) -> None:
    carry = rolls.carry(month)
    assert carry.letter in rolls.priced_cycle
    assert (carry > month) == (rolls.carry_offset == 1)
    assert carry != month


@given(roll_parameters(), DAYS)
def test_the_held_month_has_not_reached_its_roll_date_and_is_the_first(rolls: RollParameters, day: date) -> None:
    held = rolls.held_on(day)
    assert held.letter in rolls.hold_cycle
    assert rolls.desired_roll_date(held) >= day
    before = next(held.shifted(-n) for n in range(1, 13) if held.shifted(-n).letter in rolls.hold_cycle)
    assert rolls.desired_roll_date(before) < day


@given(roll_parameters(), DAYS, st.integers(0, 400))
def test_the_held_month_never_goes_back(rolls: RollParameters, day: date, later: int) -> None:
    assert rolls.held_on(day) <= rolls.held_on(day + timedelta(days=later))


@pytest.mark.parametrize("cycle", ["", "A", "HMX1", "hmuz"])
def test_what_is_no_cycle_is_refused(cycle: str) -> None:
    with pytest.raises(DataError, match="is no roll cycle; use month letters of FGHJKMNQUVXZ"):
        RollParameters(hold_cycle=cycle, priced_cycle="HMUZ", roll_offset_days=0, carry_offset=1,
                       expiry_offset_days=0)


@pytest.mark.parametrize("offset", [0, 2, -2])
def test_a_carry_offset_is_one_step_either_way(offset: int) -> None:
    with pytest.raises(DataError, match=r"carry offset -?\d is not allowed \(allowed: -1, 1\)"):
        RollParameters(hold_cycle="HMUZ", priced_cycle="HMUZ", roll_offset_days=0, carry_offset=offset,
                       expiry_offset_days=0)


@given(roll_parameters(), MONTHS)
def test_a_step_forth_undoes_a_step_back(rolls: RollParameters, month: DeliveryMonth) -> None:
    assert rolls.next_held(rolls.previous_held(month)) == month or month.letter not in rolls.hold_cycle
    assert rolls.next_priced(rolls.previous_priced(month)) == month or month.letter not in rolls.priced_cycle
    assert rolls.previous_priced(month) < month
    assert rolls.previous_held(month) < month


def test_days_until_a_roll_are_negative_when_it_is_overdue() -> None:
    rolls = RollParameters(hold_cycle="HMUZ", priced_cycle="HMUZ", roll_offset_days=-5, carry_offset=1,
                           expiry_offset_days=14)
    assert rolls.days_until_roll(DeliveryMonth(2021, 12), date(2021, 12, 1)) == 9
    assert rolls.days_until_roll(DeliveryMonth(2021, 12), date(2021, 12, 12)) == -2


def test_parameters_that_are_missing_are_asked_for_by_name() -> None:
    with pytest.raises(DataError, match=r"SP500 has no roll parameters. Add it to rollconfig.csv and import again"):
        required("SP500", None)
