"""Case 34 of orders_and_risk.md 7.2: the store is put back to what it was before a trade; the broker is not."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from trading_scene import TradingScene, playing, until

from trading.unix_socket import DaemonUnreachable


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[TradingScene]:
    with playing(TradingScene(tmp_path)) as scene:
        yield scene


def stands_by(scene: TradingScene) -> bool:
    with suppress(DaemonUnreachable):
        return bool(scene.status()["service"] == "standby")
    return False


def test_o34_a_store_from_before_a_trade_trades_nothing_in_that_instrument(fresh: TradingScene, tmp_path: Path) -> None:
    # given a store that was put aside, and a trade after it
    store, aside, instrument = fresh.state / "store", tmp_path / "aside", fresh.an_instrument()
    fresh.end()
    shutil.copytree(store, aside)
    fresh.begin()
    assert fresh.trade(instrument, 2).executed == 2
    fresh.end()

    # when it is put back, then the service does not lead until a person has said so
    shutil.rmtree(store)
    shutil.copytree(aside, store)
    fresh.launch()
    until(lambda: stands_by(fresh), 60, "it refuses to lead")
    assert "tradectl leader --reset" in fresh.ask("GET", "/leader")["problem"]
    fresh.ask("POST", "/leader/reset")
    until(lambda: fresh.status()["service"] == "running" and fresh.link == "ready", 60, "it leads")

    # and then the instrument of that trade alone is locked, and nothing is sent in it
    order, other = fresh.want(instrument, 1), fresh.want(fresh.an_instrument(), 4)
    ended = fresh.handled(fresh.start_handler())
    assert ended["state"] == "ERROR"
    assert set(fresh.locks()) == {instrument}
    assert (fresh.has_arrived(order), fresh.has_arrived(other)) == (False, True)
    until(lambda: fresh.is_told("Positions differ"), 20, "an alert is open")
