"""Is the price of the order sane? RC-10 to RC-12. Pure. Prices are Decimals and may be zero or negative."""

import math
from decimal import Decimal

from trading.risk.check import Check, denied, passed, unknown
from trading.risk.controls.effects import account_effect
from trading.risk.kill_level import KillLevel
from trading.risk.order_kind import OrderKind
from trading.risk.proposal import Action, OrderType, Proposal
from trading.risk.settings import PriceSettings, RiskSettings
from trading.risk.snapshot import InstrumentFacts, PriceStep, Snapshot


def price_increment(price: Decimal, steps: tuple[PriceStep, ...]) -> Decimal | None:
    """The increment at `price`, by the rule of the contract or combination; None when there is no rule."""
    fitting = [step.increment for step in steps if step.above <= abs(price)]
    return fitting[-1] if fitting else None


def mid(facts: InstrumentFacts) -> Decimal | None:
    """Between bid and ask; None without both."""
    quote = facts.quote
    return None if quote is None or quote.bid is None or quote.ask is None else (quote.bid + quote.ask) / 2


def sigma(proposal: Proposal, facts: InstrumentFacts) -> Decimal | None:
    """Daily volatility in price points of what is traded: a combination has its own. None when not positive."""
    value = facts.combination_sigma_d if proposal.legs else facts.sigma_d
    return Decimal(value) if value is not None and 0 < value < math.inf else None


def collar(tick: Decimal, median_spread: Decimal, day_sigma: Decimal,
           settings: PriceSettings) -> tuple[Decimal, Decimal]:
    """How far a limit may lie from the mid: without and with an approval."""
    hard = Decimal(str(settings.collar_hard_sigmas)) * day_sigma
    soft = max(settings.collar_ticks * tick, Decimal(str(settings.collar_spreads)) * median_spread,
               Decimal(str(settings.collar_sigmas)) * day_sigma)
    return min(soft, hard), hard


def rc_10(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Price collar of one order, around the mid; only the hard one for an approved, flattening or panic order."""
    facts, limit = snapshot.instrument, proposal.limit_price
    if limit is None:
        return passed("RC-10", proposal.quantity, sentence="It has no limit price; RC-11 judges it.")
    middle, day_sigma, tick = mid(facts), sigma(proposal, facts), price_increment(limit, facts.price_steps)
    if middle is None or day_sigma is None or tick is None or facts.median_spread is None:
        return unknown("RC-10", "The mid, volatility, price rule or usual spread", proposal.quantity,
                       account_effect(proposal, snapshot))
    soft, hard = collar(tick, facts.median_spread, day_sigma, settings.price)
    wide = proposal.approved_by or proposal.kind in (OrderKind.FLATTEN, OrderKind.PANIC)
    away, most = abs(limit - middle), hard if wide else soft
    if away <= most:  # NaN is not
        return passed("RC-10", proposal.quantity, str(away), str(most))
    return denied("RC-10", f"The limit {limit} is {away:g} from the mid {middle:g}; it may be {most:g}.", str(away),
                  str(most))


def rc_10b(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """Price collar over a period: how far we have chased the market, for this order and today."""
    activity, day_sigma = snapshot.activity, sigma(proposal, snapshot.instrument)
    if day_sigma is None or activity.chase is None or activity.day_chase is None:
        return unknown("RC-10b", "How far the market was chased", proposal.quantity, account_effect(proposal, snapshot))
    for what, chased, sigmas in (("This order", activity.chase, settings.price.chase_sigmas),
                                 ("All of today's orders", activity.day_chase, settings.price.day_chase_sigmas)):
        most = sigmas * float(day_sigma)
        if not chased <= most:
            return denied("RC-10b", f"{what} has chased the market by {chased:g} points; {most:g} may be.",
                          chased, most)
    return passed("RC-10b", proposal.quantity, activity.chase)


def rc_11(proposal: Proposal, snapshot: Snapshot, settings: RiskSettings) -> Check:
    """No raw market order, but to flatten at K4 with a confirmation; and a limit is re-priced only so often."""
    if proposal.order_type is OrderType.MARKET:
        flattens = snapshot.system.kill.level is KillLevel.K4_FLATTEN and proposal.kind is OrderKind.FLATTEN
        if flattens and proposal.approved_by:
            return passed("RC-11", proposal.quantity, sentence=f"A market order, confirmed by {proposal.approved_by}.")
        return denied("RC-11", "A market order names no price. Send a limit through the touch instead.", "MARKET")
    reprices = snapshot.activity.reprices or 0  # an order that was none is never re-priced
    if proposal.action is Action.MODIFY and reprices >= settings.price.reprices:
        return denied("RC-11", f"It was re-priced {reprices} times; {settings.price.reprices} are allowed.", reprices,
                      settings.price.reprices)
    return passed("RC-11", proposal.quantity, reprices, settings.price.reprices)


def rc_12(proposal: Proposal, snapshot: Snapshot, _settings: RiskSettings) -> Check:
    """Tick and lot: whole lots, and a price on the grid of what is traded."""
    if proposal.quantity == 0:
        return denied("RC-12", "An order of 0 lots is none.", 0)
    if proposal.order_type is OrderType.MARKET:
        return passed("RC-12", proposal.quantity)
    price = proposal.limit_price
    if price is None or not price.is_finite():
        return denied("RC-12", f"A limit order needs a price, and {price} is none.", str(price))
    increment = price_increment(price, snapshot.instrument.price_steps)
    if increment is None:
        return unknown("RC-12", f"The price rule of {proposal.instrument}", proposal.quantity,
                       account_effect(proposal, snapshot))
    if price % increment:
        return denied("RC-12", f"{price} is not a multiple of {increment}. Round it, buys down when passive.",
                      str(price), str(increment))
    return passed("RC-12", proposal.quantity, str(price), str(increment))
