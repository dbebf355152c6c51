"""Whether a decision is too old to trade on (RC-31). Pure.

A scheduler that replays yesterday, or a run that failed unseen, must not trade on what was right last week.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from trading.errors import DataError
from trading.objects.open_days import OpenDays

OLDEST_DECISION_DAYS: Final = 1
OLDEST_PRICE_SESSIONS: Final = 2


class StaleDecision(DataError):
    """What is wanted was decided too long ago, or on too old a price."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """On which dates, of the exchange's clock, something was decided, and on the price of which session."""

    what: str  # for the message: the strategy, or strategy and instrument
    on: date
    priced_on: date | None = None  # None: the age of the price is not asked for


def check_age(decided: Decided, today: date, open_days: OpenDays) -> None:
    """Refuse what is older than one trading day, or stands on a price older than two sessions.

    Raises:
        StaleDecision: it is, or it is dated after `today`.
    """
    age = open_days.between(decided.on, today)
    if decided.on > today:
        raise StaleDecision(f"{decided.what} was decided for {decided.on}, but today is {today}. Nothing is traded on "
                            f"it. Compare the clock and the trading day.")
    if age > OLDEST_DECISION_DAYS:
        raise StaleDecision(f"{decided.what} was decided on {decided.on}, {age} trading days before {today} (allowed: "
                            f"{OLDEST_DECISION_DAYS}). Nothing is traded on it. Run it again: tradectl run run_systems")
    if decided.priced_on is not None:
        _check_price(decided.what, decided.priced_on, open_days.between(decided.priced_on, today))


def _check_price(what: str, priced_on: date, sessions: int) -> None:
    if sessions > OLDEST_PRICE_SESSIONS:
        raise StaleDecision(f"{what} stands on a price of {priced_on}, {sessions} sessions ago (allowed: "
                            f"{OLDEST_PRICE_SESSIONS}). Nothing is traded on it. Bring its prices up to date: "
                            f"tradectl run update_historical_prices")
