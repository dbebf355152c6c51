"""Limits for instruments for which nobody has typed one. Pure.

An input that is missing, NaN or senseless leaves the limit unset (None), and an unset limit lets only reductions
through: no number is ever made up. Infinity says "there is none", for an exchange limit.
Source: orders_and_risk.md RC-03, RC-04, RC-07, RC-08; pysystemtrade.md 2.7, auto-population.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from trading.risk.settings import AutomaticSettings
from trading.risk.trade_limits import DAY, MONTH, Bucket


@dataclass(frozen=True, kw_only=True, slots=True)
class SizingFacts:
    """What is known of one instrument; all money in the base currency, None or NaN when unknown."""

    capital: float | None
    annual_risk_per_contract: float | None      # standard deviation of the money that one contract makes in a year
    notional_per_contract: float | None
    adv: float | None = None                    # contracts a day, 20-day average of the contract that we trade
    best_contract_volume: float | None = None   # contracts a day of the most traded month
    exchange_limit: float | None = None         # lots; infinity when the exchange sets none
    top_of_book: float | None = None            # median lots at one side of the best quote


def standard_position(facts: SizingFacts, settings: AutomaticSettings) -> float | None:
    """Contracts, not rounded, of an ordinary position at full forecast: by risk, and never above half the leverage."""
    capital, risk, notional = (_positive(value) for value in (facts.capital, facts.annual_risk_per_contract,
                                                              facts.notional_per_contract))
    if capital is None or risk is None or notional is None:
        return None
    wanted = settings.risk_target * settings.diversification_multiplier * settings.instrument_weight
    return min(capital * wanted / risk, settings.leverage / 2 * capital / notional)


def usual_position_limit(facts: SizingFacts, settings: AutomaticSettings) -> int | None:
    """pysystemtrade's position limit, lots: twice the standard position, at least 1, under the newer caps when set."""
    standard = standard_position(facts, settings)
    if standard is None:
        return None
    bounds: list[float | None] = [_ceil(settings.positions_per_standard * standard)]
    if settings.concentration_share is not None:
        bounds.append(_lots_of_risk(facts, settings, settings.concentration_share))
    if settings.volume_share is not None:
        bounds.append(_share(facts.best_contract_volume, settings.volume_share))
    least = _least(bounds)
    return None if least is None else max(1, least)


def usual_trade_limit(facts: SizingFacts, days: int, settings: AutomaticSettings) -> int | None:
    """pysystemtrade's trade limit for a window of `days`, lots."""
    standard = standard_position(facts, settings)
    if standard is None:
        return None
    return max(settings.least_trades, _ceil(standard * settings.daily_trades_per_standard * math.sqrt(days)))


def instrument_limit(facts: SizingFacts, manual: int | None, settings: AutomaticSettings) -> int | None:
    """RC-03, lots: a tenth of the risk budget, 1% of volume, half of the exchange limit, and the manual one if any."""
    least = _least([_lots_of_risk(facts, settings, settings.risk_budget_share),
                    _share(facts.adv, settings.adv_share),
                    _share(facts.exchange_limit, settings.exchange_limit_share)])
    return least if manual is None or least is None else min(manual, least)


def usual_lots_of_risk(facts: SizingFacts, instruments: int, settings: AutomaticSettings) -> int | None:
    """RC-03 for an account that trades few instruments: each may then take a larger part of the risk budget.

    A tenth of the budget for each suits fifty instruments and more; with `instruments` of them it is at least
    `even_shares` times an even share, so that a full forecast is never cut by a limit that nobody has set.
    """
    share = max(settings.risk_budget_share, min(1.0, settings.even_shares / max(1, instruments)))
    least = _least([_lots_of_risk(facts, settings, share), _share(facts.adv, settings.adv_share),
                    _share(facts.exchange_limit, settings.exchange_limit_share)])
    return None if least is None else max(1, least)


def strategy_limit(limit: int | None, strategy_weight: float | None) -> int | None:
    """RC-04, lots: the instrument's limit times the weight (0 to 1) of the strategy."""
    if limit is None or strategy_weight is None or not 0 <= strategy_weight <= 1:
        return None
    return _floor(limit * strategy_weight)


def trade_limit(usual_position: float | None, bucket: Bucket, window: timedelta,
                settings: AutomaticSettings) -> int | None:
    """RC-07, lots in a window of 1 or 30 days. For rolls `usual_position` is the position to be rolled.

    The 30-day limit is never below that of a day.

    Raises:
        ValueError: another window.
    """
    if window not in (DAY, MONTH):
        raise ValueError(f"Trade limits are made for 1 and 30 days, not for {window}.")
    if usual_position is None or not math.isfinite(usual_position):
        return None
    size = abs(usual_position)
    if bucket is Bucket.ROLLS:
        return _ceil(settings.roll_lots_per_position * size)
    day = max(settings.least_day_trades, _ceil(settings.day_trades_per_usual * size))
    return day if window == DAY else max(day, _ceil(settings.month_trades_per_usual * size))


def order_size_limit(facts: SizingFacts, settings: AutomaticSettings) -> int | None:
    """RC-08, lots of one order: by the book, by volume, at most 10, at least 1."""
    least = _least([settings.largest_order, _share(facts.top_of_book, settings.book_slices * settings.book_share),
                    _share(facts.adv, settings.order_adv_share)])
    return None if least is None else max(1, least)


def _positive(value: float | None) -> float | None:
    """The value when it is a positive number (infinity is one)."""
    return value if value is not None and value > 0 else None


def _share(value: float | None, share: float) -> float | None:
    return None if _positive(value) is None or value is None else value * share


def _lots_of_risk(facts: SizingFacts, settings: AutomaticSettings, share: float) -> float | None:
    """Lots whose annual risk is `share` of the risk budget, which is capital times the risk target."""
    capital, risk = _positive(facts.capital), _positive(facts.annual_risk_per_contract)
    return None if capital is None or risk is None else capital * settings.risk_target * share / risk


def _least(bounds: Sequence[float | None]) -> int | None:
    """The least bound in whole lots; None when one of them is unknown or nothing bounds."""
    known = [bound for bound in bounds if bound is not None]
    return _floor(min(known)) if len(known) == len(bounds) and math.isfinite(min(known)) else None


def _ceil(lots: float) -> int:
    """Up to whole lots; a hair above a whole number is rounding, not a lot."""
    return math.ceil(round(lots, 9))


def _floor(lots: float) -> int:
    return math.floor(round(lots, 9))
