"""Accounts: what the positions of a system would have earned, gross and net, at every level."""

from functools import partial

import pandas as pd

from trading.conventions import Conventions
from trading.errors import DataError
from trading.systems.account_curve import AccountCurve, together
from trading.systems.buffered_path import TradeTo
from trading.systems.forecasts import ForecastScaleCap
from trading.systems.portfolio import Portfolio
from trading.systems.position_size import PositionSize
from trading.systems.rawdata import RawData
from trading.systems.sharpe_costs import SharpeCosts, pooled_turnover, sharpe_cost_per_trade, turnover_of
from trading.systems.stage import SystemStage
from trading.systems.trading_costs import Market, costs_of

_DELAY = 1  # business days from the decision to the trade


class Accounts(SystemStage):
    """Profit and loss in the base currency, in percent of the notional capital.

    A position that is decided at one close is traded by the next, and earns from then on. Source: oracle README 06.
    """

    name = "accounts"
    needs = ("portfolio", "positionSize", "forecastScaleCap", "rawdata")

    def portfolio(self) -> AccountCurve:
        """All instruments that are traded together, in whole contracts and with buffers.

        Raises:
            DataError: the data of all of them are broken.
        """
        left_out = self.left_out()
        codes = [code for code in self.system.instrument_codes() if code not in left_out]
        if not codes:
            reasons = "; ".join(left_out.values()) or "there are no prices"
            raise DataError(f"No instrument has an account: {reasons}. Import prices: "
                            f"tradectl import pysystemtrade DIR")
        return together((self.pandl_for_instrument(code) for code in codes), self._capital)

    def left_out(self) -> dict[str, str]:
        """The instruments whose data are broken, and why; nothing is known of their accounts."""
        reasons = {}
        for code in self.system.instrument_codes():
            try:
                if not self.pandl_for_instrument(code).gross.notna().any():
                    reasons[code] = f"{code} has no prices"
            except DataError as error:
                reasons[code] = str(error)
        return reasons

    def pandl_for_instrument(self, code: str) -> AccountCurve:
        """What `code` added to the portfolio: whole contracts, buffered, as much as its weight allows."""
        return self._curve("instrument", code, self.system.stage(Portfolio).held_position(code, TradeTo.OPTIMUM))

    def pandl_for_subsystem(self, code: str) -> AccountCurve:
        """What `code` alone would have gained with the whole capital, in fractions of contracts."""
        return self._curve("subsystem", code, self.system.stage(PositionSize).subsystem_position(code))

    def turnover(self, code: str) -> float:
        """How often a year the position of an average forecast is bought and sold again, as contracts held of `code`.

        Source: pysystemtrade.md 4.7.
        """
        portfolio = self.system.stage(Portfolio)
        return turnover_of(portfolio.held_position(code, TradeTo.OPTIMUM), portfolio.average_position(code))

    def subsystem_turnover(self, code: str) -> float:
        """The same of `code` alone, in fractions of contracts."""
        sizes = self.system.stage(PositionSize)
        return turnover_of(sizes.subsystem_position(code), sizes.volatility_scalar(code))

    def sharpe_costs(self, code: str) -> SharpeCosts:
        """What trading `code` takes from a year's Sharpe ratio, at the prices and the risk of its last year."""
        raw, data = self.system.stage(RawData), self.system.data
        paid = raw.denominator(code) if self._conventions.costs_on_held_prices else raw.daily_prices(code)
        return SharpeCosts(per_trade=sharpe_cost_per_trade(data.instrument(code), paid, raw.daily_volatility(code)),
                           rolls_per_year=data.rolls_per_year(code))

    def rule_turnover(self, rule: str) -> float:
        """How often a year a forecast of `rule` changes by an average one and back, over all instruments."""
        forecasts = self.system.stage(ForecastScaleCap)
        return pooled_turnover([forecasts.capped_forecast(code, rule) for code in self.system.instrument_codes()])

    def gains_of(self, code: str, positions: pd.Series) -> pd.Series:
        """Gain of each business day before costs, in the base currency, from contracts decided on each business day."""
        changes = self.system.stage(RawData).daily_prices(code).ffill().diff()
        held = positions.shift(_DELAY + 1, fill_value=0.0).reindex(changes.index, method="ffill")
        point_size = self.system.data.instrument(code).point_size
        return held * changes * point_size * self.system.stage(PositionSize).rate(code)

    def costs_of(self, code: str, positions: pd.Series) -> pd.Series:
        """Costs of each business day, negative, in the base currency, of contracts decided on each business day."""
        conventions, prices = self._conventions, self.system.stage(RawData).daily_prices(code)
        market = Market(instrument=self.system.data.instrument(code), prices=prices,
                        rate_on=partial(self.system.stage(PositionSize).rate_on, code))
        costs = costs_of(positions.shift(_DELAY), market, self.system.data.rolls_per_year(code), conventions)
        costs = costs.reindex(prices.index)
        return costs.fillna(0.0) if conventions.costs_begin_at_nothing else costs

    def _curve(self, item: str, code: str, positions: pd.Series) -> AccountCurve:
        held = positions.mask(positions.ffill().isna(), 0.0)  # before there was a signal nothing was held
        gross = self.kept(f"{item}_gross", code, lambda: self.gains_of(code, held))
        costs = self.kept(f"{item}_costs", code, lambda: self.costs_of(code, positions))
        return AccountCurve(gross=gross, costs=costs, capital=self._capital)

    @property
    def _conventions(self) -> Conventions:
        return self.system.config.chosen_conventions

    @property
    def _capital(self) -> float:
        return self.system.config.notional_trading_capital
