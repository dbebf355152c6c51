"""tradectl backtest: what a strategy would have earned on the prices that are stored."""

import os
from pathlib import Path

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, print_json


@click.command()
@click.argument("strategy")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a page with pictures as well.")
@click.option("--capital", type=click.FloatRange(min=1), help="Capital [default: the strategy's own, else 1,000,000].")
@json_option
@click.pass_obj
def backtest(settings: Settings, strategy: str, html: Path | None, capital: float | None, as_json: bool) -> None:
    """Compute what STRATEGY of strategies.yaml would have earned, and print its statistics.

    Reads the stored prices; trades and stores nothing. Example: tradectl backtest example --html example.html
    """
    from daemon.cli.store import opened_store
    from trading.clock import SystemClock
    from trading.data.data_blob import DataBlob
    from trading.data.stored_sim_data import StoredSimData
    from trading.errors import ConfigError
    from trading.reports.backtest_report import backtest_report
    from trading.reports.report import as_html, as_text
    from trading.systems.production_system import futures_system, system_config

    if html is not None and not os.access(html if html.exists() else html.parent, os.W_OK):
        raise ConfigError(f"The page cannot be written to {html}: the folder is missing, or you may not write there. "
                          f"Name another file.")
    with opened_store(settings) as (store, config):
        if strategy not in config.strategies:
            raise ConfigError(f"There is no strategy {strategy} in strategies.yaml (there: "
                              f"{', '.join(config.strategies) or 'none'}).")
        data = DataBlob(store=store, clock=SystemClock(), socket=settings.places.socket)
        facts = {"base_currency": config.service.base_currency, "timezone": config.service.timezone}
        known = capital or data.db_capital.strategy(strategy)
        system = futures_system(StoredSimData(data), system_config(
            config.strategies[strategy].system, **facts, **({"notional_trading_capital": known} if known else {})))
        report = backtest_report(strategy, system)
    if as_json:
        print_json({section.heading.lower(): section.table.to_dict("records") for section in report.sections
                    if not section.table.empty})
    else:
        click.echo(as_text(report))
    if html is not None:
        html.write_text(as_html(report), encoding="utf-8")
        click.echo(f"The page is {html.resolve()}.", err=as_json)


COMMANDS = {"backtest": backtest}
