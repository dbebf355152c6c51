"""The simulated gateway as a process, driven by the real ib_async client over a real socket.

Each test starts its own server on a free port, on a recorded day whose clock stands in a file; `kill -9` is real.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta

import ib_async
import pytest
from recorded_gateway import NOON, PATIENCE_S, ROOT, UNIT_TESTS, GatewayProcess


def play(story: Callable[[], Awaitable[None]]) -> None:
    async def in_time() -> None:
        await asyncio.wait_for(story(), 20)
    asyncio.run(in_time())


async def connected(gateway: GatewayProcess, client_id: int = 8) -> "ib_async.IB":
    ib = ib_async.IB()
    ib.RaiseRequestErrors = True
    await ib.connectAsync("127.0.0.1", gateway.port, clientId=client_id, timeout=PATIENCE_S)
    return ib


async def qualified(ib: "ib_async.IB", month: str = "202112") -> "ib_async.Contract":
    future, = await ib.qualifyContractsAsync(ib_async.Future("ES", month, "CME", currency="USD"))
    return future


async def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


def a_limit(action: str, size: float, price: float, ref: str = "") -> "ib_async.LimitOrder":
    return ib_async.LimitOrder(action, size, price, tif="GTC", orderRef=ref)


def test_a_client_is_connected_and_synchronised_within_a_second(gateway: GatewayProcess) -> None:
    async def story() -> None:
        started = time.monotonic()
        ib = await connected(gateway)
        assert time.monotonic() - started < 1.0
        assert (ib.client.serverVersion(), ib.managedAccounts()) == (178, ["DU0000001"])
        net, = [value for value in ib.accountValues() if (value.tag, value.currency) == ("NetLiquidation", "USD")]
        assert net.value == "5000000.00"
        assert (await ib.reqCurrentTimeAsync()) == NOON
        ib.disconnect()
    play(story)


def test_contract_details_come_in_every_month_that_is_listed(gateway: GatewayProcess) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        rows = await ib.reqContractDetailsAsync(ib_async.Future("ES", exchange="CME", currency="USD"))
        assert [(row.contract.localSymbol, row.contractMonth) for row in rows] == [("ESZ1", "202112"),
                                                                                   ("ESH2", "202203")]
        assert (rows[0].minTick, rows[0].contract.multiplier, rows[0].timeZoneId) == (0.01, "50", "Europe/London")
        assert rows[0].tradingHours.startswith("20211013:0000-20211013:2359;")
        assert "20211016:CLOSED" in rows[0].liquidHours
        corn = ib_async.Future("ZC", "202112", "CBOT", currency="USD")
        assert (await ib.reqContractDetailsAsync(corn))[0].priceMagnifier == 100
        ib.disconnect()
    play(story)


def test_an_unknown_contract_raises_error_200(gateway: GatewayProcess) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        with pytest.raises(ib_async.wrapper.RequestError) as caught:
            await ib.reqContractDetailsAsync(ib_async.Future("NOSUCH", exchange="CME"))
        assert caught.value.code == 200
        ib.disconnect()
    play(story)


def test_daily_and_hourly_bars_end_with_the_last_print(gateway: GatewayProcess) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        future = await qualified(ib)
        daily = await ib.reqHistoricalDataAsync(future, "", "5 D", "1 day", "TRADES", False)
        hourly = await ib.reqHistoricalDataAsync(future, "", "1 D", "1 hour", "TRADES", False, formatDate=2)
        assert [bar.date for bar in daily] == [date(2021, 10, day) for day in (7, 8, 11, 12, 13)]
        assert (daily[-1].open, daily[-1].close, daily[-1].volume) == (4330.0, 4350.0, 5.0)
        assert (hourly[-1].date, hourly[-1].close) == (NOON, 4350.0)
        assert await ib.reqHeadTimeStampAsync(future, "TRADES", False, 2) == datetime(2021, 9, 1, 8, tzinfo=UTC)
        ib.disconnect()
    play(story)


def test_currency_bars_are_quoted_as_the_broker_lists_the_pair(gateway: GatewayProcess) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        euro, yen = await ib.qualifyContractsAsync(ib_async.Forex("EURUSD"), ib_async.Forex("USDJPY"))
        rates = [await ib.reqHistoricalDataAsync(pair, "", "3 D", "1 day", "MIDPOINT", False) for pair in (euro, yen)]
        assert [round(bars[-1].close, 2) for bars in rates] == [1.16, 113.64]
        with pytest.raises(ib_async.wrapper.RequestError) as caught:
            await ib.reqHistoricalDataAsync(euro, "", "3 D", "1 day", "TRADES", False)
        assert caught.value.code == 162
        ib.disconnect()
    play(story)


def test_a_snapshot_and_a_stream_show_the_recorded_touch(gateway: GatewayProcess) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        future = await qualified(ib)
        snapshot, = await ib.reqTickersAsync(future)
        assert (snapshot.bid, snapshot.ask, snapshot.last, snapshot.close) == (4349.87, 4350.13, 4350.0, 4329.0)
        line = ib.reqMktData(future)
        await until(lambda: line.ask == 4350.13)
        gateway.set_clock(NOON + timedelta(minutes=11))
        await until(lambda: line.ask == 4340.13)
        ib.cancelMktData(future)
        ib.disconnect()
    play(story)


def test_a_market_order_becomes_a_fill_a_position_and_a_commission(gateway: GatewayProcess) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        future = await qualified(ib)
        trade = ib.placeOrder(future, ib_async.MarketOrder("BUY", 2, tif="DAY", orderRef="ours-1"))
        await until(lambda: bool(trade.fills) and trade.fills[0].commissionReport.commission > 0)
        fill = trade.fills[0]
        assert (trade.orderStatus.status, fill.execution.price) == ("Filled", 4350.13)
        assert fill.execution.orderRef == "ours-1"
        assert (fill.commissionReport.commission, fill.execution.time) == (4.0, NOON)
        await until(lambda: bool(ib.positions()))
        assert [(held.position, held.avgCost) for held in ib.positions()] == [(2.0, 217508.5)]
        summary = {row.tag: row.value for row in await ib.accountSummaryAsync() if row.currency == "USD"}
        assert summary["NetLiquidation"] == "4999983.00"
        assert [row.unrealizedPNL for row in ib.portfolio()] == [-17.0]
        ib.disconnect()
    play(story)


def test_a_resting_limit_is_changed_then_cancelled(gateway: GatewayProcess) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        future = await qualified(ib)
        order = a_limit("BUY", 1, 4300.0)
        trade = ib.placeOrder(future, order)
        await until(lambda: trade.orderStatus.status == "Submitted")
        echoes: list[object] = []
        ib.openOrderEvent += echoes.append
        perm_id, order.lmtPrice = trade.orderStatus.permId, 4301.25
        ib.placeOrder(future, order)
        await until(lambda: bool(echoes))  # an echo that comes during reqAllOpenOrders would be listed twice
        shown, = await ib.reqAllOpenOrdersAsync()
        assert (shown.order.lmtPrice, shown.order.permId) == (4301.25, perm_id)
        ib.cancelOrder(order)
        await until(lambda: trade.orderStatus.status == "Cancelled")
        assert await ib.reqAllOpenOrdersAsync() == []
        ib.disconnect()
    play(story)


def test_an_adaptive_order_is_shown_to_another_client_with_its_parameters(gateway: GatewayProcess) -> None:
    async def story() -> None:
        mine, other = await connected(gateway), await connected(gateway, 9)
        order = ib_async.LimitOrder("BUY", 2, 4300.0, tif="DAY", algoStrategy="Adaptive",
                                    algoParams=[ib_async.TagValue("adaptivePriority", "Patient")])
        trade = mine.placeOrder(await qualified(mine), order)
        await until(lambda: trade.orderStatus.status == "Submitted")
        shown, = await other.reqAllOpenOrdersAsync()
        assert (shown.order.algoStrategy, shown.order.orderType, shown.order.tif) == ("Adaptive", "LMT", "DAY")
        assert [tuple(each) for each in shown.order.algoParams] == [("adaptivePriority", "Patient")]
        mine.disconnect()
        other.disconnect()
    play(story)


def test_a_resting_limit_fills_when_the_record_reaches_it(gateway: GatewayProcess) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        trade = ib.placeOrder(await qualified(ib), a_limit("SELL", 1, 4355.0))
        await until(lambda: trade.orderStatus.status == "Submitted")
        gateway.set_clock(NOON + timedelta(minutes=21))
        await until(lambda: trade.orderStatus.status == "Filled")
        assert trade.fills[0].execution.price == 4359.87
        ib.disconnect()
    play(story)


def test_an_order_off_the_tick_is_refused(gateway: GatewayProcess) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        codes: list[int] = []
        ib.errorEvent += lambda _id, code, _text, _contract: codes.append(code)
        ib.placeOrder(await qualified(ib), a_limit("BUY", 1, 4300.005))
        await until(lambda: 110 in codes)
        assert await ib.reqAllOpenOrdersAsync() == []
        ib.disconnect()
    play(story)


def test_a_second_client_with_the_same_id_gets_326_and_the_first_goes_on(gateway: GatewayProcess) -> None:
    async def story() -> None:
        first, second, codes = await connected(gateway), ib_async.IB(), []
        second.errorEvent += lambda _id, code, _text, _contract: codes.append(code)
        with pytest.raises((TimeoutError, ConnectionError)):
            await second.connectAsync("127.0.0.1", gateway.port, clientId=8, timeout=0.5)
        assert 326 in codes
        assert await first.reqCurrentTimeAsync() == NOON
        first.disconnect()
    play(story)


def test_fills_and_completed_orders_are_there_for_a_new_connection(gateway: GatewayProcess) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        trade = ib.placeOrder(await qualified(ib), ib_async.MarketOrder("BUY", 3, tif="DAY", orderRef="ours-2"))
        await until(lambda: trade.isDone() and bool(trade.fills))
        exec_id = trade.fills[0].execution.execId
        ib.disconnect()
        await asyncio.sleep(0.1)
        again = await connected(gateway)
        assert [fill.execution.execId for fill in await again.reqExecutionsAsync()] == [exec_id]
        done, = await again.reqCompletedOrdersAsync(False)
        assert (done.order.orderRef, done.order.filledQuantity, done.orderStatus.status) == ("ours-2", 3.0, "Filled")
        again.disconnect()
    play(story)


def test_kill_minus_nine_loses_nothing(gateway: GatewayProcess) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        future = await qualified(ib)
        trade = ib.placeOrder(future, ib_async.MarketOrder("BUY", 2, tif="DAY", orderRef="filled"))
        resting = ib.placeOrder(future, a_limit("BUY", 1, 4300.0, "resting"))
        await until(lambda: bool(trade.fills) and resting.orderStatus.status == "Submitted")
        exec_id, perm_id, used = trade.fills[0].execution.execId, resting.orderStatus.permId, resting.order.orderId
        gateway.kill()
        gateway.start()
        again = await connected(gateway)
        assert [(t.order.orderRef, t.order.permId) for t in again.openTrades()] == [("resting", perm_id)]
        assert [fill.execution.execId for fill in again.fills()] == [exec_id]
        assert [held.position for held in again.positions()] == [2.0]
        assert again.client.getReqId() > used
        again.disconnect()
    play(story)


def test_an_order_that_was_acknowledged_the_moment_before_a_kill_exists_afterwards(gateway: GatewayProcess) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        trade = ib.placeOrder(await qualified(ib), a_limit("BUY", 1, 4300.0, "just in time"))
        await until(lambda: trade.orderStatus.permId > 0)
        gateway.kill()
        gateway.start()
        again = await connected(gateway)
        assert [t.order.orderRef for t in again.openTrades()] == ["just in time"]
        again.disconnect()
    play(story)


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n\r\n", b"API\0\x00\x00\x00\x05hello", b"API\0\xff\xff\xff\xff",
                                   b"API\0\x00\x00\x00\x09v100..156",
                                   b"API\0\x00\x00\x00\x09v157..178\xff\xff\xff\xff"])
def test_garbage_ends_its_own_connection_only(gateway: GatewayProcess, noise: bytes) -> None:
    async def story() -> None:
        ib = await connected(gateway)
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=PATIENCE_S) as intruder:
            intruder.sendall(noise)
            await asyncio.to_thread(_read_to_end, intruder)
        assert await ib.reqCurrentTimeAsync() == NOON
        ib.disconnect()
    play(story)


def test_a_second_gateway_on_the_same_folder_refuses_to_start(gateway: GatewayProcess) -> None:
    second = subprocess.run([sys.executable, str(UNIT_TESTS / "simulated_record.py"), str(gateway.folder)], cwd=ROOT,
                            check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
                            timeout=15)
    assert second.returncode == 1
    assert "Another simulated gateway is running" in second.stderr


def _read_to_end(connection: socket.socket) -> None:
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        return
