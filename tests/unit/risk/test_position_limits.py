"""A position limit shrinks orders, and does nothing else."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.risk.exposure import Effect, Holding, effect, reducing_part
from trading.risk.position_limits import contract_limit, limited
from trading.risk.reduce_only import reduced_only

LOTS = st.integers(-60, 60)
LEAVES = st.integers(0, 30)
LIMITS = st.integers(0, 40)


@pytest.mark.parametrize(("position", "limit", "trade", "allowed"), [
    (0, 3, 4, 3), (2, 3, 2, 1), (2, 3, -6, -5), (5, 3, 2, 0), (5, 3, -1, -1), (5, 3, -9, -8), (-5, 3, 9, 8),
    (-3, 3, 7, 6)])
def test_the_check_vectors_of_the_system_that_we_replace_hold(position: int, limit: int, trade: int,
                                                              allowed: int) -> None:
    assert limited(trade, position, 0, 0, limit) == allowed


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


@given(LOTS, LOTS, LEAVES, LEAVES, LIMITS)
def test_a_limit_shrinks_without_turning_and_leaves_no_excess(quantity: int, position: int, buys: int, sells: int,
                                                              limit: int) -> None:
    allowed = limited(quantity, position, buys, sells, limit)
    after = position + (buys if quantity > 0 else -sells) + allowed
    assert sign(allowed) in (0, sign(quantity))
    assert abs(allowed) <= abs(quantity)
    assert limited(allowed, position, buys, sells, limit) == allowed
    assert allowed == 0 or abs(after) <= limit or (sign(after) == sign(position) and abs(after) < abs(position))


@given(LOTS, LOTS, LEAVES, LEAVES, LIMITS, LIMITS)
def test_a_higher_limit_never_allows_less(quantity: int, position: int, buys: int, sells: int, low: int,
                                          more: int) -> None:
    under_low, under_high = (limited(quantity, position, buys, sells, limit) for limit in (low, low + more))
    assert abs(under_low) <= abs(under_high)


@given(LOTS, LOTS, LEAVES, LEAVES, LIMITS)
def test_buys_and_sells_are_limited_alike(quantity: int, position: int, buys: int, sells: int, limit: int) -> None:
    assert limited(-quantity, -position, sells, buys, limit) == -limited(quantity, position, buys, sells, limit)


@given(st.lists(LOTS, max_size=8), LOTS, LIMITS, st.permutations(range(8)))
def test_orders_that_pass_together_keep_the_limit_whichever_fill(wishes: list[int], position: int, limit: int,
                                                                 order: list[int]) -> None:
    # given orders that were each allowed beside those that worked already
    holding, sent = Holding(position=position), []
    for wish in wishes:
        allowed = limited(wish, position, holding.working_buys, holding.working_sells, limit)
        sent.append(allowed)
        holding = Holding(position=position, working_buys=sum(each for each in sent if each > 0),
                          working_sells=-sum(each for each in sent if each < 0))

    # when any of them fill, in any order
    now = position
    for index in (each for each in order if each < len(sent)):
        now += sent[index]
        # then no position is beyond the limit that was not so before
        assert abs(now) <= max(limit, abs(position))


@pytest.mark.parametrize(("quantity", "allowed"), [(-2, -2), (1, 0), (-25, -25), (-26, -25)])
def test_a_limit_lowered_below_the_position_forces_no_flip(quantity: int, allowed: int) -> None:
    # S-25: the first design made -5 of both -2 and +1
    assert limited(quantity, 15, 0, 0, 10) == allowed


@pytest.mark.parametrize(("quantity", "position", "allowed"), [(3, 0, 0), (3, -2, 2), (-3, 2, -2), (-1, -4, 0)])
def test_without_a_limit_only_reductions_pass(quantity: int, position: int, allowed: int) -> None:
    assert limited(quantity, position, 0, 0, None) == allowed


def test_a_buy_does_not_count_on_our_sells_to_fill_first() -> None:
    assert limited(5, 3, 1, 4, 5) == 1


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="never negative: limit -1"):
        limited(1, 0, 0, 0, -1)


@pytest.mark.parametrize(("is_approved", "day", "limit"), [
    (True, date(2026, 3, 10), 7), (True, date(2026, 3, 11), 0), (True, date(2026, 3, 12), 0),
    (False, date(2026, 3, 1), 0)])
def test_the_limit_of_a_month_is_zero_when_not_approved_or_due_to_be_left(is_approved: bool, day: date,
                                                                          limit: int) -> None:
    out_by = date(2026, 3, 11)
    assert contract_limit(7, is_approved=is_approved, must_be_out_by=out_by, trading_day=day) == limit


def test_a_month_of_unknown_end_has_no_limit_set() -> None:
    assert contract_limit(7, is_approved=True, must_be_out_by=None, trading_day=date(2026, 3, 1)) is None


@pytest.mark.parametrize(("quantity", "position", "leaves", "allowed"), [
    (-3, 5, 0, -3), (-9, 5, 0, -5), (-9, 5, 2, -3), (-1, 5, 5, 0), (-1, 5, 9, 0), (2, 5, 0, 0), (2, -5, 4, 1),
    (4, 0, 0, 0), (-2, 1, 0, -1)])
def test_reduce_only_leaves_what_can_only_close(quantity: int, position: int, leaves: int, allowed: int) -> None:
    # the last one is pst #1256: a close and a new short in one order
    assert reduced_only(quantity, position, leaves) == allowed


@given(LOTS, st.lists(st.tuples(LOTS, st.booleans()), max_size=12))
def test_no_interleaving_of_reduce_only_orders_grows_or_turns_a_position(start: int,
                                                                         steps: list[tuple[int, bool]]) -> None:
    position, working = start, 0
    for wish, fills in steps:
        working += abs(reduced_only(wish, position, working))
        if fills and working:  # one lot of what works
            position -= sign(position)
            working -= 1
        assert sign(position) in (0, sign(start))
        assert abs(position) <= abs(start)
        assert working <= abs(position)


@given(LOTS, LOTS, LEAVES, LEAVES)
def test_an_order_reduces_exactly_when_all_of_it_does(quantity: int, position: int, buys: int, sells: int) -> None:
    holding = Holding(position=position, working_buys=buys, working_sells=sells)
    part = reducing_part(quantity, holding)
    assert (effect(quantity, holding) is Effect.REDUCES_RISK) is (part == quantity)
    assert abs(part) <= abs(position)


def test_an_order_that_crosses_zero_adds_risk() -> None:
    assert effect(-6, Holding(position=5)) is Effect.ADDS_RISK


def test_a_close_beside_a_working_close_adds_risk() -> None:
    assert effect(-3, Holding(position=5, working_sells=3)) is Effect.ADDS_RISK


def test_the_worst_side_is_counted() -> None:
    assert Holding(position=2, working_buys=1, working_sells=9).worst == 7
