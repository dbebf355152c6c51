"""What the independent watchdog does about what it sees: O17, the dead man's switch, and too much of anything."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.risk.kill_level import KillLevel
from trading.risk.watchdog import decide
from trading.risk.watchdog_sight import (
    Decision,
    Memory,
    Picture,
    RestingOrder,
    StoreView,
    Subject,
    WatchRules,
    beginning,
    largest_lots,
)

RULES = WatchRules()
OURS = RestingOrder(key="1", reference="01K-C1-B1", is_ours=True)
THEIRS = RestingOrder(key="2", reference="", is_ours=False)
K0, K2, K3 = KillLevel.K0_NORMAL, KillLevel.K2_NO_NEW_RISK, KillLevel.K3_HALT
NORMAL = StoreView(limits={"CORN": 10})
HALTED = StoreView(level=K3, level_words="K3_HALT by ann (strange prices)", limits={"CORN": 10})


@dataclass
class Rounds:
    """A watchdog that looks every five seconds; each time the daemon has given a sign of life, unless it is dead."""

    rules: WatchRules = RULES
    at_s: float = 1000.0
    is_alive: bool = True
    memory: Memory = field(default_factory=lambda: beginning(1000.0))
    done: list[tuple[float, Decision]] = field(default_factory=list)

    def look(self, *orders: RestingOrder, store: StoreView | None = NORMAL, is_flagged: bool = False,
             lots: dict[str, int] | None = None, is_blind: bool = False, times: int = 1) -> Decision:
        for _ in range(times):
            self.at_s += 5
            sign = int(self.at_s) if self.is_alive else 7
            picture = Picture(at_s=self.at_s, orders=None if is_blind else orders, lots=lots or {},
                              store=None if store is None else replace(store, sign=sign), is_flagged=is_flagged)
            decision = decide(picture, self.memory, self.rules)
            self.memory = decision.memory
            self.done.append((self.at_s, decision))
        return decision

    @property
    def cancels(self) -> list[float]:
        return [at_s for at_s, decision in self.done if decision.cancel]


def test_o17_what_rests_in_spite_of_a_halt_is_cancelled_after_a_grace_until_none_is_left() -> None:
    # given that the daemon has half a minute to do it itself
    rounds = Rounds()
    assert rounds.look(OURS, store=HALTED, times=6).cancel == ""

    # when it has not
    decision = rounds.look(OURS, store=HALTED)
    assert decision.cancel.startswith("Trading is halted: K3_HALT by ann (strange prices). Orders rest at the broker")
    assert decision.open == {Subject.HALT: decision.cancel}

    # then it is asked again every ten seconds, and people know until the broker has shown none twice
    rounds.look(OURS, store=HALTED, times=4)
    assert rounds.cancels == [1035.0, 1045.0, 1055.0]
    assert rounds.look(store=HALTED).open == decision.open
    assert rounds.look(store=HALTED).open == {}
    assert not any(each.raise_level or each.lay_flag for _, each in rounds.done)


def test_a_flag_halts_without_a_store() -> None:
    rounds = Rounds()
    decision = rounds.look(OURS, store=None, is_flagged=True, times=8)
    assert rounds.cancels == [1035.0]
    assert "the halt flag lies in the state directory" in decision.open[Subject.HALT]


def test_each_order_has_a_grace_of_its_own() -> None:
    """One that is cancelled in time by the daemon is no reason to cancel the next."""
    rounds = Rounds()
    for number in range(20):
        rounds.look(replace(OURS, key=str(number // 4)), store=HALTED)
    assert rounds.cancels == []


def test_orders_that_flatten_are_what_a_halt_wants() -> None:
    rounds = Rounds()
    rounds.look(OURS, store=replace(HALTED, allowed=frozenset({OURS.reference})), times=30)
    assert rounds.cancels == []


@pytest.mark.parametrize(("level", "is_cancelled"), [(K3, False), (KillLevel.K5_SEVER, True)])
def test_orders_of_others_are_cancelled_only_when_all_is_severed(level: KillLevel, is_cancelled: bool) -> None:
    rounds = Rounds()
    rounds.look(THEIRS, store=replace(HALTED, level=level), times=8)
    assert bool(rounds.cancels) is is_cancelled


def test_a_broker_that_cannot_be_read_for_a_moment_ends_no_alert() -> None:
    rounds = Rounds()
    rounds.look(OURS, store=HALTED, times=7)
    assert rounds.look(store=HALTED, is_blind=True, times=3).open.keys() == {Subject.HALT}


def test_rc_34_what_rests_while_the_daemon_is_silent_is_cancelled_and_the_level_stays() -> None:
    rounds = Rounds(is_alive=False)
    assert rounds.look(OURS, times=24).cancel == ""
    decision = rounds.look(OURS)
    assert decision.cancel.startswith("tradingd has given no sign of life for 120 s, and orders of ours rest")
    assert (decision.raise_level, decision.lay_flag) == ("", "")

    # and it is over as soon as the daemon lives
    assert rounds.look(times=3).open.keys() == {Subject.SILENCE}
    rounds.is_alive = True
    assert rounds.look().open == {}


def test_a_daemon_that_is_silent_while_nothing_rests_was_perhaps_stopped_and_wakes_nobody() -> None:
    rounds = Rounds(is_alive=False)
    assert rounds.look(THEIRS, times=60).open == {}


def test_a_store_that_is_away_hides_the_sign_of_life_and_one_that_was_never_read_says_nothing() -> None:
    # given a watchdog that was never able to read it
    rounds = Rounds()
    assert rounds.look(OURS, store=None, times=60).cancel == ""

    # when it was read once, and goes away
    rounds.look(OURS)
    rounds.look(OURS, store=None, times=24)
    assert len(rounds.cancels) == 1
    assert "the store, where it would give one, does not answer" in rounds.done[-1][1].cancel


def test_a_position_that_grows_past_its_limit_halts_once_it_was_seen_twice() -> None:
    rounds = Rounds()
    rounds.look(OURS, lots={"CORN": 13})
    assert rounds.look(OURS, lots={"CORN": 14}) == Decision(memory=rounds.memory)
    decision = rounds.look(OURS, lots={"CORN": 14})
    assert decision.raise_level == decision.cancel == (
        "At the broker 14 lots of CORN are held, and its position limit is 10: the watchdog halts trading and cancels "
        "all orders.")
    assert decision.lay_flag == ""

    # and a person who goes on with it is not overruled, until it grows further
    assert rounds.look(lots={"CORN": 14}, times=5).raise_level == ""
    assert rounds.look(lots={"CORN": 15}, times=2).raise_level != ""


def test_without_a_store_the_flag_is_laid_down_instead() -> None:
    rounds = Rounds()
    rounds.look()
    decision = rounds.look(store=None, lots={"CORN": 20}, times=2)
    assert (decision.raise_level, bool(decision.lay_flag)) == ("", True)
    assert rounds.look(store=None, lots={"CORN": 20}, is_flagged=True).lay_flag == ""


def test_a_limit_that_is_set_below_the_position_forces_nothing_and_is_told() -> None:
    rounds = Rounds()
    rounds.look(lots={"CORN": 10}, store=StoreView(limits={"CORN": 10}))
    decision = rounds.look(lots={"CORN": 10}, store=StoreView(limits={"CORN": 2}), times=3)
    assert "more than the position limit of CORN (limit 2)" in decision.open[Subject.EXCESS]
    assert not any(each.raise_level or each.cancel for _, each in rounds.done)

    # when it has shrunk, it may not grow back
    rounds.look(lots={"CORN": 5}, store=StoreView(limits={"CORN": 2}))
    assert rounds.look(lots={"CORN": 6}, store=StoreView(limits={"CORN": 2}), times=2).raise_level != ""


def test_a_position_that_was_flat_does_not_appear_beyond_its_limit_unnoticed() -> None:
    rounds = Rounds()
    rounds.look()
    assert rounds.look(lots={"CORN": 500}, times=2).raise_level != ""


@pytest.mark.parametrize(("limit", "lots", "is_halted"), [
    (0, 1, False), (0, 2, True), (1, 2, False), (1, 3, True), (10, 13, False), (10, 14, True)])
def test_a_limit_has_a_margin_of_a_quarter_and_at_least_a_lot(limit: int, lots: int, is_halted: bool) -> None:
    rounds, store = Rounds(), StoreView(limits={"CORN": limit})
    rounds.look(store=store)
    assert bool(rounds.look(store=store, lots={"CORN": lots}, times=2).raise_level) is is_halted


def test_what_nobody_has_limited_is_nobodys_excess() -> None:
    assert Rounds().look(lots={"WHEAT": 1000}, times=3).open == {}


def test_more_orders_than_may_rest_halt_once() -> None:
    rounds = Rounds(rules=WatchRules(most_orders=2))
    crowd = [replace(OURS, key=str(number)) for number in range(3)]
    rounds.look(*crowd, times=2)
    assert rounds.done[-1][1].raise_level.startswith("At the broker 3 orders rest at once")
    assert rounds.look(*crowd, times=2).raise_level == ""
    assert rounds.look(*crowd[:2]).open == {}


def test_a_wrong_answer_that_comes_once_halts_nobody() -> None:
    rounds = Rounds()
    rounds.look(lots={"CORN": 5})
    for _ in range(10):
        rounds.look(lots={"CORN": 5000})
        rounds.look(lots={"CORN": 5})
    assert not any(each.raise_level or each.open for _, each in rounds.done)


@pytest.mark.parametrize(("is_alive", "orders", "level", "is_told"), [
    (True, (), K0, True), (False, (), K0, False), (False, (OURS,), K0, True), (True, (), KillLevel.K5_SEVER, False)])
def test_a_broker_that_cannot_be_read_is_told_while_it_matters(is_alive: bool, orders: tuple[RestingOrder, ...],
                                                               level: KillLevel, is_told: bool) -> None:
    # given that the broker was read, and the daemon is alive or has been silent for long
    rounds = Rounds(is_alive=is_alive)
    rounds.look(*orders, store=StoreView(level=level), times=20)
    told = rounds.look(store=StoreView(level=level), is_blind=True, times=60).open
    assert (Subject.BLIND in told) is is_told
    assert Subject.BLIND not in rounds.look(*orders, store=StoreView(level=level)).open


def test_a_spread_is_as_large_as_its_larger_leg() -> None:
    assert largest_lots([("CORN", 5), ("CORN", -5), ("WHEAT", -2), ("WHEAT", -1)]) == {"CORN": 5, "WHEAT": 3}


# --- whatever is seen -----------------------------------------------------------------------------------------------

ORDERS = st.lists(st.builds(RestingOrder, key=st.sampled_from("abcdef"), reference=st.sampled_from("xyz"),
                            is_ours=st.booleans()), max_size=6, unique_by=lambda order: order.key)
LEVELS = st.sampled_from(KillLevel)
STORES = st.none() | st.builds(StoreView, level=LEVELS, sign=st.none() | st.integers(0, 3), limits=st.dictionaries(
    st.sampled_from(["CORN", "WHEAT"]), st.integers(0, 5)))
LOOKS = st.lists(st.tuples(st.floats(0.1, 60), st.none() | ORDERS, st.dictionaries(
    st.sampled_from(["CORN", "WHEAT", "OATS"]), st.integers(0, 20)), STORES, st.booleans()), max_size=40)
EAGER = WatchRules(halt_grace_s=1, silent_after_s=2, blind_after_s=2, most_orders=3)


def pictures(looks: Iterable[tuple[float, list[RestingOrder] | None, dict[str, int], StoreView | None, bool]],
             ) -> Iterable[Picture]:
    at_s = 0.0
    for step_s, orders, lots, store, is_flagged in looks:
        at_s += step_s
        yield Picture(at_s=at_s, orders=None if orders is None else tuple(orders), lots=lots, store=store,
                      is_flagged=is_flagged)


@given(LOOKS)
def test_never_more_than_one_cancel_in_ten_seconds(looks: list[tuple[float, None, dict[str, int], None, bool]]) -> None:
    memory, asked = beginning(0.0), []
    for picture in pictures(looks):
        decision = decide(picture, memory, EAGER)
        memory = decision.memory
        asked += [picture.at_s] if decision.cancel else []
    assert all(later - earlier >= 10 for earlier, later in pairwise(asked))


@given(LOOKS)
def test_it_raises_only_what_is_lower_and_cancels_only_what_it_sees(
        looks: list[tuple[float, None, dict[str, int], None, bool]]) -> None:
    memory = beginning(0.0)
    for picture in pictures(looks):
        decision = decide(picture, memory, EAGER)
        memory = decision.memory
        if decision.raise_level:
            assert picture.store is not None
            assert picture.store.level < K3
        if decision.lay_flag:
            assert picture.store is None
        if decision.lay_flag or decision.raise_level:
            assert not picture.is_flagged
        assert not decision.cancel or picture.orders


@given(st.lists(st.tuples(st.floats(0.1, 100), st.lists(st.booleans(), max_size=50), st.integers(0, 10),
                          st.sampled_from([K0, KillLevel.K1_PAUSE_SCOPE, K2])), max_size=60))
def test_a_healthy_picture_below_k3_never_makes_it_act(looks: list[tuple[float, list[bool], int, KillLevel]]) -> None:
    memory, at_s = beginning(0.0), 0.0
    for sign, (step_s, ours, lots, level) in enumerate(looks):
        at_s += step_s
        orders = tuple(RestingOrder(key=str(number), reference="", is_ours=each) for number, each in enumerate(ours))
        decision = decide(Picture(at_s=at_s, orders=orders, lots={"CORN": lots}, store=StoreView(
            level=level, sign=sign, limits={"CORN": 10})), memory, RULES)
        memory = decision.memory
        assert decision == Decision(memory=memory)
