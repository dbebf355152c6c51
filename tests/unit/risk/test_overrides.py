"""Overrides: the strictest wins, positions are scaled toward zero, and closing needs nobody to ask."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import ConfigError
from trading.risk.overrides import (
    CLOSE,
    NO_OPEN,
    NO_OVERRIDE,
    NO_TRADE,
    REDUCE_ONLY,
    Override,
    combined,
    forbids,
    overridden_position,
    parse_override,
)

OVERRIDES = st.one_of(st.sampled_from([CLOSE, NO_OPEN, NO_OVERRIDE, NO_TRADE, REDUCE_ONLY]),
                      st.floats(0, 1).map(lambda factor: Override(factor=factor)))
LOTS = st.integers(-200, 200)


def traded(override: Override, position: int, trade: int) -> int:
    """The signed lots that are left of `trade`, which leads from `position` to what the strategy wants."""
    return overridden_position(override, position, position + trade) - position


@given(st.lists(OVERRIDES, max_size=5))
def test_combining_depends_neither_on_order_nor_on_repetition(overrides: list[Override]) -> None:
    once = combined(overrides)
    assert combined(reversed(overrides)) == once
    assert combined([*overrides, *overrides]) == once
    assert combined([once, *overrides]) == once


@given(OVERRIDES, OVERRIDES, OVERRIDES)
def test_combining_is_associative(a: Override, b: Override, c: Override) -> None:
    assert combined([a, combined([b, c])]) == combined([combined([a, b]), c])


@given(st.lists(OVERRIDES, min_size=1, max_size=5))
def test_the_result_is_one_of_those_given(overrides: list[Override]) -> None:
    assert combined(overrides) in overrides


def test_the_strictest_wins() -> None:
    order = [NO_TRADE, CLOSE, REDUCE_ONLY, NO_OPEN, Override(factor=0.2), Override(factor=0.5), NO_OVERRIDE]
    for stricter, milder in itertools.combinations(order, 2):
        assert combined([milder, stricter]) == stricter


def test_none_at_all_changes_nothing() -> None:
    assert combined([]) == NO_OVERRIDE
    assert traded(combined([]), 3, -7) == -7


@given(OVERRIDES, LOTS, LOTS)
def test_longs_and_shorts_are_treated_alike(override: Override, position: int, trade: int) -> None:
    assert traded(override, -position, -trade) == -traded(override, position, trade)


@given(st.floats(0, 1), LOTS, LOTS)
def test_a_factor_leaves_a_position_between_zero_and_the_wish(factor: float, position: int, target: int) -> None:
    wanted = overridden_position(Override(factor=factor), position, target)
    assert min(0, target) <= wanted <= max(0, target)


@given(st.floats(0, 1), LOTS)
def test_from_flat_a_factor_trades_between_zero_and_the_wish(factor: float, trade: int) -> None:
    allowed = traded(Override(factor=factor), 0, trade)
    assert min(0, trade) <= allowed <= max(0, trade)


@given(st.sampled_from([NO_OPEN, REDUCE_ONLY, NO_TRADE]), LOTS, LOTS)
def test_what_forbids_risk_trades_between_zero_and_the_wish(override: Override, position: int, trade: int) -> None:
    allowed = traded(override, position, trade)
    assert min(0, trade) <= allowed <= max(0, trade)
    assert abs(position + allowed) <= abs(position)


def test_half_of_five_is_two_on_both_sides() -> None:
    # P-08: rounding down made -3 of half of -5, and 2 of half of 5
    assert traded(Override(factor=0.5), 0, -5) == -2
    assert traded(Override(factor=0.5), 0, 5) == 2


def test_a_factor_means_what_was_typed() -> None:
    # in binary 0.29 x 100 is 28.999999999999996
    assert traded(Override(factor=0.29), 0, 100) == 29


@pytest.mark.parametrize(("override", "position", "trade", "allowed"), [
    (Override(factor=0.5), 10, 2, -4), (Override(factor=0.5), 4, 6, 1),
    (REDUCE_ONLY, 5, -8, -5), (REDUCE_ONLY, 5, 2, 0), (REDUCE_ONLY, 5, -2, -2), (REDUCE_ONLY, 0, 3, 0),
    (NO_OPEN, 0, 3, 0), (NO_OPEN, 5, -8, -5), (CLOSE, 5, 3, -5), (CLOSE, -5, 0, 5), (NO_TRADE, 5, -5, 0)])
def test_each_kind_means_what_it_says(override: Override, position: int, trade: int, allowed: int) -> None:
    assert traded(override, position, trade) == allowed


def test_pst_822_a_close_closes_though_nobody_asks_for_a_trade() -> None:
    assert traded(CLOSE, 7, 0) == -7


@pytest.mark.parametrize(("text", "override"), [
    ("0.5", Override(factor=0.5)), ("close", CLOSE), ("Reduce-Only", REDUCE_ONLY), ("reduce_only", REDUCE_ONLY),
    (" no-open ", NO_OPEN), ("no-trade", NO_TRADE), ("none", NO_OVERRIDE), ("1", NO_OVERRIDE), ("0", CLOSE)])
def test_overrides_are_read_from_the_words_of_an_operator(text: str, override: Override) -> None:
    assert parse_override(text) == override


@given(OVERRIDES)
def test_an_override_is_read_back_from_its_words(override: Override) -> None:
    position = overridden_position(parse_override(override.words), 9, 50)
    assert position == overridden_position(override, 9, 50)


@pytest.mark.parametrize("text", ["", "half", "1.5", "-1", "nan", "inf"])
def test_other_words_are_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_override(text)
    assert str(caught.value) == (f"{text!r} is no override. Allowed: close, no-open, no-trade, none, reduce-only, "
                                 "or a factor from 0 to 1, for example 0.5.")


def test_every_override_says_what_it_means() -> None:
    assert Override(factor=0.5).meaning == "positions are 0.5 of what is wanted, rounded toward zero"
    assert len({each.meaning for each in (NO_OVERRIDE, NO_OPEN, REDUCE_ONLY, CLOSE, NO_TRADE)}) == 5


def test_only_reduce_only_or_stricter_cancels_what_works() -> None:
    assert [each.cancels_adding_orders for each in (NO_OVERRIDE, NO_OPEN, REDUCE_ONLY, CLOSE, NO_TRADE)] == \
        [False, False, True, True, True]


@pytest.mark.parametrize(("position", "residual", "is_forbidden"), [
    (0, 3, True), (2, 1, True), (2, -3, True), (-2, -1, True), (2, -2, False), (-2, 1, False), (2, 0, False)])
def test_what_works_and_adds_risk_is_forbidden(position: int, residual: int, is_forbidden: bool) -> None:
    for override in (REDUCE_ONLY, CLOSE, NO_TRADE):
        assert forbids(override, residual, position) is is_forbidden
    for override in (NO_OVERRIDE, NO_OPEN, Override(factor=0.5)):
        assert not forbids(override, residual, position)
