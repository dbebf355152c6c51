"""Whole contracts for an account that is too small for the optimum: as near to its risk as costs and limits allow.

Pure. From nothing, one contract is added at a time, each time the one that brings the portfolio nearest to the optimum.
Then the trade is shortened by what does not matter, and last come the limits, which nothing may move again. What lacks
data is not traded.
Source: pysystemtrade.md 4.9 with its defects (a) to (g) mended; PYSYSTEMTRADE leaves (a), (b), (c) in.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from trading.conventions import OURS, Conventions
from trading.errors import DataError
from trading.quant.arrays import Lots, Matrix, Vector
from trading.quant.contract_bounds import ContractBounds, contract_bounds

NEGLIGIBLE: Final = 1e-12  # a gain this small is rounding
_LONG_WAY: Final = 100  # contracts


@dataclass(frozen=True, kw_only=True)
class TradingSpeed:
    """How dear trading is held. `shadow_cost` multiplies costs; a tracking error a year of `buffer` is good enough."""

    shadow_cost: float = 250.0
    buffer: float = 0.0125
    conventions: Conventions = OURS


@dataclass(frozen=True, kw_only=True, eq=False)
class DynamicInputs:
    """One day's question. All arrays have shape (n,), in the order of `names`, which decides ties.

    `optimal` is in contracts, not rounded, NaN when unknown; `value` is that of a contract as a fraction of capital,
    `cost` what trading one costs in the same unit; `covariance` (n, n) is of returns a year. `held` is None when it is
    not known what is held; `maximum` in contracts, infinite when there is no limit.
    """

    names: tuple[str, ...]
    optimal: Vector
    value: Vector
    cost: Vector
    covariance: Matrix
    held: Lots | None = None
    maximum: Vector | None = None
    reduce_only: frozenset[str] = frozenset()
    no_trade: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, eq=False)
class DynamicPositions:
    """The answer: whole contracts, shape (n,); `before_buffer` is None when staying was good enough."""

    contracts: Lots
    before_buffer: Lots | None
    not_traded: tuple[str, ...]  # for want of data
    tracking_error: float        # of `contracts` from the optimum, a year


def dynamic_positions(inputs: DynamicInputs, speed: TradingSpeed) -> DynamicPositions:
    """Contracts to hold.

    Raises:
        DataError: a limit is negative, or the covariance gives some portfolio a negative variance.
    """
    problem = _problem(inputs, speed)
    held = problem.start
    if held is not None and problem.tracking_error(held) < speed.buffer:
        found, before = held, None
    else:
        before = _greedy(problem)
        found = before if held is None else _shortened(before, held, problem)
    if speed.conventions.limits_come_last:
        found = np.clip(found, problem.bounds.lower, problem.bounds.upper).astype(np.int64)
        found = _unless_staying_is_better(found, problem)
    return DynamicPositions(contracts=found, before_buffer=before, not_traded=problem.without_data,
                            tracking_error=problem.tracking_error(found))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Problem:
    """The same question without anything missing. `optimal` are weights, `prices` what trading one contract costs."""

    optimal: Vector
    value: Vector
    prices: Vector
    covariance: Matrix
    start: Lots | None
    bounds: ContractBounds
    buffer: float
    without_data: tuple[str, ...] = field(default=())

    def tracking_error(self, contracts: Lots, other: Vector | None = None) -> float:
        """Volatility a year of the difference to the optimum, or to `other` weights."""
        gap = contracts * self.value - (self.optimal if other is None else other)
        return _root(float(gap @ self.covariance @ gap))

    def objective(self, contracts: Lots) -> float:
        """Tracking error plus costs."""
        traded = 0 if self.start is None else np.abs(contracts - self.start)
        return self.tracking_error(contracts) + float(np.sum(self.prices * traded))


def _problem(inputs: DynamicInputs, speed: TradingSpeed) -> _Problem:
    kept, of_contracts = speed.conventions.unknown_is_not_traded, speed.conventions.costs_are_of_contracts
    risk_unknown = np.isnan(np.diag(inputs.covariance)) | np.isnan(inputs.value)
    unknown = risk_unknown | np.isnan(inputs.optimal) | np.isnan(inputs.cost)
    held = np.zeros(len(inputs.names), dtype=np.int64) if inputs.held is None else inputs.held
    held = held if kept else np.where(unknown, 0, held)
    absent = risk_unknown if kept else unknown
    value = np.where(absent, 0.0, inputs.value)
    covariance = np.where(absent[:, None] | absent, 0.0, inputs.covariance)
    if np.any(np.isnan(covariance)):
        raise DataError("The covariance of some instruments of known risk is missing. Fill or clean the correlations.")
    cost = np.where(np.isnan(inputs.cost), 0.0, inputs.cost) * speed.shadow_cost
    frozen = frozenset(str(name) for name, lacks in zip(inputs.names, unknown, strict=True) if lacks)
    return _Problem(optimal=np.where(unknown, held, inputs.optimal) * value, value=value,
                    prices=cost if of_contracts else cost * np.abs(value), covariance=covariance,
                    start=None if inputs.held is None else held, buffer=speed.buffer,
                    without_data=tuple(sorted(frozen)),
                    bounds=contract_bounds(inputs.names, held, inputs.maximum, inputs.reduce_only,
                                           inputs.no_trade | frozen))


def _greedy(problem: _Problem) -> Lots:
    """Contracts, one after the other, until none helps; a hundredth of the way at once where the way is long."""
    walk = _Walk(problem)
    while True:
        sizes = walk.sizes()
        totals = walk.totals(sizes)
        if walk.is_long:  # the last contract of a long step must help as well, or it went too far
            sizes = np.where(totals < walk.totals(np.maximum(sizes - 1, 1)) - NEGLIGIBLE, sizes, 1)
            totals = walk.totals(sizes)
        totals[problem.bounds.reached(walk.contracts, walk.step)] = np.inf
        choice = int(np.argmin(totals))
        if not totals[choice] < walk.best - NEGLIGIBLE:
            return walk.contracts
        walk.go(choice, int(sizes[choice]), float(totals[choice]))


class _Walk:
    """Where the search is, and what the next steps would come to; `step` is the direction of each."""

    def __init__(self, problem: _Problem) -> None:
        self._problem = problem
        self.contracts, self.step = problem.bounds.nearest_to_zero(), problem.bounds.directions(problem.optimal)
        self._move = self.step * problem.value
        self._own = self._move * self._move * np.diag(problem.covariance)
        gap = self.contracts * problem.value - problem.optimal
        self._pull = problem.covariance @ gap
        self._variance = float(gap @ self._pull)
        self._cost = self._costs(self.contracts)
        self.best = _root(self._variance) + float(np.sum(self._cost))  # tracking error and costs so far
        self.is_long = bool(np.any(self._missing() >= 2 * _LONG_WAY))

    def sizes(self) -> Lots:
        """Contracts of the next step of each: one, or a hundredth of what is missing to its own optimum."""
        if not self.is_long:
            return np.ones_like(self.contracts)
        limit = np.where(self.step > 0, self._problem.bounds.upper, self._problem.bounds.lower)
        sizes = np.minimum(self._missing() / _LONG_WAY, np.abs(limit - self.contracts))
        self.is_long = bool(np.any(sizes >= 2))
        return np.maximum(sizes, 1).astype(np.int64)

    def totals(self, sizes: Lots) -> Vector:
        """Tracking error and costs after a step of each alone, shape (n,)."""
        after = self._variance + sizes * (2 * self._move * self._pull + sizes * self._own)
        dearer = self._costs(self.contracts + sizes * self.step) - self._cost
        return np.asarray(np.sqrt(np.maximum(after, 0.0)) + (float(np.sum(self._cost)) + dearer))

    def go(self, choice: int, size: int, total: float) -> None:
        """Take a step, which comes to `total`."""
        moved = size * float(self._move[choice])
        self._variance += size * float(2 * self._move[choice] * self._pull[choice] + size * self._own[choice])
        self._pull += moved * self._problem.covariance[:, choice]
        self.contracts[choice] += size * self.step[choice]
        self._cost = self._costs(self.contracts)
        self.best = total

    def _missing(self) -> Vector:
        """Contracts to the optimum of each."""
        way, value = np.abs(self._problem.optimal - self.contracts * self._problem.value), np.abs(self._problem.value)
        return np.divide(way, value, out=np.zeros_like(way), where=value != 0)

    def _costs(self, contracts: Lots) -> Vector:
        held = self._problem.start
        return np.zeros(len(contracts)) if held is None else self._problem.prices * np.abs(contracts - held)


def _shortened(contracts: Lots, held: Lots, problem: _Problem) -> Lots:
    """The trades, each by the same share, so that what is left undone is worth the buffer."""
    error = problem.tracking_error(held, contracts * problem.value)
    if error <= 0:
        return contracts
    share = max(0.0, (error - problem.buffer) / error)
    trades: Lots = np.rint((contracts - held) * share).astype(np.int64)
    return held + trades


def _unless_staying_is_better(found: Lots, problem: _Problem) -> Lots:
    if problem.start is None:
        return found
    stay: Lots = np.clip(problem.start, problem.bounds.lower, problem.bounds.upper).astype(np.int64)
    return stay if problem.objective(stay) <= problem.objective(found) else found


def _root(variance: float) -> float:
    if variance < -1e-9:
        raise DataError("The covariance gives a portfolio a negative variance. Repair it to positive semi-definite.")
    return float(np.sqrt(max(variance, 0.0)))
