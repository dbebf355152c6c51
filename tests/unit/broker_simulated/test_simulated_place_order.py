"""placeOrder is read without a field left over, with every optional block, at every version gate."""

from decimal import Decimal

import pytest
from simulated_messages import a_contract, place_order

from trading.broker.simulated.field_reader import MalformedField
from trading.broker.simulated.place_order import PlaceOrder
from trading.broker.simulated.request_parser import UnknownMessage, parse

TOTALS = {157: 110, 176: 115, 178: 114, 200: 119}  # ib_wire.md 2.3
BLOCKS = {
    "limit": {"order_type": "LMT", "limit": "4000.5"},
    "delta neutral": {"delta_neutral": "MKT"},
    "hedge": {"hedge": "D"},
    "scale": {"scale": "0.5"},
    "adaptive": {"algo": ("Adaptive", "1", "adaptivePriority", "Normal")},
    "pegged to benchmark": {"order_type": "PEG BENCH"},
    "pegged to best": {"order_type": "PEG BEST"},
    "combination": {"contract": a_contract(sec_type="BAG")},
    "price condition": {"conditions": ("1", "1", "a", "1", "4000", "7", "CME", "0")},
    "execution condition": {"conditions": ("1", "5", "o", "FUT", "CME", "ES")},
    "time and margin conditions": {"conditions": ("2", "3", "a", "1", "20211013-12:00:00", "4", "a", "0", "30")},
}


def parsed(fields: list[str], version: int) -> PlaceOrder:
    request = parse(fields, version)
    assert isinstance(request, PlaceOrder)
    return request


@pytest.mark.parametrize(("version", "total"), TOTALS.items())
def test_a_plain_order_has_the_known_number_of_fields(version: int, total: int) -> None:
    assert len(place_order(1, version=version)) == total


@pytest.mark.parametrize("version", TOTALS)
@pytest.mark.parametrize("block", BLOCKS)
def test_no_field_is_left_over(block: str, version: int) -> None:
    order = parsed(place_order(5, ref="r", what_if="1", version=version, **BLOCKS[block]), version)
    assert (order.left_over, order.order_id, order.order_ref, order.what_if) == ((), 5, "r", True)


def test_fields_of_a_newer_dialect_are_reported_as_left_over() -> None:
    assert parsed([*place_order(5), "new", "fields"], 178).left_over == ("new", "fields")


@pytest.mark.parametrize("unset", ["", "1.7976931348623157e+308", "1.7976931348623157E308"])
def test_every_spelling_of_an_unset_price_is_none(unset: str) -> None:
    assert parsed(place_order(5, order_type="LMT", limit=unset), 178).limit_price is None


def test_a_price_keeps_its_decimals() -> None:
    assert parsed(place_order(5, order_type="LMT", limit="4000.10"), 178).limit_price == Decimal("4000.10")


def test_a_truncated_order_names_the_missing_field() -> None:
    with pytest.raises(MalformedField, match="Field action: the message ends before it"):
        parse(place_order(5)[:16], 178)


def test_a_size_that_is_no_number_is_malformed() -> None:
    with pytest.raises(MalformedField, match="Field totalQuantity: 'many' is no number"):
        parse(place_order(5, quantity="many"), 178)


def test_an_unknown_message_id_is_named() -> None:
    with pytest.raises(UnknownMessage, match="'777' is not served"):
        parse(["777", "1"], 178)
