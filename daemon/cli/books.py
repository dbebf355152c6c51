"""tradectl fills, story: what was traded, and how it came about."""

from typing import Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, print_json, print_table


@click.command()
@click.option("--day", help="Only those of one trading day, as in 2026-03-02.")
@json_option
@click.pass_obj
def fills(settings: Settings, day: str | None, as_json: bool) -> None:
    """List executions, oldest first; STATE says if one was taken back.

    Example: tradectl fills --day 2026-03-02
    """
    from daemon.cli.store import opened_store
    from trading.data.mongo.books import MongoBooks

    with opened_store(settings) as (store, _config):
        rows = [_fill_row(fill) for fill in MongoBooks(store).fills(day)]
    if as_json:
        print_json(rows)
        return
    print_table(rows, {"at": "AT (UTC)", "contract": "CONTRACT", "quantity": "LOTS", "price": "PRICE",
                       "strategy": "STRATEGY", "paid": "COMMISSION", "status": "STATE", "order": "BROKER ORDER"},
                "Nothing was traded.")


def _fill_row(fill: Any) -> dict[str, Any]:
    return {"id": fill.id, "at": fill.at.strftime("%Y-%m-%d %H:%M:%S"), "contract": fill.contract or fill.con_id,
            "quantity": fill.quantity, "price": fill.price, "strategy": fill.strategy,
            "paid": f"{fill.commission} {fill.commission_currency}" if fill.commission is not None else None,
            "status": fill.status.value, "order": fill.broker_order}


@click.command()
@click.argument("order")
@json_option
@click.pass_obj
def story(settings: Settings, order: str, as_json: bool) -> None:
    """Tell the whole life of ORDER in time order: its parents and children, fills, and what the broker said.

    Any id of the family will do. Example: tradectl story IO-01KYZ8Q2J9M7T3V5X6A4B1C2D3
    """
    from daemon.cli.store import opened_store
    from trading.data.mongo.broker_journal import MongoBrokerJournal
    from trading.data.mongo.events import MongoEvents
    from trading.data.mongo.orders import MongoOrders
    from trading.execution.order_ids import story_of
    from trading.reports.order_story import story as told

    with opened_store(settings) as (store, _config):
        root = story_of(order)
        orders = MongoOrders(store)
        orders.instrument_order(root)
        sent = [each for leg in orders.contract_orders_of(root) for each in orders.broker_orders_of(leg.id)]
        lines = told(MongoEvents(store).story(root), MongoBrokerJournal(store).about(sent))
    rows = [{"at": line.at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3], "what": line.what, "text": line.text,
             "who": line.who} for line in lines]
    if as_json:
        print_json(rows)
        return
    print_table(rows, {"at": "AT (UTC)", "what": "WHAT", "text": "HAPPENED", "who": "BY"},
                f"Nothing is told of {root}.")


COMMANDS = {"fills": fills, "story": story}
