"""Costs of fills and rolls, written out by hand, and where the conventions of another system differ."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.conventions import OURS, PYSYSTEMTRADE, Conventions
from trading.objects.instruments import Instrument
from trading.systems.trading_costs import Market, costs_of

NO_ROLLS = 1  # one a year, in the middle of it


def an_instrument(**costs: float) -> Instrument:
    return Instrument(code="A", point_size=10.0, currency="USD", **costs)


def costs(held: list[float], instrument: Instrument, price: float = 100.0, start: str = "2024-01-01",
          per_year: int = NO_ROLLS, conventions: Conventions = OURS) -> pd.Series:
    days = pd.bdate_range(start, periods=len(held))
    market = Market(instrument=instrument, prices=pd.Series(price, index=days),
                    rate_on=lambda on: pd.Series(2.0, index=on))
    return costs_of(pd.Series(held, index=days, dtype="float64"), market, per_year, conventions)


def test_each_fill_costs_half_the_spread_and_the_commission_in_the_base_currency() -> None:
    found = costs([0, 3, 3, 1], an_instrument(slippage=0.25, cost_per_contract=2.0))
    assert found.to_dict() == {pd.Timestamp("2024-01-02"): -2.0 * 3 * (0.25 * 10 + 2),
                               pd.Timestamp("2024-01-04"): -2.0 * 2 * (0.25 * 10 + 2)}


@pytest.mark.parametrize(("commission", "expected"), [
    ({"cost_per_contract": 2.0}, 6.0), ({"cost_per_order": 9.0, "cost_per_contract": 2.0}, 9.0),
    ({"cost_percentage": 0.01, "cost_per_order": 9.0}, 30.0)])
def test_the_dearest_way_of_charging_counts(commission: dict[str, float], expected: float) -> None:
    assert costs([0, 3], an_instrument(**commission)).tolist() == [-2.0 * expected]


def test_the_first_position_is_paid_for_as_well() -> None:
    assert costs([2, 2], an_instrument(cost_per_contract=1.0)).tolist() == [-4.0]


def test_a_roll_costs_one_trade_of_what_was_held_since_the_last_one() -> None:
    # twelve a year: every 30 days from the 16th of January; 31 days of which half are held
    held = [4.0] * 60
    found = costs(held, an_instrument(cost_per_contract=1.0), per_year=12)
    assert found[pd.Timestamp("2024-02-15")] == -2.0 * 4
    assert found[pd.Timestamp("2024-03-18")] == -2.0 * 4  # the 16th is a Saturday


def test_two_costs_of_one_day_both_count_and_the_peer_counts_one() -> None:
    held = [4.0] * 33 + [6.0] * 10  # the 15th of February is the 34th business day
    ours = costs(held, an_instrument(cost_per_contract=1.0), per_year=12)
    theirs = costs(held, an_instrument(cost_per_contract=1.0), per_year=12,
                   conventions=Conventions(every_cost_counts=False))
    day = pd.Timestamp("2024-02-15")
    assert ours[day] == pytest.approx(theirs[day] - 2.0 * 2)


def test_a_cost_in_percent_is_charged_for_rolls_too() -> None:
    instrument = an_instrument(cost_percentage=0.01)
    assert costs([4.0] * 60, instrument, per_year=12)[pd.Timestamp("2024-02-15")] == -2.0 * 4 * 100 * 10 * 0.01
    peer = costs([4.0] * 60, instrument, per_year=12, conventions=Conventions(every_fill_has_a_price=False))
    assert peer[pd.Timestamp("2024-02-15")] == 0


@given(st.lists(st.integers(-5, 5), min_size=30, max_size=90), st.sampled_from([OURS, PYSYSTEMTRADE]))
def test_nothing_is_ever_earned_by_trading(held: list[int], conventions: Conventions) -> None:
    found = costs([float(each) for each in held], an_instrument(slippage=0.1, cost_per_contract=1.0), per_year=12,
                  conventions=conventions)
    assert (found.fillna(0.0) <= 0).all()
    assert found.index.is_unique
    assert (found.index.day_of_week < 5).all()


@given(st.lists(st.integers(-5, 5), min_size=3, max_size=60))
def test_the_future_does_not_change_what_was_paid(held: list[int]) -> None:
    whole = costs([float(each) for each in held], an_instrument(slippage=0.1), per_year=4)
    part = costs([float(each) for each in held[:-1]], an_instrument(slippage=0.1), per_year=4)
    assert part.to_dict() == {day: cost for day, cost in whole.items() if day <= part.index.max()} or part.empty
