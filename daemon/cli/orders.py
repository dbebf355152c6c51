"""tradectl orders: what is being traded."""

from typing import Any

import click

from daemon.cli.__main__ import Settings
from daemon.cli.output import json_option, print_json, print_table


@click.command()
@click.argument("order", required=False)
@click.option("--all", "everything", is_flag=True, help="Closed orders as well.")
@json_option
@click.pass_obj
def orders(settings: Settings, order: str | None, everything: bool, as_json: bool) -> None:
    """List orders in three tiers, with parents, children and fills; ORDER shows one and its family.

    Example: tradectl orders --all
    """
    from daemon.cli.store import opened_store
    from trading.data.mongo.books import MongoBooks
    from trading.data.mongo.orders import MongoOrders
    from trading.errors import NotFound
    from trading.reports.order_tree import order_tree

    with opened_store(settings) as (store, _config):
        tiers = order_tree(MongoOrders(store).everything(only_open=not everything and order is None),
                           MongoBooks(store).fills())
    if order is not None:
        family = order.removeprefix("IO-").partition("-")[0]
        tiers = {tier: [row for row in rows if family in row["id"]] for tier, rows in tiers.items()}
        if not tiers["instrument_orders"]:
            raise NotFound(f"There is no order {order}. See: tradectl orders --all")
    if as_json:
        print_json(tiers)
    else:
        _print(tiers, everything or order is not None)


def _print(tiers: dict[str, list[dict[str, Any]]], everything: bool) -> None:
    rows = []
    for parent in tiers["instrument_orders"]:
        rows.append(_line(parent, parent["kind"], 0))
        for leg in tiers["contract_orders"]:
            if leg["parent"] == parent["id"]:
                rows.append(_line(leg, leg["contract"], 1))
                rows += [_line(sent, _terms(sent), 2)
                         for sent in tiers["broker_orders"] if sent["parent"] == leg["id"]]
    print_table(rows, {"id": "ORDER", "instrument": "INSTRUMENT", "what": "WHAT", "quantity": "LOTS",
                       "filled": "FILLED", "lifecycle": "STATE", "why": ""},
                "There are no orders." if everything else "No order is open. All of them: tradectl orders --all")


def _line(row: dict[str, Any], what: str, depth: int) -> dict[str, Any]:
    return {"id": "  " * depth + row["id"], "instrument": row["instrument"], "what": what, "quantity": row["quantity"],
            "filled": row["filled"], "lifecycle": row["lifecycle"],
            "why": row.get("close_reason") or _waits(row) or row.get("reason") or ""}


def _terms(sent: dict[str, Any]) -> str:
    """Kind and price; of an order that was rebuilt they may not be known."""
    limit = "" if sent["limit_price"] is None else f" {sent['limit_price']}"
    return f"{sent['order_type'] or 'not known'}{limit}"


def _waits(row: dict[str, Any]) -> str:
    return f"waits for {', '.join(row['holds'])}" if row.get("holds") else ""


COMMANDS = {"orders": orders}
