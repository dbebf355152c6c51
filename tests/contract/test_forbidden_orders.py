"""RC-02 for what works already: an override that lets positions only shrink takes back the orders that grow them."""

from pathlib import Path

import pytest
from trading_desk_scene import Scene

from trading.clock import SystemClock
from trading.data.data_blob import DataBlob
from trading.data.mongo.connection import MongoStore
from trading.data.risk.forbidden_orders import ForbiddenOrders
from trading.data.trading_desk.overrides import ClearOverride, SetOverride
from trading.execution.order_states import CloseReason, Lifecycle


@pytest.fixture
def scene(store: MongoStore) -> Scene:
    return Scene(store)


def look(scene: Scene) -> None:
    data = DataBlob(store=scene.store, clock=SystemClock(), socket=Path("none.sock"))
    ForbiddenOrders(data).take_back()


def state(scene: Scene, number: int = 1) -> tuple[Lifecycle, CloseReason | None]:
    order = scene.orders.instrument_order(f"IO-{number}")
    return order.lifecycle, order.close_reason


@pytest.mark.parametrize("override", ["reduce-only", "close", "no-trade"])
def test_an_order_at_the_broker_that_adds_risk_is_asked_back(scene: Scene, override: str) -> None:
    scene.at_the_broker()
    scene.do(SetOverride(override=override, instrument="SP500"))
    look(scene)
    root, [leg] = scene.orders.instrument_order("IO-1"), scene.orders.contract_orders_of("IO-1")
    assert [(each.lifecycle, each.close_reason) for each in (root, leg)] == [
        (Lifecycle.CLOSING, CloseReason.CANCELLED)] * 2
    assert root.reason.startswith(f"an override is at {override}: ")

    # when it is looked at again, then nothing is written any more
    look(scene)
    assert scene.orders.instrument_order("IO-1") == root


def test_an_order_without_a_child_closes_at_once(scene: Scene) -> None:
    scene.an_order()
    scene.do(SetOverride(override="reduce-only", strategy="s"))
    look(scene)
    assert state(scene) == (Lifecycle.CLOSED, CloseReason.CANCELLED)


@pytest.mark.parametrize("override", ["no-open", "0.5"])
def test_milder_ones_let_what_works_finish(scene: Scene, override: str) -> None:
    scene.at_the_broker()
    before = state(scene)
    scene.do(SetOverride(override=override, instrument="SP500"))
    look(scene)
    assert state(scene) == before


def test_what_only_reduces_and_what_is_not_covered_goes_on(scene: Scene) -> None:
    # given an order that closes what is held, one of another strategy and one in another instrument
    scene.holds(5)
    scene.at_the_broker(1, quantity=-5)
    scene.an_order(2, strategy="t", quantity=2)
    scene.an_order(3, instrument="GOLD", quantity=2)
    before = [state(scene, number) for number in (1, 2, 3)]
    scene.do(SetOverride(override="reduce-only", strategy="s", instrument="SP500"))
    look(scene)
    assert [state(scene, number) for number in (1, 2, 3)] == before


def test_an_order_that_would_turn_the_position_is_taken_back(scene: Scene) -> None:
    scene.holds(3)
    scene.an_order(quantity=-5)
    scene.do(SetOverride(override="reduce-only", instrument="SP500"))
    look(scene)
    assert state(scene) == (Lifecycle.CLOSED, CloseReason.CANCELLED)


def test_a_cleared_override_takes_back_nothing(scene: Scene) -> None:
    scene.an_order()
    scene.do(SetOverride(override="reduce-only", instrument="SP500"))
    scene.do(ClearOverride(instrument="SP500"))
    before = state(scene)
    look(scene)
    assert state(scene) == before


def test_the_preview_names_what_will_be_taken_back(scene: Scene) -> None:
    scene.an_order()
    scene.an_order(2, strategy="t", quantity=2)
    shown = scene.look(SetOverride(override="reduce-only", instrument="SP500", strategy="s"))
    assert shown.warnings == ("IO-1 STRATEGY +5 SP500 adds risk and is taken back.",)
    assert scene.look(SetOverride(override="no-open", instrument="SP500")).warnings == ()
