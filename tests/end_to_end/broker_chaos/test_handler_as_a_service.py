"""The stack handler as it is shipped: nobody starts it, and whatever is decided is traded within seconds."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from trading_scene import HANDLER, Traded, TradingScene, playing, until

from trading.unix_socket import DaemonRefused, DaemonUnreachable

SOON_AGAIN = {"cron": None, "every": "PT5S"}  # the shipped one begins every five minutes


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TradingScene]:
    with playing(TradingScene(tmp_path_factory.mktemp("scene"), handler=SOON_AGAIN)) as scene:
        yield scene


def serving(scene: TradingScene) -> str:
    """The run that works as a service, as soon as there is one."""
    return str(until(lambda: at_work(scene), 75, "the handler serves"))


def at_work(scene: TradingScene) -> str:
    with suppress(DaemonRefused, DaemonUnreachable):
        [newest] = scene.ask("GET", f"/processes/{HANDLER}/history?limit=1")
        return str(newest["run"]) if newest["state"] == "RUNNING" and "day-" not in newest["run"] else ""
    return ""


def traded(scene: TradingScene, within_s: float = 15) -> float:
    """Seconds until an order of one lot was filled that nobody but its author knew of."""
    instrument = scene.an_instrument()
    order, began_s = scene.want_at_once(instrument, -1 if scene.net()[instrument] > 0 else 1), time.monotonic()
    until(lambda: Traded(scene, order, {}).filled, within_s, "it is traded")
    return time.monotonic() - began_s


def test_an_order_is_traded_when_it_comes_and_the_next_one_by_the_same_run(scene: TradingScene) -> None:
    run = serving(scene)
    traded(scene)
    traded(scene)
    assert at_work(scene) == run
    assert scene.locks() == {}


def test_an_order_of_a_person_is_judged_and_traded_at_once(scene: TradingScene) -> None:
    serving(scene)
    instrument = scene.an_instrument()
    lots = -1 if scene.net()[instrument] > 0 else 1
    scene.do("trade", instrument=instrument, lots=lots, strategy="example")
    before = scene.net()[instrument]
    until(lambda: scene.net()[instrument] == before + lots, 15, "it is traded")


def test_a_lock_calls_a_person_and_the_same_run_goes_on_with_everything_else(scene: TradingScene) -> None:
    # given somebody who trades in our account
    run = serving(scene)
    con_id = next(iter(scene.books()))
    scene.gateway.fault("manual_trade", contract=con_id, size=1)

    # when the next order has the books compared, then it is found, and a person is called
    traded(scene)
    until(scene.locks, 15, "it is found")
    until(lambda: scene.is_told("Nothing is traded in these instruments until a person has looked"), 45, "it is told")
    assert "LOCKED:instruments" in scene.alerts()

    # and what is not locked is traded, by the same run
    traded(scene)
    assert at_work(scene) == run

    # until he has looked
    scene.gateway.fault("manual_trade", contract=con_id, size=-1)
    traded(scene)
    until(lambda: scene.books() == scene.theirs() and not scene.locks(), 30, "it is undone, which opens the lock")
    until(lambda: "LOCKED:instruments" not in scene.alerts(), 45, "it is over")


def test_a_person_who_asks_for_a_comparison_is_answered_by_the_run_that_is_at_work(scene: TradingScene) -> None:
    run = serving(scene)
    before = scene.ctl("reconcile")
    after = scene.ctl("reconcile", "--run")
    assert after[0]["id"] not in {each["id"] for each in before}
    assert (after[0]["kind"], after[0]["verdict"]) == ("CONTINUOUS", "PASS")
    assert at_work(scene) == run


def test_an_edit_of_the_configuration_is_heeded_by_the_next_run(scene: TradingScene) -> None:
    # given a service that works an order
    run = serving(scene)
    scene.gateway.fault("hold", seconds=600)
    order = scene.want_at_once(scene.an_instrument(), 1)
    until(lambda: scene.has_arrived(order), 15, "it works")

    # when the configuration is edited, then another run begins, and goes on with the order
    settings = scene.config / "tradingd.yaml"
    settings.write_text(settings.read_text().replace("time_out_s: 4", "time_out_s: 5"))
    until(lambda: (scene.ended(run) or {}).get("state") == "FINISHED", 30, "the old one has ended")
    assert serving(scene) != run
    scene.gateway.clear()
    until(lambda: Traded(scene, order, {}).filled, 30, "it is traded")
    assert sum(row["filled"] for row in Traded(scene, order, {}).at_gateway) == 1


def test_one_that_is_paused_trades_nothing_until_it_is_resumed(scene: TradingScene) -> None:
    # given a service that a person pauses
    run = serving(scene)
    scene.call("pause", HANDLER, "--reason", "holiday")
    until(lambda: (scene.ended(run) or {}).get("state") == "STOPPED", 30, "it has stopped")

    # when an order comes, then it waits
    order = scene.want(scene.an_instrument(), 1)
    time.sleep(3)
    assert Traded(scene, order, {}).at_gateway == []

    # until he resumes it
    scene.call("resume", HANDLER)
    until(lambda: Traded(scene, order, {}).filled, 90, "it is traded")


def test_a_link_that_goes_ends_it_without_an_alarm_and_the_next_one_trades(scene: TradingScene) -> None:
    run = serving(scene)
    scene.gateway.fault("unreachable", seconds=8)
    scene.gateway.fault("close")
    until(lambda: scene.ended(run), 60, "it has ended")
    assert scene.ended(run)["state"] == "FINISHED"  # type: ignore[index]
    traded(scene, 120)
    assert not [key for key in scene.alerts() if HANDLER in key]


def test_one_that_is_killed_begins_again_and_doubles_nothing(scene: TradingScene) -> None:
    run = serving(scene)
    stored = scene.store().database.process_runs.find_one({"_id": run})
    assert stored is not None
    os.kill(stored["worker"]["pid"], signal.SIGKILL)
    until(lambda: scene.ended(run), 30, "its end is seen")
    traded(scene, 120)
    assert serving(scene) != run
    assert scene.books() == scene.theirs()


def test_it_stops_at_once_when_the_daemon_does(scene: TradingScene) -> None:
    run = serving(scene)
    began_s = time.monotonic()
    scene.end()
    assert time.monotonic() - began_s < 15
    scene.begin()
    assert scene.ended(run)["state"] == "STOPPED"  # type: ignore[index]
