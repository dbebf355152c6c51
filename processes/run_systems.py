"""Run each strategy's system over all prices and store what it would like to hold.

Reads: db_adjusted_prices, db_multiple_prices, db_fx_prices, db_capital, db_books, the strategies' settings.
Writes: db_optimal_positions; backtests/<strategy>/<run>/ under the state directory, for looking at.
If it fails: nothing new is wanted, so nothing new is traded; safe to run again at any time.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from processes.job import JobContext, account_for
from trading.config import StrategyConfig
from trading.data.parquet.backtests import ParquetBacktests
from trading.data.stored_sim_data import StoredSimData
from trading.errors import ConfigError, DataError
from trading.log import get_log
from trading.systems.buffered_position import BufferedPosition
from trading.systems.optimised_positions import OptimisedPositions
from trading.systems.portfolio import Portfolio
from trading.systems.production_system import futures_system, system_config
from trading.systems.provenance import Provenance, provenance_of
from trading.systems.system import System

log = get_log()

OLDEST_PRICE: Final = timedelta(days=7)  # longer than any holiday


def run(job: JobContext) -> None:
    """One system a strategy; an instrument without enough data is named, not guessed, and stops nobody else."""
    failed, tried = [], 0
    for name, strategy in job.config.strategies.items():
        try:
            system = system_of(job, name, strategy)
            codes = system.instruments.traded
        except (ConfigError, DataError) as error:
            log.error("strategy_not_run", strategy=name, reason=str(error))
            failed.append(name)
            tried += 1
            continue
        for code, reason in system.instruments.not_traded.items():
            log.info("not_traded", strategy=name, instrument=code, reason=reason)
        wanted = wanted_by(job, name, system, codes)
        try:
            keep(job, name, system, store(job, name, system, wanted))
        except OSError as error:
            log.error("backtest_not_kept", strategy=name, reason=str(error))
            failed.append(f"the backtest of {name}")
        failed += [f"{name}/{code}" for code in codes if code not in wanted]
        tried += len(codes)
    account_for("Optimal positions stored", failed, tried)


def system_of(job: JobContext, name: str, strategy: StrategyConfig) -> System:
    """The system of a strategy with the capital that it has.

    Raises:
        DataError: it has none yet.
        ConfigError: its settings are wrong.
    """
    capital, service = job.data.db_capital.strategy(name), job.config.service
    if capital is None:
        raise DataError(f"{name} has no capital yet. Run: tradectl run update_strategy_capital")
    config = system_config(strategy.system, notional_trading_capital=capital, base_currency=service.base_currency,
                           timezone=service.timezone)
    return futures_system(StoredSimData(job.data), config)


def wanted_by(job: JobContext, name: str, system: System, codes: tuple[str, ...]) -> dict[str, BufferedPosition]:
    """What the strategy wants of each instrument whose data are complete."""
    wanted = {}
    for code in codes:
        job.checkpoint()
        try:
            wanted[code] = fresh(system.stage(Portfolio).optimal_position(code), code, job.trading_day)
        except DataError as error:
            log.warning("no_optimal_position", strategy=name, instrument=code, reason=str(error))
    if system.config.small_account is None or not wanted:
        return wanted
    return system.stage(OptimisedPositions).whole_contracts(wanted, held_by(job, name))


def held_by(job: JobContext, name: str) -> Mapping[str, int]:
    """Contracts of each instrument in the books of the strategy."""
    return {code: lots for (strategy, code), lots in job.data.db_books.strategy_positions().items() if strategy == name}


def store(job: JobContext, name: str, system: System,
          wanted: Mapping[str, BufferedPosition]) -> Mapping[str, Provenance]:
    """Store each position with what it was computed from."""
    sources: dict[str, Provenance] = {}
    for code, position in wanted.items():
        sources[code] = provenance_of(job.run_id, system.config, system.data, code)
        job.data.db_optimal_positions.save(name, code, job.day, position, sources[code])
        log.info("optimal_position", strategy=name, instrument=code, optimal=round(position.optimal, 2),
                 lower=round(position.lower, 2), upper=round(position.upper, 2))
    return sources


def keep(job: JobContext, name: str, system: System, sources: Mapping[str, Provenance]) -> None:
    """Keep what led to the positions, for looking at; nothing trades on it."""
    if sources:
        ParquetBacktests(job.state / "backtests").save(name, system, sources)


def fresh(position: BufferedPosition, code: str, today: date) -> BufferedPosition:
    """`position`, if it was decided on a price that is not too old.

    Raises:
        DataError: the newest price is older than a week; nothing is traded on it.
    """
    if today - position.as_of.date() > OLDEST_PRICE:
        raise DataError(f"the newest price of {code} is of {position.as_of:%Y-%m-%d}, more than "
                        f"{OLDEST_PRICE.days} days old")
    return position
