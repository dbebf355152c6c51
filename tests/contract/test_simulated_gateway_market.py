"""Everything about markets and accounts, asked by the real ib_async client over a real socket.

No message may trouble it: an error in its log fails the test, but for those that a test asks for.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ib_async
import pytest
from recorded_gateway import NOON, GatewayProcess
from test_simulated_gateway import connected, play, qualified, until

ACCOUNT = "DU0000001"
EXPECTED = ("query cancelled", "Peer closed")  # the answer to a cancel, and the end of a process


@pytest.fixture
def delayed(tmp_path: Path) -> Iterator[GatewayProcess]:
    (tmp_path / "subscription").write_text("DELAYED")
    process = GatewayProcess(tmp_path)
    yield process
    process.kill()


@pytest.fixture(autouse=True)
def quiet_client(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The client must have nothing to complain of."""
    caplog.set_level(logging.ERROR)
    yield
    complaints = [record.getMessage() for record in caplog.get_records("call") if record.name.startswith("ib_async")]
    assert [each for each in complaints if not any(known in each for known in EXPECTED)] == []


def tell(gateway: GatewayProcess, story: Callable[["ib_async.IB", "ib_async.Contract"], Awaitable[None]]) -> None:
    """`story` with a connected client and the near future."""
    async def whole() -> None:
        ib = await connected(gateway)
        await story(ib, await qualified(ib))
        ib.disconnect()
    play(whole)


def test_a_line_with_generic_ticks_shows_the_day(gateway: GatewayProcess) -> None:
    async def story(ib: "ib_async.IB", future: "ib_async.Contract") -> None:
        line = ib.reqMktData(future, "233,588,221")
        await until(lambda: line.futuresOpenInterest > 0)
        assert (line.marketDataType, line.bid, line.ask, line.last) == (1, 4349.87, 4350.13, 4350.0)
        assert (line.open, line.high, line.low, line.close, line.volume) == (4330.0, 4350.0, 4330.0, 4329.0, 5.0)
        assert (line.markPrice, line.vwap, line.minTick) == (4350.0, 4335.2, 0.01)
        gateway.set_clock(NOON + timedelta(minutes=20))
        await until(lambda: line.high == 4360.0)
        ib.cancelMktData(future)
    tell(gateway, story)


def test_delayed_data_fill_the_same_fields(delayed: GatewayProcess) -> None:
    async def story(ib: "ib_async.IB", future: "ib_async.Contract") -> None:
        ib.reqMarketDataType(3)
        line = ib.reqMktData(future)
        await until(lambda: line.close == 4329.0)
        assert (line.marketDataType, line.bid, line.ask, line.last, line.volume) == (3, 4332.87, 4333.13, 4333.0, 4.0)
    tell(delayed, story)


def test_a_roll_is_quoted_by_its_legs(gateway: GatewayProcess) -> None:
    async def story(ib: "ib_async.IB", near: "ib_async.Contract") -> None:
        far = await qualified(ib, "202203")
        legs = [ib_async.ComboLeg(conId=leg.conId, ratio=1, action=side, exchange="CME")
                for leg, side in ((near, "SELL"), (far, "BUY"))]
        roll = ib_async.Contract(secType="BAG", symbol="ES", exchange="CME", currency="USD", comboLegs=legs)
        line = ib.reqMktData(roll)
        await until(lambda: line.ask == -9.99)
        assert line.bid == -10.01
    tell(gateway, story)


def test_ticks_come_one_by_one(gateway: GatewayProcess) -> None:
    async def story(ib: "ib_async.IB", future: "ib_async.Contract") -> None:
        seen: list[object] = []
        ib.pendingTickersEvent += lambda tickers: seen.extend(tick for each in tickers for tick in each.tickByTicks)
        ib.reqTickByTickData(future, "BidAsk", 0, True)
        ib.reqTickByTickData(future, "Last", 2, False)
        await ib.reqCurrentTimeAsync()  # both requests have arrived
        gateway.set_clock(NOON + timedelta(minutes=10))
        await until(lambda: 4340.0 in {getattr(tick, "price", None) for tick in seen})
        await until(lambda: {4349.87, 4339.87} <= {getattr(tick, "bidPrice", None) for tick in seen})
        ib.cancelTickByTickData(future, "BidAsk")
        ib.cancelTickByTickData(future, "Last")
        await ib.reqCurrentTimeAsync()
    tell(gateway, story)


