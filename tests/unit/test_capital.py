"""Capital by its three rules, checked against the vectors of the reference, and jumps that need a person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import DataError
from trading.objects.capital import Capital, CapitalFall, CapitalMethod, CapitalRise, split_by_weight

METHODS = st.sampled_from(list(CapitalMethod))
STEPS = st.lists(st.floats(0.76, 1.099), max_size=30)
VECTORS = ((CapitalMethod.FULL, [108, 100, 92, 96, 105, 113]), (CapitalMethod.HALF, [100, 92, 84, 88, 97, 100]),
           (CapitalMethod.FIXED, [100] * 6))


@pytest.mark.parametrize(("method", "expected"), VECTORS)
def test_the_check_vectors_of_the_reference_come_out(method: CapitalMethod, expected: list[float]) -> None:
    capital, totals = Capital.opened_with(100.0), []
    for value in (108.0, 100.0, 92.0, 96.0, 105.0, 113.0):
        capital = capital.after(value, method)
        totals.append(capital.total)
    assert totals == expected
    assert capital.profit == 13.0


def carried(steps: list[float], method: CapitalMethod) -> list[Capital]:
    states = [Capital.opened_with(1e6)]
    for step in steps:
        states.append(states[-1].after(states[-1].broker_value * step, method))
    return states


@given(STEPS, METHODS)
def test_capital_is_never_negative_and_profit_is_what_the_account_made(steps: list[float],
                                                                       method: CapitalMethod) -> None:
    states = carried(steps, method)
    assert all(state.total >= 0 for state in states)
    assert states[-1].profit == pytest.approx(states[-1].broker_value - 1e6, abs=1e-3)


@given(STEPS)
def test_half_compounding_never_exceeds_its_maximum(steps: list[float]) -> None:
    assert all(state.total <= state.maximum == 1e6 for state in carried(steps, CapitalMethod.HALF))


@pytest.mark.parametrize(("value", "is_believed"), [(110.0, True), (110.01, False), (75.0, True), (74.99, False)])
def test_the_limits_of_belief_are_a_tenth_up_and_a_quarter_down(value: float, is_believed: bool) -> None:
    if is_believed:
        assert Capital.opened_with(100.0).after(value, CapitalMethod.FULL).broker_value == value
    else:
        with pytest.raises((CapitalRise, CapitalFall)):
            Capital.opened_with(100.0).after(value, CapitalMethod.FULL)


def test_a_rise_names_both_values() -> None:
    with pytest.raises(CapitalRise, match=r"from 1,000,000 to 1,200,000, more than 10% up in a day: a deposit\?"):
        Capital.opened_with(1e6).after(1.2e6, CapitalMethod.HALF)


@given(st.floats(0, 1e9), st.dictionaries(st.text(min_size=1), st.floats(0.01, 100), min_size=1, max_size=8))
def test_the_shares_of_the_strategies_add_up(total: float, weights: dict[str, float]) -> None:
    shares = split_by_weight(total, weights)
    assert set(shares) == set(weights)
    assert sum(shares.values()) == pytest.approx(total)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_an_account_that_is_worth_no_number_moves_nothing(value: float) -> None:
    with pytest.raises(DataError, match=r"which is no amount. The capital stays as it was"):
        Capital.opened_with(100.0).after(value, CapitalMethod.FULL)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -5.0])
def test_nothing_is_no_capital_to_begin_with(value: float) -> None:
    with pytest.raises(DataError, match="no capital to begin with"):
        Capital.opened_with(value)


@pytest.mark.parametrize("weights", [{}, {"a": 0.0}, {"a": 2.0, "b": -1.0}, {"a": float("nan")}, {"a": float("inf")}])
def test_weights_that_split_nothing_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(DataError, match="The weights of the strategies cannot split capital"):
        split_by_weight(100.0, weights)
