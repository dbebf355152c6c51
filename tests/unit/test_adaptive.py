"""Orders that the broker's own algo works: our limit, our deadline, its patience; and our own way if it refuses."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from algo_market import TICK, AlgoMarket
from broker_order_samples import NOW, a_broker_order

from trading.execution.algos.adaptive import urgency
from trading.execution.algos.choice import choose
from trading.execution.algos.frame import Change, Finish, Look, Phase, Place, Tell, begun
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.order_states import AdaptivePriority, ExecutionStyle, Flag

ADAPTIVE = ExecutionStyle.ADAPTIVE
P = AdaptivePriority
REASON = "The order processing failed. Algorithm definition not found. (code 439)"


def refused(market: AlgoMarket) -> None:
    """The broker's answer to the newest order."""
    market.children[-1] = replace(market.children[-1], lifecycle=BrokerLifecycle.REJECTED, reason=REASON,
                                  flags=frozenset({Flag.ALGO_REFUSED}))


def told(market: AlgoMarket) -> list[str]:
    return [action.text for action in market.actions if isinstance(action, Tell)]


# --- what is sent --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("quantity", "limit"), [(3, "101.00"), (-3, "98.75")])
def test_its_limit_is_where_our_own_chase_would_end(quantity: int, limit: str) -> None:
    # given a market of 99.75 to 100, of which a quarter of a day is one point
    action = AlgoMarket(quantity, ADAPTIVE).look()
    assert action == Place(quantity=quantity, limit=Decimal(limit), is_passive=True, adaptive=P.NORMAL,
                           reason="the broker's algo goes about it as Normal: nothing hurries, and nothing asks for "
                                  "patience")


def test_the_limit_of_a_later_order_is_not_further_than_that_of_the_first() -> None:
    market = AlgoMarket(25, ADAPTIVE, fills=False)
    market.look()
    market.fill(10)
    market.bid, market.ask = market.bid + 2 * TICK, market.ask + 2 * TICK
    market.look()
    market.fill(10)
    market.bid, market.ask = market.bid - 8 * TICK, market.ask - 8 * TICK
    market.look()
    assert [place.limit for place in market.placed] == [Decimal("101.00"), Decimal("101.00"), Decimal("99.50")]


def test_it_is_left_alone_while_it_lives() -> None:
    market = AlgoMarket(3, ADAPTIVE, fills=False)
    market.look()
    market.bid, market.ask = market.bid + 3 * TICK, market.ask + 3 * TICK
    assert [action for action in market.run(500, every_s=5) if action] == []


def test_a_market_that_goes_beyond_the_limit_is_told_once() -> None:
    market = AlgoMarket(3, ADAPTIVE, fills=False)
    market.look()
    market.bid, market.ask = market.bid + 2, market.ask + 2
    list(market.run(60, every_s=5))
    assert told(market) == ["the market has gone further than 1 from 100.00, where the order came; it rests at 101.00"]


def test_our_deadline_stands_around_it() -> None:
    market = AlgoMarket(3, ADAPTIVE, fills=False)
    list(market.run(700))
    assert (market.state.finish, market.living, len(market.placed)) == (Finish.DEADLINE, None, 1)


# --- how urgent it is --------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("is_roll", "minutes_left", "closes_in", "priority"), [
    (False, 10, None, P.NORMAL), (False, 10, 60, P.NORMAL), (True, 120, None, P.PATIENT), (True, 120, 14, P.URGENT),
    (False, 10, 14, P.URGENT), (False, 2, None, P.URGENT), (True, 2, None, P.URGENT)])
def test_it_hurries_only_when_time_is_short(is_roll: bool, minutes_left: int, closes_in: int | None,
                                            priority: AdaptivePriority) -> None:
    market = AlgoMarket(3, ADAPTIVE)
    closes = None if closes_in is None else NOW + timedelta(minutes=closes_in)
    look = Look(now=NOW, touch=market.touch(), residual=3, child=None, children=0, closes=closes)
    found = urgency(begun(NOW, timedelta(minutes=minutes_left)), look, replace(market.terms, is_roll=is_roll))
    assert found.priority is priority
    assert found.reason


def test_before_the_close_it_is_no_passive_order() -> None:
    placed = AlgoMarket(3, ADAPTIVE, closes=NOW + timedelta(minutes=10)).look()
    assert isinstance(placed, Place)
    assert (placed.adaptive, placed.is_passive) == (P.URGENT, False)


def test_more_than_a_few_orders_are_spread_over_time_instead() -> None:
    assert choose(ADAPTIVE, 30, 10).style is ADAPTIVE
    assert choose(ADAPTIVE, 31, 10).style is ExecutionStyle.TWAP


# --- a broker that does not do it --------------------------------------------------------------------------------

@pytest.mark.parametrize("forgets", [False, True])
def test_a_refused_algo_ends_in_our_own_for_the_rest(forgets: bool) -> None:
    market = AlgoMarket(3, ADAPTIVE, fills=False, forgets=forgets)
    market.look()
    refused(market)

    # when
    actions = [action for action in market.run(5) if action]

    # then a person is told, and the next order is one of ours
    assert told(market) == [f"the broker does not work it by its own algo: {REASON}; the 3 lots that are left are "
                            f"worked as BEST"]
    assert actions[1:] == [Place(quantity=3, limit=Decimal("99.75"), is_passive=True)]
    assert market.state.fallback is not None
    assert market.state.fallback.style is ExecutionStyle.BEST
    market.bid, market.ask = market.bid + TICK, market.ask + TICK
    assert Change(limit=Decimal("100.25")) in list(market.run(10))
    market.fills = True
    list(market.run(10))
    assert (market.state.finish, market.filled) == (Finish.FILLED, 3)


def test_what_the_broker_refuses_without_an_algo_is_refused() -> None:
    market = AlgoMarket(3, ADAPTIVE, fills=False)
    market.look()
    refused(market)
    list(market.run(5))
    market.children[-1] = replace(market.children[-1], lifecycle=BrokerLifecycle.REJECTED)
    list(market.run(5))
    assert (market.state.finish, len(market.placed)) == (Finish.REFUSED, 2)


def test_a_refusal_for_another_reason_is_the_end_of_it() -> None:
    market = AlgoMarket(3, ADAPTIVE, fills=False)
    market.look()
    market.children[-1] = replace(market.children[-1], lifecycle=BrokerLifecycle.REJECTED, reason="no margin")
    list(market.run(5))
    assert (market.state.finish, len(market.placed)) == (Finish.REFUSED, 1)


def test_while_the_refused_order_may_live_nothing_else_is_sent() -> None:
    market = AlgoMarket(3, ADAPTIVE, fills=False)
    market.look()
    refused(market)
    market.children[-1] = replace(market.children[-1], lifecycle=BrokerLifecycle.UNKNOWN)
    assert [action for action in market.run(60) if action] == []
    assert market.state.phase is not Phase.DONE


def test_the_broker_order_remembers_its_priority() -> None:
    order = a_broker_order(adaptive=P.PATIENT)
    assert order.as_dict()["adaptive"] == "Patient"
    assert BrokerOrder.from_dict(order.as_dict()) == order
