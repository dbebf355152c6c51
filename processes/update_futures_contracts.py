"""Ask the broker which contracts exist, when they expire, and which we need prices of.

Reads: broker contract details, db_instruments, db_multiple_prices. Writes: db_contracts.
If it fails: yesterday's contracts stay known; safe to run again at any time.
"""

from processes.job import JobContext, account_for
from trading.broker.facts import ContractDetails
from trading.data.mongo.instruments import InstrumentRecord
from trading.errors import BrokerError, BrokerUnavailable, DataError, StoreError
from trading.log import get_log
from trading.objects.contracts import Contract, DeliveryMonth
from trading.objects.multiple_prices import ContractSet, current_contracts
from trading.objects.rolls import RollParameters, required

log = get_log()


def run(job: JobContext) -> None:
    """Update the contracts of every instrument that has prices."""
    failed, tried = [], 0
    for code in job.data.db_multiple_prices.codes():
        job.checkpoint()
        tried += 1
        try:
            known = update_instrument(job, job.data.db_instruments.load(code))
            log.info("contracts_updated", instrument=code, sampled=known)
        except BrokerUnavailable:
            raise
        except (DataError, BrokerError, StoreError) as error:
            log.warning("contracts_not_updated", instrument=code, reason=str(error))
            failed.append(code)
    account_for("Contracts updated", failed, tried)


def update_instrument(job: JobContext, record: InstrumentRecord) -> int:
    """Store what the broker lists of one instrument; how many contracts are sampled from now on."""
    code = record.instrument.code
    rolls = required(code, record.rolls)
    if record.broker is None:
        raise DataError(f"{code} has no broker symbol. Add it to ib_config_futures.csv and import again.")
    listed = {DeliveryMonth.parse(row.contract_month): row for row in job.data.broker.contracts(record.broker)}
    current = current_contracts(code, job.data.db_multiple_prices.load_since(code, job.trading_day.year - 1))
    wanted = needed_months(current, rolls)
    store(job, code, listed, wanted)
    missing = [str(month) for month in current.months() if month not in listed]
    if missing:
        log.info("contracts_not_listed", instrument=code, months=missing)
    return len(wanted & set(listed))


def needed_months(current: ContractSet, rolls: RollParameters) -> set[DeliveryMonth]:
    """What is priced now, and what would be after the next two rolls: their prices must be there before."""
    following = ContractSet.of(current.forward, rolls)
    return {*current.months(), *following.months(), *ContractSet.of(following.forward, rolls).months()}


def store(job: JobContext, code: str, listed: dict[DeliveryMonth, ContractDetails],
          wanted: set[DeliveryMonth]) -> None:
    """Write the listed contracts, and stop sampling those that are no longer listed or wanted."""
    for month, details in listed.items():
        job.data.db_contracts.save(Contract(code, month), details, month in wanted, job.clock.now())
    for contract in job.data.db_contracts.sampled(code):
        if contract.month not in wanted or contract.month not in listed:
            job.data.db_contracts.stop_sampling(contract)
