"""Estimates, weights, whole contracts and tests for breaks against sums written out by hand.

The expected numbers come from plain Python: lists, loops over every pair or subset, and fine grids. None of our code,
no library. The returns are made by a small generator below, so nothing outside this file is needed.
"""

import math
from functools import cache
from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest

from trading.quant.correlation_break import correlation_break
from trading.quant.covariance import CovarianceEstimator, CovarianceMethod
from trading.quant.dynamic_positions import DynamicInputs, TradingSpeed, dynamic_positions
from trading.quant.exponential import exponential_correlation
from trading.quant.handcrafting import handcraft
from trading.quant.mean_break import mean_break
from trading.quant.portfolio_optimiser import PortfolioOptimiser, Uncertainty, UncertaintySet
from trading.quant.sharpe_adjustment import sharpe_multiplier
from trading.quant.shrinkage import ledoit_wolf_constant_correlation, ledoit_wolf_identity

NAMES, PERIODS = ("BOND", "GOLD", "CORN"), 60
SAMPLE = CovarianceEstimator(method=CovarianceMethod.SAMPLE)


def made_returns() -> list[list[float]]:
    """A row a period: three instruments that share a part, of different volatility, two with a positive mean."""
    state, rows = 12345, []
    for _ in range(PERIODS):
        draws = []
        for _ in range(4):
            state = (1103515245 * state + 12345) % 2**31
            draws.append(state / 2**31 - 0.5)
        rows.append([0.01 * (draws[0] + 1.5 * draws[3]) + 0.003, 0.02 * (draws[1] + draws[3]) + 0.004,
                     0.03 * (draws[2] - 0.7 * draws[3]) - 0.0004])
    return rows


ROWS = made_returns()
RETURNS = pd.DataFrame(ROWS, columns=list(NAMES))


# --- the sums -------------------------------------------------------------------------------------------------------

def column(which: int) -> list[float]:
    return [row[which] for row in ROWS]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


MEANS = [mean(column(which)) for which in range(3)]


def covariance(a: list[float], b: list[float], less: int = 1) -> float:
    return sum((x - mean(a)) * (y - mean(b)) for x, y in zip(a, b, strict=True)) / (len(a) - less)


def correlation(a: list[float], b: list[float]) -> float:
    return covariance(a, b) / math.sqrt(covariance(a, a) * covariance(b, b))


@cache
def table(less: int = 1) -> list[list[float]]:
    return [[covariance(column(i), column(j), less) for j in range(3)] for i in range(3)]


def quadratic(weights: tuple[float, ...], matrix: list[list[float]]) -> float:
    return sum(weights[i] * matrix[i][j] * weights[j] for i in range(len(weights)) for j in range(len(weights)))


def grid(low: float, high: float, steps: int) -> list[tuple[float, float, float]]:
    """Weights of three instruments that sum to 1, all between low and high."""
    points = [low + (high - low) * step / steps for step in range(steps + 1)]
    return [(a, b, 1 - a - b) for a in points for b in points if low - 1e-12 <= 1 - a - b <= high + 1e-12]


def worst_case(weights: tuple[float, ...], aversion: float, ellipsoid: float, box: float) -> float:
    """Utility when the means are the worst: half an axis of `ellipsoid` or `box` standard errors."""
    errors = [math.sqrt(table()[i][i] / PERIODS) for i in range(3)]
    gain = sum(w * MEANS[i] for i, w in enumerate(weights))
    doubt = ellipsoid * math.sqrt(sum((w * e) ** 2 for w, e in zip(weights, errors, strict=True)))
    doubt += box * sum(abs(w) * e for w, e in zip(weights, errors, strict=True))
    return gain - doubt - aversion / 2 * quadratic(weights, table())


