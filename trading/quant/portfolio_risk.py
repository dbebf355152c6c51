"""How risky a portfolio is by four measures, and how much of it some limits leave. Pure.

Source: pysystemtrade.md 4.8.
"""

from dataclasses import dataclass

import numpy as np

from trading.quant.arrays import Matrix, Vector


@dataclass(frozen=True, kw_only=True)
class PortfolioRisk:
    """Risks are volatilities a year as fractions of the capital; leverage is a multiple of it."""

    normal: float        # by today's volatilities and correlations
    shocked: float       # if every volatility were as high as it rarely was
    sum_of_risks: float  # if nothing diversified
    leverage: float

    def share_within(self, limits: "PortfolioRisk") -> float:
        """From 0 to 1: what is left of all positions, so that no measure is above its limit; a risk of NaN leaves 1."""
        pairs = ((self.normal, limits.normal), (self.shocked, limits.shocked),
                 (self.sum_of_risks, limits.sum_of_risks), (self.leverage, limits.leverage))
        return min((limit / risk for risk, limit in pairs if risk > limit), default=1.0)


def portfolio_risk(weights: Vector, volatility: Vector, shocked_volatility: Vector,
                   correlation: Matrix) -> PortfolioRisk:
    """All four measures.

    Args:
        weights: value held of each instrument over the capital, negative when short, shape (n,).
        volatility, shocked_volatility: a year, shape (n,). correlation: shape (n, n).
    """
    moves, shocks = weights * volatility, weights * shocked_volatility
    return PortfolioRisk(normal=_root(moves, correlation), shocked=_root(shocks, correlation),
                         sum_of_risks=float(np.sum(np.abs(moves))), leverage=float(np.sum(np.abs(weights))))


def _root(moves: Vector, correlation: Matrix) -> float:
    return float(np.sqrt(max(float(moves @ correlation @ moves), 0.0)))
