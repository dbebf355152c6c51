"""Orders of all tiers with their legs, children and fills, as plain values for people and programs. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from trading.execution.fills import Fill

Row = dict[str, Any]


def order_tree(tiers: Mapping[str, list[Row]], fills: Iterable[Fill]) -> dict[str, list[Row]]:
    """The documents of each tier with `children`, `legs` (quantity and fill of each contract) and `fills`.

    An instrument order's legs are the sums of its contract orders, so that what was filled adds up on every tier.
    """
    by_order: dict[str, list[Row]] = defaultdict(list)
    for fill in fills:
        by_order[fill.broker_order or ""].append(_fill_row(fill))
    sent = [_tidy(row) | {"fills": by_order[row["_id"]], "legs": [_leg(row)]} for row in tiers["broker_orders"]]
    legs = [_tidy(row) | {"children": _children(row, sent), "legs": [_leg(row)],
                          "fills": [fill for child in sent if child["parent"] == row["_id"] for fill in child["fills"]]}
            for row in tiers["contract_orders"]]
    parents = [_tidy(row) | {"children": _children(row, legs), "legs": _summed_legs(row, legs),
                             "fills": [fill for child in legs if child["parent"] == row["_id"]
                                       for fill in child["fills"]]}
               for row in tiers["instrument_orders"]]
    return {"instrument_orders": parents, "contract_orders": legs, "broker_orders": sent}


def _tidy(row: Row) -> Row:
    return {"id": row["_id"], "version": row["v"]} | {key: value for key, value in row.items()
                                                      if key not in ("_id", "v")}


def _children(row: Row, below: Iterable[Row]) -> list[str]:
    return [child["id"] for child in below if child["parent"] == row["_id"]]


def _leg(row: Row) -> Row:
    return {"contract": row["contract"], "quantity": row["quantity"], "filled": row["filled"]}


def _summed_legs(row: Row, legs: Iterable[Row]) -> list[Row]:
    return [leg for child in legs if child["parent"] == row["_id"] for leg in child["legs"]]


def _fill_row(fill: Fill) -> Row:
    return {"id": fill.id, "execution_id": fill.execution_id, "contract": fill.contract, "con_id": fill.con_id,
            "quantity": fill.quantity, "price": str(fill.price), "at": fill.at.isoformat(),
            "commission": None if fill.commission is None else str(fill.commission),
            "commission_currency": fill.commission_currency}
