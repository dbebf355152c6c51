"""CrossSection: an instrument beside the others of its asset class. Instruments with broken data are not counted."""

from collections.abc import Callable

import pandas as pd

from trading.systems.rawdata import RawData
from trading.systems.stage import SystemStage

_CARRY_SMOOTHING = 90  # centre of mass in business days
_LONG = 256 * 15  # centre of mass in business days of what is usual


class CrossSection(SystemStage):
    """Source of the formulas: pysystemtrade.md 4.3."""

    name = "crossSection"
    needs = ("rawdata",)

    def asset_class_price(self, code: str) -> pd.Series:
        """What the median instrument of the asset class of `code` has moved, in units of daily volatility, added up."""
        raw = self.system.stage(RawData)
        return self._of_class("price", code, lambda each: raw.normalised_price(each).diff(),
                              lambda moves: moves.median(axis=1).cumsum())

    def asset_class_carry(self, code: str) -> pd.Series:
        """The smoothed carry of the median instrument of the asset class of `code`."""
        return self._of_class("carry", code, self.smooth_carry, lambda carries: carries.ffill().median(axis=1))

    def smooth_carry(self, code: str) -> pd.Series:
        """Carry of `code`, smoothed."""
        return self.system.stage(RawData).raw_carry(code).ewm(com=_CARRY_SMOOTHING).mean()

    def skew_above_usual(self, code: str, days: int) -> pd.Series:
        """How much less negative skew than all instruments usually had: minus the skew of `days`, above its average."""
        usual = self.get_item(f"usual skew {days}", "", lambda: pd.DataFrame(self.of_each(
            lambda each: self._negative_skew(each, days))).ffill().mean(axis=1).ewm(com=_LONG).mean())
        skew = self._negative_skew(code, days)
        return skew - usual.reindex(skew.index, method="ffill")

    def skew_above_class(self, code: str, days: int) -> pd.Series:
        """Minus the skew of `days`, above that of the asset class on the same day."""
        others = self._of_class(f"skew {days}", code, lambda each: self._negative_skew(each, days),
                                lambda skews: skews.ffill().mean(axis=1))
        skew = self._negative_skew(code, days)
        return skew - others.reindex(skew.index, method="ffill")

    def _negative_skew(self, code: str, days: int) -> pd.Series:
        raw = self.system.stage(RawData)
        return self.get_item(f"negative_skew {days}", code, lambda: -raw.percentage_returns(code).rolling(
            f"{days}D", min_periods=10).skew())

    def _of_class(self, item: str, code: str, each: Callable[[str], pd.Series],
                  together: Callable[[pd.DataFrame], pd.Series]) -> pd.Series:
        name = self.system.data.instrument(code).asset_class

        def compute() -> pd.Series:
            alike = [other for other, found in self.of_each(self.system.data.instrument).items()
                     if found.asset_class == name]
            return together(pd.DataFrame(self.of_each(each, alike)))
        return self.get_item(item, f"class {name}", compute)