def ledoit_wolf_by_hand(target_of: str) -> tuple[float, list[list[float]]]:
    """Intensity and covariance, every expectation as an average over the periods."""
    sample = table(less=0)
    centred = [[value - mean(column(i)) for i, value in enumerate(row)] for row in ROWS]
    volatility = [math.sqrt(sample[i][i]) for i in range(3)]
    if target_of == "identity":
        level = sum(sample[i][i] for i in range(3)) / 3
        target = [[level if i == j else 0.0 for j in range(3)] for i in range(3)]
    else:
        average = sum(sample[i][j] / (volatility[i] * volatility[j]) for i in range(3) for j in range(3) if i != j) / 6
        target = [[sample[i][i] if i == j else average * volatility[i] * volatility[j] for j in range(3)]
                  for i in range(3)]
    noise = sum(mean([(row[i] * row[j] - sample[i][j]) ** 2 for row in centred]) for i in range(3) for j in range(3))
    common = 0.0
    if target_of != "identity":
        common = sum(mean([(row[i] ** 2 - sample[i][i]) ** 2 for row in centred]) for i in range(3))
        for i, j in product(range(3), range(3)):
            if i != j:
                first = mean([(row[i] ** 2 - sample[i][i]) * (row[i] * row[j] - sample[i][j]) for row in centred])
                second = mean([(row[j] ** 2 - sample[j][j]) * (row[i] * row[j] - sample[i][j]) for row in centred])
                common += average / 2 * (volatility[j] / volatility[i] * first + volatility[i] / volatility[j] * second)
    distance = sum((sample[i][j] - target[i][j]) ** 2 for i in range(3) for j in range(3))
    intensity = max(0.0, min(1.0, (noise - common) / distance / PERIODS))
    return intensity, [[(1 - intensity) * sample[i][j] + intensity * target[i][j] for j in range(3)] for i in range(3)]


# --- the comparison -------------------------------------------------------------------------------------------------

def test_ledoit_wolf_equals_the_sums() -> None:
    for ours, (intensity, matrix) in ((ledoit_wolf_identity(RETURNS.to_numpy()), ledoit_wolf_by_hand("identity")),
                                      (ledoit_wolf_constant_correlation(RETURNS.to_numpy()),
                                       ledoit_wolf_by_hand("constant"))):
        assert 0.01 < intensity < 0.99
        assert ours.intensity == pytest.approx(intensity, rel=1e-9)
        np.testing.assert_allclose(ours.covariance, matrix, rtol=1e-9, atol=1e-18)


def test_exponential_correlations_equal_the_sums() -> None:
    # given holes, which let each pair age by its own common periods
    rows = [[math.nan if (period + which) % 7 == 0 else value for which, value in enumerate(row)]
            for period, row in enumerate(ROWS)]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        pairs = [(row[i], row[j]) for row in rows if not (math.isnan(row[i]) or math.isnan(row[j]))]
        ages = [(1 - 2 / 21) ** age for age in range(len(pairs) - 1, -1, -1)]
        x, y = (sum(w * p[k] for w, p in zip(ages, pairs, strict=True)) / sum(ages) for k in (0, 1))
        moment = [sum(w * (p[a] - (x, y)[a]) * (p[b] - (x, y)[b]) for w, p in zip(ages, pairs, strict=True))
                  for a, b in ((0, 1), (0, 0), (1, 1))]
        ours = exponential_correlation(np.array(rows), span=20, min_periods=5)
        assert ours[i, j] == pytest.approx(moment[0] / math.sqrt(moment[1] * moment[2]), rel=1e-9)


def test_the_least_variance_of_two_equals_the_formula() -> None:
    a, b, both = covariance(column(0), column(0)), covariance(column(2), column(2)), covariance(column(0), column(2))
    ours = PortfolioOptimiser(lower=-1, upper=2, covariance=SAMPLE).minimum_variance(RETURNS[["BOND", "CORN"]])
    assert ours["BOND"] == pytest.approx((b - both) / (a + b - 2 * both), rel=1e-9)


def test_the_highest_sharpe_ratio_of_two_equals_the_formula() -> None:
    (a, b), both = (covariance(column(k), column(k)) for k in (0, 1)), covariance(column(0), column(1))
    first, second = mean(column(0)), mean(column(1))
    above, below = first * b - second * both, second * a - first * both
    ours = PortfolioOptimiser(covariance=SAMPLE).max_sharpe(RETURNS[["BOND", "GOLD"]])
    assert min(above, below) > 0
    assert ours["BOND"] == pytest.approx(above / (above + below), rel=1e-9)


