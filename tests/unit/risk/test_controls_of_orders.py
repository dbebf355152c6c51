"""Each control of a broker order, at its boundary."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
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
    for_roll,
    with_activity,
    with_facts,
)

from trading.risk.check import Outcome
from trading.risk.controls.gate import rc_34, rc_35
from trading.risk.controls.market import rc_13, rc_14, rc_15
from trading.risk.controls.order_flow import rc_16, rc_17, rc_19, rc_20, rc_21
from trading.risk.controls.price import price_increment, rc_10, rc_10b, rc_11, rc_12
from trading.risk.controls.roll import rc_45
from trading.risk.controls.trade import rc_07, rc_08, rc_18
from trading.risk.exposure import Holding
from trading.risk.kill_level import KillLevel
from trading.risk.message_bucket import MessageBucket, full_bucket, taken
from trading.risk.order_kind import OrderKind
from trading.risk.proposal import Action, Attributes, Leg, OrderType, RollSides
from trading.risk.settings import FlowSettings
from trading.risk.snapshot import PriceStep, Quote, RecentOrder, TradeLimits, Window
from trading.risk.trade_limits import TradedLots

PASS, CUT, HOLD, DENY, LOCK, LEVEL = (Outcome.PASS, Outcome.CUT, Outcome.HOLD, Outcome.DENY, Outcome.LOCK,
                                      Outcome.LEVEL)


@pytest.mark.parametrize(("lots", "hours", "allowed", "outcome"), [
    (10, 1, 4, PASS), (17, 1, 3, CUT), (20, 1, 0, HOLD), (25, 1, 0, HOLD), (20, 25, 4, PASS), (99, 25, 1, CUT)])
def test_trades_are_cut_then_held(lots: int, hours: int, allowed: int, outcome: Outcome) -> None:
    # 20 a day and 100 a month may be traded
    traded = (TradedLots(at=NOW - timedelta(hours=hours), lots=lots),)
    check = rc_07(a_proposal(4), with_activity(a_snapshot(), traded=traded), SETTINGS)
    assert (check.allowed, check.outcome) == (allowed, outcome)


def test_the_stricter_trade_limit_binds() -> None:
    snapshot = with_facts(a_snapshot(), strategy_trade_limits=TradeLimits(day=3, month=80))
    assert rc_07(a_proposal(4), snapshot, SETTINGS).allowed == 3


@pytest.mark.parametrize(("size", "allowed"), [(10, 4), (3, 3), (None, 1), (0, 1)])
def test_a_large_order_is_sliced(size: int | None, allowed: int) -> None:
    assert rc_08(a_proposal(4), with_facts(a_snapshot(), order_size_limit=size), SETTINGS).allowed == allowed


TWIN = RecentOrder(contract=FRONT, quantity=4, limit_price=Decimal("5000.00"), parent="IO-2-C1",
                   sent_at=NOW - timedelta(seconds=59))


@pytest.mark.parametrize(("change", "outcome"), [
    ({}, HOLD), ({"sent_at": NOW - timedelta(seconds=60)}, PASS), ({"parent": "IO-1-C1"}, PASS),
    ({"quantity": -4}, PASS), ({"limit_price": Decimal("5000.25")}, PASS), ({"contract": FORWARD}, PASS)])
def test_a_twin_of_another_parent_waits(change: dict[str, object], outcome: Outcome) -> None:
    twin = replace(TWIN, **change)  # type: ignore[arg-type]  # names fields
    assert rc_18(a_proposal(4), with_activity(a_snapshot(), recent=(twin,)), SETTINGS).outcome is outcome


def test_a_key_is_used_once() -> None:
    assert rc_18(a_proposal(), with_activity(a_snapshot(), is_known_key=True), SETTINGS).sentence == \
        "The order trend/SP500/1 exists already; nothing is made twice."


@pytest.mark.parametrize(("limit", "approved_by", "outcome"), [
    # mid 5000.125; soft is half of a volatility of 50, hard all of it
    ("5025.00", "", PASS), ("5025.25", "", DENY), ("5025.25", "ben", PASS), ("5050.25", "ben", DENY),
    ("4975.25", "", PASS), ("4975.00", "", DENY)])
def test_a_limit_stays_in_its_collar(limit: str, approved_by: str, outcome: Outcome) -> None:
    proposal = a_proposal(limit_price=Decimal(limit), approved_by=approved_by)
    assert rc_10(proposal, a_snapshot(), SETTINGS).outcome is outcome


def test_the_hard_collar_binds_where_ticks_are_coarse() -> None:
    snapshot = with_facts(a_snapshot(), sigma_d=1.0)
    assert rc_10(a_proposal(limit_price=Decimal("5001.00")), snapshot, SETTINGS).outcome is PASS
    assert rc_10(a_proposal(limit_price=Decimal("5001.25")), snapshot, SETTINGS).outcome is DENY


def test_a_spread_has_the_collar_of_a_spread() -> None:
    # its volatility is 2, so 5 ticks of 0.25 are the collar
    snapshot = for_roll(a_snapshot())
    assert rc_10(a_roll(limit_price=Decimal("-21.25")), snapshot, SETTINGS).outcome is PASS
    assert rc_10(a_roll(limit_price=Decimal("-21.50")), snapshot, SETTINGS).outcome is DENY


@pytest.mark.parametrize(("chase", "day_chase", "outcome"), [
    (12.5, 50.0, PASS), (12.6, 0.0, DENY), (0.0, 50.1, DENY), (float("nan"), 0.0, DENY)])
def test_the_market_is_not_chased_for_ever(chase: float, day_chase: float, outcome: Outcome) -> None:
    snapshot = with_activity(a_snapshot(), chase=chase, day_chase=day_chase)
    assert rc_10b(a_proposal(), snapshot, SETTINGS).outcome is outcome


@pytest.mark.parametrize(("level", "kind", "approved_by", "outcome"), [
    (KillLevel.K0_NORMAL, OrderKind.STRATEGY, "ben", DENY), (KillLevel.K3_HALT, OrderKind.FLATTEN, "ben", DENY),
    (KillLevel.K4_FLATTEN, OrderKind.FLATTEN, "", DENY), (KillLevel.K4_FLATTEN, OrderKind.FLATTEN, "ben", PASS)])
def test_a_market_order_is_for_flattening_alone(level: KillLevel, kind: OrderKind, approved_by: str,
                                                outcome: Outcome) -> None:
    proposal = a_proposal(-2, kind=kind, approved_by=approved_by, order_type=OrderType.MARKET, limit_price=None)
    assert rc_11(proposal, at_level(a_snapshot(), level), SETTINGS).outcome is outcome


@pytest.mark.parametrize(("reprices", "outcome"), [(4, PASS), (5, DENY)])
def test_a_marketable_limit_is_repriced_five_times(reprices: int, outcome: Outcome) -> None:
    snapshot = with_activity(a_snapshot(), reprices=reprices)
    assert rc_11(a_proposal(action=Action.MODIFY), snapshot, SETTINGS).outcome is outcome


@pytest.mark.parametrize(("price", "outcome"), [
    ("5000.25", PASS), ("5000.10", DENY), ("0", PASS), ("-0.25", PASS), ("NaN", DENY), (None, DENY)])
def test_a_price_is_on_its_grid(price: str | None, outcome: Outcome) -> None:
    proposal = a_proposal(limit_price=None if price is None else Decimal(price))
    assert rc_12(proposal, a_snapshot(), SETTINGS).outcome is outcome


def test_no_order_is_for_zero_lots() -> None:
    assert rc_12(a_proposal(0), a_snapshot(), SETTINGS).outcome is DENY


STEPS = (PriceStep(above=Decimal(0), increment=Decimal("0.05")), PriceStep(above=Decimal(3), increment=Decimal("0.10")))


@pytest.mark.parametrize(("price", "increment"), [("2.95", "0.05"), ("3", "0.10"), ("-3.5", "0.10"), ("0", "0.05")])
def test_the_increment_depends_on_the_price(price: str, increment: str) -> None:
    assert price_increment(Decimal(price), STEPS) == Decimal(increment)


def quoted(bid: str | None, ask: str | None, age_s: float = 1, *, is_live: bool = True) -> Quote:
    return Quote(bid=None if bid is None else Decimal(bid), ask=None if ask is None else Decimal(ask),
                 at=NOW - timedelta(seconds=age_s), is_live=is_live)


@pytest.mark.parametrize(("quote", "outcome"), [
    (quoted("5000", "5000.25", 10), PASS), (quoted("5000", "5000.25", 10.1), HOLD), (None, HOLD),
    (quoted(None, "5000.25"), HOLD), (quoted("5000", None), HOLD), (quoted("NaN", "5000.25"), HOLD),
    (quoted("5000.25", "5000.25"), HOLD), (quoted("5000.50", "5000.25"), HOLD),
    (quoted("5000", "5001.25"), PASS), (quoted("5000", "5001.50"), HOLD), (quoted("5240", "5240.00"), HOLD),
    (quoted("5239.75", "5240.00"), PASS), (quoted("5240.00", "5240.25"), HOLD),
    (quoted("5000", "5000.25", is_live=False), HOLD)])
def test_only_a_sound_quote_is_used(quote: Quote | None, outcome: Outcome) -> None:
    # spreads of 5 x 0.25 are usual, and mids within 5 x 50 of 4990
    assert rc_13(a_proposal(), with_facts(a_snapshot(), quote=quote), SETTINGS).outcome is outcome


def test_an_illiquid_market_may_be_quoted_a_minute_ago() -> None:
    old = with_facts(a_snapshot(), quote=quoted("5000", "5000.25", 60), is_illiquid=True)
    assert rc_13(a_proposal(), old, SETTINGS).outcome is PASS


END = INSTRUMENT.sessions[-1].end if INSTRUMENT.sessions else NOW


@pytest.mark.parametrize(("now", "is_passive", "outcome"), [
    (END - timedelta(seconds=901), True, PASS), (END - timedelta(seconds=900), True, HOLD),
    (END - timedelta(seconds=900), False, PASS), (END - timedelta(seconds=121), False, PASS),
    (END - timedelta(seconds=120), False, HOLD), (END, False, HOLD), (END - timedelta(hours=11), False, PASS),
    (END - timedelta(hours=11, seconds=1), False, HOLD)])
def test_orders_are_sent_while_the_market_is_open(now: datetime, is_passive: bool, outcome: Outcome) -> None:
    assert rc_14(a_proposal(is_passive=is_passive), replace(a_snapshot(), now=now), SETTINGS).outcome is outcome


def test_nothing_is_sent_while_the_broker_restarts() -> None:
    restart = Window(start=NOW, end=NOW + timedelta(minutes=5))
    check = rc_14(a_proposal(), with_facts(a_snapshot(), restarts=(restart,)), SETTINGS)
    assert check.sentence == "The broker restarts until 15:05 UTC."


@pytest.mark.parametrize(("change", "opening", "closing"), [
    ({}, PASS, PASS), ({"verified_on": date(2026, 3, 3)}, DENY, DENY),
    ({"last_trading_day": date(2026, 3, 3)}, DENY, DENY), ({"has_permission": False}, DENY, DENY),
    ({"has_permission": None}, DENY, PASS), ({"is_approved": False}, DENY, PASS),
    ({"is_close_only": True}, DENY, PASS), ({"is_close_only": None}, DENY, PASS),
    ({"days_to_close_out": 0}, DENY, PASS), ({"days_to_close_out": None}, DENY, PASS),
    ({"last_trading_day": None}, DENY, PASS)])
def test_a_contract_is_tradeable_or_may_at_least_be_closed(change: dict[str, object], opening: Outcome,
                                                           closing: Outcome) -> None:
    facts = replace(INSTRUMENT.contracts[FRONT], **change)  # type: ignore[arg-type]  # names fields
    snapshot = with_facts(a_snapshot(), contracts={FRONT: facts})
    assert rc_15(a_proposal(4), snapshot, SETTINGS).outcome is opening
    assert rc_15(a_proposal(-2), snapshot, SETTINGS).outcome is closing


@pytest.mark.parametrize(("change", "outcome", "level"), [
    ({}, PASS, None), ({"instrument_day_orders": 99}, PASS, None), ({"instrument_day_orders": 100}, HOLD, None),
    ({"system_day_orders": 1999}, PASS, None), ({"system_day_orders": 2000}, LEVEL, KillLevel.K2_NO_NEW_RISK),
    ({"bucket": MessageBucket(tokens=0.5, reserve=20, at=NOW)}, HOLD, None)])
def test_messages_are_rationed(change: dict[str, object], outcome: Outcome, level: KillLevel | None) -> None:
    check = rc_16(a_proposal(), with_activity(a_snapshot(), **change), SETTINGS)
    assert (check.outcome, check.level) == (outcome, level)


@pytest.mark.parametrize(("modifies", "seconds", "outcome"), [(29, 2.0, PASS), (30, 2.0, HOLD), (1, 1.9, HOLD)])
def test_an_order_is_modified_slowly_and_not_for_ever(modifies: int, seconds: float, outcome: Outcome) -> None:
    snapshot = with_activity(a_snapshot(), modifies=modifies, modified_at=NOW - timedelta(seconds=seconds))
    assert rc_16(a_proposal(action=Action.MODIFY), snapshot, SETTINGS).outcome is outcome


@pytest.mark.parametrize(("sent", "unfilled", "outcome"), [(4, 3, PASS), (5, 0, LOCK), (4, 4, LOCK)])
def test_an_order_that_is_repeated_locks_its_instrument(sent: int, unfilled: int, outcome: Outcome) -> None:
    ago = tuple(NOW - timedelta(seconds=each) for each in range(10))
    old = (NOW - timedelta(seconds=60),) * 9
    snapshot = with_activity(a_snapshot(), parent_sent_at=old + ago[:sent], parent_unfilled_at=old + ago[:unfilled])
    assert rc_17(a_proposal(), snapshot, SETTINGS).outcome is outcome


@pytest.mark.parametrize(("fill", "quantity", "outcome"), [
    (4, 4, PASS), (5, 4, LOCK), (-1, 4, LOCK), (-4, -4, PASS), (0, 4, PASS)])
def test_more_fills_than_were_ordered_lock_the_instrument(fill: int, quantity: int, outcome: Outcome) -> None:
    snapshot = with_activity(a_snapshot(), parent_fill=fill, parent_quantity=quantity)
    assert rc_17(a_proposal(), snapshot, SETTINGS).outcome is outcome


def test_we_do_not_trade_with_ourselves() -> None:
    working = {FRONT: Holding(position=2, working_sells=1), FORWARD: Holding()}
    snapshot = a_snapshot(contract_holdings=working)
    assert rc_19(a_proposal(4), snapshot, SETTINGS).outcome is HOLD
    assert rc_19(a_proposal(-1), snapshot, SETTINGS).outcome is PASS
    assert rc_19(a_roll(2), snapshot, SETTINGS).outcome is HOLD


@pytest.mark.parametrize(("quantity", "buys", "sells", "total", "outcome"), [
    (4, 4, 9, 49, PASS), (4, 5, 0, 9, HOLD), (-4, 9, 5, 14, HOLD), (-4, 9, 4, 13, PASS), (4, 0, 0, 50, HOLD)])
def test_few_orders_are_open_at_a_time(quantity: int, buys: int, sells: int, total: int, outcome: Outcome) -> None:
    snapshot = with_activity(a_snapshot(), open_buys=buys, open_sells=sells, open_orders=total)
    assert rc_20(a_proposal(quantity), snapshot, SETTINGS).outcome is outcome


@pytest.mark.parametrize(("contract", "total", "outcome"), [(0, 9, PASS), (1, 1, HOLD), (0, 10, HOLD)])
def test_an_order_waits_for_the_broker_to_acknowledge_the_last(contract: int, total: int, outcome: Outcome) -> None:
    snapshot = with_activity(a_snapshot(), in_flight_contract=contract, in_flight=total)
    assert rc_21(a_proposal(), snapshot, SETTINGS).outcome is outcome


ATTRIBUTES = a_proposal().attributes or Attributes()


@pytest.mark.parametrize(("seconds", "outcome"), [(1, PASS), (660, PASS), (661, DENY), (0, DENY), (None, DENY)])
def test_an_order_dies_soon_after_its_algo(seconds: int | None, outcome: Outcome) -> None:
    # the algo ends in 10 minutes
    good_till = None if seconds is None else NOW + timedelta(seconds=seconds)
    proposal = a_proposal(attributes=replace(ATTRIBUTES, good_till=good_till))
    assert rc_34(proposal, a_snapshot(), SETTINGS).outcome is outcome


def test_a_venue_without_such_orders_is_no_reason_to_refuse() -> None:
    proposal = a_proposal(attributes=replace(ATTRIBUTES, good_till=None, venue_knows_good_till=False))
    assert rc_34(proposal, a_snapshot(), SETTINGS).outcome is PASS


@pytest.mark.parametrize("missing", ["time_in_force", "outside_hours", "account", "transmit"])
def test_no_attribute_is_left_to_a_preset(missing: str) -> None:
    given = replace(ATTRIBUTES, **{missing: None})  # type: ignore[arg-type]  # names fields
    assert rc_35(a_proposal(attributes=given), a_snapshot(), SETTINGS).outcome is DENY


def test_a_combination_says_whether_it_is_guaranteed() -> None:
    check = rc_35(a_roll(attributes=ATTRIBUTES), a_snapshot(), SETTINGS)
    assert check.sentence == "The message leaves to a preset: non-guaranteed. Set each."


def test_the_message_is_for_the_account_of_the_order() -> None:
    assert rc_35(a_proposal(account="U2"), a_snapshot(), SETTINGS).outcome is DENY


SIDES = RollSides(front=FRONT, forward=FORWARD, total_before=5)


@pytest.mark.parametrize(("units", "front", "forward", "outcome"), [
    (-5, 5, 0, PASS), (-6, 5, 0, DENY), (1, 5, 0, DENY), (5, -5, 0, PASS), (-3, 3, 2, PASS), (-2, 5, -2, PASS),
    (-1, 0, 5, DENY)])
def test_a_spread_rolls_what_is_held_and_no_more(units: int, front: int, forward: int, outcome: Outcome) -> None:
    holdings = {FRONT: Holding(position=front), FORWARD: Holding(position=forward)}
    assert rc_45(a_roll(units, roll=SIDES), a_snapshot(contract_holdings=holdings), SETTINGS).outcome is outcome


@pytest.mark.parametrize(("contract", "lots", "front", "forward", "outcome"), [
    (FRONT, -5, 5, 0, PASS), (FORWARD, 1, 5, 0, PASS), (FORWARD, 2, 5, 0, HOLD), (FORWARD, 5, 0, 0, PASS),
    (FRONT, 1, 5, 0, DENY), (FORWARD, 7, 0, 0, DENY)])
def test_an_outright_roll_is_one_unit_ahead_at_most(contract: str, lots: int, front: int, forward: int,
                                                    outcome: Outcome) -> None:
    holdings = {FRONT: Holding(position=front), FORWARD: Holding(position=forward)}
    roll = a_roll(lots, legs=(), contract=contract, roll=SIDES)
    assert rc_45(roll, a_snapshot(contract_holdings=holdings), SETTINGS).outcome is outcome


def test_a_roll_trades_its_own_months() -> None:
    legs = (Leg(contract=FRONT, ratio=1), Leg(contract="SP500/20260900", ratio=-1))
    assert rc_45(a_roll(legs=legs), a_snapshot(), SETTINGS).sentence == \
        "The roll trades SP500/20260900, not its own months."


FLOW = FlowSettings()


@given(st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=200))
def test_no_second_sees_more_messages_than_the_broker_takes(steps: list[tuple[float, bool]]) -> None:
    bucket, now, sent = full_bucket(NOW, FLOW), NOW, []
    for seconds, is_cancel in steps:
        now += timedelta(seconds=seconds)
        for _ in range(25):
            after = taken(bucket, now, FLOW, is_cancel=is_cancel)
            if after is not None:
                bucket = after
                sent.append(now)
    for start in set(sent):
        assert sum(1 for at in sent if start <= at < start + timedelta(seconds=1)) <= 50


def test_a_cancel_does_not_wait_for_orders() -> None:
    # given that orders have used all that they may
    bucket: MessageBucket | None = full_bucket(NOW, FLOW)
    while bucket is not None:
        spent, bucket = bucket, taken(bucket, NOW, FLOW, is_cancel=False)
    # then twenty cancels still go
    for _ in range(20):
        after = taken(spent, NOW, FLOW, is_cancel=True)
        assert after is not None
        spent = after
    assert taken(spent, NOW, FLOW, is_cancel=True) is None


def test_a_clock_that_goes_back_gives_no_messages() -> None:
    empty = MessageBucket(tokens=0, reserve=0, at=NOW)
    assert taken(empty, NOW - timedelta(hours=1), FLOW, is_cancel=True) is None


@pytest.mark.parametrize(("tokens", "seconds", "left"), [(1.0, 0.0, 0.0), (0.0, 0.5, 4.0), (0.0, 60.0, 19.0)])
def test_ten_messages_a_second_come_back(tokens: float, seconds: float, left: float) -> None:
    after = taken(MessageBucket(tokens=tokens, reserve=20, at=NOW), NOW + timedelta(seconds=seconds), FLOW,
                  is_cancel=False)
    assert after is not None
    assert (after.tokens, after.reserve) == (left, 20)
