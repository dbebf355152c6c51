"""Fetch the newest bars of every sampled contract, hourly and daily, and append them to ours.

Reads: broker history, db_contracts, db_contract_prices. Writes: db_contract_prices (append only).
If it fails: the contracts named keep yesterday's prices; safe to run again at any time.
"""

import pandas as pd

from processes.job import JobContext, account_for
from trading.broker.facts import ContractDetails
from trading.data.closes import merged_bars
from trading.errors import BrokerError, BrokerUnavailable, DataError
from trading.log import get_log
from trading.objects.contracts import Contract
from trading.objects.price_spikes import check_spike
from trading.objects.prices import without_empty_bars

log = get_log()


def run(job: JobContext) -> None:
    """Update every sampled contract of every instrument that has prices."""
    failed, tried = [], 0
    for code in job.data.db_multiple_prices.codes():
        for contract, details in job.data.db_contracts.sampled(code).items():
            job.checkpoint()
            tried += 1
            try:
                added = update_contract(job, contract, details)
                log.info("prices_updated", contract=contract.key, added=added)
            except BrokerUnavailable:
                raise
            except (DataError, BrokerError) as error:
                log.warning("prices_not_updated", contract=contract.key, reason=str(error))
                failed.append(contract.key)
    account_for("Prices updated", failed, tried)


def update_contract(job: JobContext, contract: Contract, details: ContractDetails) -> int:
    """Fetch, clean, check, append; how many bars were added."""
    old = job.data.db_contract_prices.load(contract)
    days = missing_days(old, job)
    hourly = job.data.broker.bars(details, f"{min(days, 30)} D", "1 hour")
    daily = job.data.broker.bars(details, f"{min(days, 365)} D", "1 day")
    bars = without_empty_bars(merged_bars(hourly, daily, job.config.service.zone, job.clock.now()))
    newer = bars if old.empty else bars[bars.index > old.index[-1]]
    check_spike(contract.key, old["FINAL"], newer["FINAL"])
    return job.data.db_contract_prices.append(contract, newer)


def missing_days(old: pd.DataFrame, job: JobContext) -> int:
    """Days to ask for: what is missing and a few more; a year when nothing is stored."""
    if old.empty:
        return 365
    last: pd.Timestamp = old.index[-1]
    return (pd.Timestamp(job.clock.now()) - last).days + 5
