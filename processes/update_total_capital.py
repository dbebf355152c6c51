"""Carry the capital forward with the account's value.

Reads: the broker's net liquidation, db_capital. Writes: db_capital, one document a trading day.
If it fails, or the account jumped by more than a tenth: yesterday's capital stays in use until a person looks.
"""

from processes.job import JobContext
from trading.log import get_log
from trading.objects.capital import Capital, CapitalMethod

log = get_log()


def run(job: JobContext) -> None:
    """Repeating a day starts from the day before, so it changes nothing twice."""
    value = job.data.broker.account_value()
    before = job.data.db_capital.before(job.day)
    method = CapitalMethod(job.config.capital_method)
    capital = Capital.opened_with(value) if before is None else before.after(value, method)
    job.data.db_capital.save(job.day, capital)
    log.info("capital_updated", total=round(capital.total), account=round(value), method=method.value)
