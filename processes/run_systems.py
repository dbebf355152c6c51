"""Run each strategy's system over all prices and store what it would like to hold.

Reads: db_adjusted_prices, db_multiple_prices, db_fx_prices, db_capital, strategies.yaml. Writes: db_optimal_positions.
If it fails: nothing new is wanted, so nothing new is traded; safe to run again at any time.
"""

from datetime import date, timedelta
from typing import Final

from processes.job import JobContext, account_for
from trading.data.stored_sim_data import StoredSimData
from trading.errors import DataError
from trading.log import get_log
from trading.systems.buffered_position import BufferedPosition
from trading.systems.portfolio import Portfolio
from trading.systems.production_system import futures_system, system_config
from trading.systems.provenance import provenance_of

log = get_log()

OLDEST_PRICE: Final = timedelta(days=7)  # longer than any holiday


def run(job: JobContext) -> None:
    """One system a strategy; an instrument without enough data is named, not guessed."""
    failed, tried = [], 0
    for name, strategy in job.config.strategies.items():
        capital = job.data.db_capital.strategy(name)
        if capital is None:
            raise DataError(f"{name} has no capital yet. Run: tradectl run update_strategy_capital")
        service = job.config.service
        system = futures_system(StoredSimData(job.data), system_config(
            strategy.system, notional_trading_capital=capital, base_currency=service.base_currency,
            timezone=service.timezone))
        for code in system.instrument_codes():
            job.checkpoint()
            tried += 1
            try:
                position = fresh(system.stage(Portfolio).optimal_position(code), code, job.trading_day)
            except DataError as error:
                log.warning("no_optimal_position", strategy=name, instrument=code, reason=str(error))
                failed.append(f"{name}/{code}")
                continue
            source = provenance_of(job.run_id, system.config, system.data, code)
            job.data.db_optimal_positions.save(name, code, job.day, position, source)
            log.info("optimal_position", strategy=name, instrument=code, optimal=round(position.optimal, 2),
                     lower=round(position.lower, 2), upper=round(position.upper, 2))
    account_for("Optimal positions stored", failed, tried)


def fresh(position: BufferedPosition, code: str, today: date) -> BufferedPosition:
    """`position`, if it was decided on a price that is not too old.

    Raises:
        DataError: the newest price is older than a week; nothing is traded on it.
    """
    if today - position.as_of.date() > OLDEST_PRICE:
        raise DataError(f"the newest price of {code} is of {position.as_of:%Y-%m-%d}, more than "
                        f"{OLDEST_PRICE.days} days old")
    return position
