"""Liquidity of the forward contract and its spread, when volume is missing, and prices moved between contracts."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.execution.rolls.liquidity import (
    DayVolume,
    Liquidity,
    SpreadQuote,
    floor_holds,
    liquidity,
    spread_market,
)
from trading.execution.rolls.reference_shift import ContractPrice, NoMatchedPrices, shifted_prices

SESSIONS = [date(2026, 3, day) for day in (2, 3, 4, 5, 6, 9, 10, 11, 12, 13)]
VOLUMES = {day: DayVolume(front=1000, forward=100 * place) for place, day in enumerate(SESSIONS, start=1)}
TICK = Decimal("0.05")
QUOTE = SpreadQuote(bid=Decimal("-1.10"), ask=Decimal("-0.95"), bid_size=5, ask_size=5)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PRICES = {"A": {NOON: Decimal("100.25"), NOON + timedelta(hours=1): Decimal("101.25")},
          "B": {NOON: Decimal("103.50"), NOON + timedelta(hours=2): Decimal("104.50")}}


def without(*days: int) -> dict[date, DayVolume]:
    return {day: volume for day, volume in VOLUMES.items() if day.day not in days}


def test_the_median_of_five_sessions_counts() -> None:
    assert liquidity(VOLUMES, SESSIONS) == Liquidity(rho=0.8, forward_volume=800.0, measured_on=SESSIONS[-1])


def test_one_wild_session_changes_little() -> None:
    wild = VOLUMES | {SESSIONS[-1]: DayVolume(front=1, forward=10**6)}
    found = liquidity(wild, SESSIONS)
    assert found is not None
    assert found.rho == 0.8


def test_a_missing_last_session_is_served_once_by_the_one_before() -> None:
    assert liquidity(without(13), SESSIONS) == Liquidity(rho=0.7, forward_volume=700.0, measured_on=SESSIONS[-2],
                                                         is_stale=True)


def test_after_two_missing_sessions_nothing_is_known() -> None:
    assert liquidity(without(12, 13), SESSIONS) is None


def test_a_hole_further_back_is_filled_by_an_older_session() -> None:
    found = liquidity(without(11), SESSIONS)
    assert found == Liquidity(rho=0.7, forward_volume=(500 + 600 + 700 + 900 + 1000) / 5, measured_on=SESSIONS[-1])


def test_four_sessions_are_too_few() -> None:
    assert liquidity({day: VOLUMES[day] for day in SESSIONS[-4:]}, SESSIONS) is None


def test_sessions_that_lie_far_back_do_not_count() -> None:
    longer = [date(2026, 2, 16) + timedelta(days=days) for days in range(5)] + SESSIONS
    old = dict.fromkeys(longer[:4], DayVolume(front=1, forward=1))
    assert liquidity(old | {SESSIONS[-1]: VOLUMES[SESSIONS[-1]]}, longer) is None


def test_without_any_session_nothing_is_known() -> None:
    assert liquidity(VOLUMES, []) is None


def test_a_front_contract_that_nobody_trades_makes_the_forward_one_liquid() -> None:
    found = liquidity(dict.fromkeys(SESSIONS, DayVolume(front=0, forward=500)), SESSIONS)
    assert found is not None
    assert found.rho > 1


def test_two_contracts_that_nobody_trades_are_not_known() -> None:
    assert liquidity(dict.fromkeys(SESSIONS, DayVolume(front=0, forward=0)), SESSIONS) is None


@pytest.mark.parametrize(("volume", "position", "holds"), [
    (100.0, 0, True), (99.9, 0, False), (100.0, 2, True), (100.0, 3, False), (150.0, -3, True), (149.0, -3, False)])
def test_the_floor_is_a_hundred_lots_and_fifty_times_the_position(volume: float, position: int, holds: bool) -> None:
    assert floor_holds(Liquidity(rho=1.0, forward_volume=volume, measured_on=SESSIONS[0]), position) is holds


def test_an_unknown_floor_stays_unknown() -> None:
    assert floor_holds(None, 0) is None


@pytest.mark.parametrize(("quote", "lots", "passes"), [
    (QUOTE, 5, True), (QUOTE, 6, False), (None, 1, False),
    (SpreadQuote(bid=Decimal("-1.15"), ask=Decimal("-0.95"), bid_size=5, ask_size=5), 1, False),
    (SpreadQuote(bid=None, ask=Decimal("-0.95"), bid_size=0, ask_size=5), 1, False),
    (SpreadQuote(bid=Decimal("-1.10"), ask=None, bid_size=5, ask_size=0), 1, False),
    (SpreadQuote(bid=Decimal("-0.95"), ask=Decimal("-1.10"), bid_size=5, ask_size=5), 1, False),
    (SpreadQuote(bid=Decimal("-1.10"), ask=Decimal("-0.95"), bid_size=4, ask_size=9), 5, False)])
def test_a_spread_market_is_narrow_two_sided_and_deep(quote: SpreadQuote | None, lots: int, passes: bool) -> None:
    assert spread_market(quote, TICK, lots) is passes


def reference(price: str = "101.00", hours: int = 3) -> ContractPrice:
    return ContractPrice(contract="A", price=Decimal(price), known_at=NOON + timedelta(hours=hours))


def test_a_price_moves_by_the_last_difference_at_a_common_time() -> None:
    assert shifted_prices(reference(), ["A", "B"], PRICES) == {"A": Decimal("101.00"), "B": Decimal("104.25")}


def test_prices_that_came_later_do_not_count() -> None:
    later = {name: each | {NOON + timedelta(hours=9): Decimal(500)} for name, each in PRICES.items()}
    later["B"] |= {NOON + timedelta(hours=9): Decimal(700)}
    assert shifted_prices(reference(), ["B"], later) == {"B": Decimal("104.25")}


@pytest.mark.parametrize("prices", [
    {}, {"A": PRICES["A"]}, PRICES | {"B": {NOON + timedelta(hours=2): Decimal(1)}},
    PRICES | {"B": {NOON: Decimal("NaN")}}])
def test_without_a_match_no_child_has_a_price(prices: dict[str, dict[datetime, Decimal]]) -> None:
    with pytest.raises(NoMatchedPrices, match=r"The price 101\.00 of A cannot be moved to B: the two have no price at"):
        shifted_prices(reference(), ["A", "B"], prices)


@given(st.decimals(-1000, 1000, places=2), st.decimals(-1000, 1000, places=2), st.decimals(-1000, 1000, places=2))
def test_there_and_back_is_the_same_price(price: Decimal, old: Decimal, new: Decimal) -> None:
    prices = {"A": {NOON: old}, "B": {NOON: new}}
    there = shifted_prices(ContractPrice(contract="A", price=price, known_at=NOON), ["B"], prices)["B"]
    assert shifted_prices(ContractPrice(contract="B", price=there, known_at=NOON), ["A"], prices) == {"A": price}
