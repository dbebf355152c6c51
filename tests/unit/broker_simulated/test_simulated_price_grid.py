"""Ticks that depend on the price: the grid by itself, as a market rule, and as what orders and books must keep to."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_messages import a_contract, depth, place_order
from simulated_stage import Stage, kinds

from trading.broker.simulated.price_grid import PriceGrid, grid_of
from trading.errors import ConfigError

STEPPED = grid_of({Decimal(0): Decimal("0.05"), Decimal(100): Decimal("0.25"), Decimal(4350): Decimal("0.5")})
RULE = ["91", str(STEPPED.rule_id)]


@pytest.fixture
def stepped(tmp_path: Path) -> Stage:
    """ES trades in quarters below 4350 and in halves from there on."""
    return Stage(tmp_path, options={"grids": {"ES": STEPPED}})


@pytest.mark.parametrize(("price", "conforms"), [
    ("-0.05", True), ("0.05", True), ("99.95", True), ("100", True), ("100.05", False), ("100.25", True),
    ("4349.75", True), ("4350", True), ("4350.25", False), ("4350.5", True), ("4350.50000000001", True)])
def test_a_price_keeps_to_the_tick_of_its_band(price: str, conforms: bool) -> None:
    assert STEPPED.conforms(Decimal(price)) is conforms


@pytest.mark.parametrize(("price", "sign", "expected"), [
    ("99.95", 1, "100"), ("100", 1, "100.25"), ("100", -1, "99.95"), ("100.25", -1, "100"), ("4350", 1, "4350.5"),
    ("4350", -1, "4349.75"), ("0", -1, "-0.05")])
def test_the_price_beside_another_crosses_edges_in_the_right_steps(price: str, sign: int, expected: str) -> None:
    assert STEPPED.beside(Decimal(price), sign) == Decimal(expected)


@given(st.decimals(-1000, 6000, places=3, allow_nan=False))
def test_rounding_ends_on_the_grid_at_either_side(price: Decimal) -> None:
    low, high = STEPPED.floor(price), STEPPED.ceiling(price)
    assert low <= price <= high
    assert STEPPED.conforms(low)
    assert STEPPED.conforms(high)
    assert low == high or STEPPED.beside(low, 1) == high


@pytest.mark.parametrize(("ticks", "reason"), [
    ({}, "at least one band"), ({"0": "0"}, "more than 0"), ({"0": "-0.1"}, "more than 0"),
    ({"0": "0.3", "1": "0.5"}, "begins at 1 does not begin on the grid of 0.3"),
    ({"0": "0.25", "1": "0.4"}, "begins at 1 does not begin on the grid of 0.4")])
def test_a_grid_that_cannot_be_is_refused(ticks: dict[str, str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        grid_of({Decimal(edge): Decimal(tick) for edge, tick in ticks.items()})


def test_ticks_of_two_digits_have_rules_of_their_own() -> None:
    ids = {PriceGrid.even(Decimal(tick)).rule_id for tick in ("0.25", "0.2", "0.02", "0.0025", "25", "1", "10")}
    assert len(ids) == 7


def test_a_market_rule_tells_every_band(stepped: Stage) -> None:
    client = stepped.a_client()
    details = stepped.ask(client, ["9", "8", "1", *a_contract(), "0", "", "", ""])[0]
    assert RULE[1] in details
    assert stepped.ask(client, RULE) == [("93", RULE[1], "3", "0", "0.05", "100", "0.25", "4350", "0.5")]


def test_the_least_tick_of_the_details_is_the_finest(stepped: Stage) -> None:
    details = stepped.ask(stepped.a_client(), ["9", "8", "1", *a_contract(), "0", "", "", ""])[0]
    assert details[details.index("ESZ1") + 4] == "0.05"


def test_an_unknown_rule_is_refused(stepped: Stage) -> None:
    assert kinds(stepped.ask(stepped.a_client(), ["91", "77"])) == ["error 321"]


@pytest.mark.parametrize(("price", "answer"), [
    ("4350.25", ["error 110"]), ("4349.75", ["5", "status PreSubmitted", "5", "status Submitted"]),
    ("99.9", ["5", "status PreSubmitted", "5", "status Submitted"]), ("100.1", ["error 110"])])
def test_an_order_off_the_tick_of_its_band_is_refused(stepped: Stage, price: str, answer: list[str]) -> None:
    assert kinds(stepped.ask(stepped.a_client(), place_order(1, order_type="LMT", limit=price, tif="GTC"))) == answer


def test_a_stop_off_the_tick_of_its_band_is_refused(stepped: Stage) -> None:
    assert kinds(stepped.ask(stepped.a_client(), place_order(1, order_type="STP", aux="4350.25"))) == ["error 110"]


def test_a_stop_may_trail_by_any_number_of_the_finest_ticks(stepped: Stage) -> None:
    client = stepped.a_client()
    answers = [kinds(stepped.ask(client, place_order(number, action="SELL", order_type="TRAIL", aux=aux, tif="GTC")))
               for number, aux in ((1, "150.05"), (2, "150.03"))]
    assert answers == [["5", "status PreSubmitted"], ["error 110"]]


def test_the_book_steps_by_the_bands_that_it_crosses(stepped: Stage) -> None:
    stepped.move_to(stepped.clock.now())  # 4350.0: bid 4349.75, ask 4350.5
    rows = stepped.ask(stepped.a_client(), depth(5, a_contract(), rows=2))
    assert [(row[5], row[6]) for row in rows if row[0] == "12"] == [
        ("1", "4349.75"), ("1", "4349.5"), ("0", "4350.5"), ("0", "4351")]


def test_a_large_order_sweeps_the_bands(stepped: Stage) -> None:
    stepped.ask(stepped.a_client(), place_order(1, action="SELL", quantity="150"))
    assert [fill.price for fill in stepped.gateway.book.executions] == [4349.75, 4349.5]
