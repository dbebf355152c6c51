"""The parts of what an order cost: each by hand, and their sum, exactly, whatever the numbers (V27)."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import DataError
from trading.execution.quotes import Touch
from trading.execution.shortfall import PARTS, SUMMANDS, Child, Costs, Part, Trade, Traded, costs, point_costs, summed

AT = datetime(2026, 3, 2, 20, tzinfo=UTC)
FIFTY = Decimal(50)


def quote(bid: str, ask: str) -> Touch:
    return Touch(bid=Decimal(bid), ask=Decimal(ask), at=AT)


def child(bid: str, ask: str, *fills: tuple[int, str]) -> Child:
    return Child(quote=quote(bid, ask), fills=tuple(Traded(lots=lots, price=Decimal(price)) for lots, price in fills))


# Ten lots were wanted at 100. The first child met 100.50 to 101.00 and was filled passively, 4 at 100.50; the second
# met 101.00 to 101.50 and took 3 at 101.50. Three lots were left, and the day closed at 102.
BUY = Trade(quantity=10, decided=Decimal(100), unfilled_at=Decimal(102), money_per_point=FIFTY, fees=Decimal("14.35"),
            children=(child("100.50", "101.00", (4, "100.50")), child("101.00", "101.50", (3, "101.50"))))


@pytest.mark.parametrize(("part", "points"), [
    (Part.DELAY, "5.25"),  # 7 filled lots, and the mid on arrival was 0.75 above the decision
    (Part.TIMING, "1.50"),  # 3 of them met a mid half a point higher
    (Part.HALF_SPREAD, "1.75"),  # 7 lots, a quarter each
    (Part.EXECUTION, "-2.00"),  # 4 lots half a point below the offer, 3 at it
    (Part.OPPORTUNITY, "6"),  # 3 lots that would cost 2 points more now
    (Part.TOTAL, "12.50")])
def test_a_part_by_hand(part: Part, points: str) -> None:
    assert point_costs(BUY)[part] == Decimal(points)
    if part is not Part.TOTAL:
        assert costs(BUY)[part] == Decimal(points) * 50


def test_the_fees_come_to_the_total_in_money_only() -> None:
    assert costs(BUY)[Part.FEES] == Decimal("14.35")
    assert costs(BUY)[Part.TOTAL] == Decimal("12.50") * 50 + Decimal("14.35")


def test_a_sale_that_meets_the_mirrored_market_costs_the_same() -> None:
    mirrored = replace(
        BUY, quantity=-10, decided=Decimal(-100), unfilled_at=Decimal(-102),
        children=(child("-101.00", "-100.50", (-4, "-100.50")), child("-101.50", "-101.00", (-3, "-101.50"))))
    assert costs(mirrored) == costs(BUY)


@pytest.mark.parametrize(("price", "in_half_spreads"), [("101.00", 0), ("100.75", -1), ("100.50", -2)])
def test_execution_tells_which_side_was_paid(price: str, in_half_spreads: int) -> None:
    """0: the far side; -1: the mid; -2: our own side."""
    found = point_costs(replace(BUY, children=(child("100.50", "101.00", (10, price)),)))
    half, execution = found[Part.HALF_SPREAD], found[Part.EXECUTION]
    assert half is not None
    assert execution == in_half_spreads * half


def test_twenty_thousand_orders_cost_exactly_the_sum_of_their_parts() -> None:
    """V27: parts and total are computed by two ways, in Decimal, without one mismatch."""
    draw = random.Random(27)
    with localcontext(Context(prec=200)):
        for _ in range(20_000):
            found = costs(a_random_trade(draw))
            parts = [found[part] for part in SUMMANDS]
            assert None not in parts
            assert sum(parts) == found[Part.TOTAL]  # type: ignore[arg-type]  # none is None
            assert found[Part.HALF_SPREAD] >= 0  # type: ignore[operator]  # the same


def a_random_trade(draw: random.Random) -> Trade:
    """Any sign of prices and lots, many digits, over- and under-filled, up to six children with up to four fills."""
    sign = draw.choice((1, -1))
    children = tuple(a_random_child(draw, sign) for _ in range(draw.randrange(7)))
    return Trade(quantity=sign * draw.randint(1, 400), children=children, decided=a_price(draw),
                 unfilled_at=a_price(draw), fees=a_price(draw),
                 money_per_point=Decimal(draw.randint(1, 10**9)).scaleb(-4) * Decimal(repr(draw.uniform(0.001, 2))))


def a_random_child(draw: random.Random, sign: int) -> Child:
    bid, width = a_price(draw), Decimal(draw.randrange(10**6)).scaleb(-5)
    fills = tuple(Traded(lots=sign * draw.randint(1, 50), price=a_price(draw)) for _ in range(draw.randrange(5)))
    return Child(quote=Touch(bid=bid, ask=bid + width, at=AT), fills=fills)


def a_price(draw: random.Random) -> Decimal:
    return Decimal(draw.randint(-10**12, 10**12)).scaleb(-draw.randrange(12))


def without_quote(trade: Trade) -> Trade:
    return replace(trade, children=(replace(trade.children[0], quote=None), *trade.children[1:]))


def with_second_crossed(trade: Trade) -> Trade:
    return replace(trade, children=(trade.children[0], replace(trade.children[1], quote=quote("101.50", "101.00"))))


@pytest.mark.parametrize(("loses", "unknown"), [
    (lambda trade: replace(trade, decided=None), {Part.DELAY, Part.OPPORTUNITY, Part.TOTAL}),
    (without_quote, {Part.DELAY, Part.TIMING, Part.HALF_SPREAD, Part.EXECUTION}),
    (with_second_crossed, {Part.TIMING, Part.HALF_SPREAD, Part.EXECUTION}),
    (lambda trade: replace(trade, unfilled_at=None), {Part.OPPORTUNITY, Part.TOTAL}),
    (lambda trade: replace(trade, fees=None), {Part.FEES, Part.TOTAL}),
    (lambda trade: replace(trade, money_per_point=None), set(PARTS) - {Part.FEES})])
def test_a_part_whose_price_nobody_knew_is_not_known(loses: Callable[[Trade], Trade], unknown: set[Part]) -> None:
    found = costs(loses(BUY))
    assert {part for part in PARTS if found[part] is None} == unknown
    assert all(found[part] == costs(BUY)[part] for part in set(PARTS) - unknown)


def test_what_was_never_filled_costs_only_what_it_missed() -> None:
    found = costs(replace(BUY, children=(Child(quote=None, fills=()),), fees=Decimal(0)))
    assert found == {**dict.fromkeys(PARTS, Decimal(0)), Part.OPPORTUNITY: Decimal(1000), Part.TOTAL: Decimal(1000)}


def test_no_price_is_needed_of_a_child_that_filled_nothing_or_of_lots_that_are_not_left() -> None:
    whole = replace(BUY, quantity=7, unfilled_at=None, children=(*BUY.children, Child(quote=None, fills=())))
    assert costs(whole)[Part.OPPORTUNITY] == 0
    assert None not in costs(whole).values()


@given(st.lists(st.sampled_from([costs(BUY), costs(replace(BUY, decided=None))]), max_size=4))
def test_orders_together_cost_their_sum_and_know_what_all_of_them_know(found: list[Costs]) -> None:
    known = all(each[Part.DELAY] is not None for each in found)
    assert summed(found)[Part.DELAY] == (len(found) * 50 * Decimal("5.25") if known else None)
    assert summed(found)[Part.HALF_SPREAD] == len(found) * 50 * Decimal("1.75")


def test_no_lots_and_fills_of_the_other_side_are_refused() -> None:
    with pytest.raises(DataError, match=r"An order for no lots has no cost\. Leave it out\."):
        replace(BUY, quantity=0)
    with pytest.raises(DataError, match=r"An order for -10 lots has a fill of the other side\. Such a fill is nobody"):
        replace(BUY, quantity=-10)
