"""The stages rules and forecastScaleCap: from prices to capped forecasts, one a rule and instrument."""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import numpy as np
import pandas as pd

from trading.systems.cross_section import CrossSection
from trading.systems.daily import side_by_side
from trading.systems.rawdata import RawData
from trading.systems.rules.own_rule import forecast_of_own_rule
from trading.systems.rules.registry import INPUTS, RULES, inputs_of, rule_function
from trading.systems.stage import SystemStage

_AVERAGE_FORECAST = 10.0
_SCALAR_DAYS = 500  # business days with a forecast, before a scalar is estimated


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
            if config.rule in RULES:
                return function(**inputs, **own)
            return forecast_of_own_rule(f"{rule} ({config.rule}) in {code}", function, {**inputs, **own})
        return self.get_interim(f"raw_forecast {rule}", code, compute)

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
    """Forecasts on one scale: ten on average, never beyond the cap (pysystemtrade.md 4.4, 4.5)."""

    name = "forecastScaleCap"
    needs = ("rules", "rawdata")

    def capped_forecast(self, code: str, rule: str) -> pd.Series:
        """Not kept: it costs less to make it again than the memory of it."""
        cap, scaled = self.system.config.forecast_cap, self.scaled_forecast(code, rule)
        return pd.Series(np.clip(scaled.to_numpy(), -cap, cap), index=scaled.index)

    def capped_forecasts(self, code: str) -> pd.DataFrame:
        """Of all rules side by side; an old opinion holds until there is a new one."""
        return self.get_interim("capped_forecasts", code, lambda: side_by_side(
            {rule: self.capped_forecast(code, rule) for rule in self.system.config.forecast_rules}).ffill())

    def scaled_forecast(self, code: str, rule: str) -> pd.Series:
        """Not capped yet; unknown while an estimated scalar is."""
        config, raw = self.system.config.forecast_rules[rule], self._raw(code, rule)
        if isinstance(config.scalar, float):
            return raw * config.scalar
        return raw * self.forecast_scalar(code, rule).reindex(raw.index, method="ffill")

    def forecast_scalar(self, code: str, rule: str) -> pd.Series:
        """What makes the forecasts of `rule` until each day ten on average; of all instruments if it is pooled."""
        is_pooled = self.system.config.forecast_rules[rule].scalar == "pooled"
        return self.get_item(f"scalar {rule}", "" if is_pooled else code,
                         lambda: self._estimated(None if is_pooled else (code,), rule))

    def _estimated(self, codes: tuple[str, ...] | None, rule: str) -> pd.Series:
        typical = pd.DataFrame(self.of_each(lambda code: self._raw(code, rule).abs(), codes)).median(axis=1)
        scalar: pd.Series = _AVERAGE_FORECAST / typical.expanding(min_periods=_SCALAR_DAYS).mean()
        return scalar if self.system.config.chosen_conventions.scalars_know_no_future else scalar.bfill()

    def _raw(self, code: str, rule: str) -> pd.Series:
        raw = self.system.stage(Rules).raw_forecast(code, rule)
        if not self.system.config.forecast_rules[rule].attenuated:
            return raw
        return raw * self.system.stage(RawData).attenuation(code).reindex(raw.index, method="ffill").fillna(1.0)
