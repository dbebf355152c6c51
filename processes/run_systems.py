"""Run each strategy's system over all prices and store what it would like to hold.

Reads: db_adjusted_prices, db_multiple_prices, db_fx_prices, db_capital, strategies.yaml. Writes: db_optimal_positions.
If it fails: nothing new is wanted, so nothing new is traded; safe to run again at any time.
"""

from processes.job import JobContext, account_for
from trading.data.stored_sim_data import StoredSimData
from trading.errors import DataError
from trading.log import get_log
from trading.systems.production_system import production_system

log = get_log()


def run(job: JobContext) -> None:
    """One system a strategy; an instrument without enough data is named, not guessed."""
    failed, tried = [], 0
    for name, strategy in job.config.strategies.items():
        capital = job.data.db_capital.strategy(name)
        if capital is None:
            raise DataError(f"{name} has no capital yet. Run: tradectl run update_strategy_capital")
        data = StoredSimData(job.data)
        system = production_system(data, strategy.system, capital, job.config.service.base_currency,
                                   job.config.service.timezone)
        for code in system.instrument_codes():
            job.checkpoint()
            tried += 1
            try:
                position = system.portfolio.optimal_position(code)
            except DataError as error:
                log.warning("no_optimal_position", strategy=name, instrument=code, reason=str(error))
                failed.append(f"{name}/{code}")
                continue
            job.data.db_optimal_positions.save(name, code, job.day, position)
            log.info("optimal_position", strategy=name, instrument=code, optimal=round(position.optimal, 2),
                     lower=round(position.lower, 2), upper=round(position.upper, 2))
    account_for("Optimal positions stored", failed, tried)
