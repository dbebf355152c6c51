"""tradectl rolls: where each instrument stands between its front contract and the next one."""

from typing import Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.deeds import Asking, deed_command
from daemon.cli.output import json_option, print_json, print_table


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def rolls(ctx: click.Context, as_json: bool) -> None:
    """List roll states with what is held in front and forward; or show, explain and set one.

    Example: tradectl rolls
    """
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json)


def _list(settings: Settings, as_json: bool) -> None:
    from daemon.cli.store import opened_store

    with opened_store(settings) as (store, _config):
        from trading.data.trading_desk.roll_rows import roll_rows

        rows = [vars(row) for row in roll_rows(store)]
    if as_json:
        print_json(rows)
        return
    print_table(rows, {"instrument": "INSTRUMENT", "state": "STATE", "front": "FRONT", "front_lots": "LOTS",
                       "last_trade": "LAST TRADE", "forward": "FORWARD", "forward_lots": "LOTS", "reason": "WHY"},
                "No instrument has prices. Import some: tradectl import pysystemtrade DIR")


@rolls.command()
@click.argument("instrument")
@json_option
@click.pass_obj
def show(settings: Settings, instrument: str, as_json: bool) -> None:
    """Show the contracts of INSTRUMENT, its roll state, and what may follow it.

    Example: tradectl rolls show SP500
    """
    values = _one(settings, instrument)
    if as_json:
        print_json(values)
        return
    click.echo(f"{instrument} is {values['state']}. {values['meaning']}")
    if values["reason"]:
        click.echo(f"Since {values['since']} by {values['by']}: {values['reason']}")
    click.echo()
    print_table(values["contracts"], {"contract": "CONTRACT", "role": "", "lots": "LOTS", "last_trade": "LAST TRADE"},
                "No contract is known.")
    click.echo()
    print_table(values["following"], {"state": "MAY BECOME", "meaning": "WHICH MEANS"}, "No state may follow.")


def _one(settings: Settings, instrument: str) -> dict[str, Any]:
    from daemon.cli.store import opened_store

    with opened_store(settings) as (store, _config):
        from trading.data.trading_desk.roll_rows import roll_of

        return roll_of(store, instrument)


@rolls.command()
@click.argument("instrument")
@json_option
@click.pass_obj
def why(settings: Settings, instrument: str, as_json: bool) -> None:
    """Tell why INSTRUMENT is in its roll state: each change, by whom, and the sentence of the rule or the person.

    Example: tradectl rolls why SP500
    """
    from daemon.cli.store import opened_store

    with opened_store(settings) as (store, _config):
        from trading.data.trading_desk.roll_rows import roll_changes

        rows = roll_changes(store, instrument)
    if as_json:
        print_json(rows)
        return
    print_table(rows, {"at": "AT (UTC)", "front": "FRONT", "state": "STATE", "row": "ROW", "by": "BY",
                       "reason": "WHY"},
                f"The state of {instrument} was never changed: it is NO_ROLL.")


@rolls.command("set")
@click.argument("instrument")
@click.argument("state")
@deed_command
def set_(asking: Asking, instrument: str, state: str) -> None:
    """Set the roll state of INSTRUMENT, where its table allows it.

    Example: tradectl rolls set SP500 PASSIVE --reason "the forward contract is liquid" --yes
    """
    front = _one(asking.settings, instrument)["front"]
    asking.perform("set-roll-state", instrument=instrument, state=state, front=front)


COMMANDS = {"rolls": rolls}
