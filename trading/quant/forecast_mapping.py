"""Forecasts that say nothing until they are strong: zero below a threshold, then steeper, up to the cap. Pure.

For accounts too small to follow weak forecasts with whole contracts. The slope is such that normally distributed
forecasts keep their average size.
Source: pysystemtrade's numbers in the oracle (13_buffers/forecast_mapping): the threshold is linear in the height.
"""

from dataclasses import dataclass

import numpy as np

from trading.quant.arrays import Vector

_RISE, _AT_NO_HEIGHT = 22.263, -19.811  # the threshold is this much higher a unit of height


@dataclass(frozen=True, kw_only=True)
class ForecastMapping:
    """`threshold` and `cap` are forecasts; at the cap the mapped one is `height` times as large."""

    threshold: float
    height: float
    cap: float = 20.0

    @property
    def slope(self) -> float:
        """Of the mapped forecast between threshold and cap."""
        return self.height * self.cap / (self.cap - self.threshold)

    def mapped(self, forecasts: Vector) -> Vector:
        """Shape as given; NaN stays NaN."""
        above = np.clip(np.abs(forecasts), self.threshold, self.cap) - self.threshold
        return np.asarray(np.sign(forecasts) * self.slope * above, dtype=float)


def mapping_of_height(height: float, cap: float = 20.0) -> ForecastMapping:
    """The mapping that keeps the average size of forecasts with the usual average of 10.

    Args:
        height: above 0.89 and below 1.78, where the threshold reaches 0 and the cap of 20.

    Raises:
        ValueError: `height` lies outside.
    """
    threshold = _RISE * height + _AT_NO_HEIGHT
    if not 0 <= threshold < cap:
        raise ValueError(f"a height of {height} puts the threshold at {threshold:.2f}, outside 0 to {cap:g}")
    return ForecastMapping(threshold=threshold, height=height, cap=cap)


def mapping_of_threshold(threshold: float, cap: float = 20.0) -> ForecastMapping:
    """The same by its threshold, from 0 to below `cap`."""
    return mapping_of_height((threshold - _AT_NO_HEIGHT) / _RISE, cap)
