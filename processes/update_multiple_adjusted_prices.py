"""Extend multiple and adjusted prices with the newest contract prices, and roll where it is time to.

Reads: db_contract_prices, db_multiple_prices, db_instruments, db_roll_states. Writes: db_multiple_prices and adjusted;
both series of an instrument change in one transaction.
If it fails: the instruments named keep yesterday's series; safe to run again at any time.
"""

import pandas as pd
from pymongo.client_session import ClientSession

from processes.job import JobContext, account_for
from trading.data.mongo.instruments import InstrumentRecord
from trading.errors import DataError, StoreError
from trading.execution.rolls.states import RollState
from trading.log import get_log
from trading.objects.adjusted_prices import extended
from trading.objects.contracts import Contract, DeliveryMonth
from trading.objects.multiple_prices import (
    ContractSet,
    current_contracts,
    roll_gap,
    roll_reason,
    roll_rows,
    rows_of,
)
from trading.objects.rolls import required

log = get_log()


def run(job: JobContext) -> None:
    """Update every instrument that has multiple prices."""
    failed, tried = [], 0
    for code in job.data.db_multiple_prices.codes():
        job.checkpoint()
        tried += 1
        try:
            update_instrument(job, job.data.db_instruments.load(code))
        except (DataError, StoreError) as error:
            log.warning("multiple_prices_not_updated", instrument=code, reason=str(error))
            failed.append(code)
    account_for("Multiple and adjusted prices updated", failed, tried)


def update_instrument(job: JobContext, record: InstrumentRecord) -> None:
    """Append the rows since the last update, then roll if there is a reason to."""
    code = record.instrument.code
    rolls = required(code, record.rolls)
    old = job.data.db_multiple_prices.load(code)
    contracts = current_contracts(code, old)
    newer = newer_rows(job, code, contracts, old.index[-1])
    reason = roll_reason(contracts, rolls, newer, job.trading_day) or position_has_rolled(job, code, contracts)
    if not newer["PRICE"].notna().any() and reason is None:
        log.info("no_newer_prices", instrument=code)
        return
    append(job, code, newer)
    log.info("multiple_prices_updated", instrument=code, rows=len(newer))
    if reason is not None:
        roll(job, code, pd.concat([old, newer]), ContractSet.of(contracts.forward, rolls), reason)


def position_has_rolled(job: JobContext, code: str, contracts: ContractSet) -> str | None:
    """Why the prices should follow: nothing is held in the priced contract, and its roll state says that it is over."""
    found = job.data.db_roll_states.all().get(code)
    is_over = found is not None and found.state is RollState.ROLL_ADJUSTED
    priced = Contract(code, contracts.price).key
    if not is_over or found is None or found.front != priced:
        return None
    return None if job.data.db_books.contract_positions().get(priced) else found.reason


def newer_rows(job: JobContext, code: str, contracts: ContractSet, last: pd.Timestamp) -> pd.DataFrame:
    """Multiple prices behind `last`, from the stored closes of the three contracts."""
    closes: dict[DeliveryMonth, pd.Series] = {}
    for month in contracts.months():
        series = job.data.db_contract_prices.load(Contract(code, month))["FINAL"]
        closes[month] = series[series.index > last]
    return rows_of(contracts, closes)


def append(job: JobContext, code: str, rows: pd.DataFrame) -> None:
    """The rows into both series at once."""
    def steps(session: ClientSession) -> None:
        job.data.db_multiple_prices.append(code, rows, session)
        job.data.db_adjusted_prices.append(code, rows["PRICE"].dropna(), session)
    job.data.store.transact(steps)


def roll(job: JobContext, code: str, multiple: pd.DataFrame, after: ContractSet, reason: str) -> None:
    """Price `after` from now on, and move the older adjusted prices by the gap."""
    rows = roll_rows(code, multiple, after)
    adjusted = extended(code, job.data.db_adjusted_prices.load(code), multiple.tail(1), rows).dropna()

    def steps(session: ClientSession) -> None:
        job.data.db_multiple_prices.append(code, rows, session)
        job.data.db_adjusted_prices.replace(code, adjusted, session)
    job.data.store.transact(steps)
    log.info("rolled", instrument=code, to=str(after.price), gap=roll_gap(code, multiple), reason=reason)
