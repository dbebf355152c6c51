"""tradectl prices: what is known of an instrument."""

import math
from typing import Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, print_json, print_table

_COLUMNS = {"at": "TIME (UTC)", "price": "PRICE", "price_contract": "CONTRACT", "carry": "CARRY",
            "carry_contract": "CONTRACT", "forward": "FORWARD", "forward_contract": "CONTRACT", "adjusted": "ADJUSTED"}


@click.command()
@click.argument("instrument", required=False)
@click.option("-n", "count", default=10, show_default=True, help="How many rows.")
@json_option
@click.pass_obj
def prices(settings: Settings, instrument: str | None, count: int, as_json: bool) -> None:
    """Show the newest prices of INSTRUMENT, or which instruments have prices.

    Example: tradectl prices SP500 -n 5
    """
    from daemon.cli.store import opened_store
    from trading.data.mongo.prices import MongoAdjustedPrices, MongoMultiplePrices
    from trading.errors import NotFound

    with opened_store(settings) as (store, _config):
        multiple, adjusted = MongoMultiplePrices(store), MongoAdjustedPrices(store)
        codes = multiple.codes()
        if instrument is None:
            _print_codes(codes, as_json)
            return
        if instrument not in codes:
            raise NotFound(f"There are no prices of {instrument} (known: {', '.join(codes) or 'none'}). "
                           f"Import some: tradectl import pysystemtrade DIR")
        rows = _rows(multiple.load(instrument).tail(count), adjusted.load(instrument))
    if as_json:
        print_json(rows)
    else:
        print_table([row | {"at": row["at"][:19].replace("T", " ")} for row in rows], _COLUMNS, "No prices.")


def _print_codes(codes: list[str], as_json: bool) -> None:
    if as_json:
        print_json(codes)
    else:
        click.echo("\n".join(codes) if codes else "No instrument has prices. Import: tradectl import pysystemtrade DIR")


def _rows(multiple: Any, adjusted: Any) -> list[dict[str, Any]]:
    known = adjusted.to_dict()
    return [{"at": stamp.isoformat(), **{key.lower(): _number(value) for key, value in row.items()},
             "adjusted": _number(known.get(stamp))} for stamp, row in zip(multiple.index, multiple.to_dict("records"),
                                                                          strict=True)]


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


COMMANDS = {"prices": prices}
