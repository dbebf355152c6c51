"""Many things in one transaction, or each in its own: who is told what, and when nobody goes on."""

import pytest
from pymongo.errors import AutoReconnect, NetworkTimeout, OperationFailure

from trading.data.mongo.together import together


def doubled(things: list[int], *, bad: dict[int, Exception], at_once: Exception | None = None) -> object:
    """Each thing doubled, together unless `at_once` or a bad one forbids it; and how often something was tried."""
    tried: list[object] = []

    def all_of(some: object) -> list[int]:
        tried.append("all")
        if at_once is not None or any(each in bad for each in things):
            raise at_once or ValueError("one of them")
        return [2 * each for each in things]

    def one(each: int) -> int:
        tried.append(each)
        if each in bad:
            raise bad[each]
        return 2 * each

    found = together(things, all_of, one)
    return [str(each) if isinstance(each, Exception) else each for each in found], tried


def test_what_is_well_is_done_at_once() -> None:
    assert doubled([1, 2, 3], bad={}) == ([2, 4, 6], ["all"])


def test_a_bad_one_leaves_the_others_to_themselves() -> None:
    assert doubled([1, 2, 3], bad={2: OperationFailure("refused")}) == (
        [2, "refused", 6], ["all", 1, 2, 3])


def test_one_thing_is_not_tried_twice() -> None:
    assert doubled([1], bad={1: ValueError("bad")}) == (["bad"], [1])


def test_nothing_is_nothing() -> None:
    assert doubled([], bad={}) == ([], [])


def test_what_takes_too_long_together_is_done_one_by_one() -> None:
    assert doubled([1, 2], bad={}, at_once=NetworkTimeout("slow")) == ([2, 4], ["all", 1, 2])


@pytest.mark.parametrize("lost", [AutoReconnect("gone"), NetworkTimeout("slow")])
def test_a_store_that_does_not_answer_ends_it(lost: Exception) -> None:
    with pytest.raises(type(lost)):
        doubled([1, 2, 3], bad={2: lost})


def test_a_connection_that_is_lost_is_not_asked_one_by_one() -> None:
    with pytest.raises(AutoReconnect):
        doubled([1, 2], bad={}, at_once=AutoReconnect("gone"))
