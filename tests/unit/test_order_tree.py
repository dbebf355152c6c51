"""Orders of three tiers as one tree: children, legs and fills add up on every tier, for a roll as well."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from trading.execution.fills import Fill, execution_base
from trading.reports.order_tree import order_tree

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)


def row(key: str, parent: str = "", contract: str = "", quantity: int = 0, filled: int = 0) -> dict[str, Any]:
    return {"_id": key, "v": 3, "parent": parent, "contract": contract, "quantity": quantity, "filled": filled}


def a_fill(key: str, order: str | None, contract: str, quantity: int) -> Fill:
    return Fill(id=key, execution_id=f"{key}.01", revision=1, broker_order=order, contract=contract, con_id=1,
                quantity=quantity, price=Decimal("10.25"), at=NOW, trading_day="2026-03-02")


TIERS = {"instrument_orders": [row("IO-1")],
         "contract_orders": [row("IO-1-C1", "IO-1", "A", -5, -5), row("IO-1-C2", "IO-1", "B", 5, 3)],
         "broker_orders": [row("1-C1-B1", "IO-1-C1", "A", -5, -5), row("1-C2-B1", "IO-1-C2", "B", 5, 2),
                           row("1-C2-B2", "IO-1-C2", "B", 3, 1)]}
FILLS = [a_fill("e1", "1-C1-B1", "A", -5), a_fill("e2", "1-C2-B1", "B", 2), a_fill("e3", "1-C2-B2", "B", 1),
         a_fill("e4", None, "B", 100)]
TREE = order_tree(TIERS, FILLS)


def test_children_are_named_from_below() -> None:
    assert TREE["instrument_orders"][0]["children"] == ["IO-1-C1", "IO-1-C2"]
    assert [leg["children"] for leg in TREE["contract_orders"]] == [["1-C1-B1"], ["1-C2-B1", "1-C2-B2"]]


def test_the_legs_of_the_top_are_those_of_its_contracts() -> None:
    assert TREE["instrument_orders"][0]["legs"] == [{"contract": "A", "quantity": -5, "filled": -5},
                                                    {"contract": "B", "quantity": 5, "filled": 3}]


def test_fills_add_up_on_every_tier_and_leg() -> None:
    for rows in TREE.values():
        for order in rows:
            for leg in order["legs"]:
                own = [fill["quantity"] for fill in order["fills"] if fill["contract"] == leg["contract"]]
                assert sum(own) == leg["filled"]


def test_a_fill_of_nobodys_order_stands_under_none() -> None:
    assert all(fill["id"] != "e4" for rows in TREE.values() for order in rows for fill in order["fills"])


def test_a_row_has_plain_names_and_prices_as_texts() -> None:
    first = TREE["broker_orders"][0]
    assert (first["id"], first["version"], "_id" in first, "v" in first) == ("1-C1-B1", 3, False, False)
    assert (first["fills"][0]["price"], first["fills"][0]["commission"]) == ("10.25", None)


def test_no_order_makes_an_empty_tree() -> None:
    empty: dict[str, list[Any]] = {"instrument_orders": [], "contract_orders": [], "broker_orders": []}
    assert order_tree(empty, FILLS) == empty


def test_an_execution_id_has_a_base_and_a_revision() -> None:
    assert execution_base("0001.02.01.03") == ("0001.02.01", 3)
    assert execution_base("0000e0d5.00000001.01.01") == ("0000e0d5.00000001.01", 1)
    assert execution_base("plain") == ("plain", 1)
    assert execution_base("a.b") == ("a.b", 1)
