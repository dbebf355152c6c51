"""No number of a system knows what comes later: cut the data, and all that was before stays as it was."""

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_market import RULES, MadeSimData, a_system, wandering

from trading.systems.accounts import Accounts
from trading.systems.optimised_positions import OptimisedPositions
from trading.systems.portfolio import Portfolio
from trading.systems.risk_overlay import RiskOverlay

DAYS = 420
WHOLE = {"A": wandering(DAYS), "B": wandering(DAYS, 60.0) * 1.5, "C": wandering(300, 30.0, start="2024-06-17")}
ESTIMATED = {name: rule | {"scalar": "pooled"} for name, rule in RULES.items()}
KINDS: dict[str, dict[str, Any]] = {
    "fixed": {}, "estimated scalars": {"forecast_rules": ESTIMATED},
    "overlay": {"risk_overlay": {"normal_risk": 0.5, "leverage": 1.0}},
    "dear rules": {"forecast_threshold": {"instruments": ["A"], "threshold": 5.0}},
    "buffers by forecast": {"buffer_method": "forecast"}}


def until(day: int) -> MadeSimData:
    last = WHOLE["A"].index[day - 1]
    return MadeSimData({code: prices[prices.index <= last] for code, prices in WHOLE.items()}, slippage=0.02)


@pytest.mark.parametrize("kind", KINDS)
@given(day=st.integers(380, DAYS - 1))
@settings(max_examples=4)
def test_what_comes_later_changes_no_position(kind: str, day: int) -> None:
    early, late = (a_system(until(end), **KINDS[kind]) for end in (day, DAYS))
    for code in WHOLE:
        for ours in ("notional_position", "held_position"):
            before, after = (getattr(system.stage(Portfolio), ours)(code) for system in (early, late))
            pd.testing.assert_series_equal(before, after.reindex(before.index), check_freq=False, rtol=1e-9)


@given(day=st.integers(380, DAYS - 1))
@settings(max_examples=3)
def test_what_comes_later_changes_no_whole_contracts(day: int) -> None:
    early, late = (a_system(until(end), small_account={"shadow_cost": 1.0}, notional_trading_capital=50_000.0)
                   .stage(OptimisedPositions).positions() for end in (day, DAYS))
    pd.testing.assert_frame_equal(early, late.reindex(early.index), check_freq=False)
    assert (late.abs().sum() > 0).any()


@given(day=st.integers(380, DAYS - 1))
@settings(max_examples=3)
def test_what_comes_later_changes_no_gain(day: int) -> None:
    early, late = (a_system(until(end)).stage(Accounts) for end in (day, DAYS))
    before, after = early.portfolio().net, late.portfolio().net
    pd.testing.assert_series_equal(before, after.reindex(before.index), check_freq=False, rtol=1e-9)


def test_the_overlay_only_ever_shrinks_and_keeps_to_its_limits() -> None:
    limits = {"normal_risk": 0.4, "shocked_risk": 0.6, "sum_of_risks": 0.5, "leverage": 1.0}
    overlay = a_system(until(DAYS), risk_overlay=limits).stage(RiskOverlay)
    multiplier = overlay.multiplier()
    assert 0 < multiplier.min() < multiplier.max() <= 1
    risks = overlay.risks()
    shares = multiplier.reindex(overlay.days())
    for risk, share in zip(risks, shares, strict=True):
        assert risk.normal * share <= 0.4 * 0.2 * (1 + 1e-9)
        assert risk.shocked * share <= 0.6 * 0.2 * (1 + 1e-9)
        assert risk.sum_of_risks * share <= 0.5 * 0.2 * (1 + 1e-9)
        assert risk.leverage * share <= 1.0 * (1 + 1e-9)


def test_without_an_overlay_nothing_shrinks() -> None:
    assert (a_system(until(DAYS)).stage(RiskOverlay).multiplier() == 1.0).all()
