"""The trading rules on small series whose answer is known by hand."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest
from made_market import prices, wandering

from trading.systems.rules.breakout import breakout
from trading.systems.rules.carry import carry
from trading.systems.rules.ewmac import ewmac
from trading.systems.rules.registry import RULES
from trading.systems.system_config import RuleConfig


def test_every_rule_of_the_settings_is_registered() -> None:
    assert set(get_args(RuleConfig.model_fields["rule"].annotation)) == set(RULES)


def test_ewmac_of_two_days_by_hand() -> None:
    # spans 1 and 3: weights (0, 1) and (1/2, 1) / 1.5 on prices 10, 13; volatility 2
    forecast = ewmac(prices([10, 13]), prices([2, 2]), fast=1, slow=3)
    assert forecast.tolist() == pytest.approx([0.0, (13 - (0.5 * 10 + 13) / 1.5) / 2])


def test_ewmac_does_not_care_where_zero_lies() -> None:
    price, volatility = wandering(), prices(np.full(200, 1.3))
    pd.testing.assert_series_equal(ewmac(price - 500, volatility, 4, 16), ewmac(price, volatility, 4, 16), rtol=1e-9)


def test_a_constant_price_has_no_trend() -> None:
    assert (ewmac(prices([5.0] * 40), prices([1.0] * 40), 4, 16) == 0).all()


def test_breakout_of_a_steady_rise_stays_at_the_top_of_the_range() -> None:
    assert breakout(prices(range(50)), lookback=4).iloc[-1] == pytest.approx(20.0)


def test_breakout_in_the_middle_of_the_range_is_nothing() -> None:
    # no smoothing with a lookback of 4: the last of 0, 2, 4, 2 lies half way
    assert breakout(prices([0, 2, 4, 2]), lookback=4).iloc[-1] == pytest.approx(0.0)


def test_breakout_without_a_range_is_unknown() -> None:
    assert breakout(prices([7.0] * 30), lookback=10).isna().all()


def test_breakout_of_a_series_shorter_than_half_its_lookback_answers_from_the_last_day_on() -> None:
    assert breakout(prices([1, 2, 3]), lookback=20).isna().tolist() == [True, True, True]


def test_carry_is_smoothed_with_a_centre_of_mass() -> None:
    # centre of mass 1: weights (1/2, 1) / 1.5
    assert carry(prices([0.3, 0.6]), smooth_days=1).tolist() == pytest.approx([0.3, (0.15 + 0.6) / 1.5])
