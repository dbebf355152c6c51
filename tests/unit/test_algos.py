"""Execution algos: passive then aggressive, within a chase; nothing without a price; every one of them ends."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from algo_market import TICK, AlgoMarket, a_leg
from broker_order_samples import NOW
from hypothesis import given
from hypothesis import strategies as st

from trading.execution.algos.choice import begin, choose
from trading.execution.algos.frame import Cancel, Change, Finish, Phase, Place, Tell
from trading.execution.algos.twap import due
from trading.execution.broker_orders import BrokerLifecycle
from trading.execution.documents import Unreadable
from trading.execution.order_states import ExecutionStyle

S = ExecutionStyle
STYLES = (S.BEST, S.MARKETABLE, S.LIMIT, S.TWAP, S.PASSIVE_ONLY, S.POV, S.ADAPTIVE)


def finished(market: AlgoMarket, seconds: float, every_s: float = 1.0) -> Finish | None:
    list(market.run(seconds, every_s))
    return market.state.finish


# --- best ----------------------------------------------------------------------------------------------------------

def test_it_begins_at_our_own_side() -> None:
    buys, sells = AlgoMarket(3, fills=False), AlgoMarket(-3, fills=False)
    assert (buys.look(), sells.look()) == (Place(quantity=3, limit=Decimal("99.75"), is_passive=True),
                                           Place(quantity=-3, limit=Decimal("100.00"), is_passive=True))


def test_a_market_that_goes_away_and_stays_away_is_followed() -> None:
    market = AlgoMarket(3, fills=False)
    market.look()
    market.bid, market.ask = Decimal("100.00"), Decimal("100.25")
    actions = list(market.run(6))
    assert [action for action in actions if action] == [Change(limit=Decimal("100.25"))]
    assert market.state.phase is Phase.AGGRESSIVE


def test_a_flicker_of_one_tick_is_not_followed() -> None:
    market = AlgoMarket(3, fills=False)
    market.look()
    for bid in ("100.00", "99.75", "100.00", "99.75"):
        market.now += timedelta(seconds=1)
        market.bid = Decimal(bid)
        assert market.look() is None
    assert market.state.phase is Phase.PASSIVE


def test_a_book_that_leans_on_us_ends_the_patience() -> None:
    market = AlgoMarket(3, fills=False, sizes=(60, 2))
    list(market.run(4))
    assert market.state.phase is Phase.AGGRESSIVE


def test_patience_ends_with_time_and_a_small_fill_does_not_renew_it() -> None:
    market = AlgoMarket(3, fills=False)
    list(market.run(100, every_s=10))
    market.filled = 1
    market.children[-1] = replace(market.children[-1], filled=1)
    list(market.run(150, every_s=10))
    assert market.state.phase is Phase.AGGRESSIVE  # after 40 % of ten minutes


def test_the_chase_ends_at_a_limit_where_the_order_rests_and_a_person_is_told() -> None:
    # given a market that runs away by a point a second; a quarter of a day is one point
    market = AlgoMarket(3, fills=False)
    told = []
    for _ in range(60):
        market.bid, market.ask = market.bid + 1, market.ask + 1
        told += [action for action in [market.look()] if isinstance(action, Tell)]
        market.now += timedelta(seconds=1)
    assert len(told) == 1
    assert "the market has gone further than 1" in told[0].text
    arrival = market.state.arrival_ask
    assert arrival is not None
    assert max(limit for _, limit, _ in market.prices) == arrival + 1


def test_it_ends_at_its_deadline_when_nobody_trades_with_it() -> None:
    market = AlgoMarket(3, fills=False)
    assert finished(market, 700) is Finish.DEADLINE
    assert market.living is None


# --- marketable, limit, passive only --------------------------------------------------------------------------------

def test_a_marketable_order_stands_through_the_far_side() -> None:
    assert AlgoMarket(3, S.MARKETABLE).look() == Place(quantity=3, limit=Decimal("100.50"), is_passive=False)


def test_a_marketable_order_is_tried_five_times_and_given_up() -> None:
    market = AlgoMarket(3, S.MARKETABLE, fills=False)
    assert finished(market, 300) is Finish.ATTEMPTS
    assert len(market.placed) == 5


def test_a_persons_limit_never_moves() -> None:
    market = AlgoMarket(3, S.LIMIT, fills=False)
    market.look()
    market.bid, market.ask = Decimal(110), Decimal(111)
    assert [action for action in market.run(600, every_s=10) if action] == []
    assert [limit for _, limit, _ in market.prices] == [Decimal("99.50")]


def test_passive_only_follows_its_own_side_both_ways_and_never_crosses() -> None:
    market = AlgoMarket(3, S.PASSIVE_ONLY, fills=False)
    for bid in ("99.75", "99.00", "100.50", "98.00"):
        market.bid, market.ask = Decimal(bid), Decimal(bid) + TICK
        list(market.run(8))
        assert market.living is not None
        assert market.living.limit_price == Decimal(bid)


# --- time ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("quantity", range(1, 60))
def test_slices_sum_to_the_whole_and_differ_by_one_at_most(quantity: int) -> None:
    for count in range(1, 25):
        steps = [due(quantity, i + 1, count) - due(quantity, i, count) for i in range(count)]
        assert sum(steps) == quantity
        assert max(steps) - min(steps) <= 1
        assert [-lots for lots in steps] == [due(-quantity, i + 1, count) - due(-quantity, i, count)
                                             for i in range(count)]


def test_twap_is_done_at_its_end_and_never_ahead_of_its_time() -> None:
    market = AlgoMarket(60, S.TWAP)
    for _ in market.run(1_900):
        minutes = int((market.now - NOW) / timedelta(minutes=1)) + 1
        assert market.filled <= due(60, minutes, 30) + 2
    assert (market.state.finish, market.filled) == (Finish.FILLED, 60)


# --- every one of them --------------------------------------------------------------------------------------

@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("quantity", [1, -7, 45])
def test_each_algo_ends(style: ExecutionStyle, quantity: int) -> None:
    market = AlgoMarket(quantity, style)
    assert finished(market, 90_000, every_s=20) is not None
    assert market.living is None


@pytest.mark.parametrize("style", STYLES)
def test_nothing_is_priced_from_a_quote_that_is_missing_old_or_no_number(style: ExecutionStyle) -> None:
    for market in (AlgoMarket(3, style, has_quote=False), AlgoMarket(3, style, quote_age=timedelta(seconds=11)),
                   AlgoMarket(3, style, bid=Decimal("NaN")), AlgoMarket(3, style, bid=Decimal(101))):
        assert [action for action in market.run(30) if action] == []


@pytest.mark.parametrize("style", STYLES)
def test_a_feed_that_freezes_is_noticed_and_what_rests_is_taken_back(style: ExecutionStyle) -> None:
    market = AlgoMarket(60, style, fills=False)
    market.until_it_rests()
    market.quote_age = timedelta(seconds=30)
    assert [action for action in market.run(5) if action] == []
    market.quote_age = timedelta(seconds=61)
    assert isinstance(market.look(), Cancel)


def test_a_quote_that_never_comes_is_waited_for_ever_longer_and_then_given_up() -> None:
    market = AlgoMarket(3, has_quote=False, closes=None)
    market.state = replace(market.state, deadline=NOW + timedelta(hours=9))
    assert finished(market, 30_000, every_s=10) is Finish.NO_QUOTE
    assert market.now - NOW >= timedelta(minutes=65)


@pytest.mark.parametrize("style", STYLES)
def test_while_the_fate_of_a_child_is_not_known_nothing_is_sent(style: ExecutionStyle) -> None:
    market = AlgoMarket(60, style, fills=False)
    market.until_it_rests()
    for state in (BrokerLifecycle.UNKNOWN, BrokerLifecycle.SENT, BrokerLifecycle.SENDING, BrokerLifecycle.INTENT):
        market.children[-1] = replace(market.children[-1], lifecycle=state)
        market.is_cancelled = True
        assert [action for action in market.run(1_000, every_s=100) if action] == []


@pytest.mark.parametrize("style", STYLES)
def test_a_cancel_is_asked_once_and_the_algo_ends_when_the_child_has(style: ExecutionStyle) -> None:
    market = AlgoMarket(60, style, fills=False)
    market.until_it_rests()
    market.is_cancelled = True
    assert [type(action) for action in market.run(10) if action] == [Cancel]
    assert market.state.finish is Finish.CANCELLED


@pytest.mark.parametrize("style", STYLES)
def test_two_minutes_before_the_close_nothing_rests(style: ExecutionStyle) -> None:
    market = AlgoMarket(3, style, fills=False, closes=NOW + timedelta(minutes=3))
    list(market.run(90))
    assert market.living is None
    assert market.state.finish is Finish.SESSION_ENDS


def test_a_locked_instrument_takes_back_what_rests_and_goes_on_when_it_is_open() -> None:
    market = AlgoMarket(3, fills=False)
    market.look()
    market.may_send, market.must_withdraw = False, True
    assert isinstance(market.look(), Cancel)
    assert [action for action in market.run(20) if action] == []
    market.may_send, market.must_withdraw = True, False
    assert isinstance(market.look(), Place)


def test_a_rejected_child_ends_the_algo_and_is_not_sent_again() -> None:
    market = AlgoMarket(3, fills=False)
    market.look()
    market.children[-1] = replace(market.children[-1], lifecycle=BrokerLifecycle.REJECTED)
    assert finished(market, 30) is Finish.REFUSED
    assert len(market.placed) == 1


def test_pst_949_a_change_that_is_always_refused_is_not_asked_for_without_end() -> None:
    # given a market that has moved, and a broker that refuses every change
    market = AlgoMarket(3, fills=False, refuses_changes=True)
    market.look()
    market.bid, market.ask = market.bid + TICK, market.ask + TICK
    changes = [action for action in market.run(500, every_s=0.5) if isinstance(action, Change)]
    assert len(changes) <= 30


MOVES = st.lists(st.tuples(st.sampled_from([-3, -1, 0, 0, 1, 3]), st.sampled_from([1, 1, 2, 4]),
                           st.sampled_from(["", "", "", "stale", "gone", "fill", "lock", "unlock"])), max_size=60)


@given(st.sampled_from(STYLES), st.integers(-40, 40).filter(bool), MOVES, st.booleans())
def test_every_price_is_on_its_grid_and_within_the_chase_whatever_the_market_does(
        style: ExecutionStyle, quantity: int, moves: list[tuple[int, int, str]], forgets: bool) -> None:
    market = AlgoMarket(quantity, style, fills=False, forgets=forgets)
    for ticks, width, event in moves:
        market.bid += ticks * TICK
        market.ask = market.bid + width * TICK
        market.quote_age = timedelta(seconds=70 if event == "stale" else 0)
        market.has_quote = event != "gone"
        market.may_send, market.must_withdraw = event != "lock", event == "lock"
        market.fills = event == "fill"
        market.look()
        market.now += timedelta(seconds=3)
    arrival = market.state.arrival
    for _, limit, is_buy in market.prices:
        assert market.terms.grid.holds(limit)
        if style in (S.BEST, S.ADAPTIVE, S.TWAP, S.POV) and arrival is not None:
            beyond = limit - arrival.ask if is_buy else arrival.bid - limit
            assert beyond <= market.terms.chase() or any(place.is_passive and place.limit == limit
                                                         for place in market.placed)
    assert abs(market.filled) <= abs(quantity)
    assert market.filled * quantity >= 0


@given(st.sampled_from(STYLES), st.integers(-12, 12).filter(bool), MOVES)
def test_the_same_looks_give_the_same_actions_with_a_restart_between_any_two(
        style: ExecutionStyle, quantity: int, moves: list[tuple[int, int, str]]) -> None:
    markets = [AlgoMarket(quantity, style, forgets=forgets) for forgets in (False, True)]
    for ticks, width, _ in moves:
        for market in markets:
            market.bid += ticks * TICK
            market.ask = market.bid + width * TICK
            market.look()
            market.now += timedelta(seconds=3)
    assert markets[0].actions == markets[1].actions


def test_a_state_that_is_not_what_it_should_be_is_refused() -> None:
    document = begin(a_leg(3), S.BEST, NOW).as_dict()
    for wrong in ({"phase": "SLEEPING"}, {"waits": 1.5}, {"other": 1}):
        with pytest.raises(Unreadable):
            type(begin(a_leg(3), S.BEST, NOW)).from_dict(document | wrong)


@pytest.mark.parametrize(("wanted", "lots", "style"), [
    (S.BEST, 10, S.BEST), (S.BEST, 30, S.BEST), (S.BEST, 31, S.TWAP), (S.POV, 500, S.POV), (S.MARKETABLE, 500,
                                                                                            S.MARKETABLE)])
def test_the_choice_of_an_algo_says_why(wanted: ExecutionStyle, lots: int, style: ExecutionStyle) -> None:
    choice = choose(wanted, lots, 10)
    assert choice.style is style
    assert choice.reason
