"""RULES: the word in the settings to the rule, fed with what it needs of the raw data. A new rule is one line here."""

from collections.abc import Callable, Mapping
from typing import Final

import pandas as pd

from trading.systems.rawdata import RawData
from trading.systems.rules.breakout import breakout
from trading.systems.rules.carry import carry
from trading.systems.rules.ewmac import ewmac
from trading.systems.system_config import RuleConfig

Rule = Callable[[RawData, str, RuleConfig], pd.Series]  # raw data, instrument, settings


def _ewmac(raw: RawData, code: str, settings: RuleConfig) -> pd.Series:
    assert settings.fast is not None  # RuleConfig has checked it
    assert settings.slow is not None
    return ewmac(raw.daily_prices(code), raw.daily_volatility(code), settings.fast, settings.slow)


def _carry(raw: RawData, code: str, settings: RuleConfig) -> pd.Series:
    assert settings.smooth_days is not None
    return carry(raw.raw_carry(code), settings.smooth_days)


def _breakout(raw: RawData, code: str, settings: RuleConfig) -> pd.Series:
    assert settings.lookback is not None
    return breakout(raw.daily_prices(code), settings.lookback)


RULES: Final[Mapping[str, Rule]] = {"ewmac": _ewmac, "carry": _carry, "breakout": _breakout}
