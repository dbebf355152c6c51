"""The three places at which an order is judged, as a whole."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_proposals import (
    ACTIVITY,
    FORWARD,
    FRONT,
    GATE,
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

from trading.risk.check import Outcome, Severity
from trading.risk.controls.gate import rc_33
from trading.risk.controls.order_flow import rc_17
from trading.risk.controls.trade import rc_07
from trading.risk.exposure import Holding
from trading.risk.kill_level import KillLevel
from trading.risk.order_kind import OrderKind
from trading.risk.overrides import CLOSE, NO_TRADE, REDUCE_ONLY, Override
from trading.risk.pre_trade import AT_DECISION, AT_GATE, AT_INTENT, Verdict, at_decision, at_gate, at_intent
from trading.risk.proposal import Proposal
from trading.risk.settings import RiskSettings
from trading.risk.snapshot import AccountFacts, Activity, InstrumentFacts, PortfolioFacts, Snapshot
from trading.risk.trade_limits import Bucket, TradedLots

Judge = Callable[[Proposal, Snapshot, RiskSettings], Verdict]
PLACES: list[Judge] = [at_decision, at_intent, at_gate]


@pytest.mark.parametrize("judge", PLACES)
def test_an_order_with_which_all_is_well_passes_whole(judge: Judge) -> None:
    verdict = judge(a_proposal(), a_snapshot(), SETTINGS)
    assert verdict.decisive is None
    assert (verdict.quantity, verdict.outcome) == (4, Outcome.PASS)


@pytest.mark.parametrize("judge", PLACES)
def test_a_roll_with_which_all_is_well_passes_whole(judge: Judge) -> None:
    verdict = judge(a_roll(), for_roll(a_snapshot()), SETTINGS)
    assert verdict.decisive is None
    assert verdict.quantity == -2


def listed(order: str, controls: list[str]) -> bool:
    """Whether the controls of `order` stand among `controls` in that order."""
    wanted = [f"RC-{number}" for number in order.split()]
    return [each for each in controls if each in wanted] == wanted


def test_the_controls_are_asked_in_the_order_of_the_reference() -> None:
    names = [[f"RC-{control.__name__.removeprefix('rc_')}" for control in controls]
             for controls in (AT_DECISION, AT_INTENT, AT_GATE)]
    assert listed("28 01 31 36 02 32 03 04 06 43 09 18 23", names[0])
    assert listed("22 21 14 15 13 07 05 08 12 10 19 20 17 23 16", names[1])
    assert listed("01 33 09 10 12 35 16", names[2])


def test_every_check_is_kept_with_its_number() -> None:
    verdict = at_decision(a_proposal(), a_snapshot(), SETTINGS)
    assert [check.control for check in verdict.checks] == [
        f"RC-{control.__name__.removeprefix('rc_')}" for control in AT_DECISION]
    assert {check.control: (check.number, check.limit) for check in verdict.checks}["RC-03"] == (4, 20)


def test_a_cut_feeds_the_next_control() -> None:
    # given a strategy at 2 of 5, in an instrument of 4
    snapshot = with_facts(a_snapshot(), position_limit=5, strategy_limit=4)
    verdict = at_decision(a_proposal(8, previous_target=9), snapshot, SETTINGS)
    asked = {check.control: (check.number, check.allowed) for check in verdict.checks}
    assert (asked["RC-03"], asked["RC-04"]) == ((8, 3), (3, 2))
    assert (verdict.quantity, verdict.outcome) == (2, Outcome.CUT)


def test_the_first_denial_ends_it() -> None:
    snapshot = a_snapshot()
    locked = replace(snapshot, system=replace(snapshot.system, locks={"SP500": "break B5"}))
    verdict = at_decision(a_proposal(), locked, SETTINGS)
    assert [check.control for check in verdict.checks] == ["RC-28"]
    assert verdict.quantity == 0
    assert verdict.checks[0].sentence == "SP500 is locked: break B5. A person must open it."


def test_the_gate_refuses_what_it_would_have_to_cut() -> None:
    snapshot = with_facts(a_snapshot(), order_size_limit=3)
    assert at_intent(a_proposal(), snapshot, SETTINGS).quantity == 3
    verdict = at_gate(a_proposal(), snapshot, SETTINGS)
    assert (verdict.quantity, verdict.outcome) == (0, Outcome.DENY)


BARE = InstrumentFacts(currency="EUR")


def bare(snapshot: Snapshot) -> Snapshot:
    """The positions are known, and nothing else is."""
    return replace(snapshot, instrument=BARE, account=AccountFacts(), portfolio=None, activity=Activity())


def test_without_any_configuration_new_risk_is_denied() -> None:
    verdict = at_decision(a_proposal(), bare(a_snapshot()), SETTINGS)
    assert verdict.outcome is Outcome.DENY


def test_without_any_configuration_a_reduction_is_decided() -> None:
    verdict = at_decision(a_proposal(-2), bare(a_snapshot()), SETTINGS)
    assert verdict.quantity == -2


@pytest.mark.parametrize("missing", [
    "multiplier", "sigma_d", "median_spread", "settlement", "sessions", "position_limit", "strategy_limit"])
def test_one_missing_fact_denies_new_risk_somewhere(missing: str) -> None:
    snapshot = with_facts(a_snapshot(), **{missing: None})
    verdicts = [at_decision(a_proposal(), snapshot, SETTINGS), at_intent(a_proposal(), snapshot, SETTINGS)]
    if missing == "settlement":  # at the decision the quote serves in its place
        verdicts = verdicts[1:]
    assert Outcome.DENY in {verdict.outcome for verdict in verdicts}


@pytest.mark.parametrize("missing", [
    "multiplier", "sigma_d", "median_spread", "settlement", "sessions", "position_limit", "strategy_limit"])
def test_one_missing_fact_lets_reductions_through(missing: str) -> None:
    snapshot = with_facts(a_snapshot(), **{missing: None})
    assert at_decision(a_proposal(-2), snapshot, SETTINGS).quantity == -2
    assert at_intent(a_proposal(-2), snapshot, SETTINGS).quantity == -2


OF_NEW_BUYS = sorted(set(Activity.__dataclass_fields__) - {"modified_at", "modifies", "reprices", "open_sells"})


@pytest.mark.parametrize("missing", OF_NEW_BUYS)
def test_no_count_that_is_unknown_lets_new_risk_through(missing: str) -> None:
    snapshot = with_activity(a_snapshot(), **{missing: None})
    assert at_intent(a_proposal(), snapshot, SETTINGS).quantity == 0


LOTS = st.integers(-30, 30)
KINDS = st.sampled_from(OrderKind)


@given(LOTS, st.integers(-25, 25), KINDS, st.sampled_from(list(KillLevel)[3:]), st.sampled_from([at_intent, at_gate]))
def test_from_a_halt_on_nothing_that_leaves_raises_the_exposure(lots: int, position: int, kind: OrderKind,
                                                               level: KillLevel, judge: Judge) -> None:
    snapshot = at_level(a_snapshot(position), level)
    verdict = judge(a_proposal(lots, kind=kind, reason="drill", approved_by="ben"), snapshot, SETTINGS)
    assert verdict.quantity == 0 or kind is OrderKind.FLATTEN
    assert abs(position + verdict.quantity) <= abs(position)


@given(LOTS, st.integers(-25, 25), KINDS, st.integers(0, 9), st.integers(0, 9),
       st.sampled_from([Override(factor=0.5), REDUCE_ONLY, CLOSE, NO_TRADE, Override()]), st.integers(0, 20))
def test_a_verdict_never_turns_or_grows_an_order(lots: int, position: int, kind: OrderKind, buys: int, sells: int,
                                                override: Override, limit: int) -> None:
    held = Holding(position=position, working_buys=buys, working_sells=sells)
    snapshot = with_facts(a_snapshot(), override=override, position_limit=limit)
    snapshot = replace(snapshot, holding=held, strategy_holding=held, contract_holdings={FRONT: held, FORWARD: held})
    for judge in (at_decision, at_intent, at_gate):
        quantity = judge(a_proposal(lots, kind=kind, reason="x"), snapshot, SETTINGS).quantity
        assert abs(quantity) <= abs(lots)
        assert quantity * lots >= 0


@given(st.integers(1, 30), st.integers(-25, 25), st.integers(0, 9), st.integers(0, 20))
def test_buys_and_sells_are_judged_alike(lots: int, position: int, working: int, limit: int) -> None:
    def judged(sign: int) -> int:
        held = Holding(position=sign * position, working_buys=working if sign > 0 else 0,
                       working_sells=working if sign < 0 else 0)
        snapshot = with_facts(replace(a_snapshot(), holding=held, strategy_holding=held), position_limit=limit)
        proposal = a_proposal(sign * lots, target=sign * (position + lots), previous_target=sign * (position + lots))
        return at_decision(proposal, snapshot, SETTINGS).quantity

    assert judged(1) == -judged(-1)


def test_pst_822_a_closing_order_passes_where_a_close_override_ends_the_strategy() -> None:
    snapshot = with_facts(a_snapshot(), override=CLOSE)
    strategy = at_decision(a_proposal(4), snapshot, SETTINGS)
    closing = at_decision(a_proposal(-2, kind=OrderKind.CLOSE_OUT), snapshot, SETTINGS)
    assert (strategy.outcome, closing.quantity) == (Outcome.DENY, -2)


def test_an_override_is_applied_once_however_often_it_is_asked() -> None:
    # given half of a target of 10, of which nothing is held
    snapshot = with_facts(a_snapshot(0), override=Override(factor=0.5))
    once = at_decision(a_proposal(10, target=10, previous_target=10), snapshot, SETTINGS)
    again = at_decision(a_proposal(once.quantity, target=10, previous_target=10), snapshot, SETTINGS)
    assert (once.quantity, again.quantity) == (5, 5)


def test_half_of_a_target_counts_what_works_already() -> None:
    held = Holding(position=0, working_buys=4)
    snapshot = replace(with_facts(a_snapshot(0), override=Override(factor=0.5)), strategy_holding=held)
    assert at_decision(a_proposal(6, target=10, previous_target=10), snapshot, SETTINGS).quantity == 1


def test_s_26_two_orders_do_not_pass_a_limit_together() -> None:
    snapshot = with_facts(replace(a_snapshot(), holding=Holding(position=2, working_buys=16)), position_limit=20)
    assert at_decision(a_proposal(4), snapshot, SETTINGS).quantity == 2


def test_pst_1580_fifteen_orders() -> None:
    # given an algo that sends a new order whenever the last one "was cancelled", one a second
    sent: tuple[datetime, ...] = ()
    for second in range(15):
        now = NOW + timedelta(seconds=second)
        snapshot = replace(a_snapshot(), activity=replace(ACTIVITY, parent_sent_at=sent, parent_unfilled_at=sent))
        check = rc_17(a_proposal(1), replace(snapshot, now=now), SETTINGS)
        if check.outcome is not Outcome.PASS:
            break
        sent = (*sent, now)
    # then the fifth is not sent, and a person must look
    assert len(sent) == 4
    assert check.outcome is Outcome.LOCK
    assert check.sentence == ("The instrument is disabled: 4 orders in a row for IO-1-C1 ended without a fill. A named "
                              "person must enable it again.")


def test_pst_1580_an_overfilled_parent_locks_its_instrument() -> None:
    snapshot = with_activity(a_snapshot(), parent_fill=-2, parent_quantity=-1)
    assert at_intent(a_proposal(), snapshot, SETTINGS).outcome is Outcome.LOCK


def test_pst_932_rolls_blocked_silently() -> None:
    # given a roll whose budget is used up
    rolled = (TradedLots(at=NOW, lots=30, bucket=Bucket.ROLLS),)
    check = rc_07(a_roll(), with_activity(a_snapshot(), traded=rolled), SETTINGS)
    # then it waits, and that is shouted
    assert (check.outcome, check.severity) == (Outcome.HOLD, Severity.CRITICAL)
    assert check.sentence == "The trade limit for rolls in SP500 allows +0 of -2 lots."


def test_pst_932_a_roll_does_not_wait_for_what_strategies_traded() -> None:
    traded = (TradedLots(at=NOW, lots=99),)
    assert rc_07(a_roll(), with_activity(a_snapshot(), traded=traded), SETTINGS).allowed == -2


def test_knight_212_parents_stop_at_the_gate() -> None:
    # given children that are sent again and again since nobody counts their fills
    parents, lots = 0, 0
    for sent in range(1000):
        gate = replace(GATE, approved_today=212, sent_today=sent, parent_sent=0, parent_quantity=1)
        check = rc_33(a_proposal(1), replace(a_snapshot(), gate=gate), SETTINGS)
        if check.outcome is not Outcome.PASS:
            break
        parents, lots = parents + 1, lots + 1
    # then no more leave than were approved, and everything halts
    assert lots == 212
    assert (check.outcome, check.level) == (Outcome.LEVEL, KillLevel.K3_HALT)


def test_knight_a_parent_is_not_sent_twice_while_its_first_child_may_be_alive() -> None:
    gate = replace(GATE, approved_today=100, parent_sent=4)
    verdict = at_gate(a_proposal(1), replace(a_snapshot(), gate=gate), SETTINGS)
    assert verdict.checks[-1].sentence == ("Halted at the gate: 5 lots of IO-1-C1 would be out, but it is for 4. Find "
                                           "out who sent too many.")


def test_lots_that_are_proven_dead_may_be_sent_again() -> None:
    gate = replace(GATE, sent_today=4, dead_today=4, parent_sent=4, parent_dead=4)
    assert at_gate(a_proposal(4), replace(a_snapshot(), gate=gate), SETTINGS).quantity == 4


def test_without_counters_the_gate_lets_nothing_through() -> None:
    verdict = at_gate(a_proposal(-2), replace(a_snapshot(), gate=None), SETTINGS)
    assert verdict.outcome is Outcome.DENY


def test_panic_skips_the_session_and_never_the_size() -> None:
    panic = a_proposal(-2, kind=OrderKind.PANIC, reason="fire", approved_by="ben")
    closed = with_facts(a_snapshot(), sessions=(), quote=None)
    asked = {check.control for check in at_intent(panic, closed, SETTINGS).checks}
    assert not asked & {"RC-07", "RC-13", "RC-14", "RC-18", "RC-23"}
    assert {"RC-09", "RC-33"} <= {check.control for check in at_gate(panic, a_snapshot(), SETTINGS).checks}
    huge = with_facts(a_snapshot(), sigma_d=1e5)
    assert at_decision(panic, huge, SETTINGS).outcome is Outcome.DENY


def test_flattening_is_not_held_up_by_what_was_traded_before() -> None:
    traded = (TradedLots(at=NOW, lots=99),)
    snapshot = at_level(with_activity(a_snapshot(), traded=traded), KillLevel.K4_FLATTEN)
    assert at_intent(a_proposal(-2, kind=OrderKind.FLATTEN), snapshot, SETTINGS).quantity == -2


def test_pst_1246_flattening_goes_by_contract_and_not_by_the_net() -> None:
    # given -1 in front and +1 behind, which is no position by the net
    holdings = {FRONT: Holding(position=-1), FORWARD: Holding(position=1)}
    snapshot = at_level(replace(a_snapshot(0), contract_holdings=holdings), KillLevel.K4_FLATTEN)
    for contract, lots in ((FRONT, 1), (FORWARD, -1)):
        flatten = a_proposal(lots, kind=OrderKind.FLATTEN, contract=contract)
        checks = at_intent(flatten, snapshot, SETTINGS).checks
        assert checks[0].outcome is Outcome.PASS


def test_pro_rata_cuts_only_what_adds_risk() -> None:
    # given orders of a batch that together go half beyond the room that notional has
    portfolio = a_snapshot().portfolio
    assert isinstance(portfolio, PortfolioFacts)
    change = replace(portfolio.gross_notional, before=1.9e8, after=2.1e8)
    snapshot = replace(a_snapshot(), portfolio=replace(portfolio, gross_notional=change))
    assert at_decision(a_proposal(4), snapshot, SETTINGS).quantity == 2
    assert at_decision(a_proposal(-2), snapshot, SETTINGS).quantity == -2
    # a turn closes whole, and opens by half
    turn = a_proposal(-6, target=-4, previous_target=-4)
    assert at_decision(turn, snapshot, SETTINGS).quantity == -4


def test_zero_and_negative_prices_are_prices() -> None:
    snapshot = for_roll(a_snapshot())
    assert at_intent(a_roll(limit_price=Decimal(-20)), snapshot, SETTINGS).outcome is Outcome.PASS
