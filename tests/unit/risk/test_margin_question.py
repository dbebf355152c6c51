"""What is asked about a margin, how long the answer counts, and what the controls make of it; time is a number."""

from dataclasses import replace

import pytest
from made_proposals import SETTINGS, a_proposal, a_snapshot, with_facts

from trading.risk.check import Outcome
from trading.risk.controls.account import rc_23b
from trading.risk.margin_question import ANSWER_WITHIN_S, COUNTS_FOR_S, MarginQuestion
from trading.risk.order_kind import OrderKind
from trading.risk.pre_trade import at_decision, at_intent
from trading.risk.snapshot import AccountFacts, Margin, MarginState

TOLD = Margin(initial_after=100.0, maintenance_after=80.0, equity_after=1000.0, currency="USD")
TOO_MUCH = replace(TOLD, initial_after=900.0)
OWN = Margin(initial_after=500.0, maintenance_after=400.0, equity_after=1000.0, currency="USD")
ASKED = MarginQuestion(lots=2, filled=0, asked_s=1000.0)


def account(question: MarginQuestion | None, after_s: float, filled: int = 0) -> AccountFacts:
    """What is known some seconds after the question."""
    facts = AccountFacts(nav=1e7, own_margin=OWN)
    if question is None:
        return replace(facts, margin_state=MarginState.WANTED)
    return question.known_to(facts, filled, question.asked_s + after_s)


def test_an_answer_is_waited_for_as_long_as_it_may_take() -> None:
    assert account(ASKED, ANSWER_WITHIN_S - 0.01).margin_state is MarginState.AWAITED
    late = account(ASKED, ANSWER_WITHIN_S)
    assert (late.margin_state, late.margin) == (MarginState.UNTOLD, None)


def test_an_answer_that_tells_nothing_ends_the_wait_at_once() -> None:
    assert account(ASKED.answered(None), 0.1).margin_state is MarginState.UNTOLD


def test_a_broker_that_told_nothing_is_asked_again_only_some_minutes_later() -> None:
    assert account(ASKED.answered(None), COUNTS_FOR_S - 1).margin_state is MarginState.UNTOLD
    assert account(ASKED, COUNTS_FOR_S).margin_state is MarginState.WANTED


def test_an_answer_counts_for_some_minutes() -> None:
    answered = ASKED.answered(TOLD)
    assert account(answered, COUNTS_FOR_S - 1).margin == TOLD
    old = account(answered, COUNTS_FOR_S)
    assert (old.margin_state, old.margin) == (MarginState.WANTED, None)


def test_a_fill_of_the_very_order_makes_its_answer_void() -> None:
    after = account(ASKED.answered(TOLD), 1.0, filled=1)
    assert (after.margin_state, after.margin) == (MarginState.WANTED, None)


@pytest.mark.parametrize(("quantity", "outcome"), [
    (1, Outcome.PASS), (2, Outcome.PASS), (3, Outcome.HOLD), (-1, Outcome.PASS)])
def test_an_answer_is_good_for_no_more_lots_than_were_asked_about(quantity: int, outcome: Outcome) -> None:
    """What reduces needs none at all."""
    snapshot = replace(a_snapshot(), account=account(ASKED.answered(TOLD), 1.0))
    assert rc_23b(a_proposal(quantity), snapshot, SETTINGS).outcome is outcome


@pytest.mark.parametrize("question", [None, ASKED], ids=["nobody has asked", "asked and not answered"])
def test_new_risk_waits_for_the_broker_and_a_reduction_does_not(question: MarginQuestion | None) -> None:
    snapshot = replace(a_snapshot(), account=account(question, 1.0))
    held = at_intent(a_proposal(2), snapshot, SETTINGS)
    assert held.decisive is not None
    assert (held.outcome, held.decisive.control, held.decisive.number) == (Outcome.HOLD, "RC-23b", 2)
    assert at_intent(a_proposal(-2), snapshot, SETTINGS).outcome is Outcome.PASS


def test_what_the_broker_says_is_too_much_is_denied_whatever_our_own_table_says() -> None:
    snapshot = replace(a_snapshot(), account=account(ASKED.answered(TOO_MUCH), 1.0))
    verdict = at_intent(a_proposal(2), snapshot, SETTINGS)
    assert verdict.decisive is not None
    assert (verdict.outcome, verdict.decisive.control) == (Outcome.DENY, "RC-23")


@pytest.mark.parametrize(("own", "outcome"), [(OWN, Outcome.PASS), (replace(OWN, initial_after=700.0), Outcome.DENY)])
def test_o45_what_the_broker_does_not_tell_is_judged_by_our_own_table(own: Margin, outcome: Outcome) -> None:
    facts = replace(account(ASKED, ANSWER_WITHIN_S), own_margin=own)
    assert at_intent(a_proposal(2), replace(a_snapshot(), account=facts), SETTINGS).outcome is outcome


def test_panic_waits_for_nobody() -> None:
    panic = a_proposal(2, kind=OrderKind.PANIC, reason="fire", approved_by="ben")
    asked = at_intent(panic, replace(a_snapshot(), account=account(None, 0.0)), SETTINGS).checks
    assert "RC-23b" not in {check.control for check in asked}


def test_nobody_is_asked_when_an_order_is_decided() -> None:
    asked = at_decision(a_proposal(2), a_snapshot(), SETTINGS).checks
    assert "RC-23b" not in {check.control for check in asked}


def test_the_broker_is_asked_about_what_the_other_controls_have_left() -> None:
    snapshot = replace(with_facts(a_snapshot(), order_size_limit=1), account=account(None, 0.0))
    held = at_intent(a_proposal(2), snapshot, SETTINGS)
    assert held.decisive is not None
    assert (held.decisive.control, held.decisive.number) == ("RC-23b", 1)
