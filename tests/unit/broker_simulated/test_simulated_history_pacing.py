"""The rules of how often one may ask, whatever the requests."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from trading.broker.simulated.history_pacing import HistoryPacing, PacedRequest

STEPS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20), st.sampled_from((0.0, 0.3, 1.9, 16.0, 200.0)),
                           st.sampled_from((1, 2))), max_size=120)


def request(contract: int, detail: int, at_s: float, weight: int = 1) -> PacedRequest:
    return PacedRequest(whole=(str(contract), str(detail)), contract=(str(contract),), at_s=at_s, weight=weight)


@given(steps=STEPS)
def test_what_is_taken_never_breaks_a_rule(steps: list[tuple[int, int, float, int]]) -> None:
    pacing, taken, now_s = HistoryPacing(), list[PacedRequest](), 0.0
    for contract, detail, pause_s, weight in steps:
        now_s += pause_s
        asked = request(contract, detail, now_s, weight)
        if pacing.takes(asked):
            taken.append(asked)
    for last in taken:
        window = [each for each in taken if last.at_s - 600.0 < each.at_s <= last.at_s]
        assert sum(each.weight for each in window) <= 60
        same = Counter(each.whole for each in window if each.at_s > last.at_s - 15.0)
        assert max(same.values()) == 1
        assert sum(each.weight for each in window
                   if each.contract == last.contract and each.at_s > last.at_s - 2.0) < 6


def test_the_sixth_for_a_contract_within_two_seconds_is_refused() -> None:
    pacing = HistoryPacing()
    assert [pacing.takes(request(1, detail, 0.1 * detail)) for detail in range(6)] == [True] * 5 + [False]
    assert pacing.takes(request(2, 0, 0.6))
    assert pacing.takes(request(1, 7, 2.6))


def test_the_sixty_first_of_ten_minutes_is_refused() -> None:
    pacing = HistoryPacing()
    answers = [pacing.takes(request(number, 0, 3.0 * number)) for number in range(61)]
    assert answers == [True] * 60 + [False]
    assert pacing.takes(request(99, 0, 600.0))


def test_bid_and_ask_count_double() -> None:
    pacing = HistoryPacing()
    assert [pacing.takes(request(1, detail, 0.0, weight=2)) for detail in range(3)] == [True, True, False]
