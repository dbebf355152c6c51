"""Each control of a decision, at its boundary."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from made_proposals import (
    FORWARD,
    FRONT,
    INSTRUMENT,
    NOW,
    SETTINGS,
    a_proposal,
    a_roll,
    a_snapshot,
    at_level,
    session,
    with_activity,
    with_facts,
)

from trading.risk.check import Outcome
from trading.risk.controls.account import rc_23
from trading.risk.controls.decision import rc_09, rc_31, rc_32, rc_37, rc_38
from trading.risk.controls.position import rc_02, rc_03, rc_05, rc_06, rc_43
from trading.risk.controls.state import rc_01, rc_22, rc_28, rc_36
from trading.risk.exposure import Holding
from trading.risk.kill_level import Command, KillLevel, KillState, Scope, raised
from trading.risk.order_kind import OrderKind
from trading.risk.overrides import NO_OPEN, NO_TRADE, REDUCE_ONLY, Override
from trading.risk.snapshot import AccountFacts, Change, FxRate, Margin, PortfolioFacts, Snapshot

PASS, CUT, HOLD, DENY = Outcome.PASS, Outcome.CUT, Outcome.HOLD, Outcome.DENY


def test_a_pause_of_a_strategy_lets_it_close_though_the_account_then_holds_more() -> None:
    # given a strategy that is long 2 of a net of -3
    anna = Command(who="anna", why="x", when=NOW)
    kill = raised(KillState(), KillLevel.K1_PAUSE_SCOPE, anna, Scope(strategy="trend"))
    snapshot = a_snapshot(holding=Holding(position=-3))
    snapshot = replace(snapshot, system=replace(snapshot.system, kill=kill))
    assert rc_01(a_proposal(-2), snapshot, SETTINGS).outcome is PASS
    assert rc_01(a_proposal(1), snapshot, SETTINGS).outcome is DENY


@pytest.mark.parametrize(("quantity", "outcome", "allowed"), [
    (1, DENY, 0), (-2, PASS, -2), (-5, CUT, -2)])
def test_no_new_risk_cuts_a_turn_to_its_closing_part(quantity: int, outcome: Outcome, allowed: int) -> None:
    check = rc_01(a_proposal(quantity), at_level(a_snapshot(2), KillLevel.K2_NO_NEW_RISK), SETTINGS)
    assert (check.outcome, check.allowed) == (outcome, allowed)


def test_a_halt_cuts_nothing_but_denies() -> None:
    assert rc_01(a_proposal(-5), at_level(a_snapshot(2), KillLevel.K3_HALT), SETTINGS).outcome is DENY
    flatten = a_proposal(-5, kind=OrderKind.FLATTEN)
    assert rc_01(flatten, at_level(a_snapshot(2), KillLevel.K3_HALT), SETTINGS).outcome is DENY


def test_no_new_risk_lets_a_spread_roll_through() -> None:
    assert rc_01(a_roll(), at_level(a_snapshot(), KillLevel.K2_NO_NEW_RISK), SETTINGS).outcome is PASS


@pytest.mark.parametrize(("unknown", "outcome"), [(0, PASS), (1, HOLD), (None, HOLD)])
def test_an_order_of_unknown_fate_holds_the_next(unknown: int | None, outcome: Outcome) -> None:
    assert rc_22(a_proposal(), with_activity(a_snapshot(), unknown_contract=unknown), SETTINGS).outcome is outcome


@pytest.mark.parametrize("change", [{"reconciled_epoch": 6}, {"reconciled_epoch": None}, {"is_day_reconciled": False}])
def test_nothing_is_traded_before_reconciliation(change: dict[str, int | None]) -> None:
    snapshot = a_snapshot()
    snapshot = replace(snapshot, system=replace(snapshot.system, **change))  # type: ignore[arg-type]  # names fields
    assert rc_28(a_proposal(-2), snapshot, SETTINGS).outcome is DENY


def test_a_contract_that_is_another_at_the_broker_is_not_traded() -> None:
    facts = INSTRUMENT.contracts[FRONT]
    assert facts.terms is not None
    wrong = replace(facts, broker_terms=replace(facts.terms, multiplier=Decimal(5)))
    snapshot = with_facts(a_snapshot(), contracts={**INSTRUMENT.contracts, FRONT: wrong})
    assert rc_36(a_proposal(-2), snapshot, SETTINGS).outcome is DENY
    assert rc_36(a_roll(), snapshot, SETTINGS).outcome is DENY
    assert rc_36(a_proposal(contract=FORWARD), snapshot, SETTINGS).outcome is PASS


@pytest.mark.parametrize(("override", "quantity", "allowed"), [
    (Override(), 4, 4), (Override(factor=0.5), 4, 1), (Override(factor=0.5), -2, -2), (NO_OPEN, 4, 0),
    (NO_OPEN, -6, -2), (REDUCE_ONLY, -6, -2), (NO_TRADE, -2, 0)])
def test_an_override_cuts_what_a_strategy_that_holds_two_may_trade(override: Override, quantity: int,
                                                                   allowed: int) -> None:
    snapshot = with_facts(a_snapshot(), override=override)
    assert rc_02(a_proposal(quantity), snapshot, SETTINGS).allowed == allowed


def test_a_check_of_a_limit_tells_a_person_what_and_which() -> None:
    check = rc_03(a_proposal(4), with_facts(a_snapshot(), position_limit=5), SETTINGS)
    assert check.sentence == "The position limit for the instrument, SP500, of 5 lots allows +3 of +4 lots."
    unset = rc_03(a_proposal(4), with_facts(a_snapshot(), position_limit=None), SETTINGS)
    assert unset.sentence == "The position limit for the instrument, SP500, is not set and allows +0 of +4 lots."


def test_a_month_that_is_due_to_be_left_is_not_opened() -> None:
    late = replace(a_snapshot(), trading_day=INSTRUMENT.contracts[FRONT].must_be_out_by)  # type: ignore[arg-type]  # set
    check = rc_05(a_proposal(4), late, SETTINGS)
    assert check.sentence == "SP500/20260300 may hold 0 lots now: +4 lots are too many beside +2."
    assert rc_05(a_proposal(-2), late, SETTINGS).outcome is PASS
    assert rc_05(a_proposal(-3), late, SETTINGS).outcome is DENY


def portfolio(**changes: Change) -> Snapshot:
    facts = a_snapshot().portfolio
    assert isinstance(facts, PortfolioFacts)
    return replace(a_snapshot(), portfolio=replace(facts, **changes))  # type: ignore[arg-type]  # measures only


@pytest.mark.parametrize(("measure", "before", "after", "allowed"), [
    ("annual_vol", 0.30, 0.375, 4), ("annual_vol", 0.35, 0.40, 2), ("annual_vol", 0.38, 0.40, 0),
    ("class_risk_share", 0.30, 0.50, 2), ("instrument_risk_share", 0.10, 0.20, 2),
    ("gross_notional", 1.5e8, 3.5e8, 1), ("annual_vol", 0.2, math.nan, 0)])
def test_the_portfolio_cuts_pro_rata(measure: str, before: float, after: float, allowed: int) -> None:
    assert rc_06(a_proposal(4), portfolio(**{measure: Change(before=before, after=after)}), SETTINGS).allowed == allowed


@pytest.mark.parametrize(("kind", "reduce_only", "quantity", "allowed"), [
    (OrderKind.CLOSE_OUT, False, -5, -2), (OrderKind.STRATEGY, True, -5, -2), (OrderKind.STRATEGY, False, -5, -5),
    (OrderKind.FLATTEN, False, 3, 0)])
def test_orders_that_promise_to_reduce_do(kind: OrderKind, reduce_only: bool, quantity: int, allowed: int) -> None:
    proposal = a_proposal(quantity, kind=kind, reduce_only=reduce_only)
    assert rc_43(proposal, a_snapshot(), SETTINGS).allowed == allowed


@pytest.mark.parametrize(("lots", "outcome"), [(40, PASS), (41, DENY)])
def test_notional_is_compared_with_equity(lots: int, outcome: Outcome) -> None:
    # one lot is worth 50 x 4990 of 10m
    assert rc_09(a_proposal(lots, approved_by="ben"), a_snapshot(), SETTINGS).outcome is outcome


@pytest.mark.parametrize(("sigma", "approved_by", "outcome"), [
    (500.0, "", PASS), (500.1, "", HOLD), (500.1, "ben", PASS), (1000.0, "ben", PASS), (1000.1, "ben", DENY)])
def test_a_fat_finger_is_held_then_denied(sigma: float, approved_by: str, outcome: Outcome) -> None:
    # 4 lots x 50 x 500 are 1% of 10m
    snapshot = with_facts(a_snapshot(), sigma_d=sigma)
    assert rc_09(a_proposal(4, approved_by=approved_by), snapshot, SETTINGS).outcome is outcome


def test_short_rates_may_be_exempt_from_notional() -> None:
    exempt = replace(SETTINGS, size=replace(SETTINGS.size, notional_exempt=frozenset({"SP500"})))
    assert rc_09(a_proposal(41), with_facts(a_snapshot(), sigma_d=5.0), exempt).outcome is PASS


def test_risk_is_measured_in_the_base_currency() -> None:
    snapshot = with_facts(a_snapshot(), currency="JPY", fx=FxRate(rate=0.01, at=NOW))
    assert rc_09(a_proposal(4), snapshot, SETTINGS).number == pytest.approx(4 * 50 * 50 * 0.01 / 1e7)


@pytest.mark.parametrize(("hours", "outcome"), [(30, PASS), (31, DENY), (120, DENY)])
def test_a_decision_older_than_a_trading_day_is_stale(hours: int, outcome: Outcome) -> None:
    # it is 15:00, sessions begin at 09:00: 30 hours ago is the begin of yesterday's
    proposal = a_proposal(decided_at=NOW - timedelta(hours=hours), price_at=NOW)
    assert rc_31(proposal, a_snapshot(), SETTINGS).outcome is outcome


@pytest.mark.parametrize(("hours", "outcome"), [(54, PASS), (55, DENY)])
def test_a_price_older_than_two_sessions_is_stale(hours: int, outcome: Outcome) -> None:
    assert rc_31(a_proposal(price_at=NOW - timedelta(hours=hours)), a_snapshot(), SETTINGS).outcome is outcome


def test_a_price_from_before_all_sessions_that_we_know_is_of_unknown_age() -> None:
    snapshot = with_facts(a_snapshot(), sessions=(session(1), session(0)))
    check = rc_31(a_proposal(price_at=NOW - timedelta(days=9)), snapshot, SETTINGS)
    assert check.sentence.startswith("The age of the price of the decision is unknown")


def test_a_weekend_makes_no_decision_stale() -> None:
    # given sessions on Friday and Monday only, and a decision on Friday night
    snapshot = with_facts(a_snapshot(), sessions=(session(5), session(0)))
    decided = NOW - timedelta(days=5) + timedelta(hours=7)
    assert rc_31(a_proposal(decided_at=decided, price_at=decided), snapshot, SETTINGS).outcome is PASS


@pytest.mark.parametrize(("previous", "target", "std", "approved_by", "outcome"), [
    (2, 14, 3.0, "", PASS), (2, 15, 3.0, "", HOLD), (2, 15, 3.0, "ben", PASS), (2, 5, 0.1, "", PASS),
    (2, 6, 0.1, "", HOLD), (2, 6, None, "", HOLD), (4, -4, 3.0, "", HOLD), (3, -4, 3.0, "", PASS),
    (0, 8, 3.0, "", PASS), (None, 8, 3.0, "", DENY)])
def test_a_target_that_jumps_waits_for_a_person(previous: int | None, target: int, std: float | None, approved_by: str,
                                                outcome: Outcome) -> None:
    # the strategy may hold 15
    proposal = a_proposal(target=target, previous_target=previous, approved_by=approved_by)
    assert rc_32(proposal, with_facts(a_snapshot(), target_change_std=std), SETTINGS).outcome is outcome


@pytest.mark.parametrize(("age", "outcome"), [(timedelta(hours=47), PASS), (timedelta(days=2), DENY)])
def test_a_rate_of_two_days_ago_is_too_old(age: timedelta, outcome: Outcome) -> None:
    snapshot = with_facts(a_snapshot(), currency="EUR", fx=FxRate(rate=1.1, at=NOW - age))
    assert rc_37(a_proposal(), snapshot, SETTINGS).outcome is outcome
    assert rc_37(a_proposal(-2), snapshot, SETTINGS).outcome is PASS


@pytest.mark.parametrize(("now", "outcome"), [
    (datetime(2026, 3, 9, 8, tzinfo=UTC), PASS), (datetime(2026, 3, 10, 21, 59, tzinfo=UTC), PASS),
    (datetime(2026, 3, 10, 22, tzinfo=UTC), DENY)])
def test_the_rate_of_friday_is_good_on_monday(now: datetime, outcome: Outcome) -> None:
    friday = FxRate(rate=1.1, at=datetime(2026, 3, 6, 22, tzinfo=UTC))
    snapshot = replace(with_facts(a_snapshot(), currency="EUR", fx=friday), now=now)
    assert rc_37(a_proposal(), snapshot, SETTINGS).outcome is outcome


@pytest.mark.parametrize(("lots", "reason", "approved_by", "outcome"), [
    (5, "test", "", PASS), (6, "test", "", HOLD), (6, "test", "ben", PASS), (1, " ", "ben", DENY)])
def test_a_manual_order_needs_a_reason_and_when_large_a_second_person(lots: int, reason: str, approved_by: str,
                                                                      outcome: Outcome) -> None:
    # the size of one order is 10, half of it for people
    proposal = a_proposal(lots, kind=OrderKind.MANUAL, reason=reason, approved_by=approved_by)
    assert rc_38(proposal, a_snapshot(), SETTINGS).outcome is outcome


def margin(initial: float, maintenance: float = 0.0, currency: str = "USD") -> Margin:
    return Margin(initial_after=initial, maintenance_after=maintenance, equity_after=1000.0, currency=currency)


SENTINEL = 1.7976931348623157e308


@pytest.mark.parametrize(("broker", "own", "outcome"), [
    (margin(800.0, 650.0), None, PASS), (margin(801.0), None, DENY), (margin(0.0, 651.0), None, DENY),
    (margin(SENTINEL), margin(600.0, 500.0), PASS), (margin(SENTINEL), margin(616.0), DENY),
    (margin(1.0, currency=""), margin(616.0), DENY), (None, margin(616.0), DENY), (None, None, DENY),
    (margin(math.nan), None, DENY)])
def test_margin_is_the_brokers_answer_or_our_own_made_larger(broker: Margin | None, own: Margin | None,
                                                             outcome: Outcome) -> None:
    account = AccountFacts(nav=1e7, margin=broker, own_margin=own)
    assert rc_23(a_proposal(), replace(a_snapshot(), account=account), SETTINGS).outcome is outcome


def test_reductions_need_no_margin() -> None:
    account = AccountFacts(nav=1e7, margin=margin(9999.0))
    assert rc_23(a_proposal(-2), replace(a_snapshot(), account=account), SETTINGS).outcome is PASS


def test_a_strategy_is_judged_by_the_net_and_not_by_its_contract() -> None:
    # given 2 in front, of a net of -3: to sell the 2 makes the account shorter
    snapshot = at_level(a_snapshot(2, holding=Holding(position=-3)), KillLevel.K2_NO_NEW_RISK)
    assert rc_01(a_proposal(-2), snapshot, SETTINGS).outcome is DENY


@pytest.mark.parametrize("change", [{"sigma_d": 0.0}, {"multiplier": 0.0}, {"sigma_d": math.nan}])
def test_a_senseless_number_is_an_unknown_one(change: dict[str, float]) -> None:
    assert rc_09(a_proposal(), with_facts(a_snapshot(), **change), SETTINGS).outcome is DENY


@pytest.mark.parametrize("nav", [0.0, -1.0, math.nan, None])
def test_without_equity_no_risk_is_measured(nav: float | None) -> None:
    snapshot = replace(a_snapshot(), account=AccountFacts(nav=nav))
    assert rc_09(a_proposal(), snapshot, SETTINGS).outcome is DENY
    assert rc_06(a_proposal(), snapshot, SETTINGS).outcome is DENY


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan])
def test_a_rate_is_a_positive_number(rate: float) -> None:
    snapshot = with_facts(a_snapshot(), currency="EUR", fx=FxRate(rate=rate, at=NOW))
    assert rc_37(a_proposal(), snapshot, SETTINGS).outcome is DENY


def test_a_session_that_begins_now_counts() -> None:
    # given a decision before yesterday's session, and the moment at which today's begins
    snapshot = replace(a_snapshot(), now=session(0).start)
    proposal = a_proposal(decided_at=session(1).start - timedelta(minutes=1), price_at=session(1).start)
    assert rc_31(proposal, snapshot, SETTINGS).outcome is DENY
