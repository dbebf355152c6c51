"""A solver that is wrong, or gives up, is followed by the next; when none is left, an error says what each came to."""

from dataclasses import replace

import numpy as np
import pytest

from trading.quant.arrays import Vector
from trading.quant.portfolio_optimiser import PortfolioOptimiser
from trading.quant.portfolio_weights import OutsideBounds, PortfolioWeights, weights_within
from trading.quant.quadratic_program import NotSolved, QuadraticProgram, SolverFailed, by_daqp, by_piqp, solve
from trading.quant.sharpe_ratio import NothingToGain, max_sharpe
from trading.quant.weight_bounds import InfeasibleBounds, bounds_for

PROGRAM = QuadraticProgram(hessian=np.diag([1.0, 4.0]), cost=np.zeros(2), kink=np.zeros(2), bounds=bounds_for("AB"))
BEST = [0.8, 0.2]


def lies(program: QuadraticProgram) -> Vector:
    return np.array([np.nan, np.inf])


def gives_up(program: QuadraticProgram) -> Vector:
    raise SolverFailed("too tired")


@pytest.mark.parametrize("solver", [by_daqp, by_piqp])
def test_each_solver_alone_finds_the_best(solver: object) -> None:
    assert solver in (by_daqp, by_piqp)
    alone = (("alone", by_daqp if solver is by_daqp else by_piqp),)
    assert solve(PROGRAM, alone).tolist() == pytest.approx(BEST, abs=1e-12)


@pytest.mark.parametrize("first", [lies, gives_up])
def test_the_next_solver_is_asked_when_one_fails(first: object) -> None:
    chain = (("first", lies if first is lies else gives_up), ("second", by_piqp))
    assert solve(PROGRAM, chain).tolist() == pytest.approx(BEST, abs=1e-12)


@pytest.mark.parametrize("wrong", [[0.7, 0.3], [1.0, 0.0], [0.0, 1.0]])
def test_weights_that_are_slightly_wrong_or_at_wrong_bounds_are_finished(wrong: list[float]) -> None:
    def hasty(program: QuadraticProgram) -> Vector:
        return np.array(wrong)

    assert solve(PROGRAM, (("hasty", hasty),)).tolist() == pytest.approx(BEST, abs=1e-12)


def test_a_wrong_answer_that_cannot_be_finished_is_refused() -> None:
    # given a problem without risk in one direction, which cannot be finished exactly, and a wrong answer to it
    flat = replace(PROGRAM, hessian=np.diag([1.0, 0.0]), cost=np.array([0.0, 0.1]))

    def wrong(program: QuadraticProgram) -> Vector:
        return np.array([0.6, 0.4])

    # then it does not pass, and the message says whose it was
    with pytest.raises(NotSolved) as refused:
        solve(flat, (("wrong", wrong), ("weary", gives_up)))
    assert str(refused.value) == (
        "No weights were found for 2 instruments: wrong gave weights that are not the best; weary gave up (too tired). "
        "Use returns of like volatility (percent, or divided by volatility), or a shrunk covariance.")


def test_the_chain_solves_a_problem_without_risk_in_one_direction() -> None:
    flat = replace(PROGRAM, hessian=np.diag([1.0, 0.0]), cost=np.array([0.0, 0.1]))
    assert solve(flat).tolist() == pytest.approx([0.1, 0.9], abs=1e-5)


def test_a_ratio_is_not_invented_when_nothing_earns() -> None:
    with pytest.raises(NothingToGain, match="is not positive"):
        max_sharpe(np.array([-0.1, 0.0]), np.eye(2), bounds_for("AB"))


def test_a_short_position_may_earn() -> None:
    weights = max_sharpe(np.array([-0.3, 0.1]), np.eye(2), bounds_for("AB", -1.0, 2.0))
    assert weights.tolist() == pytest.approx([-1.0, 2.0])


def test_a_method_that_knows_no_bounds_refuses_to_break_them() -> None:
    bounds = bounds_for("AB", 0.0, 0.6)
    with pytest.raises(OutsideBounds) as refused:
        weights_within(np.array([0.7, 0.3]), bounds, "risk parity")
    assert str(refused.value) == (
        "risk parity has one answer and knows no bounds; it lies outside them for A (0.7000). Widen the bounds, or "
        "choose a method that respects them.")


def test_equal_weights_are_an_answer_only_when_asked_for() -> None:
    assert dict(PortfolioOptimiser().equal("ABCD")) == dict.fromkeys("ABCD", 0.25)


def test_weights_are_looked_up_by_name() -> None:
    weights = PortfolioWeights(names=("A", "B"), values=(0.3, 0.7), method="made up")
    assert (weights["B"], weights.as_series()["A"]) == (0.7, 0.3)


@pytest.mark.parametrize(("lower", "upper", "said"), [
    (0.6, 1.0, "The lower bounds of 2 weights sum to 1.2"), (0.5, 0.4, "The lower bound lies above the upper one"),
    ({"A": 0.1}, 1.0, "No bound is given for B")])
def test_bounds_are_refused_with_a_sentence(lower: float | dict[str, float], upper: float, said: str) -> None:
    with pytest.raises(InfeasibleBounds, match=said):
        bounds_for("AB", lower, upper)
