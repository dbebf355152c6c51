"""RuleAccounts: what each rule alone would have earned and cost in each instrument."""

import pandas as pd

from trading.quant.volatility import DAYS_TO_YEAR
from trading.systems.account_curve import AccountCurve
from trading.systems.forecasts import ForecastScaleCap
from trading.systems.gains import HELD_AFTER, Gains
from trading.systems.rawdata import RawData
from trading.systems.sharpe_costs import pooled_turnover
from trading.systems.stage import SystemStage

_AVERAGE_FORECAST = 10.0


class RuleAccounts(SystemStage):
    """As if all the capital followed one forecast in one instrument; without whole contracts and without a currency.

    Costs are in units of risk. Source: oracle README 06, 07.
    """

    name = "ruleAccounts"
    needs = ("forecastScaleCap", "gains", "rawdata")

    def pandl_for_rule(self, code: str, rule: str) -> AccountCurve:
        """The account of `rule` in `code`."""
        config = self.system.config
        capital = config.notional_trading_capital

        def gross() -> pd.Series:
            raw = self.system.stage(RawData)
            forecast = self.system.stage(ForecastScaleCap).capped_forecast(code, rule)
            target = capital * config.percentage_vol_target / 100 / DAYS_TO_YEAR
            held = (target * forecast / _AVERAGE_FORECAST / raw.daily_volatility(code)).shift(HELD_AFTER)
            return held * raw.daily_prices(code).ffill().diff()

        def costs() -> pd.Series:
            days = self.system.stage(RawData).daily_prices(code).index
            return self.system.stage(Gains).costs_by_risk(code, self.turnover(rule), pd.Series(1.0, index=days))
        return AccountCurve(gross=self.get_item(f"{rule} gross", code, gross),
                            costs=self.get_item(f"{rule} costs", code, costs), capital=capital)

    def turnover(self, rule: str) -> float:
        """How often a year a forecast of `rule` changes by an average one and back, over all instruments."""
        def compute() -> float:
            forecasts = self.system.stage(ForecastScaleCap)
            return pooled_turnover(list(self.of_each(lambda code: forecasts.capped_forecast(code, rule)).values()))
        return self.get_item(f"turnover {rule}", "", compute)

    def cost(self, code: str, rule: str) -> float:
        """What `rule` takes from a year's Sharpe ratio in `code`, rolls included."""
        return self.system.stage(Gains).sharpe_costs(code).of(self.turnover(rule))
