"""What is watched all the time, and what it asks for together."""

import math
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_proposals import NOW, SETTINGS, a_snapshot

from trading.risk.check import Outcome, Severity
from trading.risk.controls.watch import (
    LossReading,
    NavTrack,
    nav_after,
    rc_22_monitor,
    rc_24,
    rc_25,
    rc_26,
    rc_27,
    rc_29,
    rc_42,
    rc_44,
)
from trading.risk.kill_level import Cause, KillLevel
from trading.risk.monitors import wanted
from trading.risk.overrides import CLOSE, NO_OVERRIDE, REDUCE_ONLY, Override

ACCOUNT, FLOW = SETTINGS.account, SETTINGS.flow
MINUTE = timedelta(minutes=1)
K2, K3 = KillLevel.K2_NO_NEW_RISK, KillLevel.K3_HALT


@pytest.mark.parametrize(("minutes", "level"), [
    ((), None), ((10,), None), ((10.1,), K2), ((1, 1), None), ((0, 0, 0), K2)])
def test_orders_of_unknown_fate_stop_new_risk(minutes: tuple[float, ...], level: KillLevel | None) -> None:
    assert rc_22_monitor([each * MINUTE for each in minutes], FLOW).level is level


def track(*readings: float, good: float | None = 100.0) -> NavTrack:
    state = NavTrack(good=good)
    for reading in readings:
        state = nav_after(state, reading, ACCOUNT)
    return state


def test_one_bad_reading_of_equity_halts_nothing_and_is_not_believed() -> None:
    # Forven PR 92: one bad read made a false halt
    check = rc_24(track(100, 40), ACCOUNT)
    assert (check.outcome, check.cause, check.level) == (Outcome.HOLD, Cause.DATA, None)
    assert track(100, 40).good == 100


@pytest.mark.parametrize(("readings", "good", "sound"), [
    ((109,), 109, True), ((111,), 100, False), ((111, 111, 111), 111, True), ((40, 40), 100, False),
    ((40, 100, 100), 100, False), ((40, 100, 100, 100), 100, True), ((math.nan,), 100, False),
    ((math.nan, 100, 100, 100), 100, True), ((40, 40, math.nan, 40, 40), 100, False), ((0, -5), 100, False)])
def test_a_moved_equity_is_believed_after_three_consistent_readings(readings: tuple[float, ...], good: float,
                                                                    sound: bool) -> None:
    state = track(*readings)
    assert (state.good, state.is_sound) == (good, sound)


@given(st.lists(st.one_of(st.floats(1, 1000), st.just(math.nan)), max_size=30))
def test_the_good_equity_moves_far_only_with_three_readings_that_agree(readings: list[float]) -> None:
    state = NavTrack(good=100.0)
    for index, reading in enumerate(readings):
        after = nav_after(state, reading, ACCOUNT)
        if after.good != state.good and state.good is not None and abs(reading - state.good) > 0.1 * state.good:
            last = readings[index - 2:index + 1]
            assert len(last) == 3
            assert all(abs(b - a) <= 0.1 * a for a, b in pairwise(last))
        state = after


def losses(*returns: float, apart_s: float = 20) -> list[LossReading]:
    return [LossReading(at=NOW + timedelta(seconds=apart_s * index), day_return=each)
            for index, each in enumerate(returns)]


@pytest.mark.parametrize(("readings", "level", "severity"), [
    (losses(-0.01), None, Severity.INFO), (losses(-0.02), None, Severity.WARNING),
    (losses(-0.03, -0.03), None, Severity.WARNING), (losses(-0.03, -0.03, -0.03), K2, Severity.CRITICAL),
    (losses(-0.06, -0.06, -0.03), K2, Severity.CRITICAL), (losses(-0.05, -0.05, -0.05), K3, Severity.CRITICAL),
    (losses(-0.05, -0.01, -0.05, -0.05), None, Severity.WARNING),
    (losses(-0.05, -0.05, -0.05, apart_s=9), None, Severity.WARNING),
    (losses(*[-0.05] * 7, apart_s=9), K3, Severity.CRITICAL), (losses(0.05), None, Severity.INFO)])
def test_a_daily_loss_is_confirmed_before_it_stops_trading(readings: list[LossReading], level: KillLevel | None,
                                                           severity: Severity) -> None:
    check = rc_25(readings, ACCOUNT)
    assert (check.level, check.severity) == (level, severity)


@pytest.mark.parametrize("readings", [[], losses(math.nan)])
def test_an_unknown_result_of_the_day_holds_new_risk(readings: list[LossReading]) -> None:
    assert rc_25(readings, ACCOUNT).outcome is Outcome.HOLD


@pytest.mark.parametrize(("nav", "override"), [
    (86.0, None), (85.0, Override(factor=0.5)), (75.0, REDUCE_ONLY), (65.0, CLOSE), (1.0, CLOSE)])
