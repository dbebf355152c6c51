"""Whole contracts for a small account: what always holds, and the defects that are not ours any more."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.conventions import PYSYSTEMTRADE
from trading.errors import DataError
from trading.quant.dynamic_positions import DynamicInputs, TradingSpeed, dynamic_positions

SPEED = TradingSpeed(shadow_cost=50, buffer=0.0125)


def made_up(seed: int, count: int) -> DynamicInputs:
    random = np.random.default_rng(seed)
    factors = random.standard_normal((3, count)) * 0.1
    optimal = random.normal(0, 4, count)
    return DynamicInputs(names=tuple(f"I{k}" for k in range(count)), optimal=optimal,
                         value=random.uniform(0.02, 0.5, count), cost=random.uniform(0, 3e-4, count),
                         covariance=factors.T @ factors + np.diag(random.uniform(0.001, 0.05, count)),
                         held=np.rint(optimal + random.normal(0, 2, count)).astype(np.int64),
                         maximum=np.floor(random.uniform(0, 9, count)))


def objective(inputs: DynamicInputs, contracts: np.ndarray, shadow: float) -> float:
    gap = (contracts - inputs.optimal) * inputs.value
    assert inputs.held is not None
    return float(np.sqrt(gap @ inputs.covariance @ gap) + shadow * inputs.cost @ np.abs(contracts - inputs.held))


@given(seed=st.integers(0, 100_000), count=st.integers(1, 12), shadow=st.sampled_from([0.0, 10.0, 250.0]),
       buffer=st.sampled_from([0.0, 0.0125, 0.1]))
def test_trading_is_never_worse_than_staying(seed: int, count: int, shadow: float, buffer: float) -> None:
    inputs = made_up(seed, count)
    assert inputs.held is not None
    assert inputs.maximum is not None
    found = dynamic_positions(inputs, TradingSpeed(shadow_cost=shadow, buffer=buffer)).contracts
    staying = np.clip(inputs.held, -inputs.maximum, inputs.maximum)
    assert objective(inputs, found, shadow) <= objective(inputs, staying, shadow) + 1e-12


def tracking_error(inputs: DynamicInputs, contracts: np.ndarray) -> float:
    gap = (contracts - inputs.optimal) * inputs.value
    return float(np.sqrt(gap @ inputs.covariance @ gap))


@given(seed=st.integers(0, 100_000), count=st.integers(1, 6), scale=st.sampled_from([1e2, 1e4]))
def test_a_long_way_is_gone_in_few_steps_and_to_its_end(seed: int, count: int, scale: float) -> None:
    inputs = replace(made_up(seed, count), held=None, maximum=None)
    many = replace(inputs, optimal=inputs.optimal * scale)
    found = dynamic_positions(many, SPEED)
    for one_more in np.sign(many.optimal) * np.eye(count):
        assert tracking_error(many, found.contracts + one_more) >= found.tracking_error * (1 - 1e-6)


@given(seed=st.integers(0, 100_000), count=st.integers(1, 12), buffer=st.sampled_from([0.0, 0.0125, 10.0]))
def test_limits_hold_whatever_the_buffer_says(seed: int, count: int, buffer: float) -> None:
    inputs = made_up(seed, count)
    assert inputs.maximum is not None
    found = dynamic_positions(inputs, replace(SPEED, buffer=buffer)).contracts
    assert np.all(np.abs(found) <= inputs.maximum)


@given(seed=st.integers(0, 100_000), count=st.integers(2, 10))
@settings(max_examples=50)
def test_what_may_only_be_reduced_is_never_increased(seed: int, count: int) -> None:
    inputs = replace(made_up(seed, count), maximum=None, reduce_only=frozenset({"I0"}), no_trade=frozenset({"I1"}))
    assert inputs.held is not None
    found = dynamic_positions(inputs, SPEED).contracts
    assert min(0, inputs.held[0]) <= found[0] <= max(0, inputs.held[0])
    assert found[1] == inputs.held[1]


def two(held: tuple[int, int], optimal: tuple[float, float]) -> DynamicInputs:
    return DynamicInputs(names=("GOLD", "CORN"), optimal=np.array(optimal), value=np.array([0.2, 0.1]),
                         cost=np.array([1e-5, 1e-5]), covariance=np.diag([0.04, 0.09]), held=np.array(held))


@pytest.mark.parametrize("part", ["optimal", "value", "cost", "covariance"])
def test_what_lacks_data_is_not_traded(part: str) -> None:
    # given seven lots of gold of which something is not known today
    inputs = two(held=(7, 0), optimal=(1.0, 6.0))
    lacking = np.array(getattr(inputs, part), dtype=float)
    lacking[0] = np.nan

    # when positions are decided
    found = dynamic_positions(replace(inputs, **{part: lacking}), SPEED)

    # then it stays while the rest goes on
    assert found.not_traded == ("GOLD",)
    assert found.contracts[0] == 7
    assert found.contracts[1] > 3


def test_what_lacks_a_value_is_not_closed_even_when_that_costs_nothing() -> None:
    inputs = replace(two(held=(7, 0), optimal=(1.0, 6.0)), cost=np.zeros(2), value=np.array([np.nan, 0.1]))
    assert dynamic_positions(inputs, SPEED).contracts[0] == 7


def test_a_limit_is_applied_after_the_buffer() -> None:
    # given ten held, nothing wanted but what a wide buffer allows, and a limit of five
    inputs = replace(two(held=(10, 0), optimal=(10.0, 0.0)), maximum=np.array([5.0, 5.0]))

    # then staying is good enough, but not allowed
    assert dynamic_positions(inputs, SPEED).contracts.tolist() == [5, 0]


def test_an_optimum_of_nothing_closes_the_book() -> None:
    found = dynamic_positions(two(held=(3, -4), optimal=(0.0, 0.0)), replace(SPEED, buffer=0.0))
    assert found.contracts.tolist() == [0, 0]


def test_costs_are_those_of_a_contract_whatever_it_is_worth() -> None:
    # given one instrument of which a contract has the same risk and cost, in small or in large units of capital
    def held_after(value: float) -> int:
        one = DynamicInputs(names=("GOLD",), optimal=np.array([1.0]), value=np.array([value]), cost=np.array([1e-3]),
                            covariance=np.array([[0.04 / value**2]]), held=np.array([0]))
        return int(dynamic_positions(one, TradingSpeed(shadow_cost=150, buffer=0.0)).contracts[0])

    # then the same is done
    assert {held_after(value) for value in (0.01, 1.0, 100.0)} == {1}


def test_the_order_of_names_decides_ties() -> None:
    # given two that are alike, of which one contract is worth holding and two are not
    twins = DynamicInputs(names=("GOLD", "CORN"), optimal=np.array([0.6, 0.6]), value=np.array([1.0, 1.0]),
                          cost=np.zeros(2), covariance=np.ones((2, 2)) * 0.04)
    assert dynamic_positions(twins, SPEED).contracts.tolist() == [1, 0]


def test_a_limit_that_is_no_limit_is_refused() -> None:
    with pytest.raises(DataError) as refused:
        dynamic_positions(replace(two((0, 0), (1.0, 1.0)), maximum=np.array([np.nan, 1.0])), SPEED)
    assert str(refused.value) == "The limit of GOLD is negative or missing. Write 0 or more contracts."


def test_a_restriction_on_a_stranger_is_refused() -> None:
    with pytest.raises(DataError, match="WHEAT may not be traded freely but is not among the positions"):
        dynamic_positions(replace(two((0, 0), (1.0, 1.0)), no_trade=frozenset({"WHEAT"})), SPEED)


def reference(held: tuple[int, ...] | None) -> DynamicInputs:
    """The check vector of the reference (pysystemtrade.md 4.9), computed with pysystemtrade's unit of costs."""
    volatility = np.array([0.16, 0.22, 0.10, 0.30])
    correlation = np.array([[1, 0.6, 0.1, 0.3], [0.6, 1, 0, 0.4], [0.1, 0, 1, -0.2], [0.3, 0.4, -0.2, 1]])
    return DynamicInputs(names=("A", "B", "C", "D"), optimal=np.array([1.4, 0.6, -1.7, 0.3]),
                         value=np.array([0.20, 0.35, 0.15, 0.40]), cost=np.array([1e-4, 2e-4, 5e-5, 3e-4]),
                         covariance=correlation * np.outer(volatility, volatility),
                         held=None if held is None else np.array(held))


@pytest.mark.parametrize(("held", "shadow", "expected"), [
    (None, 250, [1, 1, -2, 0]), ((1, 0, -1, 1), 250, [1, 0, -1, 1]), ((1, 0, -1, 1), 25, [1, 1, -2, 0])])
def test_contracts_equal_the_check_vector(held: tuple[int, ...] | None, shadow: float, expected: list[int]) -> None:
    speed = TradingSpeed(shadow_cost=shadow, conventions=PYSYSTEMTRADE)
    assert dynamic_positions(reference(held), speed).contracts.tolist() == expected


def test_the_tracking_error_equals_the_check_vector() -> None:
    found = dynamic_positions(reference(None), TradingSpeed(conventions=PYSYSTEMTRADE))
    assert found.tracking_error == pytest.approx(0.0359, abs=5e-5)
