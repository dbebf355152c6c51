"""Carry the capital forward with the account's value.

Reads: the broker's net liquidation, db_capital. Writes: db_capital, one document a trading day.
If the account rose by more than a tenth, yesterday's capital stays in use; if it fell by more than a quarter, the job
fails and what depends on it waits for a person.
"""

from processes.job import JobContext
from trading.errors import JobIncomplete
from trading.log import get_log
from trading.objects.capital import Capital, CapitalMethod, CapitalRise

log = get_log()


def run(job: JobContext) -> None:
    """Repeating a day starts from the day before, so it changes nothing twice."""
    value = job.data.broker.account_value()
    before = job.data.db_capital.before(job.day)
    method = CapitalMethod(job.config.service.capital_method)
    try:
        capital = Capital.opened_with(value) if before is None else before.after(value, method)
    except CapitalRise as rise:
        raise JobIncomplete(str(rise)) from rise
    job.data.db_capital.save(job.day, capital)
    log.info("capital_updated", total=round(capital.total), account=round(value), method=method.value)
