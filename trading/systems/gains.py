"""Gains: what holding contracts earns and what it costs, whoever decided to hold them.

A position that is decided at one close is traded by the next, and earns from then on. Source: oracle README 06, 07.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import pandas as pd

from trading.conventions import Conventions
from trading.systems.account_curve import AccountCurve
from trading.systems.contract_risk import ContractRisk
from trading.systems.rawdata import RawData
from trading.systems.sharpe_costs import SharpeCosts, sharpe_cost_per_trade, spread_over_time
from trading.systems.stage import SystemStage
from trading.systems.trading_costs import Market, costs_of

_DELAY = 1  # business days from the decision to the trade
HELD_AFTER: Final = _DELAY + 1  # and until the first close that it earns by


class Gains(SystemStage):
    """In the base currency, each business day."""

    name = "gains"
    needs = ("contractRisk", "rawdata")

    def gains_of(self, code: str, positions: pd.Series) -> pd.Series:
        """Before costs, from contracts decided on each business day."""
        changes = self.system.stage(RawData).daily_prices(code).ffill().diff()
        held = positions.shift(HELD_AFTER, fill_value=0.0).reindex(changes.index, method="ffill")
        point_size = self.system.data.instrument(code).point_size
        return held * changes * point_size * self.system.stage(ContractRisk).rate(code)

    def costs_of(self, code: str, positions: pd.Series) -> pd.Series:
        """Costs, negative, of contracts decided on each business day: each fill and each roll."""
        conventions, prices = self._conventions, self.system.stage(RawData).daily_prices(code)
        market = Market(instrument=self.system.data.instrument(code), prices=prices,
                        rate_on=partial(self.system.stage(ContractRisk).rate_on, code))
        costs = costs_of(positions.shift(_DELAY), market, self.system.data.rolls_per_year(code), conventions)
        costs = costs.reindex(prices.index)
        return costs.fillna(0.0) if conventions.costs_begin_at_nothing else costs

    def sharpe_costs(self, code: str) -> SharpeCosts:
        """What trading `code` takes from a year's Sharpe ratio, at the prices and the risk of its last year."""
        def compute() -> SharpeCosts:
            raw, data = self.system.stage(RawData), self.system.data
            paid = raw.denominator(code) if self._conventions.costs_on_held_prices else raw.daily_prices(code)
            each = sharpe_cost_per_trade(data.instrument(code), paid, raw.daily_volatility(code))
            return SharpeCosts(per_trade=each, rolls_per_year=data.rolls_per_year(code))
        return self.get_item("sharpe_costs", code, compute)

    def costs_by_risk(self, code: str, turnover: float, share: pd.Series) -> pd.Series:
        """Costs, negative, of a position that turns over so often a year and takes `share` of the capital's risk.

        They are the same each calendar day for the same share: no trade is seen in them.
        """
        config = self.system.config
        risk = config.notional_trading_capital * config.percentage_vol_target / 100
        return -risk * share * spread_over_time(self.sharpe_costs(code).of(turnover), share.index)

    def curve(self, item: str, code: str, positions: Callable[[], pd.Series],
              costs: Callable[[], pd.Series] | None = None) -> AccountCurve:
        """The account of `positions`, in contracts, kept as `item`; costs are of each fill and roll, unless given."""
        def gross() -> pd.Series:
            held = positions()
            return self.gains_of(code, held.mask(held.ffill().isna(), 0.0))  # before a signal nothing is held

        def paid() -> pd.Series:
            return self.costs_of(code, positions()) if costs is None else costs()
        return AccountCurve(gross=self.get_item(f"{item}_gross", code, gross),
                            costs=self.get_item(f"{item}_costs", code, paid),
                            capital=self.system.config.notional_trading_capital)

    @property
    def _conventions(self) -> Conventions:
        return self.system.config.chosen_conventions
