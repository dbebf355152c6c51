"""Cases of orders_and_risk.md 7.2 that no other file here shows, with the service as a process.

The one with frozen quotes is the last: they stay old until the market moves, and hold up whatever is looked at with it.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from trading_scene import Traded, TradingScene, pattern, until

from trading.data.mongo.controls import MongoKillState, MongoLimits
from trading.risk.kill_level import KillLevel
from trading.risk.limits import Limit, LimitKind
from trading.unix_socket import DaemonRefused


@pytest.fixture(autouse=True)
def _as_it_was(scene: TradingScene) -> Iterator[None]:
    """No case leaves locks, limits or strange positions to the next one."""
    scene.lift_limits()
    yield
    scene.lift_limits()
    scene.make_whole()
    assert scene.books() == scene.theirs()


def orders(scene: TradingScene) -> list[dict[str, Any]]:
    return list(scene.gateway.state_of()["orders"])


def a_holding(scene: TradingScene) -> tuple[str, int, int]:
    """An instrument, the broker's number of its contract, and the lots of it that we hold: several."""
    rows = [row for row in scene.store().database.contract_positions.find({}) if abs(row["quantity"]) > 1]
    row = rows[len(orders(scene)) % len(rows)]
    return row["_id"].rpartition("/")[0], row["con_id"], row["quantity"]


def resting_close(scene: TradingScene) -> tuple[int, int, str, str]:
    """A close of all that we hold that rests at the broker; contract, lots held, order, run."""
    instrument, con_id, held = a_holding(scene)
    scene.gateway.fault("hold", seconds=600)
    order = scene.want_at_once(instrument, -held)
    run = scene.start_handler()
    until(lambda: scene.has_arrived(order), 10, "the close has arrived")
    return con_id, held, order, run


def test_o11_a_limit_below_the_position_forces_no_trade_and_lets_it_only_shrink(scene: TradingScene) -> None:
    instrument, con_id, held = a_holding(scene)
    known, side = len(orders(scene)), 1 if held > 0 else -1
    MongoLimits(scene.store()).put(Limit(kind=LimitKind.POSITION, instrument=instrument, lots=0))

    scene.settle()
    more = scene.trade(instrument, side)
    assert (len(orders(scene)), scene.theirs()[con_id]) == (known, held)
    assert more.broker_orders == []

    less = scene.trade(instrument, -side)
    assert (less.executed, less.filled) == (-side, -side)


@pytest.mark.parametrize(("deed", "words", "level"), [
    ("liquidate", "the broker liquidated", KillLevel.K2_NO_NEW_RISK),
    ("manual_trade", "somebody else traded", KillLevel.K0_NORMAL)], ids=["the broker", "a person by hand"])
def test_o16_o24_somebody_closes_what_our_resting_close_would_close(
        scene: TradingScene, deed: str, words: str, level: KillLevel) -> None:
    # given a close that rests
    con_id, held, order, run = resting_close(scene)

    # when the broker, or a person by hand, closes the position first
    scene.gateway.fault(deed, contract=con_id, **({"size": -held} if deed == "manual_trade" else {}))
    scene.ask("POST", "/broker/refresh")
    until(lambda: all(row["status"] == "Cancelled" for row in Traded(scene, order, {}).at_gateway), 20,
          "our close is taken back")
    scene.fill()

    # then nothing opposite is held, it is booked as nobody's, the instrument is locked, and a person is called
    assert scene.handled(run)["state"] == "ERROR"
    traded = Traded(scene, order, {})
    assert (traded.executed, traded.filled, len(traded.at_gateway)) == (0, 0, 1)
    assert scene.theirs().get(con_id, 0) == 0
    assert scene.external() == {con_id: -held}
    assert any(words in reason for reason in scene.locks().values())
    until(lambda: scene.is_told(words), 20, "an alert is open")
    assert scene.books() == scene.theirs()

    # and what the broker did on its own is no day for new risk, until a person says so
    assert MongoKillState(scene.store()).load().level is level
    scene.do("resume-trading")


