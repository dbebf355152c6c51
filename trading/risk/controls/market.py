"""Can it be traded now? RC-13 to RC-15. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from trading.risk.check import Check, denied, held, passed, unknown
from trading.risk.controls.effects import account_effect, contract_effect
from trading.risk.controls.price import mid, price_increment, sigma
from trading.risk.exposure import Effect
from trading.risk.proposal import Proposal
from trading.risk.settings import PriceSettings, RiskSettings
from trading.risk.snapshot import ContractFacts, Quote, Snapshot


def rc_13(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Quote freshness: live, two-sided, young, of a usual width, and near the last settlement."""
    quote = snapshot.instrument.quote
    fault = "there is none" if quote is None else _quote_fault(quote, snapshot, settings)
    usual = None if fault else _usual(proposal, snapshot)
    if fault is None and usual is None:
        return unknown("RC-13", "What is usual (price rule, spread, settlement, volatility)", proposal.quantity,
                       account_effect(proposal, snapshot))
    if usual is not None:
        fault = _far_from_usual(usual, settings.price)
    if fault is None:
        return passed("RC-13", proposal.quantity)
    return held("RC-13", f"The quote of {proposal.contract or proposal.instrument} cannot be used: {fault}.", fault)


def _quote_fault(quote: Quote, snapshot: Snapshot, settings: RiskSettings) -> str | None:
    age = snapshot.now - quote.at
    oldest = settings.price.illiquid_quote_age if snapshot.instrument.is_illiquid else settings.price.quote_age
    if not quote.is_live:
        return "it is not live"
    if quote.bid is None or quote.ask is None or not (quote.bid.is_finite() and quote.ask.is_finite()):
        return "a side is missing"
    if not quote.bid < quote.ask:
        return f"its bid {quote.bid} is not below its ask {quote.ask}"
    if age > oldest:
        return f"it is {age.total_seconds():.0f} s old, and {oldest.total_seconds():.0f} s are allowed"
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Usual:
    """A two-sided quote, and what it is judged by."""

    spread: Decimal
    median_spread: Decimal
    tick: Decimal
    middle: Decimal
    settlement: Decimal
    day_sigma: Decimal


def _usual(proposal: Proposal, snapshot: Snapshot) -> _Usual | None:
    facts, day_sigma = snapshot.instrument, sigma(proposal, snapshot.instrument)
    quote, middle = facts.quote, mid(facts)
    if quote is None or quote.bid is None or quote.ask is None or middle is None:
        return None
    tick = price_increment(quote.bid, facts.price_steps)
    if tick is None or facts.median_spread is None or facts.settlement is None or day_sigma is None:
        return None
    return _Usual(spread=quote.ask - quote.bid, median_spread=facts.median_spread, tick=tick, middle=middle,
                  settlement=facts.settlement, day_sigma=day_sigma)


def _far_from_usual(usual: _Usual, rules: PriceSettings) -> str | None:
    widest = max(usual.median_spread * Decimal(str(rules.quote_spreads)), rules.quote_spread_ticks * usual.tick)
    if usual.spread > widest:
        return f"its spread is {usual.spread}, and {widest:g} is allowed"
    if abs(usual.middle - usual.settlement) > Decimal(str(rules.settlement_sigmas)) * usual.day_sigma:
        return (f"its mid {usual.middle:g} is more than {rules.settlement_sigmas:g} daily volatilities from "
                f"{usual.settlement}")
    return None


def rc_14(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Session: open, not about to close, and the broker not restarting."""
    now, facts, rules = snapshot.now, snapshot.instrument, settings.time
    if facts.sessions is None:
        return unknown("RC-14", f"When {proposal.instrument} trades", proposal.quantity,
                       account_effect(proposal, snapshot))
    restart = next((each for each in facts.restarts if each.start <= now < each.end), None)
    if restart is not None:
        return held("RC-14", f"The broker restarts until {restart.end:%H:%M} UTC.", f"{restart.end:%H:%M}")
    session = next((each for each in facts.sessions if each.start <= now < each.end), None)
    if session is None:
        return held("RC-14", f"{proposal.instrument} is closed.")
    left = session.end - now
    needed = rules.no_passive_before_close if proposal.is_passive else rules.no_order_before_close
    if left <= needed:
        return held("RC-14", f"{proposal.instrument} closes in {left.total_seconds():.0f} s; such an order needs more "
                             f"than {needed.total_seconds():.0f} s.", left.total_seconds(), needed.total_seconds())
    return passed("RC-14", proposal.quantity, left.total_seconds(), needed.total_seconds())


def rc_15(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Tradeability: verified today, alive, permitted; and for new risk approved and far enough from the close-out."""
    if not proposal.trades:
        return unknown("RC-15", "The contract", proposal.quantity, account_effect(proposal, snapshot))
    for contract, lots in proposal.trades:
        facts = snapshot.instrument.contracts.get(contract, ContractFacts())
        fault = _not_tradeable(facts, snapshot)
        if fault is None and contract_effect(contract, lots, snapshot) is Effect.ADDS_RISK:
            fault = _not_for_new_risk(facts, settings)
        if fault is not None:
            return denied("RC-15", f"{contract} {fault}.", contract)
    return passed("RC-15", proposal.quantity)


def _not_tradeable(facts: ContractFacts, snapshot: Snapshot) -> str | None:
    if facts.verified_on != snapshot.trading_day:
        return "was not verified with the broker today"
    if facts.last_trading_day is not None and snapshot.trading_day > facts.last_trading_day:
        return f"is past its last trading day, {facts.last_trading_day}"
    return "may not be traded in this account: there is no permission" if facts.has_permission is False else None


def _not_for_new_risk(facts: ContractFacts, settings: RiskSettings) -> str | None:
    least = settings.time.least_days_to_close_out
    if not facts.is_approved:
        return "is not an approved month, so positions may only shrink"
    if facts.last_trading_day is None or facts.has_permission is None:
        return "may only be reduced: its last trading day, or our permission, is unknown"
    if facts.is_close_only is not False:
        return "is taken by the broker only to close"
    if facts.days_to_close_out is None or facts.days_to_close_out <= least:
        return f"may be closed out by the broker in {facts.days_to_close_out} days; more than {least} are needed"
    return None
