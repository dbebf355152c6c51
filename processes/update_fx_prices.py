"""Append the broker's daily FX closes to ours.

Reads: broker FX history, db_fx_prices. Writes: db_fx_prices (append only).
If it fails: yesterday's rates stay in use; safe to run again at any time.
"""

from datetime import datetime

import pandas as pd

from processes.job import JobContext, account_for
from trading.data.closes import daily_closes
from trading.errors import BrokerError, BrokerUnavailable, DataError
from trading.log import get_log
from trading.objects.instruments import CurrencyPair

log = get_log()


def run(job: JobContext) -> None:
    """Update every configured pair that we have, or may need."""
    stored = set(job.data.db_fx_prices.pairs())
    failed, tried = [], 0
    for code, pair in job.data.db_instruments.pairs().items():
        if code not in stored:
            continue
        job.checkpoint()
        tried += 1
        try:
            added = update_pair(job, pair)
            log.info("fx_prices_updated", pair=code, added=added)
        except BrokerUnavailable:
            raise
        except (DataError, BrokerError) as error:
            log.warning("fx_prices_not_updated", pair=code, reason=str(error))
            failed.append(code)
    account_for("FX prices updated", failed, tried)


def update_pair(job: JobContext, pair: CurrencyPair) -> int:
    """Fetch, check, append; how many days were added."""
    old = job.data.db_fx_prices.load(pair.code)
    bars = job.data.broker.fx_bars(pair, duration_since(old.rates, job.clock.now()))
    closes = daily_closes(bars["FINAL"], job.config.service.zone)
    new = old.newer_than_ours(closes[closes.index <= job.clock.now()])  # the bar of a day that goes on is no close
    return job.data.db_fx_prices.append(pair.code, new)


def duration_since(rates: pd.Series, now: datetime) -> str:
    """How far back to ask: a few days more than what is missing."""
    if rates.empty:
        return "1 Y"
    days = (pd.Timestamp(now) - rates.index[-1]).days + 5
    return f"{days} D" if days <= 365 else f"{days // 365 + 1} Y"
