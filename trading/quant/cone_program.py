"""Weights that do best if the means are as bad as an ellipsoid of uncertainty allows: solved, finished, checked.

Pure. The cost is -mean'w + radius * sqrt(w'Aw) + aversion/2 * w'Sw, with A the shape of the uncertainty. As in
quadratic_program an answer is accepted only when nothing can be gained any more; none is made up.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from trading.quant.active_set import finished
from trading.quant.arrays import Matrix, Vector
from trading.quant.optimality import is_feasible, largest_gain
from trading.quant.quadratic_program import NEGLIGIBLE, NotSolved, SolverFailed
from trading.quant.weight_bounds import WeightBounds

STEPS: Final = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class ConeProgram:
    """Minimise -mean'w + radius * sqrt(w'shape w) + aversion/2 * w'covariance w inside `bounds`, sum 1.

    `mean` has shape (n,), `shape` and `covariance` (n, n); `shape` is positive definite, `covariance` semi-definite.
    """

    mean: Vector
    shape: Matrix
    covariance: Matrix
    radius: float
    aversion: float
    bounds: WeightBounds

    def value(self, weights: Vector) -> float:
        """The cost of `weights`: the utility in the worst case, negated."""
        return float(self.radius * self.spread(weights) - self.mean @ weights
                     + 0.5 * self.aversion * weights @ self.covariance @ weights)

    def spread(self, weights: Vector) -> float:
        """sqrt(w'shape w)."""
        return float(np.sqrt(weights @ self.shape @ weights))

    def gradient(self, weights: Vector) -> Vector:
        """Of the cost; w'shape w is positive because the weights sum to 1."""
        return (self.radius / self.spread(weights) * (self.shape @ weights) - self.mean
                + self.aversion * (self.covariance @ weights))

    def curvature(self, weights: Vector) -> Matrix:
        """Second derivatives, made invertible by a constant in every place: under a fixed sum that changes nothing."""
        spread, pull = self.spread(weights), self.shape @ weights
        bent = self.radius * (self.shape / spread - np.outer(pull, pull) / spread**3) + self.aversion * self.covariance
        return np.asarray(bent + float(np.trace(bent)) / len(weights), dtype=float)

    def gain(self, weights: Vector) -> float:
        """The gain that is still possible, as a share of the cost's terms."""
        terms = (self.radius * self.spread(weights) + float(np.abs(self.mean) @ np.abs(weights))
                 + 0.5 * self.aversion * float(weights @ self.covariance @ weights))
        return largest_gain(weights, self.gradient(weights), self.bounds) / terms


def solve_cone(program: ConeProgram) -> Vector:
    """Weights, shape (n,), of which no others inside the bounds cost less than a ten-millionth less.

    Raises:
        NotSolved: no solver's answer passed the check.
    """
    scaled, found = _scaled(program), []
    for name, solver in SOLVERS:
        try:
            weights = sharpened(solver(scaled), scaled)
        except SolverFailed as failure:
            found.append(f"{name} gave up ({failure})")
            continue
        if weights is not None and is_feasible(weights, scaled.bounds) and scaled.gain(weights) <= NEGLIGIBLE:
            return weights
        found.append(f"{name} gave weights that are not the best")
    raise NotSolved(f"No weights were found for {len(program.mean)} instruments: {'; '.join(found)}. Use returns of "
                    f"like volatility (percent, or divided by volatility), or a shrunk covariance.")


def sharpened(weights: Vector, program: ConeProgram) -> Vector | None:
    """`weights` after a few steps of Newton's method inside the bounds; the best of them, None if none is finite."""
    if not np.all(np.isfinite(weights)):
        return None
    best = weights = np.clip(weights, program.bounds.lower, program.bounds.upper)
    for _ in range(STEPS):
        curvature = program.curvature(weights)
        cost = program.gradient(weights) - curvature @ weights
        after = finished(weights, curvature, cost, np.zeros_like(weights), program.bounds)
        if after is None or not is_feasible(after, program.bounds):
            return best
        if not is_feasible(best, program.bounds) or program.gain(after) < program.gain(best):
            best = after
        if np.max(np.abs(after - weights)) < 1e-13:
            break
        weights = after
    return best


def _scaled(program: ConeProgram) -> ConeProgram:
    """The same problem with a typical volatility of 1; the weights are the same."""
    scale = float(np.sqrt(np.trace(program.covariance) / len(program.mean)))
    return replace(program, mean=program.mean / scale, shape=program.shape / scale**2,
                   covariance=program.covariance / scale**2, aversion=program.aversion * scale)


def by_clarabel(program: ConeProgram) -> Vector:
    """An interior point method for cones."""
    import clarabel
    from scipy import sparse

    count = len(program.mean)
    root = np.linalg.cholesky(program.shape).T
    rows, right = _inequalities(program.bounds)
    matrix = np.vstack([np.append(np.ones(count), 0.0), np.hstack([rows, np.zeros((len(rows), 1))]),
                        np.append(np.zeros(count), -1.0), np.hstack([-root, np.zeros((count, 1))])])
    cones: list[Any] = [clarabel.ZeroConeT(1)]
    if len(rows):
        cones.append(clarabel.NonnegativeConeT(len(rows)))
    cones.append(clarabel.SecondOrderConeT(count + 1))
    quadratic = np.zeros((count + 1, count + 1))
    quadratic[:count, :count] = np.triu(program.aversion * program.covariance)
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    answer = clarabel.DefaultSolver(
        sparse.csc_matrix(quadratic), np.append(-program.mean, program.radius), sparse.csc_matrix(matrix),
        np.concatenate([[1.0], right, np.zeros(count + 1)]), cones, settings).solve()
    if str(answer.status) not in ("Solved", "AlmostSolved"):
        raise SolverFailed(str(answer.status))
    return np.asarray(answer.x, dtype=float)[:count]


def _inequalities(bounds: WeightBounds) -> tuple[Matrix, Vector]:
    """Rows and right-hand sides of rows @ w <= right, for the bounds that are finite."""
    ones, has_upper, has_lower = np.eye(len(bounds.lower)), np.isfinite(bounds.upper), np.isfinite(bounds.lower)
    return (np.vstack([ones[has_upper], -ones[has_lower]]),
            np.concatenate([bounds.upper[has_upper], -bounds.lower[has_lower]]))


def by_slsqp(program: ConeProgram) -> Vector:
    """Sequential quadratic programming, with the exact gradient."""
    from scipy.optimize import LinearConstraint, minimize

    found = minimize(program.value, program.bounds.some_weights(), jac=program.gradient, method="SLSQP",
                     bounds=list(zip(program.bounds.lower, program.bounds.upper, strict=True)),
                     constraints=[LinearConstraint(np.ones((1, len(program.mean))), 1.0, 1.0)],
                     options={"ftol": 1e-14, "maxiter": 1000})
    if not found.success:
        raise SolverFailed(str(found.message).lower())
    return np.asarray(found.x, dtype=float)


SOLVERS: Final[tuple[tuple[str, Callable[[ConeProgram], Vector]], ...]] = (
    ("clarabel", by_clarabel), ("SLSQP", by_slsqp))
