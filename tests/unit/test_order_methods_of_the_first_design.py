"""The first design's methods of orders, with the defects mended that were found in them (orders_and_risk.md, S-..)."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from broker_order_samples import NOW, a_broker_order
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import DataError, TradingError
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.broker_terms import BrokerTerms
from trading.execution.documents import Unreadable
from trading.execution.fills import Fill, FillStatus
from trading.execution.order_generators.wanted_trades import Allowed, PositionRule
from trading.execution.order_ids import new_instrument_order_id, story_of
from trading.execution.order_states import CloseReason, FillState, Flag, InvalidOrderChange, Lifecycle
from trading.execution.orders import ContractOrder, InstrumentOrder, WrongQuantity
from trading.execution.quotes import Touch
from trading.execution.shortfall import Part
from trading.risk.exposure import Holding
from trading.risk.order_kind import OrderKind

JUNE, SEPTEMBER = "SP500/20260600", "SP500/20260900"
TERMS = BrokerTerms(con_id=42, exchange="CME", limit_price=Decimal("100.25"), tick=Decimal("0.25"), created=NOW,
                    touch=Touch(bid=Decimal(100), ask=Decimal("100.25"), at=NOW))
LOTS = st.integers(-200, 200).filter(bool)


@dataclass(frozen=True)
class Wanted:
    """An optimum in the middle of its buffer."""

    optimal: float
    width: float = 0.0

    @property
    def lower(self) -> float:
        return self.optimal - self.width

    @property
    def upper(self) -> float:
        return self.optimal + self.width


def an_order(quantity: int = 5, **changes: Any) -> InstrumentOrder:
    return InstrumentOrder(**{
        "id": "IO-01J", "idempotency_key": "k", "account": "DU1", "strategy": "s", "instrument": "SP500", "held": 0,
        "kind": OrderKind.STRATEGY, "quantity": quantity, "trading_day": "2026-03-02", "created": NOW} | changes)


def a_leg(quantity: int = 5, **changes: Any) -> ContractOrder:
    _, (leg,) = an_order(quantity).create_child_contract_orders({JUNE: quantity}, NOW)
    return replace(leg, **changes)


def a_fill(lots: int, base: str = "0001.02", revision: int = 1, price: str = "100", **changes: Any) -> Fill:
    plain = Fill(id=f"DU1/{base}", execution_id=f"{base}.{revision:02}", revision=revision, broker_order="01J-C1-B1",
                 contract=JUNE, con_id=42, quantity=lots, price=Decimal(price), at=NOW, trading_day="2026-03-02")
    return replace(plain, **changes)


def working(**changes: Any) -> BrokerOrder:
    return a_broker_order(**{"lifecycle": BrokerLifecycle.WORKING, **changes})


ORDERS: Mapping[str, Any] = {
    "instrument": an_order(checks=(), reference_price=Decimal("-37.2500")), "contract": a_leg(),
    "broker": working(flags=frozenset({Flag.OVERFILL}))}


@pytest.mark.parametrize("tier", ORDERS)
def test_s01_every_tier_can_be_written_down_and_read_again(tier: str) -> None:
    order = ORDERS[tier]
    assert type(order).from_dict(order.as_dict()) == order


@pytest.mark.parametrize("quantity", [5, -5])
def test_s07_a_fill_after_the_end_does_not_bring_an_order_back(quantity: int) -> None:
    cancelled = working(quantity=quantity).moved(BrokerLifecycle.CANCELLED)
    after = cancelled.update_fill(quantity // abs(quantity))
    assert (after.lifecycle, after.may_be_alive, after.committed) == (BrokerLifecycle.CANCELLED, False, 0)
    assert after.flags == {Flag.LATE_FILL}


def test_s08_an_over_fill_is_booked_whole_flagged_and_asks_for_no_lot_back() -> None:
    after = working(quantity=5).update_fill(7)
    assert (after.filled, after.committed) == (7, 0)
    assert Flag.OVERFILL in after.flags
    over = replace(a_leg(5), filled=7)
    assert (over.fill_state, over.available(0)) == (FillState.OVER, 0)
    with pytest.raises(WrongQuantity, match=r"has \+0 lots left"):
        over.create_broker_orders([-2], 0, TERMS)


def test_s09_a_fill_of_the_other_side_is_nobodys() -> None:
    order, merge = working(quantity=5).add_fill(None, a_fill(-1))
    assert order == working(quantity=5)
    assert (merge.fill.status, merge.fill.broker_order, merge.change) == (FillStatus.QUARANTINED, None, -1)


@pytest.mark.parametrize("lots", [1.0, 0.9991, float("nan"), True, "1", None])
def test_s10_only_whole_lots_are_lots(lots: Any) -> None:
    with pytest.raises(TradingError, match=r"lots are whole numbers|were not made"):
        a_leg(5).create_broker_orders([lots], 0, TERMS)
    with pytest.raises(TradingError, match="lots are whole numbers"):
        working().update_fill(lots)
    with pytest.raises(TradingError, match="lots are whole numbers"):
        an_order(lots)


@given(st.permutations([a_fill(2, "a.1"), a_fill(1, "b.1"), a_fill(2, "a.1"), a_fill(1, "b.1"), a_fill(2, "a.1")]))
def test_s11_an_execution_counts_once_however_often_it_is_delivered(delivered: list[Fill]) -> None:
    order, books = working(quantity=5), dict[str, Fill]()
    for heard in delivered:
        order, merge = order.add_fill(books.get(heard.id), heard)
        books[heard.id] = merge.fill
    assert (order.filled, order.residual, order.flags) == (3, 2, frozenset())


def test_s12_prices_are_averaged_over_the_lots_of_one_side() -> None:
    """+2 at 100 and -1 at 110 are no purchase at 90."""
    fills = [a_fill(3, "a.1", price="100"), a_fill(1, "b.1", price="104")]
    assert working().worked(fills).paid / 4 == 101
    with pytest.raises(DataError, match="has a fill of the other side"):
        working().calculate_slippage([a_fill(2, "a.1", price="100"), a_fill(-1, "b.1", price="110")], Decimal(100))


def test_s13_a_fill_needs_no_commission() -> None:
    order, merge = working().add_fill(None, a_fill(2))
    assert (order.filled, merge.fill.commission, order.commission) == (2, None, None)


@pytest.mark.parametrize(("lots", "filled", "flags"), [(3, 3, {Flag.CORRECTED}), (0, 0, {Flag.CORRECTED})])
def test_s14_a_correction_replaces_and_a_bust_takes_back(lots: int, filled: int, flags: set[Flag]) -> None:
    known = a_fill(5, revision=1)
    order, merge = working(quantity=5).add_fill(None, known)
    assert order.lifecycle is BrokerLifecycle.FILLED
    order, _ = order.add_fill(merge.fill, a_fill(lots, revision=2))
    assert (order.filled, order.residual, order.flags) == (filled, 5 - filled, flags)


@pytest.mark.parametrize("side", [1, -1])
def test_s15_a_cost_is_positive_for_both_sides_and_counts_lots_and_what_is_missing(side: int) -> None:
    # a side that pays the far side of 100 to 100.50 for three of five lots decided at 100, then it goes away by 1
    far, away = ("100.50", "101.50") if side > 0 else ("100", "99")
    order = working(quantity=5 * side, bid=Decimal(100), ask=Decimal("100.50"))
    found = order.calculate_slippage([a_fill(3 * side, price=far)], Decimal("100.25"), Decimal(away))
    assert (found[Part.DELAY], found[Part.HALF_SPREAD], found[Part.EXECUTION]) == (0, Decimal("0.75"), 0)
    assert found[Part.OPPORTUNITY] == Decimal("2.50")
    assert found[Part.TOTAL] == Decimal("3.25")
    assert order.calculate_slippage([a_fill(3 * side, price=far)], None)[Part.DELAY] is None


def test_s16_children_of_one_moment_have_names_of_their_own() -> None:
    leg, orders = a_leg(5).create_broker_orders([1, 1, 1, 1, 1], 0, TERMS)
    assert [order.id for order in orders] == [f"01J-C1-B{number}" for number in range(1, 6)]
    assert (leg.next_child, leg.lifecycle) == (6, Lifecycle.WORKING)
    assert a_leg(5).create_broker_orders([1, 1, 1, 1, 1], 0, TERMS)[1] == orders


def test_s17_an_id_is_unique_sortable_and_tells_only_its_parent() -> None:
    ids = [new_instrument_order_id() for _ in range(2000)]
    assert len(set(ids)) == len(ids)
    assert sorted(each[:13] for each in ids) == [each[:13] for each in ids]  # its first ten characters are the time
    assert story_of(a_leg().create_broker_orders([5], 0, TERMS)[1][0].id) == "IO-01J"


@pytest.mark.parametrize("tier", ORDERS)
@pytest.mark.parametrize("field", ["id", "created", "lifecycle", "version"])
def test_s18_reading_an_order_makes_nothing_up(tier: str, field: str) -> None:
    document = ORDERS[tier].as_dict()
    del document[field]
    with pytest.raises(Unreadable, match=f"lacks {field}. Nothing was assumed"):
        type(ORDERS[tier]).from_dict(document)


@pytest.mark.parametrize("tier", ORDERS)
@pytest.mark.parametrize("wrong", [{"lifecycle": "partially_filled"}, {"quantity": 5.0}, {"quantity": True},
                                   {"created": datetime(2026, 3, 2)}, {"status": "active"}])
def test_s06_s20_an_order_of_free_words_floats_or_naive_times_is_not_read(tier: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        type(ORDERS[tier]).from_dict(ORDERS[tier].as_dict() | wrong)


@pytest.mark.parametrize(("held", "wanted", "trade"), [
    (9, Wanted(9.9, 1.0), 0), (11, Wanted(10.1, 1.0), 0),  # both inside: neither 9 to 10 nor 11 to 10
    (100, Wanted(91.0, 1.0), -8), (1, Wanted(0.0, 5.0), -1), (0, Wanted(1.0, 1.2), 0), (1, Wanted(0.4, 0.9), 0)])
def test_s23_the_buffer_lies_around_what_is_wanted(held: int, wanted: Wanted, trade: int) -> None:
    """9 to 10 traded and 11 to 10 did not, 100 to 91 never did, 0.9 to 0 never closed, and 0 and 1 took turns."""
    for quantity in (trade, -1, 1, -8):
        if quantity:
            should = an_order(quantity, held=held).should_create_order(wanted, Allowed())
            assert should is (quantity * trade > 0 and abs(quantity) <= abs(trade))


def test_s23_closing_and_limits_do_not_wait_for_a_buffer() -> None:
    inside = Wanted(5.0, 5.0)
    assert not an_order(-5, held=5).should_create_order(inside, Allowed())
    assert an_order(-5, held=5).should_create_order(inside, Allowed(rule=PositionRule.CLOSE))
    assert an_order(-2, held=5).should_create_order(inside, Allowed(limit=3))


def test_s24_an_order_carries_no_policy_and_asks_nothing_of_one_whose_standing_it_does_not_know() -> None:
    assert not {"buffer_size", "min_trade_size"} & set(an_order().as_dict())
    with pytest.raises(WrongQuantity, match="does not say what was held when it was decided"):
        an_order(held=None).should_create_order(Wanted(5.0), Allowed())


@pytest.mark.parametrize(("position", "quantity", "left"), [(15, -2, -2), (15, 1, None), (15, -30, -25), (8, 5, 2)])
def test_s25_a_limit_makes_no_trade_of_its_own(position: int, quantity: int, left: int | None) -> None:
    """At 15 with a limit of 10 an order of -2 became -5, and one of +1 became -5."""
    order = an_order(quantity).apply_position_limits(Holding(position=position), 10)
    assert (order and order.quantity) == left


@given(LOTS, LOTS, st.integers(0, 50), st.integers(0, 50), st.integers(0, 100) | st.none())
def test_s25_a_limit_only_shrinks(quantity: int, position: int, buys: int, sells: int, limit: int | None) -> None:
    holding = Holding(position=position, working_buys=buys, working_sells=sells)
    order = an_order(quantity).apply_position_limits(holding, limit)
    assert order is None or (order.quantity * quantity > 0 and abs(order.quantity) <= abs(quantity))


def test_s26_lots_that_work_count_and_the_limit_is_no_part_of_the_order() -> None:
    working_too = an_order(5).apply_position_limits(Holding(position=4, working_buys=4), 10)
    assert working_too == an_order(2)
    assert "limit" not in inspect.signature(InstrumentOrder).parameters


@pytest.mark.parametrize("lots", [{JUNE: 4}, {JUNE: 4, SEPTEMBER: 2}, {}])
def test_s27_children_sum_to_their_parent_or_are_not_made(lots: dict[str, int]) -> None:
    with pytest.raises(WrongQuantity, match=r"is for \+5, its parts .* sum to"):
        an_order(5).create_child_contract_orders(lots, NOW)
    _, children = an_order(5).create_child_contract_orders({JUNE: 4, SEPTEMBER: 1}, NOW)
    assert [child.quantity for child in children] == [4, 1]


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 50), st.integers(1, 50), st.sampled_from([1, -1]))
def test_s28_no_call_makes_more_alive_than_is_left(quantity: int, filled: int, committed: int, lots: int,
                                                   sign: int) -> None:
    leg = replace(a_leg(sign * quantity), filled=sign * filled)
    try:
        _, (order,) = leg.create_broker_orders([sign * lots], sign * committed, TERMS)
    except WrongQuantity:
        assert filled + committed + lots > quantity
        return
    assert filled + committed + lots <= quantity
    assert (order.quantity, order.account, order.parent) == (sign * lots, leg.account, leg.id)


def test_s28_asking_twice_makes_no_second_order() -> None:
    leg, (first,) = a_leg(5).create_broker_orders([5], 0, TERMS)
    with pytest.raises(WrongQuantity, match=r"Order IO-01J-C1 has \+0 lots left that are not filled or alive at the "
                                            r"broker; broker orders for 5 were not made\."):
        leg.create_broker_orders([5], first.committed, TERMS)


def test_s29_a_parent_comes_back_with_the_count_of_its_children() -> None:
    parent, children = an_order(5).create_child_contract_orders({JUNE: 3, SEPTEMBER: 2}, NOW)
    assert (parent.next_child, [child.parent for child in children]) == (3, ["IO-01J", "IO-01J"])


def test_s30_the_price_of_the_decision_is_no_limit() -> None:
    leg = a_leg(reference_price=Decimal(95))
    _, (order,) = leg.create_broker_orders([5], 0, TERMS)
    assert (order.limit_price, leg.limit_price) == (Decimal("100.25"), None)


def test_s31_a_broker_order_says_which_contract_at_which_price_for_how_long() -> None:
    _, (order,) = a_leg(-5).create_broker_orders([-5], 0, TERMS)
    told = (order.con_id, order.exchange, order.contract, order.quantity, order.order_type, order.time_in_force)
    assert told == (42, "CME", JUNE, -5, "LMT", "DAY")
    assert (order.bid, order.ask, order.mid, order.tick) == (Decimal(100), Decimal("100.25"), Decimal("100.125"),
                                                             Decimal("0.25"))


@pytest.mark.parametrize("lifecycle", [Lifecycle.CLOSING, Lifecycle.CLOSED])
def test_s33_nothing_new_is_sent_for_an_order_that_ends(lifecycle: Lifecycle) -> None:
    with pytest.raises(InvalidOrderChange):
        a_leg(lifecycle=lifecycle).create_broker_orders([5], 0, TERMS)


@pytest.mark.parametrize("lots", [[0], [], [-1], [3, -1], [6], [3, 3]])
def test_s35_lots_that_no_order_can_have_are_refused(lots: list[int]) -> None:
    with pytest.raises(WrongQuantity):
        a_leg(5).create_broker_orders(lots, 0, TERMS)


def test_s39_why_an_order_ended_is_kept_with_it() -> None:
    closed = an_order().moved(Lifecycle.CLOSED, CloseReason.DENIED)
    assert InstrumentOrder.from_dict(closed.as_dict()).close_reason is CloseReason.DENIED
    refused = working().moved(BrokerLifecycle.REJECTED, "no permission (code 201)")
    assert BrokerOrder.from_dict(refused.as_dict()).reason == "no permission (code 201)"


def test_s05_an_order_that_was_sent_is_alive_until_it_has_ended() -> None:
    alive = {state for state in BrokerLifecycle if working(lifecycle=state).may_be_alive}
    assert {BrokerLifecycle.SENDING, BrokerLifecycle.SENT, BrokerLifecycle.UNKNOWN} <= alive
    assert BrokerLifecycle.FILLED not in alive


def test_fills_that_settle_a_cancel_end_the_order() -> None:
    """The broker said: cancelled, two filled; the execution of those comes later."""
    told = working(quantity=5, cancel_requested=NOW + timedelta(seconds=1)).told("Cancelled", 2)
    assert told.may_be_alive
    assert told.update_fill(2).lifecycle is BrokerLifecycle.CANCELLED


