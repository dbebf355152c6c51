"""Kill levels rise by anything, fall by people, and let nothing through that they forbid."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.risk.exposure import Effect
from trading.risk.kill_level import (
    Cause,
    Command,
    KillLevel,
    KillState,
    NotLowered,
    Scope,
    consequences,
    data_found_sound,
    lowered,
    raised,
    restarted,
    resumed,
)
from trading.risk.kill_permission import WorkingOrder, must_cancel, permitted
from trading.risk.order_kind import OrderKind

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
PERSON = Command(who="anna", why="checked with the broker", when=NOW, is_person=True, cause=Cause.OPERATOR)
CONTROL = Command(who="RC-25", why="day loss 3.4%", when=NOW)
DATA = Command(who="RC-24", why="NAV moved 40%", when=NOW, cause=Cause.DATA)
SYSTEM_LEVELS = [level for level in KillLevel if level is not KillLevel.K1_PAUSE_SCOPE]
TREND = Scope(strategy="trend")
ORDER_SCOPE = Scope(strategy="trend", instrument="SP500", account="U1")


def at(level: KillLevel, by: Command = CONTROL) -> KillState:
    return raised(KillState(), level, by)


@given(st.lists(st.tuples(st.sampled_from(SYSTEM_LEVELS), st.sampled_from([CONTROL, DATA, PERSON]))))
def test_a_level_never_falls_by_raising(raises: list[tuple[KillLevel, Command]]) -> None:
    state = KillState()
    for level, by in raises:
        after = raised(state, level, by)
        assert after.level == max(state.level, level)
        assert raised(after, level, by) == after
        state = after


@given(st.lists(st.tuples(st.sampled_from(["raise", "lower", "sound", "restart"]), st.sampled_from(SYSTEM_LEVELS),
                          st.sampled_from([CONTROL, DATA])), max_size=20))
def test_without_a_person_a_level_falls_only_from_a_fault_of_data_that_was_twice_found_gone(
        steps: list[tuple[str, KillLevel, Command]]) -> None:
    state, sound = KillState(), 0
    for step, level, by in steps:
        before = state
        if step == "raise":
            state = raised(state, level, by)
            sound = 0 if level is KillLevel.K2_NO_NEW_RISK or state.level is not before.level else sound
        elif step == "sound":
            state, sound = data_found_sound(state), sound + 1
        else:
            try:
                state = lowered(state, min(level, state.level), by) if step == "lower" else restarted(state, by)
            except (NotLowered, ValueError):
                continue
        if state.level < before.level:
            assert before.level is KillLevel.K2_NO_NEW_RISK
            assert before.cause is Cause.DATA
            assert sound >= 2


def test_a_person_lowers_with_a_reason() -> None:
    after = lowered(at(KillLevel.K3_HALT), KillLevel.K0_NORMAL, PERSON)
    assert (after.level, after.who, after.reason) == (KillLevel.K0_NORMAL, "anna", "checked with the broker")


def test_a_person_without_a_reason_lowers_nothing() -> None:
    with pytest.raises(NotLowered) as caught:
        lowered(at(KillLevel.K3_HALT), KillLevel.K0_NORMAL, replace(PERSON, why=" "))
    assert str(caught.value) == "The kill level stays at K3_HALT: a reason is missing. Give one with --reason."


def test_no_new_risk_for_want_of_data_falls_after_two_sound_readings() -> None:
    state = data_found_sound(at(KillLevel.K2_NO_NEW_RISK, DATA))
    with pytest.raises(NotLowered, match="found sound 1 of 2 times"):
        lowered(state, KillLevel.K0_NORMAL, DATA)
    assert lowered(data_found_sound(state), KillLevel.K0_NORMAL, DATA).level is KillLevel.K0_NORMAL


def test_a_new_fault_of_data_starts_the_count_anew() -> None:
    state = raised(data_found_sound(at(KillLevel.K2_NO_NEW_RISK, DATA)), KillLevel.K2_NO_NEW_RISK, DATA)
    assert state.clear_readings == 0


def test_a_loss_beside_a_fault_of_data_leaves_lowering_to_a_person() -> None:
    state = raised(at(KillLevel.K2_NO_NEW_RISK, DATA), KillLevel.K2_NO_NEW_RISK, CONTROL)
    with pytest.raises(NotLowered, match="only a person may lower it"):
        lowered(data_found_sound(data_found_sound(state)), KillLevel.K0_NORMAL, DATA)


@pytest.mark.parametrize("level", [KillLevel.K1_PAUSE_SCOPE, KillLevel.K4_FLATTEN])
def test_lowering_does_not_raise_nor_make_a_pause_of_a_halt(level: KillLevel) -> None:
    with pytest.raises(ValueError, match=f"at K3_HALT and cannot be lowered to {level.name}"):
        lowered(at(KillLevel.K3_HALT), level, PERSON)


def test_lowering_to_where_it_is_changes_nothing() -> None:
    state = at(KillLevel.K3_HALT)
    assert lowered(state, KillLevel.K3_HALT, CONTROL) is state


def test_flattening_ends_in_a_halt() -> None:
    state = at(KillLevel.K4_FLATTEN)
    with pytest.raises(NotLowered, match="flattening ends in K3"):
        lowered(state, KillLevel.K0_NORMAL, PERSON)
    assert lowered(state, KillLevel.K3_HALT, PERSON).level is KillLevel.K3_HALT


def test_a_severed_system_comes_back_halted_by_a_manual_restart_only() -> None:
    state = at(KillLevel.K5_SEVER)
    with pytest.raises(NotLowered, match="only by a manual restart"):
        lowered(state, KillLevel.K3_HALT, PERSON)
    with pytest.raises(NotLowered, match="only a person may restart"):
        restarted(state, CONTROL)
    assert restarted(state, PERSON).level is KillLevel.K3_HALT


@pytest.mark.parametrize("level", [level for level in SYSTEM_LEVELS if level < KillLevel.K5_SEVER])
def test_a_restart_changes_no_other_level(level: KillLevel) -> None:
    state = at(level)
    assert restarted(state, CONTROL) is state


def test_a_pause_holds_in_its_scope_only() -> None:
    state = raised(KillState(), KillLevel.K1_PAUSE_SCOPE, PERSON, TREND)
    refusal = permitted(state, Effect.ADDS_RISK, OrderKind.STRATEGY, ORDER_SCOPE)
    assert refusal is not None
    assert refusal.sentence == ("strategy trend is paused by anna (checked with the broker): only orders that reduce "
                                "risk are sent.")
    assert permitted(state, Effect.REDUCES_RISK, OrderKind.STRATEGY, ORDER_SCOPE) is None
    assert permitted(state, Effect.ADDS_RISK, OrderKind.STRATEGY, replace(ORDER_SCOPE, strategy="carry")) is None


def test_a_pause_ends_by_a_person_and_repeating_it_changes_nothing() -> None:
    state = raised(KillState(), KillLevel.K1_PAUSE_SCOPE, CONTROL, TREND)
    assert raised(state, KillLevel.K1_PAUSE_SCOPE, PERSON, TREND) is state
    with pytest.raises(NotLowered, match="strategy trend stays paused"):
        resumed(state, TREND, CONTROL)
    assert resumed(state, TREND, PERSON).pauses == ()


def test_a_pause_may_yet_be_made_to_cancel_what_works() -> None:
    state = raised(KillState(), KillLevel.K1_PAUSE_SCOPE, CONTROL, TREND)
    stricter = raised(state, KillLevel.K1_PAUSE_SCOPE, PERSON, TREND, cancels_working=True)
    assert [each.cancels_working for each in stricter.pauses] == [True]
    assert raised(stricter, KillLevel.K1_PAUSE_SCOPE, PERSON, TREND) is stricter


@pytest.mark.parametrize(("level", "scope"), [(KillLevel.K1_PAUSE_SCOPE, None), (KillLevel.K3_HALT, TREND),
                                              (KillLevel.K1_PAUSE_SCOPE, Scope())])
def test_a_level_needs_the_right_scope(level: KillLevel, scope: Scope | None) -> None:
    with pytest.raises(ValueError, match="K1 needs a strategy"):
        raised(KillState(), level, PERSON, scope)


A, R, C = Effect.ADDS_RISK, Effect.REDUCES_RISK, Effect.CANCEL
F, S = OrderKind.FLATTEN, OrderKind.STRATEGY


@pytest.mark.parametrize(("level", "passes"), [
    (KillLevel.K0_NORMAL, {(A, S), (R, S), (C, S), (A, F), (R, F), (C, F)}),
    (KillLevel.K2_NO_NEW_RISK, {(R, S), (C, S), (R, F), (C, F)}),
    (KillLevel.K3_HALT, {(C, S), (R, F), (C, F)}),
    (KillLevel.K4_FLATTEN, {(C, S), (R, F), (C, F)}),
    (KillLevel.K5_SEVER, {(C, S), (C, F)})])
def test_a_level_lets_through_what_the_table_says(level: KillLevel, passes: set[tuple[Effect, OrderKind]]) -> None:
    state = at(level)
    asked = [(effect, kind) for effect in (A, R, C) for kind in (S, F)]
    assert {each for each in asked if permitted(state, *each, ORDER_SCOPE) is None} == passes


@given(st.sampled_from([KillLevel.K3_HALT, KillLevel.K4_FLATTEN, KillLevel.K5_SEVER]), st.sampled_from(OrderKind))
def test_from_a_halt_on_nothing_leaves_that_adds_risk(level: KillLevel, kind: OrderKind) -> None:
    assert permitted(at(level), Effect.ADDS_RISK, kind, ORDER_SCOPE) is not None


def working(effect: Effect = A, kind: OrderKind = S, *, minutes: int = -5, is_ours: bool = True) -> WorkingOrder:
    return WorkingOrder(scope=ORDER_SCOPE, effect=effect, kind=kind, sent_at=NOW + timedelta(minutes=minutes),
                        is_ours=is_ours)


@pytest.mark.parametrize(("level", "order", "cancelled"), [
    (KillLevel.K0_NORMAL, working(A), False), (KillLevel.K2_NO_NEW_RISK, working(A), True),
    (KillLevel.K2_NO_NEW_RISK, working(R), False), (KillLevel.K3_HALT, working(R), True),
    (KillLevel.K3_HALT, working(A, is_ours=False), False), (KillLevel.K4_FLATTEN, working(R, F), True),
    (KillLevel.K4_FLATTEN, working(R, F, minutes=1), False), (KillLevel.K5_SEVER, working(R, is_ours=False), True)])
def test_a_level_cancels_what_the_table_says(level: KillLevel, order: WorkingOrder, cancelled: bool) -> None:
    assert must_cancel(at(level), order) is cancelled


@pytest.mark.parametrize("cancels", [True, False])
def test_a_pause_cancels_what_works_only_when_it_was_told_to(cancels: bool) -> None:
    state = raised(KillState(), KillLevel.K1_PAUSE_SCOPE, PERSON, TREND, cancels_working=cancels)
    assert must_cancel(state, working(R)) is cancels


def test_every_level_says_its_scope_and_its_end() -> None:
    # go-trader #1191: what does reset do?
    assert consequences(KillLevel.K4_FLATTEN) == (
        "K4 flatten: all our working orders are cancelled, then ALL positions are closed at the market, largest risk "
        "first, as soon as markets are open. It ends in K3 and cannot be undone.")
    assert len({consequences(level) for level in KillLevel}) == len(KillLevel)
