"""SystemCache: what is kept, what has to go, and what goes with it."""

import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from trading.systems.cache import CacheStatistics, SystemCache, size_of

LETTER = sys.getsizeof("A")


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Counter:
    """Values that count how often they were computed."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, name: str) -> Callable[[], str]:
        def compute() -> str:
            self.calls.append(name)
            return name.upper()
        return compute


def test_a_value_is_computed_once() -> None:
    cache, counter = SystemCache(Hand()), Counter()
    assert [cache.get_item("a", counter("a")), cache.get_item("a", counter("a"))] == ["A", "A"]
    assert counter.calls == ["a"]


def test_none_is_kept_like_any_other_value() -> None:
    cache, calls = SystemCache(Hand()), []
    for _ in range(2):
        assert cache.get_item("a", lambda: calls.append("a")) is None
    assert calls == ["a"]


def test_the_least_recently_used_item_makes_room() -> None:
    cache, counter = SystemCache(Hand(), max_bytes=2 * LETTER), Counter()
    for name in ("a", "b", "a", "c", "a", "b"):
        cache.get_item(name, counter(name))
    assert counter.calls == ["a", "b", "c", "b"]
    assert cache.statistics == CacheStatistics(hits=2, misses=4, evictions=2, items=2, bytes=2 * LETTER)


def test_a_cache_without_room_still_answers() -> None:
    cache, counter = SystemCache(Hand(), max_bytes=0), Counter()
    assert cache.get_item("a", lambda: cache.get_item("b", counter("b")) + "!") == "B!"
    assert cache.statistics.items == 0


def test_an_item_is_computed_anew_when_it_is_too_old() -> None:
    clock, counter = Hand(), Counter()
    cache = SystemCache(clock, ttl_s=60)
    for clock.now_s in (0.0, 59.0, 60.0):
        cache.get_item("a", counter("a"))
    assert counter.calls == ["a", "a"]


def test_an_item_is_as_old_as_its_oldest_input() -> None:
    # given b, built at 50 s on a, which was computed at 0 s
    clock, counter = Hand(), Counter()
    cache = SystemCache(clock, ttl_s=60)
    cache.get_item("a", counter("a"))
    clock.now_s = 50.0
    cache.get_item("b", lambda: cache.get_item("a", counter("a")) + counter("b")())

    # when both are asked for once a is too old, then b is too
    clock.now_s = 61.0
    cache.get_item("b", lambda: cache.get_item("a", counter("a")) + counter("b")())
    assert counter.calls == ["a", "b", "a", "b"]


def build(cache: SystemCache, counter: Counter) -> None:
    """c is computed from b, b from a; d stands alone."""
    cache.get_item("d", counter("d"))

    def b() -> str:
        return cache.get_item("a", counter("a")) + counter("b")()
    cache.get_item("c", lambda: cache.get_item("b", b) + counter("c")())


def test_dropping_an_item_drops_everything_built_on_it() -> None:
    cache, counter = SystemCache(Hand()), Counter()
    build(cache, counter)
    assert cache.invalidate("a") == 3
    build(cache, counter)
    assert counter.calls == ["d", "a", "b", "c", "a", "b", "c"]


def test_what_was_built_on_an_item_that_made_room_is_dropped_too() -> None:
    cache, counter = SystemCache(Hand(), max_bytes=LETTER), Counter()
    build(cache, counter)  # only c is left
    assert cache.invalidate("a") == 1
    assert cache.statistics.items == 0


def test_what_only_leads_to_something_makes_room_first() -> None:
    cache, counter = SystemCache(Hand(), max_bytes=3 * LETTER), Counter()
    cache.get_item("a", counter("a"))
    cache.get_interim("b", counter("b"))
    cache.get_interim("c", counter("c"))
    for name in ("d", "e"):
        cache.get_item(name, counter(name))
    cache.get_item("a", counter("a"))
    assert counter.calls == ["a", "b", "c", "d", "e"]
    cache.get_interim("b", counter("b"))
    assert counter.calls[-1] == "b"


def test_dropping_what_stands_on_an_item_leaves_the_item() -> None:
    cache, counter = SystemCache(Hand()), Counter()
    build(cache, counter)
    assert cache.invalidate_dependencies("a") == 2
    cache.get_item("a", counter("a"))
    assert counter.calls == ["d", "a", "b", "c"]


def test_an_item_may_be_set_with_what_it_was_computed_from() -> None:
    cache, counter = SystemCache(Hand()), Counter()
    cache.get_item("a", counter("a"))
    cache.set_item("sum", 7, dependencies=("a",))
    assert cache.get_item("sum", lambda: 0) == 7
    assert cache.invalidate("a") == 2
    assert cache.get_item("sum", lambda: 0) == 0


def test_setting_an_item_drops_what_stood_on_the_old_one() -> None:
    cache = SystemCache(Hand())
    cache.set_item("a", 1)
    assert cache.get_item("b", lambda: 10 * cache.get_item("a", lambda: 0)) == 10
    cache.set_item("a", 2)
    cache.set_item("a", 3)
    assert cache.get_item("b", lambda: 10 * cache.get_item("a", lambda: 0)) == 30
    assert cache.statistics.items == 2


def test_dropping_what_is_not_there_drops_nothing() -> None:
    assert SystemCache(Hand()).invalidate("a") == 0


def test_items_that_need_each_other_are_named() -> None:
    cache = SystemCache(Hand())

    def a() -> object:
        return cache.get_item("a", lambda: cache.get_item("b", a))

    with pytest.raises(RecursionError, match=r"^these items of the system need each other: a -> b -> a$"):
        a()


def test_a_failed_computation_leaves_nothing_behind() -> None:
    cache, counter = SystemCache(Hand()), Counter()

    def fail() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.get_item("a", fail)
    assert cache.get_item("a", counter("a")) == "A"


def test_what_is_larger_than_all_the_room_sends_nothing_away() -> None:
    cache, counter = SystemCache(Hand(), max_bytes=2 * LETTER), Counter()
    cache.get_item("a", counter("a"))
    cache.get_item("large", lambda: "x" * 10_000)
    cache.get_item("a", counter("a"))
    assert counter.calls == ["a"]
    assert cache.statistics.bytes == LETTER


def test_a_series_weighs_what_its_numbers_do() -> None:
    series = pd.Series(np.zeros(1000), index=pd.date_range("2020", periods=1000))
    assert size_of(series) == 8_000
    assert size_of(pd.DataFrame({"a": series, "b": series})) == 16_000


def test_the_room_is_free_again_when_something_is_dropped() -> None:
    cache, counter = SystemCache(Hand()), Counter()
    cache.get_item("b", lambda: cache.get_item("a", counter("a")))
    assert cache.invalidate("a") == 2
    assert cache.statistics.bytes == 0
