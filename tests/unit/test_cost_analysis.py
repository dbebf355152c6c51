"""What a contract order cost, in every unit, how it was worked, and what is usual and too dear."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from statistics import median

import pytest
from broker_order_samples import NOW, a_broker_order
from hypothesis import given
from hypothesis import strategies as st

from trading.execution.algos.frame import begun
from trading.execution.cost_analysis import OrderCost, Unit, Yardsticks, order_cost
from trading.execution.cost_summary import Comparison, Grouping, compared, group_of, size_of, summary, typical
from trading.execution.fills import Fill, FillStatus
from trading.execution.orders import ContractOrder
from trading.execution.shortfall import SUMMANDS, Part
from trading.risk.order_kind import OrderKind

LEG = ContractOrder(id="IO-01J-C1", parent="IO-01J", account="DU1", strategy="s", instrument="SP500",
                    contract="SP500/20260600", kind=OrderKind.STRATEGY, quantity=5, trading_day="2026-03-02",
                    created=NOW, reference_price=Decimal("99.5"),
                    algo={"style": "BEST", "state": begun(NOW, timedelta(minutes=10)).as_dict()})
MARKET = Yardsticks(multiplier=Decimal(50), currency="USD", rates={"USD": Decimal("0.8"), "GBP": Decimal(1)},
                    tick=Decimal("0.25"), sigma_d=Decimal(2), decided=Decimal("99.5"),
                    decided_at=NOW - timedelta(minutes=2), unfilled_at=Decimal(101),
                    mid_at=lambda at, within: Decimal(101) if within == timedelta(minutes=5) else None)
PASSIVE = a_broker_order(quantity=3, sent=NOW + timedelta(seconds=1))
TAKEN = a_broker_order(id="01J-C1-B10", quantity=2, bid=Decimal("100.25"), ask=Decimal("100.5"), changes=3,
                       sent=NOW + timedelta(seconds=40))


def a_fill(number: int, lots: int, price: str, order: str = PASSIVE.id, **changes: object) -> Fill:
    plain = Fill(id=f"DU1/{number}", execution_id=f"{number}.01", revision=1, broker_order=order, con_id=42,
                 contract="SP500/20260600", quantity=lots, price=Decimal(price), trading_day="2026-03-02",
                 at=NOW + timedelta(seconds=10 * number), commission=Decimal("2.05"), commission_currency="USD")
    return replace(plain, **changes)  # type: ignore[arg-type]


FILLS = (a_fill(1, 2, "99.75"), a_fill(2, 1, "99.75"), a_fill(5, 2, "100.5", TAKEN.id))


def a_cost(fills: Sequence[Fill] = FILLS, market: Yardsticks = MARKET, leg: ContractOrder = LEG) -> OrderCost:
    return order_cost(leg, (TAKEN, PASSIVE), fills, market)


def test_the_parts_are_told_in_every_unit() -> None:
    # by hand: 5 lots, mids 99.875 (3 lots) and 100.375 (2 lots), half of the spread 0.125, 3 lots at our own side
    cost = a_cost()
    points = {Part.DELAY: "1.875", Part.TIMING: "1", Part.HALF_SPREAD: "0.625", Part.EXECUTION: "-0.75",
              Part.OPPORTUNITY: "0"}
    assert {part: cost.points[part] for part in points} == {part: Decimal(each) for part, each in points.items()}
    assert cost.money[Part.HALF_SPREAD] == Decimal("0.625") * 40  # 50 dollars at 0.8
    assert cost.money[Part.FEES] == 3 * Decimal("2.05") * Decimal("0.8")
    assert cost.in_unit(Unit.POINTS)[Part.TIMING] == Decimal("0.2")
    assert cost.in_unit(Unit.TICKS)[Part.TIMING] == Decimal("0.8")
    assert cost.in_unit(Unit.SIGMA_D)[Part.TIMING] == Decimal("0.1")
    assert cost.in_unit(Unit.BPS)[Part.TIMING] == pytest.approx(Decimal(10_000) / Decimal("497.5"))
    assert cost.in_unit(Unit.HALF_SPREADS)[Part.EXECUTION] == Decimal("-1.2")
    assert cost.in_unit(Unit.CURRENCY) == cost.money


@pytest.mark.parametrize("unit", list(Unit))
def test_the_parts_add_up_in_every_unit(unit: Unit) -> None:
    told = a_cost(FILLS[:2]).in_unit(unit)
    assert sum(told[part] for part in SUMMANDS) == pytest.approx(told[Part.TOTAL])  # type: ignore[misc]  # all known


def test_bad_is_positive_in_every_unit_whatever_the_sign_of_prices() -> None:
    """bps of a negative price, half-spreads of a sale: a cost stays a cost."""
    low = replace(MARKET, decided=Decimal("-99.5"), unfilled_at=None)
    sold = order_cost(replace(LEG, quantity=-1), [a_broker_order(quantity=-1, bid=Decimal("-100"), ask=Decimal("-99"))],
                      [a_fill(1, -1, "-100")], low)
    totals = [sold.in_unit(unit)[Part.TOTAL] for unit in Unit]
    assert all(total is not None and total > 0 for total in totals)


def test_how_an_order_was_worked_is_told() -> None:
    cost = a_cost()
    assert (cost.algo, cost.fill_ratio, cost.passive_share, cost.changes_per_fill) == ("BEST", 1.0, 0.6, 1.0)
    assert cost.started_at == PASSIVE.sent
    waits = (cost.decision_to_intent, cost.intent_to_sent, cost.sent_to_fill, cost.time_to_fill)
    assert [wait and wait.total_seconds() for wait in waits] == [120, 1, 9, 49]
    # five lots bought for 99.75, 99.75, 99.75, 100.5, 100.5 could be sold for 101 five minutes later
    assert cost.mark_outs == {timedelta(minutes=1): None, timedelta(minutes=5): Decimal("0.95"),
                              timedelta(minutes=30): None}


def test_a_sale_gains_when_the_market_falls_afterwards() -> None:
    sold = order_cost(replace(LEG, quantity=-1), [a_broker_order(quantity=-1)], [a_fill(1, -1, "103")], MARKET)
    assert sold.mark_outs[timedelta(minutes=5)] == 2


def test_only_fills_that_count_are_counted() -> None:
    busted = a_fill(8, 0, "99.75", status=FillStatus.BUSTED, commission=None)
    assert a_cost((*FILLS, busted)) == a_cost()
    assert a_cost((*FILLS, a_fill(9, 7, "1", None, status=FillStatus.QUARANTINED))) == a_cost()  # type: ignore[arg-type]


@pytest.mark.parametrize(("fills", "market", "unknown"), [
    ((*FILLS[:2], replace(FILLS[2], commission=None)), MARKET, (Part.FEES, Part.TOTAL)),
    ((*FILLS[:2], replace(FILLS[2], commission_currency="JPY")), MARKET, (Part.FEES, Part.TOTAL)),
    (FILLS, replace(MARKET, decided=None), (Part.DELAY, Part.TOTAL)),
    (FILLS[:1], replace(MARKET, unfilled_at=None), (Part.OPPORTUNITY, Part.TOTAL))])
def test_what_is_not_known_is_named(fills: tuple[Fill, ...], market: Yardsticks, unknown: tuple[Part, ...]) -> None:
    assert a_cost(fills, market).missing == unknown


def test_a_yardstick_that_is_not_known_leaves_its_unit_open() -> None:
    bare = a_cost(market=replace(MARKET, tick=None, sigma_d=None))
    assert set(bare.in_unit(Unit.TICKS).values()) == set(bare.in_unit(Unit.SIGMA_D).values()) == {None}
    assert bare.in_unit(Unit.POINTS)[Part.TIMING] == Decimal("0.2")


def test_trading_costs_are_those_from_the_mid_on_arrival_to_the_fills() -> None:
    assert a_cost().trading_points == 3 * Decimal("-0.125") + 2 * Decimal("0.625")
    assert order_cost(LEG, [replace(PASSIVE, bid=Decimal(0), ask=Decimal(0))], FILLS[:2], MARKET).trading_points is None


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.integers(0, 9))
def test_a_median_lies_in_its_interval_and_a_seed_gives_the_same_one(values: list[float], missing: int) -> None:
    found = typical(values, missing, seed=4)
    assert found.median == pytest.approx(median(values))
    assert found.low is not None
    assert found.high is not None
    assert min(values) <= found.low <= found.high <= max(values)
    assert found == typical(values, missing, seed=4)
    assert (found.known, found.missing) == (len(values), missing)


def test_nothing_known_has_no_median() -> None:
    assert (typical([], 3, 1).median, typical([], 3, 1).missing) == (None, 3)


def test_orders_are_grouped_by_what_one_asks_for() -> None:
    cost, unsent = a_cost(), replace(a_cost(), started_at=None, quantity=30)
    assert [group_of(cost, by) for by in Grouping] == ["all", "SP500", "BEST", "20:00", "2 to 5 lots"]
    assert [group_of(unsent, by) for by in (Grouping.HOUR, Grouping.SIZE)] == ["never sent", "more than 20 lots"]
    assert [size_of(lots) for lots in (1, 2, 5, 6, 20, 21)] == [
        "1 lot", "2 to 5 lots", "2 to 5 lots", "6 to 20 lots", "6 to 20 lots", "more than 20 lots"]


def test_a_group_counts_what_is_not_known_beside_the_median_of_the_rest() -> None:
    lost = a_cost(market=replace(MARKET, decided=None))
    group, = summary([a_cost(), a_cost(FILLS[:2]), lost], Grouping.INSTRUMENT, Unit.POINTS, seed=1)
    assert (group.group, group.orders, group.lots, group.fill_ratio) == ("SP500", 3, 13, 13 / 15)
    assert group.passive_share == pytest.approx((3 + 3 + 3) / 13)
    assert (group.parts[Part.DELAY].known, group.parts[Part.DELAY].missing) == (2, 1)
    assert group.parts[Part.DELAY].median == pytest.approx((0.375 + 0.225) / 2)


def test_groups_of_sizes_stand_in_their_order() -> None:
    costs = [replace(a_cost(), quantity=lots) for lots in (50, 1, 7, 3)]
    assert [each.group for each in summary(costs, Grouping.SIZE, Unit.BPS, 1)] == [
        "1 lot", "2 to 5 lots", "6 to 20 lots", "more than 20 lots"]


@pytest.mark.parametrize(("charged", "is_finding"), [("0.1166", True), ("0.1167", False), ("1", False)])
def test_an_instrument_is_found_when_it_costs_over_half_more_than_the_backtest_charges(charged: str,
                                                                                       is_finding: bool) -> None:
    # 0.875 points over 5 lots are 0.175 a lot
    found, = compared([a_cost()], {"SP500": Decimal(charged)})
    assert (found.paid, found.lots, found.is_finding) == (Decimal("0.175"), 5, is_finding)


def test_a_comparison_weighs_each_lot_alike_and_leaves_rolls_and_unknown_quotes_out() -> None:
    passive = a_cost(FILLS[:2])  # three lots, each an eighth below the mid
    roll = replace(a_cost(), kind=OrderKind.ROLL)
    blind = order_cost(LEG, [replace(PASSIVE, bid=Decimal(0), ask=Decimal(0))], FILLS[:2], MARKET)
    found, = compared([a_cost(), passive, roll, blind], {"SP500": Decimal("0.1")})
    assert (found.orders, found.lots, found.paid) == (2, 8, Decimal("0.0625"))
    assert compared([a_cost()], {"GOLD": Decimal(1)}) == []


def test_a_finding_is_a_sentence() -> None:
    found = Comparison(instrument="SP500", orders=12, lots=40, paid=Decimal("0.3"), charged=Decimal("0.125"))
    assert found.sentence() == (
        "SP500 cost 0.3 points a lot over 12 orders (40 lots), 2.4 times the 0.125 that the backtest charges. Raise "
        "its slippage, or trade it more patiently.")