def test_a_drawdown_shrinks_then_reduces_then_closes(nav: float, override: Override | None) -> None:
    assert rc_26(nav, 100.0, ACCOUNT).override == override


@pytest.mark.parametrize(("nav", "high"), [(math.nan, 100.0), (80.0, 0.0)])
def test_an_unknown_drawdown_holds_new_risk(nav: float, high: float) -> None:
    assert rc_26(nav, high, ACCOUNT).outcome is Outcome.HOLD


@pytest.mark.parametrize(("result", "override"), [(-300.0, None), (-301.0, REDUCE_ONLY), (500.0, None),
                                                  (math.nan, REDUCE_ONLY)])
def test_a_strategy_that_loses_beyond_expectation_only_reduces(result: float, override: Override | None) -> None:
    assert rc_27("trend", result, 100.0, ACCOUNT).override == override


@pytest.mark.parametrize(("skew", "jump", "outcome"), [
    (1.0, -1.0, Outcome.PASS), (1.1, 0.0, Outcome.HOLD), (-1.1, 0.0, Outcome.HOLD), (0.0, 3600.0, Outcome.HOLD)])
def test_a_clock_that_is_off_holds_new_risk(skew: float, jump: float, outcome: Outcome) -> None:
    system = replace(a_snapshot().system, clock_skew=timedelta(seconds=skew), clock_jump=timedelta(seconds=jump))
    assert rc_29(system, SETTINGS).outcome is outcome


def test_a_clock_that_nobody_has_compared_holds_new_risk() -> None:
    check = rc_29(replace(a_snapshot().system, clock_skew=None), SETTINGS)
    assert check.sentence == "The skew of the clock is unknown; 1 s are allowed. New risk waits."


@pytest.mark.parametrize(("minutes", "in_hours", "level"), [(14, True, None), (15, True, K2), (60, False, None),
                                                            (None, True, None)])
def test_knight_97_emails_that_nobody_reads_stop_new_risk(minutes: int | None, in_hours: bool,
                                                          level: KillLevel | None) -> None:
    age = None if minutes is None else minutes * MINUTE
    assert rc_42(age, in_trading_hours=in_hours, settings=ACCOUNT).level is level


@pytest.mark.parametrize(("position", "minutes", "in_session", "severity"), [
    (2, 9, True, Severity.INFO), (2, 10, True, Severity.CRITICAL), (2, None, True, Severity.CRITICAL),
    (0, 60, True, Severity.INFO), (2, 60, False, Severity.INFO)])
def test_silence_on_a_held_contract_is_told_and_flattens_nothing(position: int, minutes: int | None, in_session: bool,
                                                                 severity: Severity) -> None:
    silent = None if minutes is None else minutes * MINUTE
    check = rc_44("SP500/20260300", position, silent, in_session=in_session, settings=ACCOUNT)
    assert (check.outcome, check.severity, check.level) == (Outcome.PASS, severity, None)


def test_monitors_together_want_the_highest_level() -> None:
    checks = [rc_42(20 * MINUTE, in_trading_hours=True, settings=ACCOUNT), rc_25(losses(-0.05, -0.05, -0.05), ACCOUNT),
              rc_26(70.0, 100.0, ACCOUNT)]
    together = wanted(checks)
    assert (together.level, together.cause) == (K3, Cause.CONTROL)
    assert [check.control for check in together.reasons] == ["RC-25"]
    assert together.override == REDUCE_ONLY


def test_data_alone_wants_a_level_that_may_fall_by_itself() -> None:
    together = wanted([rc_24(track(40), ACCOUNT)])
    assert (together.level, together.cause) == (K2, Cause.DATA)


def test_data_beside_a_loss_wants_a_level_that_only_a_person_lowers() -> None:
    together = wanted([rc_24(track(40), ACCOUNT), rc_25(losses(-0.03, -0.03, -0.03), ACCOUNT)])
    assert (together.level, together.cause) == (K2, Cause.CONTROL)


def test_the_loss_of_one_strategy_shrinks_no_other() -> None:
    assert wanted([rc_27("trend", -999.0, 1.0, ACCOUNT)]).override == NO_OVERRIDE


def test_when_all_is_well_nothing_is_wanted() -> None:
    together = wanted([rc_25(losses(0.01), ACCOUNT), rc_26(100.0, 100.0, ACCOUNT)])
    assert (together.level, together.reasons, together.alerts) == (KillLevel.K0_NORMAL, (), ())


def test_the_loudest_alert_comes_first() -> None:
    together = wanted([rc_24(track(40), ACCOUNT), rc_26(70.0, 100.0, ACCOUNT)])
    assert [check.control for check in together.alerts] == ["RC-26", "RC-24"]
