"""tradectl overrides: what operators lay over the wishes of strategies."""

import click

from daemon.cli.__main__ import Settings
from daemon.cli.deeds import Asking, deed_command
from daemon.cli.output import json_option, print_json, print_table
from trading.errors import ConfigError


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def overrides(ctx: click.Context, as_json: bool) -> None:
    """List overrides, or set and clear them.

    Example: tradectl overrides
    """
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json)


def _list(settings: Settings, as_json: bool) -> None:
    from daemon.cli.store import opened_store
    from trading.data.mongo.controls import MongoOverrides

    with opened_store(settings) as (store, _config):
        rows = [{"strategy": each.strategy, "instrument": each.instrument, "override": each.override.words,
                 "meaning": each.override.meaning, "since": each.at.strftime("%Y-%m-%d %H:%M"), "by": each.who,
                 "reason": each.reason} for each in MongoOverrides(store).all()]
    if as_json:
        print_json(rows)
        return
    shown = [row | {"strategy": row["strategy"] or "every", "instrument": row["instrument"] or "every"} for row in rows]
    print_table(shown, {"strategy": "STRATEGY", "instrument": "INSTRUMENT", "override": "OVERRIDE",
                        "since": "SINCE (UTC)", "by": "BY", "reason": "WHY", "meaning": "MEANS"},
                "There is no override: strategies trade as they want, within the limits.")


@overrides.command("set")
@click.argument("override")
@click.option("--strategy", help="For this strategy.")
@click.option("--instrument", help="For this instrument.")
@deed_command
def set_(asking: Asking, override: str, strategy: str | None, instrument: str | None) -> None:
    """Set OVERRIDE (no-open, reduce-only, close, no-trade, or a factor) for a strategy, an instrument, or both.

    Example: tradectl overrides set reduce-only --instrument SP500 --reason "thin market" --yes
    """
    asking.perform("set-override", override=override, strategy=strategy, instrument=instrument)


@overrides.command()
@click.option("--strategy", help="That of this strategy.")
@click.option("--instrument", help="That of this instrument.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@deed_command
def clear(asking: Asking, strategy: str | None, instrument: str | None, everything: bool) -> None:
    """Take away the override of exactly this strategy and instrument, or all of them.

    Example: tradectl overrides clear --instrument SP500 --reason "the market is back" --yes
    """
    if not everything and strategy is None and instrument is None:
        raise ConfigError("Name a strategy, an instrument, both, or --all. Nothing was changed.")
    asking.perform("clear-override", strategy=strategy, instrument=instrument, everything=everything)


COMMANDS = {"overrides": overrides}
