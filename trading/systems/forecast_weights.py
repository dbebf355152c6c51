"""ForecastWeights: how much each rule counts in each instrument, and the multiplier that their diversity earns."""

import pandas as pd

from trading.errors import DataError
from trading.quant.fitting_periods import FittingPeriod, fitting_periods
from trading.quant.multipliers_over_time import multipliers_over_time
from trading.systems.daily import business_days
from trading.systems.estimation_config import ForecastWeightEstimate
from trading.systems.forecasts import ForecastScaleCap
from trading.systems.rule_accounts import RuleAccounts
from trading.systems.stage import SystemStage
from trading.systems.system_config import ESTIMATED
from trading.systems.weight_fitting import (
    diversity_estimator,
    fitted_weights,
    net_gains,
    on_days,
    shares_of,
    weekly_gains,
)

_SMOOTHING = 125  # span in business days


class ForecastWeights(SystemStage):
    """Fixed or estimated weights and multipliers (pysystemtrade.md 4.5)."""

    name = "forecastWeights"
    needs = ("forecastScaleCap", "ruleAccounts")

    def weights(self, code: str) -> pd.DataFrame:
        """Of each rule on each business day: one without a forecast yet counts nothing, the others sum to 1; smoothed.

        Raises:
            DataError: every rule costs more in `code` than `highest_rule_cost`.
        """
        def compute() -> pd.DataFrame:
            forecasts = self.system.stage(ForecastScaleCap).capped_forecasts(code)
            wanted = on_days(self._set(code)[list(forecasts.columns)], forecasts.index)
            return business_days(shares_of(wanted, forecasts.notna())).ewm(span=_SMOOTHING).mean()
        return self.get_interim("weights", code, compute)

    def multiplier(self, code: str) -> pd.Series:
        """What makes up for the diversity of the rules in `code`, on each business day."""
        def compute() -> pd.Series:
            given, weights = self.system.config.forecast_div_multiplier, self.weights(code)
            if given != ESTIMATED:
                return pd.Series(float(given), index=weights.index)
            periods, correlations = self._correlations()
            return multipliers_over_time(correlations, periods, weights)
        return self.get_item("multiplier", code, compute)

    def affordable(self, code: str) -> tuple[str, ...]:
        """The rules that do not cost too much in `code`.

        Raises:
            DataError: there is none.
        """
        rules, highest = tuple(self.system.config.forecast_rules), self.system.config.highest_rule_cost
        if highest is None:
            return rules
        costs = {rule: self.system.stage(RuleAccounts).cost(code, rule) for rule in rules}
        found = tuple(rule for rule in rules if costs[rule] <= highest)
        if not found:
            cheapest = min(rules, key=lambda rule: costs[rule])
            raise DataError(f"{code} is too dear for every rule: the cheapest, {cheapest}, takes {costs[cheapest]:.3f} "
                            f"of a Sharpe ratio a year, at most {highest:g} is allowed (highest_rule_cost). Allow "
                            f"more, or leave {code} out.")
        return found

    def _set(self, code: str) -> pd.DataFrame:
        """The weights before it is asked which rules have a forecast: a row each time that they were set."""
        estimate = self.system.config.forecast_weight_estimate
        weights = self._fixed() if estimate is None else self._estimated(code, estimate)
        dear = [rule for rule in weights.columns if rule not in self.affordable(code)]
        weights[dear] = 0.0
        return weights

    def _fixed(self) -> pd.DataFrame:
        return pd.DataFrame({name: [rule.weight] for name, rule in self.system.config.forecast_rules.items()})

    def _estimated(self, code: str, estimate: ForecastWeightEstimate) -> pd.DataFrame:
        def compute() -> pd.DataFrame:
            tables = self.of_each(lambda each: self._weekly_gains(each, estimate), None if estimate.pooled else [code])
            return fitted_weights(_stacked(list(tables.values())), estimate, self.system.executor,
                                  self.system.config.chosen_conventions, len(tables))
        return self.get_item("estimated", "" if estimate.pooled else code, compute)

    def _weekly_gains(self, code: str, estimate: ForecastWeightEstimate) -> pd.DataFrame:
        accounts = self.system.stage(RuleAccounts)
        daily = pd.DataFrame({rule: net_gains(accounts.pandl_for_rule(code, rule), estimate.cost_multiplier)
                              for rule in self.system.config.forecast_rules})
        return weekly_gains(daily, self.system.config.chosen_conventions)

    def _correlations(self) -> tuple[tuple[FittingPeriod, ...], list[pd.DataFrame]]:
        """Of the forecasts of all instruments together, fitted once a year."""
        def compute() -> tuple[tuple[FittingPeriod, ...], list[pd.DataFrame]]:
            forecasts = self.system.stage(ForecastScaleCap)
            tables = self.of_each(lambda code: forecasts.capped_forecasts(code).resample("W").last())
            stacked, count = _stacked(list(tables.values())), len(tables)
            periods = fitting_periods(pd.DatetimeIndex(stacked.index))
            estimator = diversity_estimator(self.system.config.chosen_conventions, count)
            return periods, estimator.estimate_over_time(stacked, periods)
        return self.get_item("correlations", "", compute)


def _stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """All rows in order of time; those of one time in the order of the tables."""
    return pd.concat(tables).sort_index(kind="stable")
