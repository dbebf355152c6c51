"""Limits that nobody has typed: by formula, or not at all."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.risk.automatic_limits import (
    SizingFacts,
    instrument_limit,
    order_size_limit,
    standard_position,
    strategy_limit,
    trade_limit,
    usual_position_limit,
    usual_trade_limit,
)
from trading.risk.settings import AutomaticSettings
from trading.risk.trade_limits import DAY, MONTH, Bucket

SETTINGS = AutomaticSettings()
FACTS = SizingFacts(capital=1_000_000, annual_risk_per_contract=20_000, notional_per_contract=100_000, adv=5_000,
                    best_contract_volume=9_000, exchange_limit=math.inf, top_of_book=6)


def test_the_standard_position_is_that_of_the_system_that_we_replace() -> None:
    # by risk 1m x 0.25 x 2.5 x 0.1 / 20,000 = 3.125; by leverage 0.5 x 1m / 100,000 = 5
    assert standard_position(FACTS, SETTINGS) == pytest.approx(3.125)
    assert standard_position(replace(FACTS, notional_per_contract=250_000.0), SETTINGS) == pytest.approx(2.0)


def test_the_usual_limits_follow_the_standard_position() -> None:
    assert usual_position_limit(FACTS, SETTINGS) == 7               # ceil(6.25)
    assert usual_trade_limit(FACTS, 1, SETTINGS) == 4               # at least 4
    assert usual_trade_limit(FACTS, 30, SETTINGS) == 6              # ceil(3.125 x 0.33 x 5.477) = ceil(5.65)


def test_a_tiny_account_may_hold_one_contract() -> None:
    assert usual_position_limit(replace(FACTS, capital=1_000.0), SETTINGS) == 1


def test_the_newer_caps_bind_when_they_are_set() -> None:
    capped = replace(SETTINGS, concentration_share=0.2, volume_share=0.01)
    assert usual_position_limit(FACTS, capped) == 2                 # 0.2 x 250,000 / 20,000 = 2.5
    assert usual_position_limit(replace(FACTS, best_contract_volume=None), capped) is None


@pytest.mark.parametrize(("change", "manual", "limit"), [
    ({}, None, 1),                                                  # 0.1 x 250,000 / 20,000 = 1.25
    ({"annual_risk_per_contract": 100.0}, None, 50),                # 1% of 5,000 a day
    ({"annual_risk_per_contract": 100.0, "exchange_limit": 40.0}, None, 20),
    ({"annual_risk_per_contract": 100.0}, 12, 12),
    ({}, 12, 1)])
def test_the_instrument_limit_is_the_least_of_its_bounds(change: dict[str, float], manual: int | None,
                                                         limit: int) -> None:
    assert instrument_limit(replace(FACTS, **change), manual, SETTINGS) == limit


def test_the_limit_of_a_strategy_is_its_share() -> None:
    assert strategy_limit(10, 0.35) == 3
    assert strategy_limit(10, 0.3) == 3


@pytest.mark.parametrize(("bucket", "window", "usual", "limit"), [
    (Bucket.TRADES, DAY, 1.0, 3), (Bucket.TRADES, DAY, 2.2, 5), (Bucket.TRADES, MONTH, 2.2, 22),
    (Bucket.TRADES, MONTH, 0.1, 3), (Bucket.ROLLS, DAY, -5, 15), (Bucket.ROLLS, MONTH, 5, 15)])
def test_trade_limits_follow_the_usual_position(bucket: Bucket, window: object, usual: float, limit: int) -> None:
    assert trade_limit(usual, bucket, DAY if window == DAY else MONTH, SETTINGS) == limit


@pytest.mark.parametrize(("top", "adv", "limit"), [(6.0, 50_000.0, 6), (60.0, 50_000.0, 10), (60.0, 4_000.0, 4),
                                                   (0.5, 100.0, 1)])
def test_the_size_of_an_order_follows_the_book(top: float, adv: float, limit: int) -> None:
    assert order_size_limit(replace(FACTS, top_of_book=top, adv=adv), SETTINGS) == limit


@given(st.sampled_from(["capital", "annual_risk_per_contract", "adv", "exchange_limit"]),
       st.sampled_from([None, math.nan, 0.0, -1.0]))
def test_no_number_is_made_up_for_what_is_unknown(field: str, value: float | None) -> None:
    assert instrument_limit(replace(FACTS, **{field: value}), 5, SETTINGS) is None


@pytest.mark.parametrize("value", [None, math.nan])
def test_an_unknown_input_leaves_every_other_limit_unset(value: float | None) -> None:
    unknown = replace(FACTS, capital=value, top_of_book=value)
    assert [usual_position_limit(unknown, SETTINGS), usual_trade_limit(unknown, 1, SETTINGS),
            order_size_limit(unknown, SETTINGS), trade_limit(value, Bucket.TRADES, DAY, SETTINGS),
            strategy_limit(5, value), strategy_limit(None, 0.5)] == [None] * 6