def test_o17_a_halt_while_the_socket_is_half_open_is_kept_and_done_when_it_lives_again(scene: TradingScene) -> None:
    # given an order that rests, behind a socket that is dead
    scene.gateway.fault("hold", seconds=600)
    order = scene.want_at_once(scene.an_instrument(), 1)
    scene.start_handler()
    until(lambda: scene.has_arrived(order), 10, "the order has arrived")
    scene.gateway.fault("half_open")

    # when trading is halted
    scene.ask("POST", "/trading/halt", id=order, actor="chaos", reason="chaos", level="halt")
    resting = Traded(scene, order, {}).at_gateway
    assert [row["status"] for row in resting] != ["Cancelled"]
    until(lambda: any(key.startswith("HALTED") for key in scene.alerts()), 20, "an alert is open until it is done")

    # then the order is cancelled on the next connection, and nothing is sent
    try:
        until(lambda: all(row["status"] == "Cancelled" for row in Traded(scene, order, {}).at_gateway), 40, "dead")
        known = len(orders(scene))
        scene.want(scene.an_instrument(), 1)
        scene.fill()
        until(scene.is_idle, 60, "the handler has ended")
        scene.settle()
        assert len(orders(scene)) == known
    finally:
        scene.ask("POST", "/trading/resume-trading", id=f"{order} over", actor="chaos", reason="chaos")
    assert Traded(scene, order, {}).executed == 0


def test_o48_a_data_farm_that_is_away_stops_nothing_that_has_quotes(scene: TradingScene) -> None:
    scene.gateway.fault("farm_lost", seconds=6)
    traded = scene.trade(scene.an_instrument(), 1)
    assert (scene.link, traded.executed, traded.filled, len(traded.at_gateway)) == ("ready", 1, 1, 1)


def test_o37_a_broker_that_lists_no_position_at_all_is_not_believed(scene: TradingScene) -> None:
    # given a gateway that answers everything with nothing, for longer than a difference takes to be one
    held = scene.theirs()
    assert held
    scene.gateway.fault("empty", seconds=600)
    for _ in range(2):
        scene.handled(scene.start_handler())
        time.sleep(1.5)

    # then nothing is concluded from it
    newest = scene.ctl("reconcile")[0]
    assert (newest["verdict"], [each["id"] for each in newest["breaks"]]) == (None, ["B19"])
    assert scene.locks() == {}
    assert scene.books() == held

    # and when it knows its positions again, all is well
    scene.gateway.clear()
    traded = scene.trade(scene.an_instrument(), 1)
    assert (traded.executed, traded.filled) == (1, 1)
    assert scene.ctl("reconcile")[0]["verdict"] == "PASS"


@pytest.mark.parametrize("how", [{"kind": "correct", "size": 3}, {"kind": "overfill", "size": 1}],
                         ids=["a correction upwards", "a second execution"])
def test_o43_more_fills_than_were_ordered_are_booked_locked_and_not_reversed(scene: TradingScene,
                                                                             how: dict[str, Any]) -> None:
    """The exchange says that it executed a lot more than we asked for."""
    traded = scene.trade(scene.an_instrument(), 2)
    assert traded.filled == 2
    [sent] = traded.broker_orders
    known = len(orders(scene))
    scene.gateway.fault(order=sent["_id"], **how)
    scene.settle()
    assert (traded.filled, len(traded.at_gateway)) == (3, 1)
    assert scene.books() == scene.theirs()
    assert sent["instrument"] in scene.locks()
    assert len(orders(scene)) == known


def test_o06_a_cancel_that_crosses_a_part_of_the_fill_is_followed_by_the_rest_alone(scene: TradingScene) -> None:
    # given an order of six lots that rests
    order, run = scene.rest(scene.an_instrument(), 6)

    # when two lots fill as it is cancelled
    scene.gateway.fault("fill_on_cancel", order=pattern(order), size=2)
    until(lambda: Traded(scene, order, {}).at_gateway[0]["status"] == "Cancelled", 30, "it is cancelled")
    scene.fill()

    # then four follow
    scene.handled(run)
    scene.settle()
    traded = Traded(scene, order, {})
    assert [(row["quantity"], row["filled"]) for row in traded.at_gateway if row["filled"]] == [(6, 2), (4, 4)]
    assert (traded.executed, traded.filled) == (6, 6)
    assert (scene.books(), scene.locks()) == (scene.theirs(), {})