def test_a_book_follows_the_price(gateway: GatewayProcess) -> None:
    async def story(ib: "ib_async.IB", future: "ib_async.Contract") -> None:
        line = ib.reqMktDepth(future, 3)
        await until(lambda: len(line.domBids) == 3 and len(line.domAsks) == 3)
        assert [level.price for level in line.domBids] == [4349.87, 4349.86, 4349.85]
        gateway.set_clock(NOON + timedelta(minutes=10))
        await until(lambda: [level.price for level in line.domAsks] == [4340.13, 4340.14, 4340.15])
        ib.cancelMktDepth(future)
        smart = ib.reqMktDepth(future, 2, isSmartDepth=True)
        await until(lambda: len(smart.domAsks) == 2 and smart.domAsks[0].marketMaker == "CME")
        ib.cancelMktDepth(future, isSmartDepth=True)
        assert {row.exchange for row in await ib.reqMktDepthExchangesAsync()} == {"CME", "CBOT", "EUREX", "IDEALPRO"}
    tell(gateway, story)


def test_real_time_bars_come_every_five_seconds(gateway: GatewayProcess) -> None:
    async def story(ib: "ib_async.IB", future: "ib_async.Contract") -> None:
        bars = ib.reqRealTimeBars(future, 5, "TRADES", False)
        again = await ib.reqCurrentTimeAsync()  # the request before it has arrived
        gateway.set_clock(again + timedelta(seconds=10))
        await until(lambda: len(bars) == 2)
        assert [(bar.time, bar.open_, bar.volume) for bar in bars] == [
            (NOON, 4350.0, 1.0), (NOON + timedelta(seconds=5), 4350.0, 0.0)]
        ib.cancelRealTimeBars(bars)
    tell(gateway, story)


@pytest.mark.parametrize(("size", "duration", "what"), [
    ("1 secs", "1800 S", "TRADES"), ("30 secs", "3600 S", "MIDPOINT"), ("1 min", "1 D", "BID"),
    ("1 hour", "1 W", "BID_ASK"), ("8 hours", "1 W", "ASK"), ("1 day", "1 M", "TRADES"), ("1 week", "1 M", "TRADES"),
    ("1 month", "2 M", "TRADES")])
def test_bars_of_every_size_and_kind(gateway: GatewayProcess, size: str, duration: str, what: str) -> None:
    async def story(ib: "ib_async.IB", future: "ib_async.Contract") -> None:
        bars = await ib.reqHistoricalDataAsync(future, "", duration, size, what, False)
        assert len(bars) >= 1
        assert bars[-1].low <= min(bars[-1].open, bars[-1].close)
        assert f"{bars[-1].date:%Y%m%d}" == "20211013"
    tell(gateway, story)


def test_bars_that_are_kept_up_to_date(gateway: GatewayProcess) -> None:
    async def story(ib: "ib_async.IB", future: "ib_async.Contract") -> None:
        bars = await ib.reqHistoricalDataAsync(future, "", "1 D", "1 hour", "TRADES", False, 2, keepUpToDate=True)
        gateway.set_clock(NOON + timedelta(minutes=10))
        await until(lambda: bars[-1].close == 4340.0)
        assert (bars[-1].open, bars[-1].high, bars[-1].low, bars[-1].volume) == (4350.0, 4350.0, 4340.0, 2.0)
        ib.cancelHistoricalData(bars)
        assert (await ib.reqCurrentTimeAsync()) == NOON + timedelta(minutes=10)
    tell(gateway, story)


