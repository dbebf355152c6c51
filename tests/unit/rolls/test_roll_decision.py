"""The rule table row by row, V31 and V38, and weeks in which nobody looks."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ordered_day import ordered

from trading.execution.rolls.changes import ChangedBy, RollChange, check_transition
from trading.execution.rolls.close_out import (
    CloseOutDates,
    ContractDates,
    Settlement,
    Side,
    days_left,
    must_be_out_by,
)
from trading.execution.rolls.decision import Notice, RollFacts, RollStyle, decide, style
from trading.execution.rolls.liquidity import Liquidity
from trading.execution.rolls.next_state import next_state
from trading.execution.rolls.states import FRONT_HELD, URGENCY, RollState
from trading.objects.open_days import OpenDays, exchange_date

TODAY = date(2026, 3, 2)
GOOD = Liquidity(rho=0.5, forward_volume=10_000.0, measured_on=TODAY)
THIN = Liquidity(rho=0.5, forward_volume=99.0, measured_on=TODAY)
ABOVE = Liquidity(rho=1.2, forward_volume=10_000.0, measured_on=TODAY)
FACTS = RollFacts(instrument="SP500", today=TODAY, front=4, forward=0, last_trade=date(2026, 4, 30), days_left=30,
                  desired=date(2026, 4, 1), liquidity=GOOD, spread_market=True)
PAST, SOON = date(2026, 2, 20), date(2026, 3, 12)
LIQUIDITY = st.none() | st.builds(Liquidity, rho=st.floats(0, 5), forward_volume=st.floats(0, 1e5),
                                  measured_on=st.just(TODAY), is_stale=st.booleans())
LOTS = st.integers(-20, 20)


@st.composite
def some_facts(draw: st.DrawFn) -> RollFacts:
    near = st.integers(-20, 60).map(lambda days: TODAY + timedelta(days=days))
    return RollFacts(instrument="SP500", today=TODAY, front=draw(LOTS), forward=draw(LOTS), last_trade=draw(near),
                     days_left=draw(st.integers(-5, 30)), desired=draw(near), liquidity=draw(LIQUIDITY),
                     spread_market=draw(st.booleans()))


@pytest.mark.parametrize(("row", "state", "facts"), [
    (1, RollState.EXPIRED_HOLD, replace(FACTS, last_trade=date(2026, 2, 27), days_left=-3)),
    (1, RollState.CLOSE, replace(FACTS, days_left=-1)),
    (1, RollState.CLOSE, replace(FACTS, days_left=-1, last_trade=TODAY)),
    (2, RollState.CLOSE, replace(FACTS, days_left=0)),
    (2, RollState.CLOSE, replace(FACTS, days_left=1)),
    (3, RollState.FORCE_SPREAD, replace(FACTS, days_left=3)),
    (3, RollState.FORCE_OUTRIGHT, replace(FACTS, days_left=2, spread_market=False)),
    (4, RollState.FORCE_SPREAD, replace(FACTS, desired=PAST)),
    (5, RollState.FORCE_OUTRIGHT, replace(FACTS, desired=PAST, spread_market=False)),
    (6, RollState.PASSIVE, replace(FACTS, desired=SOON)),
    (6, RollState.PASSIVE, replace(FACTS, liquidity=ABOVE)),
    (6, RollState.PASSIVE, replace(FACTS, front=0, desired=SOON)),
    (6, RollState.PASSIVE, replace(FACTS, front=0, days_left=3)),
    (7, RollState.NO_OPEN, replace(FACTS, front=0, days_left=3, liquidity=THIN)),
    (9, RollState.NO_ROLL, replace(FACTS, front=0, days_left=4)),
    (7, RollState.NO_OPEN, replace(FACTS, days_left=10, liquidity=THIN)),
    (7, RollState.NO_OPEN, replace(FACTS, days_left=4, liquidity=None)),
    (8, RollState.ROLL_ADJUSTED, replace(FACTS, front=0, desired=PAST)),
    (8, RollState.ROLL_ADJUSTED, replace(FACTS, front=0, liquidity=ABOVE)),
    (9, RollState.NO_ROLL, FACTS),
    (9, RollState.NO_ROLL, replace(FACTS, desired=date(2026, 3, 13))),
    (9, RollState.NO_ROLL, replace(FACTS, desired=TODAY, liquidity=Liquidity(rho=0.09, forward_volume=1e4,
                                                                             measured_on=TODAY))),
    (9, RollState.NO_ROLL, replace(FACTS, desired=PAST, liquidity=None)),
    (9, RollState.NO_ROLL, replace(FACTS, desired=PAST, liquidity=THIN, days_left=11))])
def test_the_first_row_that_holds_decides(row: int, state: RollState, facts: RollFacts) -> None:
    decision = decide(facts)
    assert (decision.row, decision.state, decision.inputs) == (row, state, facts)


def test_the_floor_is_for_all_lots_of_the_instrument() -> None:
    facts = replace(FACTS, desired=SOON, liquidity=Liquidity(rho=0.5, forward_volume=400.0, measured_on=TODAY))
    assert decide(replace(facts, front=8)).row == 6
    assert decide(replace(facts, front=8, forward=1)).row == 9


@given(some_facts(), LIQUIDITY)
def test_close_out_days_ask_for_no_data(facts: RollFacts, other: Liquidity | None) -> None:
    close = replace(facts, front=facts.front or 1, days_left=min(facts.days_left, 3))
    assert decide(close).row == decide(replace(close, liquidity=other, spread_market=False)).row <= 3


@given(some_facts())
def test_nothing_held_in_front_is_neither_forced_nor_closed(facts: RollFacts) -> None:
    assert decide(replace(facts, front=0)).row >= 6


@given(some_facts())
def test_prices_are_switched_only_when_nothing_is_held(facts: RollFacts) -> None:
    decision = decide(facts)
    assert decision.state is not RollState.ROLL_ADJUSTED or (facts.front == 0 and facts.floor_ok)


@given(some_facts())
def test_only_a_liquid_forward_contract_is_held_while_the_front_is_closed(facts: RollFacts) -> None:
    decision = decide(facts)
    assert decision.roll_forward_leg == (decision.state is RollState.CLOSE and facts.floor_ok)


@pytest.mark.parametrize(("left", "chosen"), [
    (30, RollStyle.PASSIVE_ONLY), (6, RollStyle.PASSIVE_ONLY), (5, RollStyle.BEST), (3, RollStyle.BEST),
    (2, RollStyle.MARKETABLE), (0, RollStyle.MARKETABLE), (-4, RollStyle.MARKETABLE)])
def test_the_nearer_the_day_the_more_is_paid(left: int, chosen: RollStyle) -> None:
    assert style(left) is decide(replace(FACTS, days_left=left)).style is chosen


def test_only_best_has_a_deadline() -> None:
    assert [each.deadline for each in RollStyle] == [None, timedelta(hours=2), None]


@pytest.mark.parametrize(("notice", "facts"), [
    (Notice.PAGE, replace(FACTS, days_left=-1)), (Notice.PAGE, replace(FACTS, days_left=1, liquidity=None)),
    (Notice.WARN, replace(FACTS, days_left=9, liquidity=None)), (Notice.NOBODY, FACTS)])
def test_somebody_is_told_when_it_matters(notice: Notice, facts: RollFacts) -> None:
    assert decide(facts).notice is notice


@given(st.sampled_from(list(FRONT_HELD)), st.lists(st.tuples(some_facts(), st.integers(0, 5)), max_size=12))
def test_by_itself_a_roll_never_becomes_less_urgent_while_lots_are_in_front(
        state: RollState, evaluations: list[tuple[RollFacts, int]]) -> None:
    for facts, sessions in evaluations:
        held = replace(facts, front=facts.front or 1)
        new = next_state(state, decide(held).state, held.front, sessions)
        if new is not state:
            assert URGENCY.index(new) > URGENCY.index(state)
            check_transition(RollChange(instrument="SP500", old=state, new=new, front=held.front, live_orders=0,
                                        by=ChangedBy.RULE))
        state = new


@given(st.sampled_from(list(RollState)), st.sampled_from(list(RollState)), LOTS, st.integers(0, 5))
def test_asking_again_comes_to_rest(state: RollState, decided: RollState, front: int, sessions: int) -> None:
    for _ in range(len(RollState)):
        state = next_state(state, decided, front, sessions)
    assert next_state(state, decided, front, sessions) is state


@pytest.mark.parametrize("state", sorted(set(RollState) - {RollState.ROLL_ADJUSTED}))
def test_an_ended_contract_is_on_hold_from_wherever_it_was(state: RollState) -> None:
    passed = {next_state(state, RollState.EXPIRED_HOLD, 1)}
    passed.add(next_state(passed.pop(), RollState.EXPIRED_HOLD, 1))
    assert passed == {RollState.EXPIRED_HOLD}


@pytest.mark.parametrize("decided", RollState)
@pytest.mark.parametrize("front", [0, 1])
def test_a_decision_does_not_leave_what_waits_for_prices_or_a_settlement(decided: RollState, front: int) -> None:
    for state in (RollState.ROLL_ADJUSTED, RollState.EXPIRED_HOLD):
        assert next_state(state, decided, front) is state


@pytest.mark.parametrize("state", URGENCY)
def test_prices_are_not_switched_nor_urgency_raised_by_a_decision_that_saw_the_front_empty(state: RollState) -> None:
    assert next_state(state, RollState.ROLL_ADJUSTED, 1) is state


def test_an_empty_front_may_go_back_to_trading() -> None:
    assert next_state(RollState.NO_OPEN, RollState.NO_ROLL, 0) is RollState.NO_ROLL
    assert next_state(RollState.NO_OPEN, RollState.NO_ROLL, 1) is RollState.NO_OPEN
    assert next_state(RollState.FORCE_SPREAD, RollState.ROLL_ADJUSTED, 0) is RollState.ROLL_ADJUSTED


def test_pst_1632_a_late_roll_escalates_and_keeps_its_urgency() -> None:
    spread, outright = RollState.FORCE_SPREAD, RollState.FORCE_OUTRIGHT
    assert [next_state(spread, spread, 4, sessions) for sessions in (0, 1, 2)] == [spread, spread, outright]
    assert next_state(outright, spread, 4) is outright
    assert next_state(outright, RollState.PASSIVE, 4) is outright
    assert next_state(spread, RollState.CLOSE, 4, 2) is RollState.CLOSE


@given(st.datetimes(datetime(2026, 3, 1), datetime(2026, 4, 10), timezones=st.just(UTC)),
       st.sampled_from(["America/Chicago", "Europe/Berlin", "Australia/Sydney", "Asia/Tokyo"]), LIQUIDITY)
def test_the_decision_is_the_same_in_utc_and_local_time_across_clock_changes(now: datetime, zone: str,
                                                                             known: Liquidity | None) -> None:
    local = ZoneInfo(zone)
    there = now.astimezone(local)
    assert decide(facts_at(now, local, known)) == decide(facts_at(there, local, known))
    assert decide(facts_at(now, local, known)).inputs.today == there.date()


def facts_at(now: datetime, zone: ZoneInfo, known: Liquidity | None) -> RollFacts:
    """A long physical position that must be left around the clock changes of March and April 2026."""
    today, calendar = exchange_date(now, zone), OpenDays(exchange=frozenset({date(2026, 4, 3)}))
    own = ContractDates(last_trade=date(2026, 4, 20), first_notice=date(2026, 4, 8))
    out_by = must_be_out_by(Side.LONG, CloseOutDates(own=own), Settlement.PHYSICAL, calendar)
    return replace(FACTS, today=today, days_left=days_left(today, out_by, calendar), last_trade=own.last_trade,
                   desired=date(2026, 3, 26), liquidity=known)


@pytest.mark.parametrize("known", [None, GOOD, THIN, ABOVE])
@pytest.mark.parametrize("spread_market", [True, False])
def test_lean_9440_nobody_looks_and_the_contract_is_left_in_time(known: Liquidity | None, spread_market: bool) -> None:
    # given a position, and forced states whose orders are filled the same day
    state, front, forward, day = RollState.NO_ROLL, 4, 0, date(2026, 3, 2)
    out_by, calendar = date(2026, 3, 25), OpenDays()

    # when only the rule runs, every day
    while day <= out_by:
        facts = replace(FACTS, today=day, front=front, forward=forward, liquidity=known, desired=SOON,
                        days_left=days_left(day, out_by, calendar), spread_market=spread_market)
        decision = decide(facts)
        state = next_state(state, decision.state, front)
        today = ordered(state, front, forward, may_go_on=decision.roll_forward_leg)
        front, forward = front + today.front, forward + today.forward
        day += timedelta(days=1)

    # then
    assert (front, forward) == (0, 4)


def test_lean_9440_a_roll_that_nobody_fills_ends_in_a_page() -> None:
    state, seen = RollState.NO_ROLL, []
    for left in range(12, -3, -1):
        decision = decide(replace(FACTS, days_left=left, liquidity=None, spread_market=False))
        state = next_state(state, decision.state, FACTS.front)
        seen.append((state, decision.notice))
    assert [each for each, _ in seen] == sorted((each for each, _ in seen), key=URGENCY.index)
    assert dict.fromkeys(each for each, _ in seen) == dict.fromkeys(
        (RollState.NO_ROLL, RollState.NO_OPEN, RollState.FORCE_OUTRIGHT, RollState.CLOSE))
    assert seen[-1] == (RollState.CLOSE, Notice.PAGE)
