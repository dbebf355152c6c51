"""tradectl positions: what is held, and changes of that which no trade of ours explains."""

import click

from daemon.cli.__main__ import Settings
from daemon.cli.deeds import Asking, deed_command
from daemon.cli.output import json_option, print_json, print_table
from trading.errors import ConfigError


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def positions(ctx: click.Context, as_json: bool) -> None:
    """List positions by strategy and by contract; or assign, transfer and correct them.

    Example: tradectl positions --json
    """
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json)


def _list(settings: Settings, as_json: bool) -> None:
    from daemon.cli.store import opened_store
    from trading.data.mongo.books import MongoBooks

    with opened_store(settings) as (store, _config):
        books = MongoBooks(store)
        values = {
            "strategy": [{"strategy": strategy, "instrument": instrument, "quantity": quantity}
                         for (strategy, instrument), quantity in books.strategy_positions().items()],
            "contract": [{"contract": key, "instrument": key.rpartition("/")[0], "month": key.rpartition("/")[2],
                          "con_id": con_id, "quantity": quantity}
                         for key, (con_id, quantity) in books.contract_positions_by_con_id().items()]}
    if as_json:
        print_json(values)
        return
    print_table(values["strategy"], {"strategy": "STRATEGY", "instrument": "INSTRUMENT", "quantity": "LOTS"},
                "No strategy holds anything.")
    click.echo()
    print_table(values["contract"], {"contract": "CONTRACT", "con_id": "CONID", "quantity": "LOTS"},
                "No contract is held.")


@positions.command()
@click.argument("instrument")
@click.argument("strategy")
@click.argument("lots", required=False)
@deed_command
def assign(asking: Asking, instrument: str, strategy: str, lots: str | None) -> None:
    """Give to STRATEGY what somebody else traded in INSTRUMENT; all of it, or LOTS.

    Example: tradectl positions assign SP500 example --reason "traded by phone for it" --yes
    """
    asking.perform("assign", instrument=instrument, strategy=strategy, lots=lots)


@positions.command()
@click.argument("instrument")
@click.argument("giver")
@click.argument("taker")
@click.argument("lots")
@deed_command
def transfer(asking: Asking, instrument: str, giver: str, taker: str, lots: str) -> None:
    """Move LOTS of INSTRUMENT from strategy GIVER to strategy TAKER; nothing is traded.

    Example: tradectl positions transfer SP500 old example 2 --reason "old is closed" --yes
    """
    asking.perform("transfer", instrument=instrument, giver=giver, taker=taker, lots=lots)


@positions.command()
@click.argument("contract")
@click.argument("strategy")
@click.option("--bought", help="So many lots.")
@click.option("--sold", help="So many lots.")
@click.option("--price", required=True, help="Of the trade, in points.")
@deed_command
def balance(asking: Asking, contract: str, strategy: str, bought: str | None, sold: str | None, price: str) -> None:
    """Book a trade of CONTRACT that happened and is missing in our books. Nothing is sent to the broker.

    Example: tradectl positions balance SP500/20260600 example --bought 2 --price 5012.25 --reason "statement" --yes
    """
    asking.perform("balance", contract=contract, strategy=strategy, lots=_signed(bought, sold), price=price)


@positions.command()
@click.argument("contract")
@click.argument("strategy")
@click.option("--long", "bought", help="So many lots.")
@click.option("--short", "sold", help="So many lots.")
@click.option("--price", help="At which it stood then, if that is known.")
@deed_command
def opening(asking: Asking, contract: str, strategy: str, bought: str | None, sold: str | None,
            price: str | None) -> None:
    """Say what was held in CONTRACT before tradingd kept the books.

    Example: tradectl positions opening SP500/20260600 example --long 2 --reason "from the old system" --yes
    """
    asking.perform("opening", contract=contract, strategy=strategy, lots=_signed(bought, sold), price=price)


def _signed(bought: str | None, sold: str | None) -> int:
    given = bought if sold is None else sold
    if given is None or (bought is not None and sold is not None):
        raise ConfigError("Say how many lots, and on which side: one of the two options. Nothing was changed.")
    if not (given.isascii() and given.isdecimal() and int(given) > 0):
        raise ConfigError(f"{given} lots are not possible; it must be a whole number, from 1. Nothing was changed.")
    return int(given) if sold is None else -int(given)


COMMANDS = {"positions": positions}