def test_schedule_ticks_and_histogram_of_the_past(gateway: GatewayProcess) -> None:
    async def story(ib: "ib_async.IB", future: "ib_async.Contract") -> None:
        schedule = await ib.reqHistoricalScheduleAsync(future, 2)
        assert [session.refDate for session in schedule.sessions] == ["20211012", "20211013"]
        trades = await ib.reqHistoricalTicksAsync(future, "", NOON, 2, "TRADES", False)
        quotes = await ib.reqHistoricalTicksAsync(future, NOON, "", 2, "BID_ASK", False)
        middles = await ib.reqHistoricalTicksAsync(future, NOON, "", 2, "MIDPOINT", False)
        assert [(tick.time, tick.price) for tick in trades] == [(NOON - timedelta(hours=1), 4333.0), (NOON, 4350.0)]
        assert [(tick.priceBid, tick.priceAsk) for tick in quotes] == [(4349.87, 4350.13)]
        assert [tick.price for tick in middles] == [4350.0]
        histogram = await ib.reqHistogramDataAsync(future, False, "4 hours")
        assert [(row.price, row.count) for row in histogram][-1] == (4350.0, 1)
        first = await ib.reqHeadTimeStampAsync(future, "TRADES", False, 2)
        assert first == datetime(2021, 9, 1, 8, tzinfo=UTC)
    tell(gateway, story)


def test_symbols_rules_and_the_user(gateway: GatewayProcess) -> None:
    async def story(ib: "ib_async.IB", future: "ib_async.Contract") -> None:
        found = await ib.reqMatchingSymbolsAsync("GBL")
        assert [(each.contract.symbol, each.contract.currency) for each in found] == [("GBL", "EUR")]
        details, = await ib.reqContractDetailsAsync(future)
        rule = await ib.reqMarketRuleAsync(int(details.marketRuleIds))
        assert [(step.lowEdge, step.increment) for step in rule] == [(0.0, 0.01)]
        await ib.reqUserInfoAsync()  # the client keeps nothing of it; that it ends is all
        assert await ib.reqNewsProvidersAsync() == []
        assert await ib.reqSecDefOptParamsAsync("ES", "CME", "FUT", future.conId) == []
        assert await ib.reqSmartComponentsAsync("9c0001") == []
    tell(gateway, story)


def test_profit_follows_a_trade(gateway: GatewayProcess) -> None:
    async def story(ib: "ib_async.IB", future: "ib_async.Contract") -> None:
        whole = ib.reqPnL(ACCOUNT)
        trade = ib.placeOrder(future, ib_async.MarketOrder("BUY", 1, tif="DAY"))
        await until(trade.isDone)
        single = ib.reqPnLSingle(ACCOUNT, "", future.conId)
        await until(lambda: single.position == 1 and single.dailyPnL == whole.dailyPnL)
        before = single.dailyPnL
        gateway.set_clock(NOON + timedelta(minutes=11))
        await until(lambda: whole.dailyPnL == before - 500.0 == single.dailyPnL)
        assert (single.value, single.unrealizedPnL) == (217_000.0, whole.unrealizedPnL)
        ib.cancelPnL(ACCOUNT)
        ib.cancelPnLSingle(ACCOUNT, "", future.conId)
    tell(gateway, story)


def test_the_summary_holds_every_tag_that_the_client_asks_for(gateway: GatewayProcess) -> None:
    async def story(ib: "ib_async.IB", _future: "ib_async.Contract") -> None:
        rows = {(row.tag, row.currency): row.value for row in await ib.accountSummaryAsync(ACCOUNT)}
        assert rows[("NetLiquidation", "USD")] == "5000000.00"
        assert {"Cushion", "LookAheadInitMarginReq", "Leverage", "DayTradesRemainingT+4"} <= {tag for tag, _ in rows}
        assert ("CashBalance", "BASE") in rows
    tell(gateway, story)
