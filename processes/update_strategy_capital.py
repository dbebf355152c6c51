"""Give each strategy its share of the capital.

Reads: db_capital, the strategies' weights. Writes: db_capital, one document a strategy and trading day.
If it fails: each strategy keeps yesterday's capital; safe to run again at any time.
"""

from processes.job import JobContext
from trading.errors import DataError
from trading.log import get_log
from trading.objects.capital import split_by_weight

log = get_log()


def run(job: JobContext) -> None:
    """Split the newest total by the weights."""
    capital = job.data.db_capital.latest()
    if capital is None:
        raise DataError("There is no capital yet. Run: tradectl run update_total_capital")
    weights = {name: strategy.weight for name, strategy in job.config.strategies.items()}
    for name, amount in split_by_weight(capital.total, weights).items():
        job.data.db_capital.save_strategy(name, job.day, amount)
        log.info("strategy_capital", strategy=name, amount=round(amount))
