"""The stages rules, forecastScaleCap and combForecast: from prices to one capped forecast an instrument."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import pandas as pd

from trading.systems.cross_section import CrossSection
from trading.systems.rawdata import RawData
from trading.systems.rules.registry import INPUTS, inputs_of, rule_function
from trading.systems.stage import SystemStage

_WEIGHT_SMOOTHING = 125  # span in business days


class Rules(SystemStage):
    """Raw forecasts of each rule."""

    name = "rules"
    needs = ("rawdata", "crossSection")

    def raw_forecast(self, code: str, rule: str) -> pd.Series:
        """One rule's own opinion, each business day."""
        def compute() -> pd.Series:
            config = self.system.config.forecast_rules[rule]
            function, settings = rule_function(config.rule), config.settings
            inputs = {name: self._input(name, code, settings) for name in inputs_of(function)}
            own = {name: value for name, value in settings.items() if name in signature(function).parameters}
            return function(**inputs, **own)
        return self.kept(f"raw_forecast {rule}", code, compute)

    def _input(self, name: str, code: str, settings: Mapping[str, Any]) -> pd.Series:
        """One of the registry's inputs for `code`."""
        raw, others = self.system.stage(RawData), self.system.stage(CrossSection)
        given: dict[str, Callable[..., pd.Series]] = {
            "price": raw.daily_prices, "volatility": raw.daily_volatility, "raw_carry": raw.raw_carry,
            "percentage_returns": raw.percentage_returns, "normalised_price": raw.normalised_price,
            "smooth_carry": others.smooth_carry, "asset_class_price": others.asset_class_price,
            "asset_class_carry": others.asset_class_carry, "skew_above_usual": others.skew_above_usual,
            "skew_above_class": others.skew_above_class}
        return given[name](code, *(settings[setting] for setting in INPUTS[name]))


class ForecastScaleCap(SystemStage):
    """Forecasts on one scale: ten on average, never beyond the cap."""

    name = "forecastScaleCap"
    needs = ("rules",)

    def capped_forecast(self, code: str, rule: str) -> pd.Series:
        def compute() -> pd.Series:
            config = self.system.config
            scaled = self.system.stage(Rules).raw_forecast(code, rule) * config.forecast_rules[rule].scalar
            return scaled.clip(-config.forecast_cap, config.forecast_cap)
        return self.kept(f"capped_forecast {rule}", code, compute)


class CombineForecasts(SystemStage):
    """The weighted sum of all rules, diversification put back, capped again."""

    name = "combForecast"
    needs = ("forecastScaleCap",)

    def combined_forecast(self, code: str) -> pd.Series:
        """One forecast a business day, from minus to plus the cap."""
        def compute() -> pd.Series:
            config = self.system.config
            forecasts = self._forecasts(code)
            combined = (forecasts * self.forecast_weights(code)).sum(axis=1, min_count=1)
            return (combined * config.forecast_div_multiplier).clip(-config.forecast_cap, config.forecast_cap)
        return self.kept("combined_forecast", code, compute)

    def forecast_weights(self, code: str) -> pd.DataFrame:
        """The weight of each rule: those without a forecast yet count nothing, the rest add up to one; smoothed."""
        def compute() -> pd.DataFrame:
            fixed = pd.Series({name: rule.weight for name, rule in self.system.config.forecast_rules.items()})
            available = self._forecasts(code).notna() * fixed
            shares = available.div(available.sum(axis=1).where(lambda total: total > 0), axis=0)
            return shares.fillna(0.0).resample("1B").mean().ewm(span=_WEIGHT_SMOOTHING).mean()
        return self.kept("forecast_weights", code, compute)

    def _forecasts(self, code: str) -> pd.DataFrame:
        """Capped forecasts of all rules side by side; an old opinion holds until there is a new one."""
        stage = self.system.stage(ForecastScaleCap)
        return pd.DataFrame({rule: stage.capped_forecast(code, rule)
                             for rule in self.system.config.forecast_rules}).ffill()