@pytest.mark.parametrize(("method", "ellipsoid", "box"), [
    ("mean-variance", 0.0, 0.0), ("ellipsoid", math.sqrt(7.814727903251179), 0.0), ("box", 0.0, 1.959963984540054)])
@pytest.mark.parametrize(("low", "high"), [(0.0, 0.7), (-0.4, 1.0)])
def test_no_point_of_a_fine_grid_is_better(method: str, ellipsoid: float, box: float, low: float, high: float) -> None:
    # given weights for an aversion of 8, and the utility of a grid of all weights (chi-squared of 3, normal at 95 %)
    optimiser = PortfolioOptimiser(lower=low, upper=high, covariance=SAMPLE)
    if method == "mean-variance":
        weights = optimiser.mean_variance(RETURNS, 8.0)
    else:
        kind = UncertaintySet.BOX if method == "box" else UncertaintySet.ELLIPSOIDAL
        weights = optimiser.robust(RETURNS, 8.0, Uncertainty(set=kind))
    best = max(grid(low, high, 100), key=lambda point: worst_case(point, 8.0, ellipsoid, box))

    # then the best point of the grid is beside ours, and no better
    ours = worst_case(weights.values, 8.0, ellipsoid, box)
    assert worst_case(best, 8.0, ellipsoid, box) <= ours + 1e-15
    assert best == pytest.approx(weights.values, abs=2 * (high - low) / 100)


def test_hierarchical_weights_of_three_equal_the_sums() -> None:
    # given the tree: the pair that is nearest, then the third; split by half, the first part having one
    pairs = {(i, j): correlation(column(i), column(j)) for i, j in ((0, 1), (0, 2), (1, 2))}
    near = max(pairs, key=lambda pair: pairs[pair])
    alone = ({0, 1, 2} - set(near)).pop()
    variances = table()
    shares = {k: 1 / variances[k][k] / sum(1 / variances[m][m] for m in near) for k in near}
    together = sum(shares[a] * shares[b] * variances[a][b] for a in near for b in near)
    first = 1 / variances[alone][alone] / (1 / variances[alone][alone] + 1 / together)
    expected = {NAMES[alone]: first, **{NAMES[k]: (1 - first) * share for k, share in shares.items()}}

    # then the variance of each part decides
    assert dict(PortfolioOptimiser(covariance=SAMPLE).hierarchical(RETURNS)) == pytest.approx(expected, rel=1e-9)


def test_risk_parity_of_two_is_inverse_volatility() -> None:
    volatility = [math.sqrt(covariance(column(k), column(k))) for k in (0, 2)]
    ours = PortfolioOptimiser(covariance=SAMPLE).risk_parity(RETURNS[["BOND", "CORN"]])
    assert ours["BOND"] == pytest.approx(volatility[1] / sum(volatility), rel=1e-9)


def test_handcrafted_weights_of_three_equal_the_sums() -> None:
    # given two that are alike and a stranger: halves, each lifted by 1 / sqrt(w'Cw) of its own
    lift = 1 / math.sqrt(0.25 + 0.25 + 2 * 0.25 * 0.8)
    found = handcraft(np.array([[1, 0.8, 0.1], [0.8, 1, 0.1], [0.1, 0.1, 1]]))
    assert found.unscaled.tolist() == pytest.approx([0.25 * lift, 0.25 * lift, 0.5], rel=1e-12)
    assert found.weights.sum() == pytest.approx(1)


def test_the_multiplier_for_a_sharpe_ratio_equals_the_sums() -> None:
    # given a ratio 0.4 above average over nine years, correlation 0.5: doubt of sqrt(2 * 0.15^2 / 9 * 0.5)
    doubt, usual, total = math.sqrt(2 * 0.15**2 / 9 * 0.5), 0.5 * 0.15, 0.0
    for quantile in (-0.8416212335729143, -0.2533471031357997, 0.2533471031357997, 0.8416212335729143):
        own = usual + 0.4 * 0.15 + quantile * doubt
        above, below = own - 0.5 * usual, usual - 0.5 * own
        total += max(0.0, min(1.0, above / (above + below))) / 4
    assert sharpe_multiplier(0.4, 0.5, 9) == pytest.approx(2 * total, rel=1e-9)


