"""Case 34 of orders_and_risk.md 7.2: the store is put back to what it was before a trade; the broker is not."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from trading_scene import Traded, TradingScene, pattern, playing, until

from trading.unix_socket import DaemonUnreachable


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[TradingScene]:
    with playing(TradingScene(tmp_path)) as scene:
        yield scene


def stands_by(scene: TradingScene) -> bool:
    with suppress(DaemonUnreachable):
        return bool(scene.status()["service"] == "standby")
    return False


def put_back(scene: TradingScene, store: Path, aside: Path) -> None:
    """The store of before, and a person who lets the service lead with it."""
    shutil.rmtree(store)
    shutil.copytree(aside, store)
    scene.launch()
    until(lambda: stands_by(scene), 60, "it refuses to lead")
    assert "tradectl leader --reset" in scene.ask("GET", "/leader")["problem"]
    scene.ask("POST", "/leader/reset")
    until(lambda: scene.status()["service"] == "running" and scene.link == "ready", 60, "it leads")


def test_o34_orders_that_a_restored_store_has_lost_are_made_anew_and_taken_back(
        fresh: TradingScene, tmp_path: Path) -> None:
    # given a store that was put aside, and two orders that came after it: one was filled, one rests
    store, aside = fresh.state / "store", tmp_path / "aside"
    filled_in, rests_in = fresh.an_instrument(), fresh.an_instrument()
    fresh.end()
    shutil.copytree(store, aside)
    fresh.begin()
    filled = fresh.trade(filled_in, 2)
    assert filled.executed == 2
    resting, _ = fresh.rest(rests_in, 3)
    fresh.kill()

    # when the store is put back, and the cancel of the one that rests crosses with a fill of a part of it
    put_back(fresh, store, aside)
    fresh.gateway.fault("fill_on_cancel", order=pattern(resting), size=1)
    ended = fresh.handled(fresh.start_handler())

    # then both orders are known again with what they have traded, nothing of them works, and a person is called
    assert ended["state"] == "ERROR"
    assert [order_of(fresh, each) for each in (filled.order, resting)] == [
        ("_EXTERNAL", "CLOSED", 2, ["FILLED"]), ("_EXTERNAL", "CLOSED", 1, ["CANCELLED"])]
    assert not [row for row in Traded(fresh, resting, {}).at_gateway if row["status"] != "Cancelled"]
    assert "rebuilt" in fresh.call("story", resting)
    assert set(fresh.locks()) == {filled_in, rests_in}
    assert fresh.books() == fresh.theirs()

    # and when he gives it to its strategy and opens the locks, then it is traded on
    for instrument in (filled_in, rests_in):
        fresh.do("assign", instrument=instrument, strategy="example", lots=None)
    fresh.unlock()
    assert fresh.trade(filled_in, 1).filled == 1
    assert not fresh.locks()


def order_of(scene: TradingScene, order: str) -> tuple[str, str, int, list[str]]:
    """Whose it is, its life, its lots, and the lives of its broker orders."""
    row = scene.store().database.instrument_orders.find_one({"_id": order})
    assert row is not None
    return (row["strategy"], row["lifecycle"], row["filled"],
            [each["lifecycle"] for each in Traded(scene, order, {}).broker_orders])


def test_o34_a_store_from_before_a_trade_trades_nothing_in_that_instrument(fresh: TradingScene, tmp_path: Path) -> None:
    # given a store that was put aside, and a trade after it
    store, aside, instrument = fresh.state / "store", tmp_path / "aside", fresh.an_instrument()
    fresh.end()
    shutil.copytree(store, aside)
    fresh.begin()
    assert fresh.trade(instrument, 2).executed == 2
    fresh.end()

    # when it is put back, then the service does not lead until a person has said so
    put_back(fresh, store, aside)

    # and then the instrument of that trade alone is locked, and nothing is sent in it
    order, other = fresh.want(instrument, 1), fresh.want(fresh.an_instrument(), 4)
    ended = fresh.handled(fresh.start_handler())
    assert ended["state"] == "ERROR"
    assert set(fresh.locks()) == {instrument}
    assert (fresh.has_arrived(order), fresh.has_arrived(other)) == (False, True)
    until(lambda: fresh.is_told("Positions differ"), 20, "an alert is open")
