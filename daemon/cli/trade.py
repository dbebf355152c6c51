"""tradectl trade: orders that a person makes, fills that a person knows of, and taking orders back."""

import click

from daemon.cli.deeds import Asking, deed_command
from trading.errors import ConfigError

STYLES = click.Choice(["best", "marketable", "limit", "adaptive", "twap", "pov", "passive-only"], case_sensitive=False)


@click.group()
def trade() -> None:
    """Orders by hand: make one, book a fill, cancel."""


def _order_options(command: click.decorators.FC) -> click.decorators.FC:
    for option in (
            click.option("--reduce-only", is_flag=True, help="Refuse it unless it can only reduce the position."),
            click.option("--style", type=STYLES, help="How it is worked; default best, or limit with --limit."),
            click.option("--limit", help="At this price or better; needs --contract."),
            click.option("--contract", help="In this contract (INSTRUMENT/YYYYMM00); default: the priced one."),
            click.option("--strategy", required=True, help="Whose position it is.")):
        command = option(command)
    return command


@trade.command()
@click.argument("instrument")
@click.argument("lots")
@_order_options
@deed_command
def buy(asking: Asking, instrument: str, lots: str, strategy: str, contract: str | None, limit: str | None,
        style: str | None, reduce_only: bool) -> None:
    """Buy LOTS of INSTRUMENT for a strategy.

    Example: tradectl trade buy SP500 2 --strategy example --reason "the signal came late" --yes
    """
    asking.perform("trade", instrument=instrument, lots=_count(lots), strategy=strategy, contract=contract,
                   limit=limit, style=style, reduce_only=reduce_only)


@trade.command()
@click.argument("instrument")
@click.argument("lots")
@_order_options
@deed_command
def sell(asking: Asking, instrument: str, lots: str, strategy: str, contract: str | None, limit: str | None,
         style: str | None, reduce_only: bool) -> None:
    """Sell LOTS of INSTRUMENT for a strategy.

    Example: tradectl trade sell SP500 2 --strategy example --reduce-only --reason "margin" --yes
    """
    asking.perform("trade", instrument=instrument, lots=-_count(lots), strategy=strategy, contract=contract,
                   limit=limit, style=style, reduce_only=reduce_only)


@trade.command()
@click.argument("order", metavar="BROKER_ORDER")
@click.argument("lots")
@click.option("--price", required=True, help="What was paid or got, in points.")
@deed_command
def fill(asking: Asking, order: str, lots: str, price: str) -> None:
    """Book that LOTS of BROKER_ORDER were filled, when you know it and the broker has not told us.

    Example: tradectl trade fill 01KYZ8Q2J9M7T3V5X6A4B1C2D3-C1-B1 2 --price 5012.25 --reason "told by phone" --yes
    """
    asking.perform("fill", order=order, lots=_count(lots), price=price)


@trade.command("take-back")
@click.argument("fill_id", metavar="FILL")
@deed_command
def take_back(asking: Asking, fill_id: str) -> None:
    """Take back a FILL that a person has booked.

    Example: tradectl trade take-back DU0000001/MANUAL-01KYZ8Q2J9M7T3V5X6A4B1C2D3 --reason "reported after all" --yes
    """
    asking.perform("take-back-fill", fill=fill_id)


@trade.command()
@click.argument("order", metavar="BROKER_ORDER")
@deed_command
def ended(asking: Asking, order: str) -> None:
    """Say that BROKER_ORDER, of unknown fate, works no more and has traded no more than our books say.

    Example: tradectl trade ended 01KYZ8Q2J9M7T3V5X6A4B1C2D3-C1-B1 --reason "not in the statement" --yes
    """
    asking.perform("order-ended", order=order)


@trade.command()
@click.argument("order")
@deed_command
def approve(asking: Asking, order: str) -> None:
    """Let an ORDER go that the controls hold until a person has looked at it.

    Example: tradectl trade approve IO-01KYZ8Q2J9M7T3V5X6A4B1C2D3 --reason "the new target is right" --yes
    """
    asking.perform("approve", order=order)


@trade.command()
@click.argument("order")
@deed_command
def cancel(asking: Asking, order: str) -> None:
    """Cancel ORDER with its parents and children; any id of the family will do.

    Example: tradectl trade cancel IO-01KYZ8Q2J9M7T3V5X6A4B1C2D3 --reason "no longer wanted" --yes
    """
    asking.perform("cancel", order=order)


@trade.command("cancel-all")
@click.argument("instrument", required=False)
@deed_command
def cancel_all(asking: Asking, instrument: str | None) -> None:
    """Cancel every open order, or those of INSTRUMENT.

    Example: tradectl trade cancel-all SP500 --reason "before the roll is forced" --yes
    """
    asking.perform("cancel-all", instrument=instrument)


def _count(lots: str) -> int:
    """From 1: the side is in the command."""
    if not (lots.isascii() and lots.isdecimal() and int(lots) > 0):
        raise ConfigError(f"LOTS is {lots}; it must be a whole number, from 1. Nothing was changed.")
    return int(lots)


COMMANDS = {"trade": trade}
