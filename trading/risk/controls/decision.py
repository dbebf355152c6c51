"""Is the decision itself sound? RC-09, RC-31, RC-32, RC-37, RC-38. Pure."""

from collections.abc import Sequence
from datetime import datetime

from trading.risk.check import Check, denied, held, passed, unknown
from trading.risk.controls.effects import account_effect
from trading.risk.order_kind import OrderKind
from trading.risk.proposal import Proposal
from trading.risk.settings import RiskSettings
from trading.risk.snapshot import InstrumentFacts, Snapshot, Window
from trading.weekdays import time_on_weekdays


def rc_09(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Fat finger by risk: a day's volatility of the order, and its notional, against the equity."""
    facts, nav, size = snapshot.instrument, snapshot.account.nav, settings.size
    worth, price = _money_per_point(facts, settings), _price(facts)
    if worth is None or price is None or not (facts.sigma_d or 0) > 0 or not (nav or 0) > 0:
        return unknown("RC-09", f"The risk of {proposal.lots} lots of {proposal.instrument} (multiplier, volatility, "
                                f"FX rate, price or NAV)", proposal.quantity, account_effect(proposal, snapshot))
    risk, notional = (proposal.lots * worth * each / (nav or 1.0) for each in (facts.sigma_d or 0.0, price))
    if not risk <= size.order_risk_hard:
        return denied("RC-09", f"{proposal.lots} lots move {risk:.2%} of NAV on an ordinary day; one order may move "
                               f"{size.order_risk_hard:.2%}.", risk, size.order_risk_hard)
    if not notional <= size.order_notional_hard and proposal.instrument not in size.notional_exempt:
        return denied("RC-09", f"{proposal.lots} lots are worth {notional:.0%} of NAV; one order may be worth "
                               f"{size.order_notional_hard:.0%}.", notional, size.order_notional_hard)
    if risk > size.order_risk_soft and not proposal.approved_by:
        return held("RC-09", f"{proposal.lots} lots move {risk:.2%} of NAV on an ordinary day; above "
                             f"{size.order_risk_soft:.2%} a person must approve.", risk, size.order_risk_soft)
    return passed("RC-09", proposal.quantity, risk, size.order_risk_soft)


def _money_per_point(facts: InstrumentFacts, settings: RiskSettings) -> float | None:
    """Base currency per lot and price point."""
    rate = 1.0 if facts.currency == settings.base_currency else facts.fx.rate if facts.fx else 0.0
    worth = (facts.multiplier or 0.0) * rate
    return worth if worth > 0 else None


def _price(facts: InstrumentFacts) -> float | None:
    """Size of the last settlement, or of the ask."""
    price = facts.settlement
    if price is None and facts.quote is not None:
        price = facts.quote.ask
    return None if price is None or not price.is_finite() else abs(float(price))


def rc_31(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Stale decision: what a strategy wanted, and the price that it saw, are of today."""
    if proposal.kind is not OrderKind.STRATEGY:
        return passed("RC-31", proposal.quantity)
    for what, at, most in (("decision", proposal.decided_at, settings.time.decision_sessions),
                           ("price of the decision", proposal.price_at, settings.time.price_sessions)):
        begun = _sessions_since(at, snapshot.instrument.sessions, snapshot.now, most)
        if begun is None:
            return unknown("RC-31", f"The age of the {what}", proposal.quantity, account_effect(proposal, snapshot))
        if begun > most:
            return denied("RC-31", f"The {what} is of {at:%Y-%m-%d %H:%M} UTC: {begun} sessions have begun since, and "
                                   f"{most} may. Run the strategy again.", begun, most)
    return passed("RC-31", proposal.quantity)


def _sessions_since(at: datetime | None, sessions: Sequence[Window] | None, now: datetime, most: int) -> int | None:
    """Sessions that have begun after `at`; None when those that we know do not tell whether over `most` have."""
    if at is None or not sessions:
        return None
    begun = sum(1 for session in sessions if at < session.start <= now)
    return begun if at >= sessions[0].start or begun > most else None


def rc_32(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Target jump: a target that moves out of all proportion, or turns, waits for a person."""
    if proposal.kind is not OrderKind.STRATEGY or proposal.approved_by:
        return passed("RC-32", proposal.quantity)
    facts, size = snapshot.instrument, settings.size
    if proposal.target is None or proposal.previous_target is None:
        return unknown("RC-32", "The target, or the one before it,", proposal.quantity,
                       account_effect(proposal, snapshot))
    jump = abs(proposal.target - proposal.previous_target)
    limit = facts.strategy_limit if facts.strategy_limit is not None else facts.position_limit
    if proposal.target * proposal.previous_target < 0 and limit is not None and jump > size.flip_limit_share * limit:
        return held("RC-32", f"The target turns from {proposal.previous_target:+d} to {proposal.target:+d} lots, over "
                             f"{size.flip_limit_share:.0%} of the limit of {limit}. A person must approve.",
                    jump, limit)
    most = None if facts.target_change_std is None else size.jump_sigmas * facts.target_change_std
    if jump > size.jump_lots and (most is None or not jump <= most):
        usual = "an unknown usual change" if most is None else f"{most:g}"
        return held("RC-32", f"The target moves by {jump} lots, over {usual}. A person must approve.", jump, most)
    return passed("RC-32", proposal.quantity, jump, most)


def rc_37(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """FX: limits in the base currency need a rate, and a fresh one; at weekends none is made."""
    facts = snapshot.instrument
    if facts.currency == settings.base_currency:
        return passed("RC-37", proposal.quantity)
    if facts.fx is None or not facts.fx.rate > 0 or \
            not time_on_weekdays(facts.fx.at, snapshot.now) < settings.time.fx_age:
        return unknown("RC-37", f"A rate of {facts.currency} younger than {settings.time.fx_age.days} weekdays",
                       proposal.quantity, account_effect(proposal, snapshot))
    return passed("RC-37", proposal.quantity, facts.fx.rate)


def rc_38(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Manual orders: with a reason, and a second confirmation above a tighter size."""
    if proposal.kind not in (OrderKind.MANUAL, OrderKind.PANIC):
        return passed("RC-38", proposal.quantity)
    if not proposal.reason.strip():
        return denied("RC-38", "A manual order needs a reason. Give one with --reason.")
    size = snapshot.instrument.order_size_limit
    size = settings.size.unset_order_size if size is None else size
    most = max(1, int(size * settings.size.manual_order_share))
    if proposal.lots > most and not proposal.approved_by:
        return held("RC-38", f"A manual order of {proposal.lots} lots is above {most} and needs a second confirmation.",
                    proposal.lots, most)
    return passed("RC-38", proposal.quantity, proposal.lots, most)