@pytest.mark.parametrize("size", [4, 7], ids=["smaller", "larger"])
def test_o36_an_order_that_somebody_edits_is_counted_with_its_new_terms(scene: TradingScene, size: int) -> None:
    # given an order of six lots that rests
    order, run = scene.rest(scene.an_instrument(), 6)
    until(lambda: Traded(scene, order, {}).broker_orders[0]["perm_id"], 10, "the order has a permanent id")

    # when somebody changes its size by hand, and it fills
    scene.gateway.fault("manual_edit", order=pattern(order), size=size)
    scene.ask("POST", "/broker/refresh")
    time.sleep(0.5)
    scene.fill()
    scene.handled(run)
    scene.settle()

    # then what is missing is sent, and of what is too much nothing: that locks
    traded = Traded(scene, order, {})
    assert [row["filled"] for row in traded.at_gateway] == ([4, 2] if size == 4 else [7])
    assert traded.executed == traded.filled == max(size, 6)
    assert scene.books() == scene.theirs()
    assert bool(scene.locks()) is (size > 6)


def test_o44_details_that_never_come_hold_nobody_up(scene: TradingScene) -> None:
    scene.gateway.fault("ignore", request="reqContractDetails", times=0)
    begun_s = time.monotonic()
    with pytest.raises(DaemonRefused):
        scene.ask("GET", f"/broker/contracts/{scene.an_instrument()}")
    assert time.monotonic() - begun_s < 10
    traded = scene.trade(scene.an_instrument(), 4)
    assert (traded.executed, traded.filled, len(traded.at_gateway)) == (4, 4, 1)


def test_o50_a_connection_that_ends_for_too_many_messages_costs_no_order(scene: TradingScene) -> None:
    orders = [scene.want(name, scene.some_lots(name)) for name in scene.instruments()[:8]]
    scene.gateway.settings(**{"limits.messages_a_second": 2})
    try:
        run = scene.start_handler()
        until(lambda: scene.link != "ready", 30, "the gateway has hung up")
    finally:
        scene.gateway.settings(**{"limits.messages_a_second": 50})
    scene.handled(run, 120)
    until(lambda: scene.settle(120) and all(Traded(scene, order, {}).filled for order in orders), 120, "all are traded")
    for traded in (Traded(scene, order, {}) for order in orders):
        assert traded.executed == traded.filled == traded.wanted
        assert len({row["order_ref"] for row in traded.at_gateway}) == len(traded.at_gateway)
    assert (scene.books(), scene.locks()) == (scene.theirs(), {})
    assert "broker_slowed messages_per_s=17.5" in (scene.folder / "service.out").read_text()


def test_o59_a_status_that_nobody_knows_changes_nothing_and_the_order_is_asked_for(scene: TradingScene) -> None:
    # given an order of which only unknown words are heard
    scene.gateway.fault("reword", text="Dreaming", times=0)
    scene.gateway.fault("drop", message="openOrder", times=0)
    asked = scene.asked("reqAllOpenOrders") + scene.asked("reqOpenOrders")
    order, run = scene.rest(scene.an_instrument())

    # then it is asked for, and not sent again
    until(lambda: scene.asked("reqAllOpenOrders") + scene.asked("reqOpenOrders") > asked, 20, "it is asked for")
    traded = Traded(scene, order, {})
    assert len(traded.at_gateway) == 1
    assert traded.broker_orders[0]["lifecycle"] in ("SENT", "UNKNOWN")

    # when it fills, then it is filled, by its executions alone
    scene.fill()
    scene.handled(run)
    scene.settle()
    assert (traded.executed, traded.filled, len(traded.at_gateway)) == (1, 1, 1)


def test_o13_nothing_is_sent_on_quotes_that_stand_still_though_the_connection_lives(scene: TradingScene) -> None:
    instrument = scene.an_instrument()
    scene.gateway.fault("quotes", style="frozen", seconds=60)
    time.sleep(12)  # older than a quote may be
    traded = scene.trade(instrument, 1)
    assert (scene.link, traded.broker_orders, traded.at_gateway) == ("ready", [], [])
