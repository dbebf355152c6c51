"""Cancelling, flattening and trading by hand: what becomes of each order, as the stack handler finds it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from trading_desk_scene import GOLD, NOW, SP, Scene, working

from trading.data.mongo.connection import MongoStore
from trading.data.mongo.controls import MongoKillState
from trading.data.mongo.locks import MongoInstrumentLocks
from trading.data.trading_desk.cancel import CancelAll, CancelOrder
from trading.data.trading_desk.deed import DeedRefused
from trading.data.trading_desk.ended_order import OrderEnded
from trading.data.trading_desk.flatten import Flatten
from trading.data.trading_desk.kill import LowerKill, RaiseKill
from trading.data.trading_desk.limits import SetLimit
from trading.data.trading_desk.limits_in_use import limits_in_use
from trading.data.trading_desk.locks import LockInstrument, OpenLocks
from trading.data.trading_desk.manual_fill import ManualFill, TakeBackFill
from trading.data.trading_desk.manual_trade import ManualTrade
from trading.data.trading_desk.overrides import SetOverride
from trading.data.trading_desk.positions import Assign, Transfer
from trading.data.trading_desk.rolls import SetRollState
from trading.errors import ConfigError, NotFound
from trading.execution.booking import foreign_lock
from trading.execution.broker_orders import BrokerLifecycle, BrokerOrder
from trading.execution.fills import EXTERNAL, Fill, FillStatus
from trading.execution.locks import Lock, LockCause
from trading.execution.order_states import CloseReason, ExecutionStyle, Flag, Lifecycle
from trading.execution.orders import spawn
from trading.execution.spreads import Month, Spread
from trading.risk.kill_level import KillLevel
from trading.risk.order_kind import OrderKind

A_ROLL = {"kind": OrderKind.ROLL, "quantity": 0, "roll_from": "SP500/20260300", "roll_to": SP, "roll_quantity": 4}


@pytest.fixture
def scene(store: MongoStore) -> Scene:
    return Scene(store)


# --- of unknown fate ----------------------------------------------------------------------------------------------


def unknown(scene: Scene, **changes: Any) -> BrokerOrder:
    return scene.orders.save_broker_order(replace(scene.at_the_broker(), lifecycle=BrokerLifecycle.UNKNOWN, **changes))


@pytest.mark.parametrize(("perm_id", "end"), [(None, BrokerLifecycle.NOT_SENT), (70, BrokerLifecycle.CANCELLED)])
def test_a_person_tells_the_end_of_an_order_of_unknown_fate(scene: Scene, perm_id: int | None,
                                                            end: BrokerLifecycle) -> None:
    order = unknown(scene, perm_id=perm_id)
    shown = scene.look(OrderEnded(order=order.id))
    assert shown.after == {order.id: end.value}
    assert "The +5 that are left may be ordered anew." in shown.warnings[0]
    scene.do(OrderEnded(order=order.id), why="not in the statement")
    told = scene.orders.broker_order(order.id)
    assert (told.lifecycle, told.reason) == (end, "ann: not in the statement")


def test_a_spread_of_which_a_month_has_traded_was_sent(scene: Scene) -> None:
    months = Spread(symbol="ES", currency="USD", near=Month(contract=SP, con_id=40), near_filled=-1,
                    far=Month(contract="SP500/20260900", con_id=42))
    order = unknown(scene, perm_id=None, spread=months)
    scene.do(OrderEnded(order=order.id))
    assert scene.orders.broker_order(order.id).lifecycle is BrokerLifecycle.CANCELLED


def test_the_end_of_an_order_that_the_broker_shows_is_not_told_by_hand(scene: Scene) -> None:
    order = scene.at_the_broker()
    with pytest.raises(DeedRefused, match=f"{order.id} is WORKING; only the end of an order that is UNKNOWN is told by "
                                          f"hand. To take it back: tradectl trade cancel"):
        scene.do(OrderEnded(order=order.id))


# --- cancelling ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["IO-1", "IO-1-C1", "1-C1-B1"])
def test_an_order_at_the_broker_waits_for_the_proof_of_its_end(scene: Scene, asked: str) -> None:
    scene.at_the_broker()
    scene.do(CancelOrder(order=asked))
    leg, = scene.orders.contract_orders_of("IO-1")
    root = scene.orders.instrument_order("IO-1")
    assert [(each.lifecycle, each.close_reason) for each in (leg, root)] == [
        (Lifecycle.CLOSING, CloseReason.CANCELLED)] * 2
    assert scene.orders.broker_order("1-C1-B1").lifecycle is BrokerLifecycle.WORKING


def test_an_order_without_a_child_closes_at_once(scene: Scene) -> None:
    scene.an_order()
    scene.do(CancelOrder(order="IO-1"))
    root = scene.orders.instrument_order("IO-1")
    assert (root.lifecycle, root.close_reason) == (Lifecycle.CLOSED, CloseReason.CANCELLED)


@pytest.mark.parametrize("state", [Lifecycle.CREATED, Lifecycle.OPEN])
def test_one_that_the_controls_have_not_judged_closes_too(scene: Scene, state: Lifecycle) -> None:
    scene.an_order(lifecycle=state)
    scene.do(CancelOrder(order="IO-1"))
    assert not scene.orders.instrument_order("IO-1").is_open


def test_of_a_roll_only_the_leg_at_the_broker_waits(scene: Scene) -> None:
    # given a roll of which one leg is at the broker
    parent = scene.an_order(**A_ROLL)
    scene.orders.spawned(*spawn(parent, SP, NOW))
    out, into = scene.orders.contract_orders_of("IO-1")
    scene.at_the_broker(2)
    live = scene.orders.broker_order("2-C1-B1")
    scene.orders.add_broker_order(replace(out, next_child=2), replace(
        live, id="1-C1-B1", parent=out.id, contract=out.contract, quantity=-4, version=0, chain=""))

    # when the roll is cancelled
    scene.do(CancelOrder(order=into.id))

    # then
    assert [leg.lifecycle for leg in scene.orders.contract_orders_of("IO-1")] == [
        Lifecycle.CLOSING, Lifecycle.CLOSED]
    assert scene.orders.instrument_order("IO-1").lifecycle is Lifecycle.CLOSING
    assert scene.orders.instrument_order("IO-2").lifecycle is Lifecycle.WORKING


def test_a_broker_order_that_has_ended_keeps_nothing_open(scene: Scene) -> None:
    order = scene.at_the_broker()
    scene.orders.save_broker_order(order.advanced(BrokerLifecycle.CANCELLED))
    scene.do(CancelOrder(order="IO-1"))
    assert scene.orders.open_instrument_orders() == scene.orders.open_contract_orders() == []


@pytest.mark.parametrize("state", [BrokerLifecycle.UNKNOWN, BrokerLifecycle.PENDING_CANCEL])
def test_one_of_unknown_fate_is_never_taken_for_dead(scene: Scene, state: BrokerLifecycle) -> None:
    scene.orders.save_broker_order(scene.at_the_broker().advanced(state))
    scene.do(CancelOrder(order="IO-1"))
    assert scene.orders.instrument_order("IO-1").lifecycle is Lifecycle.CLOSING


def test_cancelling_twice_changes_nothing_more(scene: Scene) -> None:
    scene.at_the_broker()
    scene.do(CancelOrder(order="IO-1"))
    before = scene.orders.instrument_order("IO-1")
    again = scene.do(CancelOrder(order="IO-1"))
    assert scene.orders.instrument_order("IO-1") == before
    assert again.warnings == ("IO-1 is being cancelled already.",)


def test_all_orders_of_an_instrument_and_no_others(scene: Scene) -> None:
    scene.an_order(1)
    scene.an_order(2, instrument="GOLD")
    scene.do(CancelAll(instrument="SP500"))
    assert [order.id for order in scene.orders.open_instrument_orders()] == ["IO-2"]
    with pytest.raises(NotFound, match=r"^No order of SP500 is open\. Nothing was changed\.$"):
        scene.do(CancelAll(instrument="SP500"))


# --- flattening ----------------------------------------------------------------------------------------------------


def flatten(scene: Scene, **risks: float) -> None:
    scene.do(Flatten(code=scene.look(Flatten()).code, risks=risks))


def test_each_position_gets_one_closing_order_the_largest_risk_first(scene: Scene) -> None:
    # given positions of two strategies, and of nobody
    scene.holds(5)
    scene.holds(-1, "t", GOLD)
    scene.external(2)

    # when all is left, SP500 being the calmer one
    flatten(scene, SP500=10.0, GOLD=100.0)

    # then
    orders = scene.orders.open_instrument_orders()
    assert [(order.strategy, order.instrument, order.quantity) for order in orders] == [
        ("t", "GOLD", 1), ("s", "SP500", -5), (EXTERNAL, "SP500", -2)]
    assert {(order.kind, order.style, order.reduce_only, order.target, order.created_by) for order in orders} == {
        (OrderKind.FLATTEN, ExecutionStyle.MARKETABLE, True, 0, "ann")}
    assert [order.contract for order in orders] == [GOLD, SP, SP]
    assert MongoKillState(scene.store).load().level is KillLevel.K4_FLATTEN


def test_a_risk_that_nobody_knows_is_not_small(scene: Scene) -> None:
    scene.holds(5)
    scene.holds(1, "t", GOLD)
    flatten(scene, SP500=1e9)
    assert [order.instrument for order in scene.orders.open_instrument_orders()] == ["GOLD", "SP500"]


def test_each_contract_of_an_instrument_is_closed_for_itself(scene: Scene) -> None:
    scene.holds(5)
    scene.holds(2, "s", "SP500/20260900")
    flatten(scene)
    assert {(order.contract, order.quantity) for order in scene.orders.open_instrument_orders()} == {
        (SP, -5), ("SP500/20260900", -2)}


def test_strategies_on_opposite_sides_settle_without_a_trade(scene: Scene) -> None:
    # given s long five, t short two: the account holds three
    scene.holds(5)
    scene.holds(-2, "t")

    # when all is left
    shown = scene.look(Flatten())
    assert shown.warnings == ("s -2, t +2 SP500: opposite sides settle between themselves, without a trade.",)
    scene.do(Flatten(code=shown.code))

    # then three are sold, and once they are, all are flat
    assert [(order.strategy, order.quantity) for order in scene.orders.open_instrument_orders()] == [("s", -3)]
    assert scene.books.strategy_positions() == {("s", "SP500"): 3}
    assert scene.books.positions() == scene.books.rebuilt()


def test_flattening_again_closes_only_what_no_order_is_closing(scene: Scene) -> None:
    scene.holds(5)
    flatten(scene)
    scene.later(1)
    shown = scene.look(Flatten())
    assert scene.do(Flatten(code=shown.code)).done == ("The system is at K4_FLATTEN. Nothing is held that is not being "
                                                       "closed already.")
    assert len(scene.orders.open_instrument_orders()) == 1


def test_a_code_is_good_for_ten_minutes_at_least_and_twenty_at_most(scene: Scene) -> None:
    scene.holds(5)
    code = scene.look(Flatten()).code
    scene.later(20)
    with pytest.raises(ConfigError, match=f"^{code} is not the code of now"):
        scene.do(Flatten(code=code))
    code = scene.look(Flatten()).code
    scene.later(10)
    scene.do(Flatten(code=code.lower()))
    assert len(scene.orders.open_instrument_orders()) == 1


def test_the_level_is_stored_even_when_an_order_cannot_be_made(scene: Scene) -> None:
    # given a store that takes no order
    scene.holds(5)
    code = scene.look(Flatten()).code
    scene.store.database.command("collMod", "instrument_orders", validator={"never": {"$exists": True}})

    # when everything is to be left
    with pytest.raises(Exception, match="validation"):
        scene.do(Flatten(code=code))

    # then nothing is traded any more at least
    assert MongoKillState(scene.store).load().level is KillLevel.K4_FLATTEN


def test_flattening_ends_in_a_halt_and_nowhere_else(scene: Scene) -> None:
    flatten(scene)
    with pytest.raises(DeedRefused, match=r"flattening ends in K3\. Lower it to K3 first\. Nothing was changed\.$"):
        scene.do(LowerKill())
    scene.do(LowerKill(level="halt"))
    scene.do(LowerKill())
    assert MongoKillState(scene.store).load().level is KillLevel.K0_NORMAL


def test_a_severed_system_is_neither_flattened_nor_lowered(scene: Scene) -> None:
    scene.do(RaiseKill(level="sever"))
    with pytest.raises(DeedRefused, match="severed"):
        scene.look(Flatten())
    with pytest.raises(DeedRefused, match="only by a manual restart"):
        scene.do(LowerKill())


# --- halting -------------------------------------------------------------------------------------------------------


def test_a_milder_halt_changes_nothing_and_says_so(scene: Scene) -> None:
    scene.do(RaiseKill(), who="bob", why="strange prices")
    done = scene.do(RaiseKill(level="no-new-risk")).done
    assert done == ("The system is at K3_HALT already, which is stricter than K2_NO_NEW_RISK (bob: strange prices); "
                    "nothing was changed.")


def test_a_pause_is_ended_by_its_own_name_and_what_stays_is_told(scene: Scene) -> None:
    scene.do(RaiseKill(instrument="SP500"), why="a look")
    scene.do(RaiseKill(strategy="s"))
    scene.do(LockInstrument(instrument="GOLD"), why="holiday")
    done = scene.do(LowerKill(strategy="s"))
    assert done.done == "strategy s is no longer paused."
    assert done.warnings == ("instrument SP500 stays paused (ann: a look).", "GOLD stays locked: holiday")
    with pytest.raises(NotFound, match=r"^strategy s is not paused \(paused: instrument SP500\)\."):
        scene.do(LowerKill(strategy="s"))


# --- trading by hand -----------------------------------------------------------------------------------------------


def a_trade(lots: int = 2, **changes: object) -> ManualTrade:
    return ManualTrade(**{"instrument": "SP500", "lots": lots, "strategy": "s"} | changes)  # type: ignore[arg-type]


def test_a_trade_by_hand_waits_for_the_controls(scene: Scene) -> None:
    scene.do(a_trade())
    order, = scene.orders.open_instrument_orders()
    assert (order.kind, order.lifecycle, order.created_by, order.reason, order.idempotency_key) == (
        OrderKind.MANUAL, Lifecycle.CREATED, "ann", "because", "manual/d1")


def test_what_the_controls_are_certain_to_refuse_is_refused_at_once(scene: Scene) -> None:
    scene.holds(5)
    scene.do(RaiseKill(level="no-new-risk"), why="strange prices")
    with pytest.raises(DeedRefused, match=r"^K2_NO_NEW_RISK by ann \(strange prices\): only orders that reduce risk"):
        scene.do(a_trade())
    scene.do(a_trade(-2))
    scene.do(LowerKill())
    scene.do(SetOverride(override="no-trade", instrument="SP500"))
    with pytest.raises(DeedRefused, match=r"^An override of SP500 of s is at no-trade"):
        scene.do(a_trade(-1))
    scene.do(LockInstrument(instrument="SP500"), why="holiday")
    with pytest.raises(DeedRefused, match=r"^SP500 is locked: holiday\. Open it: tradectl locks open SP500\. Nothing"):
        scene.do(a_trade(-1))


def test_an_order_that_only_reduces_counts_what_is_being_closed_already(scene: Scene) -> None:
    scene.holds(5)
    scene.do(a_trade(-3, reduce_only=True))
    with pytest.raises(DeedRefused, match=r"s holds \+5 SP500, of which 2 may still be closed \(-2\)"):
        scene.do(a_trade(-3, reduce_only=True))
    scene.do(a_trade(-2, reduce_only=True))


def test_a_fill_by_hand_moves_all_three_tiers_and_completes_the_order(scene: Scene) -> None:
    order = scene.at_the_broker(quantity=-5)
    scene.do(ManualFill(order=order.id, lots=5, price=Decimal("-37.25")))
    assert scene.orders.broker_order(order.id).lifecycle is BrokerLifecycle.FILLED
    assert scene.orders.instrument_order("IO-1").filled == -5
    assert scene.books.strategy_positions() == {("s", "SP500"): -5}
    with pytest.raises(DeedRefused, match="at most 0 can still be, not 1"):
        scene.do(ManualFill(order=order.id, lots=1, price=Decimal(1)))


def test_of_a_spread_only_the_month_that_lags_behind_is_filled_by_hand(scene: Scene) -> None:
    # given a spread of which one month has traded
    far = "SP500/20260900"
    spread = Spread(symbol="ES", currency="USD", near=Month(contract=SP, con_id=40), far=Month(contract=far, con_id=42))
    scene.orders.spawned(*spawn(scene.an_order(**A_ROLL), "", NOW, spread))
    [leg] = scene.orders.contract_orders_of("IO-1")
    order = scene.orders.add_broker_order(replace(leg, next_child=2), replace(
        working(leg), contract=spread.key, spread=spread))
    with pytest.raises(DeedRefused, match="no month of it has traded without the other"):
        scene.do(ManualFill(order=order.id, lots=1, price=Decimal("5000.25")))
    scene.books.apply_fill(Fill(
        id="DU1/1", execution_id="1.01", revision=1, broker_order=order.id, contract=SP, con_id=40, quantity=-4,
        price=Decimal("5000.25"), at=NOW, trading_day="2026-03-02"))
    assert scene.books.contract_positions() == {SP: -4}

    # when a person books what the broker shows of the other one, then it is as if the broker had told it
    with pytest.raises(DeedRefused, match="at most 4 can still be, not 5"):
        scene.do(ManualFill(order=order.id, lots=5, price=Decimal("5010.25")))
    scene.do(ManualFill(order=order.id, lots=4, price=Decimal("5010.25")))
    assert scene.orders.broker_order(order.id).lifecycle is BrokerLifecycle.FILLED
    assert scene.books.contract_positions() == {SP: -4, far: 4}
    assert set(scene.books.strategy_positions().values()) <= {0}


def test_a_late_fill_by_hand_is_flagged_like_any_other(scene: Scene) -> None:
    order = scene.orders.save_broker_order(scene.at_the_broker().advanced(BrokerLifecycle.CANCELLED))
    done = scene.do(ManualFill(order=order.id, lots=2, price=Decimal("5000.25")))
    assert f"{order.id} is CANCELLED: this is a late fill." in done.warnings
    assert scene.orders.broker_order(order.id).flags == {Flag.LATE_FILL}


def test_only_a_fill_by_hand_is_taken_back_and_only_once(scene: Scene) -> None:
    order = scene.at_the_broker()
    scene.external(3)
    scene.do(ManualFill(order=order.id, lots=2, price=Decimal("5000.25")))
    mine, = scene.books.fills_of(order.id)
    scene.do(TakeBackFill(fill=mine.id))
    assert scene.books.fills_of(order.id)[0].status is FillStatus.BUSTED
    assert scene.books.positions() == scene.books.rebuilt()
    with pytest.raises(DeedRefused, match="was taken back before"):
        scene.do(TakeBackFill(fill=mine.id))
    with pytest.raises(DeedRefused, match="was reported by the broker"):
        scene.do(TakeBackFill(fill="DU1/x"))


# --- positions, locks, rolls ---------------------------------------------------------------------------------------


def test_part_of_what_others_traded_is_assigned_and_the_rest_waits(scene: Scene) -> None:
    scene.external(-3)
    scene.do(Assign(instrument="SP500", strategy="t", lots=2))
    assert scene.books.strategy_positions() == {(EXTERNAL, "SP500"): -1, ("t", "SP500"): -2}
    with pytest.raises(DeedRefused, match=r"_EXTERNAL holds -1 SP500 and cannot give 2"):
        scene.do(Assign(instrument="SP500", strategy="t", lots=2))
    [left] = scene.books.external()
    assert (left.contract, left.lots) == (SP, -1)
    scene.do(Transfer(instrument="SP500", giver=EXTERNAL, taker="t", lots=1))
    assert scene.books.external() == []


def test_what_others_bought_and_sold_in_two_months_is_assigned_together(scene: Scene) -> None:
    scene.external(-1)
    scene.external(1, "SP500/20260900", 41)
    assert [(each.contract, each.lots) for each in scene.books.external()] == [(SP, -1), ("SP500/20260900", 1)]
    held = scene.books.positions()
    with pytest.raises(DeedRefused, match=r"_EXTERNAL holds \+0 SP500 and cannot give 1"):
        scene.do(Assign(instrument="SP500", strategy="t", lots=1))
    scene.do(Assign(instrument="SP500", strategy="t"))
    assert scene.books.external() == []
    assert scene.books.rebuilt() == scene.books.positions() == held


def test_a_short_position_is_given_by_its_count(scene: Scene) -> None:
    scene.holds(-5)
    scene.do(Transfer(instrument="SP500", giver="s", taker="t", lots=2))
    assert scene.books.strategy_positions() == {("s", "SP500"): -3, ("t", "SP500"): -2}


def test_one_lock_is_opened_and_the_others_are_told(scene: Scene) -> None:
    locks = MongoInstrumentLocks(scene.store)
    locks.lock(Lock(instrument="SP500", cause=LockCause.UNKNOWN_ORDER, subject="1-C1-B1", reason="lost", opened_at=NOW))
    scene.external(3)
    assert foreign_lock(scene.books.fills()[0]) in locks.all()
    done = scene.do(OpenLocks(instrument="SP500", cause="unknown-order", subject="1-C1-B1"))
    assert done.done == "Opened: SP500 UNKNOWN_ORDER (1-C1-B1)."
    assert done.warnings[0].startswith("SP500 stays locked by FOREIGN_FILL: somebody else traded +3")
    scene.do(OpenLocks(everything=True))
    assert locks.all() == []


def test_a_roll_state_follows_the_tables_of_a_person(scene: Scene) -> None:
    scene.holds(5)
    scene.do(SetRollState(instrument="SP500", state="FORCE_SPREAD", front=SP))
    scene.do(SetRollState(instrument="SP500", state="PASSIVE", front=SP))
    with pytest.raises(DeedRefused, match=r"SP500 is PASSIVE with \+5 lots in front and cannot become ROLL_ADJUSTED"):
        scene.do(SetRollState(instrument="SP500", state="ROLL_ADJUSTED", front=SP))


def test_the_switch_of_prices_needs_facts_that_a_person_cannot_give(scene: Scene) -> None:
    with pytest.raises(DeedRefused, match="what the broker holds in front is not known; the new adjusted series is not "
                                          "checked"):
        scene.do(SetRollState(instrument="SP500", state="ROLL_ADJUSTED", front=SP))


def test_lowering_after_flattening_names_the_orders_that_go_on(scene: Scene) -> None:
    scene.holds(5)
    flatten(scene)
    order, = scene.orders.open_instrument_orders()
    assert scene.do(LowerKill(level="halt")).warnings == (
        f"{order.id} still close positions. Keep these: tradectl trade cancel ORDER",)


def test_an_opening_is_refused_once_a_contract_has_been_traded(scene: Scene) -> None:
    scene.external(3)
    with pytest.raises(DeedRefused, match=f"^{SP} has been traded in our books, so it is no opening"):
        scene.holds(5)


def test_what_is_used_of_a_trade_limit_is_what_was_filled_within_its_days(scene: Scene) -> None:
    scene.external(-3)
    for days in (1, 30):
        scene.do(SetLimit(kind="trade", instrument="SP500", lots=4, days=days))
    scene.do(SetLimit(kind="trade", instrument="SP500", lots=4, days=30, strategy="s"))
    used = {(row["strategy"], row["days"]): row["used"] for row in limits_in_use(scene.store, NOW + timedelta(days=2))}
    assert used == {(None, 1): 0, (None, 30): 3, ("s", 30): 0}
