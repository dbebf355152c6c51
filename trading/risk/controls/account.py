"""Can the account carry it? RC-23. Pure."""

import math
from typing import Final

from trading.risk.check import Check, denied, held, passed, unknown
from trading.risk.controls.effects import account_effect
from trading.risk.exposure import Effect
from trading.risk.proposal import Proposal
from trading.risk.settings import RiskSettings
from trading.risk.snapshot import AccountFacts, Margin, MarginState, Snapshot

ASKS_THE_BROKER: Final = "RC-23b"
_NO_NUMBER = 1e300  # the broker says "none" with 1.7976931348623157e308


def rc_23(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Margin: what the broker says that new risk would need, or our own table with a safety factor. Reductions pass."""
    if account_effect(proposal, snapshot) is Effect.REDUCES_RISK:
        return passed("RC-23", proposal.quantity)
    margin = _margin(snapshot.account, settings)
    if margin is None:
        return unknown("RC-23", "The margin after the order", proposal.quantity, Effect.ADDS_RISK)
    rules, equity = settings.account, margin.equity_after
    for what, needed, share in (("initial", margin.initial_after, rules.initial_margin_share),
                                ("maintenance", margin.maintenance_after, rules.maintenance_margin_share)):
        if not needed <= share * equity:
            return denied("RC-23", f"After the order the {what} margin is {needed:.0f} of {equity:.0f} "
                                   f"{margin.currency}; {share:.0%} may be.", needed, share * equity)
    return passed("RC-23", proposal.quantity, margin.initial_after, rules.initial_margin_share * equity)


def rc_23b(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:  # noqa: ARG001 (a control's)
    """New risk waits for the broker's word on its margin, a few seconds at most; a reduction never does."""
    if not _must_ask(snapshot.account, proposal.quantity) or \
            account_effect(proposal, snapshot) is Effect.REDUCES_RISK:
        return passed(ASKS_THE_BROKER, proposal.quantity)
    return held(ASKS_THE_BROKER, "The broker is asked what margin the account needs after the order.",
                proposal.quantity)


def _must_ask(account: AccountFacts, quantity: int) -> bool:
    """For fewer lots to the same side than were asked about, the answer says rather too much: it will do."""
    if account.margin_state is MarginState.TOLD:
        return quantity * account.margin_lots <= 0 or abs(quantity) > abs(account.margin_lots)
    return account.margin_state in (MarginState.WANTED, MarginState.AWAITED)


def _margin(account: AccountFacts, settings: RiskSettings) -> Margin | None:
    """The broker's answer when it is one; else our own, made larger; else none."""
    if _is_answer(account.margin):
        return account.margin
    own, factor = account.own_margin, settings.account.own_margin_factor
    if own is None or not _is_answer(own):
        return None
    return Margin(initial_after=own.initial_after * factor, maintenance_after=own.maintenance_after * factor,
                  equity_after=own.equity_after, currency=own.currency)


def _is_answer(margin: Margin | None) -> bool:
    """The broker answers with a sentinel, or without a currency, when it has not computed anything."""
    return margin is not None and bool(margin.currency) and all(
        math.isfinite(number) and abs(number) < _NO_NUMBER
        for number in (margin.initial_after, margin.maintenance_after, margin.equity_after))
