"""Orders that go with the market's volume: never ahead of their share, and by time when the volume falls silent."""

from datetime import timedelta
from decimal import Decimal

import pytest
from algo_market import AlgoMarket
from broker_order_samples import NOW
from hypothesis import given
from hypothesis import strategies as st

from trading.execution.algos.frame import AlgoState, Finish, Phase, Place, Tell
from trading.execution.algos.pov import share
from trading.execution.order_states import ExecutionStyle

POV = ExecutionStyle.POV


def told(market: AlgoMarket) -> list[str]:
    return [action.text for action in market.actions if isinstance(action, Tell)]


def committed(market: AlgoMarket) -> int:
    """Lots, unsigned, that are filled or rest."""
    return abs(market.filled) + (0 if market.living is None else abs(market.living.residual))


@pytest.mark.parametrize(("volume", "rate", "lots"), [
    (0, "0.05", 0), (1, "0.05", 1), (20, "0.05", 1), (21, "0.05", 2), (-5, "0.05", 0), (1_000, "0.05", 50),
    (1_000, "0.10", 100), (1_000, "0.5", 100)])
def test_our_share_is_rounded_up_to_a_lot_and_a_tenth_of_the_market_at_most(volume: int, rate: str, lots: int) -> None:
    assert share(volume, Decimal(rate)) == lots


def test_it_does_nothing_until_others_trade() -> None:
    market = AlgoMarket(10, POV, others_a_second=0)
    assert [action for action in market.run(50) if action] == []
    market.others_a_second = 10
    assert [type(action) for action in market.run(2) if action] == [Place]


def test_it_follows_the_market_and_is_done_when_its_share_is() -> None:
    # given ten lots a second: our share of five in a hundred is thirty a minute
    market = AlgoMarket(60, POV, fills=True)
    list(market.run(400))
    assert (market.state.finish, market.filled) == (Finish.FILLED, 60)
    assert market.now - NOW >= timedelta(seconds=120)
    assert told(market) == []


def test_a_slice_rests_at_our_own_side_and_takes_the_other_when_it_rests_for_long() -> None:
    market = AlgoMarket(60, POV)
    market.until_it_rests()
    assert market.placed[0].is_passive
    list(market.run(34))
    assert market.state.phase is Phase.PASSIVE
    list(market.run(4))
    assert (market.filled, market.children[0].limit_price) == (market.placed[0].quantity, market.ask)


def test_our_own_fills_are_no_volume_of_the_market() -> None:
    # given a market in which others trade 400 lots and then no more
    market = AlgoMarket(40, POV, others_a_second=200, bid=Decimal("100.00"))
    list(market.run(2))
    market.others_a_second = 0
    list(market.run(50))
    assert market.others == 1_400
    assert (market.filled, market.living) == (20, None)


def test_slices_are_so_far_apart_that_no_control_takes_them_for_a_fault() -> None:
    market = AlgoMarket(400, POV, bid=Decimal("100.00"))
    list(market.run(1_700))
    sent = [order.created for order in market.children]
    assert len(sent) > 10
    assert all(len([at for at in sent if start <= at < start + timedelta(seconds=60)]) <= 4 for start in sent)
    assert len(sent) <= 50


def test_before_the_session_ends_a_slice_does_not_wait_at_our_own_side() -> None:
    market = AlgoMarket(60, POV, closes=NOW + timedelta(minutes=10), fills=False)
    market.until_it_rests()
    assert market.placed[0] == Place(quantity=2, limit=Decimal("100.00"), is_passive=False)


# --- a volume that is silent ---------------------------------------------------------------------------------

def test_without_a_volume_it_waits_a_minute_and_goes_by_time() -> None:
    market = AlgoMarket(40, POV, others=None, bid=Decimal("100.00"))
    assert [action for action in market.run(59) if action] == []
    list(market.run(1_800))
    assert told(market) == ["the volume of the market was not told for 60 s; the 40 lots that are left go by time"]
    assert (market.state.finish, market.filled) == (Finish.FILLED, 40)


@pytest.mark.parametrize("forgets", [False, True])
def test_a_volume_that_falls_silent_sends_the_rest_by_time_for_good(forgets: bool) -> None:
    market = AlgoMarket(200, POV, bid=Decimal("100.00"), forgets=forgets)
    list(market.run(100))
    done = market.filled
    assert 0 < done < 200
    market.others_a_second = 0
    list(market.run(80))
    [sentence] = told(market)
    assert sentence.startswith("the volume of the market has not grown for 60 s; the 1")
    assert market.state.fallback is not None
    assert (market.state.fallback.style, market.state.fallback.reason) == (
        ExecutionStyle.TWAP, "the volume of the market has not grown for 60 s")

    # when the volume is back, it stays with time: a feed that was lost once is not relied on again
    market.others_a_second = 10
    list(market.run(1_700))
    assert len(told(market)) == 1
    assert (market.state.finish, market.filled) == (Finish.FILLED, 200)


def test_a_quiet_minute_is_counted_from_the_last_trade() -> None:
    market = AlgoMarket(200, POV, others_a_second=0)
    for _ in range(5):
        list(market.run(55))
        assert market.others is not None
        market.others += 1
    assert told(market) == []


def test_a_volume_that_falls_back_is_no_trade() -> None:
    # given a volume that starts anew, as on a new day
    market = AlgoMarket(60, POV, others_a_second=0)
    list(market.run(5))
    market.others = 3
    list(market.run(20))
    market.others = 900
    list(market.run(20))
    assert market.placed == []


# --- V29 -----------------------------------------------------------------------------------------------------

EVENTS = st.lists(st.tuples(st.integers(0, 400), st.sampled_from([1, 3, 20, 20, 20, 55]),
                            st.sampled_from(["fill"] * 6 + ["", "part", "stale", "reset", "lock", "up"])),
                  min_size=25, max_size=60)


@given(st.integers(-400, 400).filter(bool), st.sampled_from(["0.05", "0.10", "0.01"]), EVENTS, st.booleans())
def test_v29_it_is_never_ahead_of_its_share_of_what_others_trade_by_more_than_a_lot(
        quantity: int, rate: str, events: list[tuple[int, int, str]], forgets: bool) -> None:
    market = AlgoMarket(quantity, POV, fills=False, forgets=forgets, others_a_second=0, participation=Decimal(rate))
    by_others = 0
    for volume, seconds, event in events:
        market.now += timedelta(seconds=seconds)
        if market.others is not None and market.state.volume is not None:
            market.others += volume
            by_others += volume
        market.others = 0 if event == "reset" else market.others
        market.bid += Decimal("0.25") * (event == "up")
        market.ask = market.bid + Decimal("0.25")
        market.quote_age = timedelta(seconds=70 if event == "stale" else 0)
        market.may_send, market.must_withdraw = event != "lock", event == "lock"
        market.look()
        if event in ("fill", "part") and market.living is not None:
            market.fill(market.living.residual if event == "fill" else 1 if quantity > 0 else -1)
        if market.state.fallback is not None:
            return
        assert committed(market) <= Decimal(rate) * by_others + 1


@given(st.integers(1, 80), EVENTS)
def test_what_is_heard_of_the_volume_survives_a_restart(quantity: int, events: list[tuple[int, int, str]]) -> None:
    market = AlgoMarket(quantity, POV, others_a_second=0)
    for volume, seconds, _ in events:
        market.others = (market.others or 0) + volume
        market.now += timedelta(seconds=seconds)
        market.look()
        assert AlgoState.from_dict(market.state.as_dict()) == market.state
