"""Weights of least cost, the cost being quadratic: solved, finished exactly, checked, and solved otherwise when wrong.

Pure. Solvers report success on badly scaled problems while they are far off (quant.md 3), so each answer is finished by
`active_set` and accepted only when nothing can be gained any more. There is no answer of last resort.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from trading.errors import DataError
from trading.quant.active_set import finished
from trading.quant.arrays import Matrix, Vector
from trading.quant.optimality import is_feasible, largest_gain
from trading.quant.weight_bounds import WeightBounds

NEGLIGIBLE: Final = 1e-7  # gain that is still possible, as a share of the cost's own terms


class NotSolved(DataError):
    """No solver found weights that pass the check; the message says what each of them came to."""


@dataclass(frozen=True, kw_only=True, eq=False)
class QuadraticProgram:
    """Minimise w'Hw/2 + cost'w + kink'|w| over weights inside `bounds` that sum to 1.

    `hessian` has shape (n, n), symmetric and positive semi-definite; `cost` and `kink` have shape (n,), kink >= 0.
    """

    hessian: Matrix
    cost: Vector
    kink: Vector
    bounds: WeightBounds

    def gradient(self, weights: Vector) -> Vector:
        """Of the smooth part."""
        return self.hessian @ weights + self.cost

    def value(self, weights: Vector) -> float:
        """The cost of `weights`."""
        return float(0.5 * weights @ self.hessian @ weights + self.cost @ weights + self.kink @ np.abs(weights))

    def gain(self, weights: Vector) -> float:
        """The gain that is still possible, as a share of the cost's terms."""
        terms = 0.5 * abs(float(weights @ self.hessian @ weights)) + float(
            np.abs(self.cost) @ np.abs(weights) + self.kink @ np.abs(weights))
        gain = largest_gain(weights, self.gradient(weights), self.bounds, self.kink)
        return gain / terms if terms > 0 else gain


Solver = Callable[[QuadraticProgram], Vector]


def solve(program: QuadraticProgram, solvers: tuple[tuple[str, Solver], ...] = ()) -> Vector:
    """Weights, shape (n,), of which no others inside the bounds cost less than a ten-millionth less.

    Raises:
        NotSolved: no solver's answer passed the check.
    """
    scaled, found = _scaled(program), []
    for name, solver in solvers or SOLVERS:
        try:
            candidate = solver(scaled)
        except SolverFailed as failure:
            found.append(f"{name} gave up ({failure})")
            continue
        answer = finished(candidate, scaled.hessian, scaled.cost, scaled.kink, scaled.bounds)
        for weights in (answer, _pressed(candidate, scaled.bounds)):
            if weights is not None and is_feasible(weights, scaled.bounds) and scaled.gain(weights) <= NEGLIGIBLE:
                return weights
        found.append(f"{name} gave weights that are not the best")
    raise NotSolved(f"No weights were found for {len(program.cost)} instruments: {'; '.join(found)}. Use returns of "
                    f"like volatility (percent, or divided by volatility), or a shrunk covariance.")


class SolverFailed(Exception):
    """A solver says itself that it has no answer."""


def _scaled(program: QuadraticProgram) -> QuadraticProgram:
    """The same problem with an average variance of 1; the weights are the same."""
    scale = float(np.trace(program.hessian)) / len(program.cost)
    if not scale > 0:
        return program
    return QuadraticProgram(hessian=program.hessian / scale, cost=program.cost / scale, kink=program.kink / scale,
                            bounds=program.bounds)


def _pressed(weights: Vector, bounds: WeightBounds) -> Vector | None:
    """`weights` moved by rounding errors into the bounds."""
    if not np.all(np.isfinite(weights)):
        return None
    return np.clip(weights, bounds.lower, bounds.upper)


def by_daqp(program: QuadraticProgram) -> Vector:
    """A dual active set method; exact for well-scaled problems."""
    import daqp

    hessian, cost, lower, upper, fold = _linear_form(program)
    count = len(cost)
    sums = fold.sum(axis=0)[None, :]
    sense = np.zeros(count + 1, dtype=np.int32)
    sense[-1] = 5  # the sum is an equality
    found, _, flag, _ = daqp.solve(hessian, cost, np.ascontiguousarray(sums), np.append(_finite(upper), 1.0),
                                   np.append(_finite(lower), 1.0), sense)
    if flag < 1:
        raise SolverFailed(f"its flag is {flag}")
    return np.asarray(fold @ found, dtype=float)


def by_piqp(program: QuadraticProgram) -> Vector:
    """A proximal interior point method."""
    import piqp

    hessian, cost, lower, upper, fold = _linear_form(program)
    solver = piqp.DenseSolver()
    solver.settings.eps_abs = solver.settings.eps_rel = 1e-10
    solver.settings.max_iter = 500
    sums = fold.sum(axis=0)[None, :]
    solver.setup(hessian, cost, sums, np.ones(1), None, None, None, lower, upper)
    status = solver.solve()
    if status != piqp.PIQP_SOLVED:
        raise SolverFailed(str(status).rpartition(".")[2].lower())
    return np.asarray(fold @ solver.result.x, dtype=float)


SOLVERS: Final[tuple[tuple[str, Solver], ...]] = (("daqp", by_daqp), ("piqp", by_piqp))


def _linear_form(program: QuadraticProgram) -> tuple[Matrix, Vector, Vector, Vector, Matrix]:
    """Hessian, cost and bounds without a kink, and the matrix that folds their unknowns into weights.

    A weight that may have either sign becomes a bought part minus a sold part, each paying the kink.
    """
    lower, upper, count = program.bounds.lower, program.bounds.upper, len(program.cost)
    bent = (program.kink > 0) & (lower < 0) & (upper > 0)
    sign = np.where(upper <= 0, -1.0, 1.0)
    if not np.any(bent):
        return (np.ascontiguousarray(program.hessian), program.cost + sign * program.kink, lower, upper, np.eye(count))
    fold = np.hstack([np.eye(count), -np.eye(count)[:, bent]])
    cost = np.concatenate([program.cost + sign * program.kink, -program.cost[bent] + program.kink[bent]])
    return (np.ascontiguousarray(fold.T @ program.hessian @ fold), cost,
            np.concatenate([np.where(bent, 0.0, lower), np.zeros(int(bent.sum()))]),
            np.concatenate([upper, -lower[bent]]), fold)


def _finite(bound: Vector) -> Vector:
    """Without infinities, which this solver's interface does not know: it ignores bounds of 1e30."""
    return np.clip(bound, -1e30, 1e30)