def test_a_break_of_correlation_equals_the_sums() -> None:
    # given the test of Wied, Kraemer and Dehling written as it is printed, with a loop for every sum
    x, y = column(0), column(1)
    whole = correlation(x, y)
    zx, zy = ([(v - mean(s)) / math.sqrt(covariance(s, s, 0)) for v in s] for s in (x, y))
    psi = [a * b - whole / 2 * (a * a + b * b) for a, b in zip(zx, zy, strict=True)]
    lags = int(math.log(PERIODS))
    off = [value - mean(psi) for value in psi]
    long_run = sum((1 if lag == 0 else 2) * (1 - lag / lags) * sum(
        off[t] * off[t - lag] for t in range(lag, PERIODS)) / PERIODS for lag in range(lags))
    path = {k: k / math.sqrt(PERIODS) * abs(correlation(x[:k], y[:k]) - whole) / math.sqrt(long_run)
            for k in range(2, PERIODS + 1)}

    # then statistic, place and p value (Kolmogorov's series) are the same
    ours = correlation_break(np.array(x), np.array(y))
    assert ours.statistic == pytest.approx(max(path.values()), rel=1e-9)
    assert ours.break_after == max(path, key=lambda k: path[k])
    assert ours.p_value == pytest.approx(kolmogorov(max(path.values())), rel=1e-9)


def kolmogorov(value: float) -> float:
    return 2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * value) ** 2) for k in range(1, 100))


def test_a_break_of_the_mean_equals_the_sums() -> None:
    values = column(2)
    residuals = [value - mean(values) for value in values]
    sums = [sum(residuals[:k]) for k in range(1, PERIODS + 1)]
    largest = max(abs(part) for part in sums) / math.sqrt(covariance(values, values) * PERIODS)
    ours = mean_break(np.array(values))
    assert (ours.statistic, ours.p_value) == pytest.approx((largest, kolmogorov(largest)), rel=1e-9)


def test_whole_contracts_are_the_best_of_all_that_are_near() -> None:
    # given an optimum, costs, and three contracts held, as in the check vector of the reference (4.9)
    optimal, value, held = (1.4, 0.6, -1.7, 0.3), (0.20, 0.35, 0.15, 0.40), (1, 0, -1, 1)
    cost = (1e-4, 2e-4, 5e-5, 3e-4)
    volatility = (0.16, 0.22, 0.10, 0.30)
    pairs = {(0, 1): 0.6, (0, 2): 0.1, (0, 3): 0.3, (1, 2): 0.0, (1, 3): 0.4, (2, 3): -0.2}
    matrix = [[volatility[i] * volatility[j] * (1.0 if i == j else pairs[min(i, j), max(i, j)]) for j in range(4)]
              for i in range(4)]

    def objective(contracts: tuple[int, ...]) -> float:
        gap = tuple((c - o) * v for c, o, v in zip(contracts, optimal, value, strict=True))
        traded = sum(25 * c * abs(n - h) for c, n, h in zip(cost, contracts, held, strict=True))
        return math.sqrt(quadratic(gap, matrix)) + traded

    inputs = DynamicInputs(names=("A", "B", "C", "D"), optimal=np.array(optimal), value=np.array(value),
                           cost=np.array(cost), covariance=np.array(matrix), held=np.array(held))
    found = dynamic_positions(inputs, TradingSpeed(shadow_cost=25, buffer=0.0)).contracts.tolist()

    # then no other of all books of up to three contracts is better
    assert tuple(found) == min(product(range(-3, 4), repeat=4), key=objective)


def test_the_grid_is_fine_enough_to_tell() -> None:
    """The comparison above means something: neighbours on the grid differ in utility."""
    values = [worst_case(point, 8.0, 0.0, 1.96) for point in grid(0.0, 0.7, 100)]
    assert all(a != b for a, b in pairwise(sorted(values)))
