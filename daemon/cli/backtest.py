"""tradectl backtest: what a strategy would have earned on the prices that are stored."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, print_json

if TYPE_CHECKING:
    from trading.reports.report import Report


@click.command()
@click.argument("strategy")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with pictures as well.")
@click.option("--capital", type=click.FloatRange(min=1), help="Capital [default: the strategy's own, else 1,000,000].")
@click.option("--saved", is_flag=True, help="Show what led to the newest positions, as run_systems computed them.")
@click.option("--instrument", help="With --saved: the opinion of each rule in this instrument.")
@json_option
@click.pass_obj
def backtest(settings: Settings, strategy: str, html: Path | None, capital: float | None, saved: bool,
             instrument: str | None, as_json: bool) -> None:
    """Compute what STRATEGY would have earned, and print its statistics.

    Reads the stored prices; trades and stores nothing. Example: tradectl backtest example --html example.html
    Why it holds what it holds: tradectl backtest example --saved --instrument SP500
    """
    if instrument is not None and not saved:
        raise click.UsageError("--instrument belongs to --saved.")
    if saved and capital is not None:
        raise click.UsageError("--capital does not go with --saved: what is saved was computed with the capital of its "
                               "day.")
    if html is not None and not os.access(html if html.exists() else html.parent, os.W_OK):
        from trading.errors import ConfigError

        raise ConfigError(f"The page cannot be written to {html}: the folder is missing, or you may not write there. "
                          f"Name another file.")
    report = _saved(settings, strategy, instrument) if saved else _computed(settings, strategy, capital)
    _show(report, html, as_json)


def _saved(settings: Settings, strategy: str, instrument: str | None) -> "Report":
    from trading.data.parquet.backtests import ParquetBacktests
    from trading.reports.saved_backtest_report import saved_backtest_report

    kept = ParquetBacktests(settings.places.backtests).newest(strategy)
    return saved_backtest_report(strategy, kept, instrument)


def _computed(settings: Settings, strategy: str, capital: float | None) -> "Report":
    from daemon.cli.store import opened_store
    from trading.clock import SystemClock
    from trading.data.data_blob import DataBlob
    from trading.data.stored_sim_data import StoredSimData
    from trading.errors import ConfigError
    from trading.executors import executor_for
    from trading.reports.backtest_report import backtest_report
    from trading.systems.production_system import futures_system, system_config

    with opened_store(settings) as (store, config):
        if strategy not in config.strategies:
            raise ConfigError(f"There is no strategy {strategy} in {settings.config_folder}/strategies (there: "
                              f"{', '.join(config.strategies)}).")
        data = DataBlob(store=store, clock=SystemClock(), socket=settings.places.socket)
        facts = {"base_currency": config.service.base_currency, "timezone": config.service.timezone}
        known = capital or data.db_capital.strategy(strategy)
        wanted = system_config(config.strategies[strategy].system, **facts,
                               **({"notional_trading_capital": known} if known else {}))
        with executor_for(is_long=wanted.estimates_for_long) as executor:
            return backtest_report(strategy, futures_system(StoredSimData(data), wanted, executor))


def _show(report: "Report", html: Path | None, as_json: bool) -> None:
    from trading.reports.report import as_html, as_text

    if as_json:
        print_json({section.heading.lower(): section.table.to_dict("records") for section in report.sections
                    if not section.table.empty})
    else:
        click.echo(as_text(report))
    if html is not None:
        html.write_text(as_html(report), encoding="utf-8")
        click.echo(f"The page is {html.resolve()}.", err=as_json)


COMMANDS = {"backtest": backtest}
