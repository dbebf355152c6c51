"""tradectl tca: what trading cost, in parts (transaction cost analysis)."""

from datetime import date, timedelta

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, print_json


@click.command()
@click.option("--day", help="The orders of one trading day, as in 2026-03-02.")
@click.option("--days", type=click.IntRange(min=1), default=90, show_default=True,
              help="What is usual in the last so many days, up to today or --day.")
@click.option("--instrument", help="Only this one.")
@json_option
@click.pass_obj
def tca(settings: Settings, day: str | None, days: int, instrument: str | None, as_json: bool) -> None:
    """Tell what trading cost, in parts; positive is bad.

    From the price of the decision to the fills: delay, timing, half the spread, execution, what was not filled, fees.
    Example: tradectl tca --days 90
    """
    last = None if day is None else _parsed(day)
    from zoneinfo import ZoneInfo

    from daemon.cli.store import now_of, opened_store
    from trading.clock import SystemClock
    from trading.data.data_blob import DataBlob
    from trading.errors import ConfigError
    from trading.reports.cost_report import over
    from trading.reports.order_costs import OrderCosts, Span
    from trading.reports.report import as_text

    with opened_store(settings) as (store, config):
        service = config.service
        until = last or now_of(settings, store).astimezone(ZoneInfo(service.timezone)).date()
        span = Span(first=(until - timedelta(days=days - 1)).isoformat(), last=until.isoformat(),
                    instrument=instrument)
        data = DataBlob(store=store, clock=SystemClock(), socket=settings.places.socket)
        source = OrderCosts(data, span, service.base_currency, service.timezone)
        if instrument is not None and instrument not in source.records:
            raise ConfigError(f"There is no instrument {instrument} (there: {', '.join(sorted(source.records))}).")
        report = over(source, None if last is None else last.isoformat())
    if as_json:
        print_json({section.heading.partition(",")[0].lower(): section.table.to_dict("records") or section.note
                    for section in report.sections})
    else:
        click.echo(as_text(report))


def _parsed(day: str) -> date:
    try:
        return date.fromisoformat(day)
    except ValueError as error:
        raise click.BadParameter(f"{day} is no day; write it as in 2026-03-02.", param_hint="--day") from error


COMMANDS = {"tca": tca}
