"""The adapter's acceptance suite, over a real socket: each answer in our terms, each message into the taps.

The same file passes with the library's forerunner, ib_insync, in a venv of its own (`make test-clients`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from recorded_gateway import NOON, GatewayProcess

from trading.broker.facts import ContractDetails
from trading.broker.ib.library import IbLibrary
from trading.broker.simulated.control_client import GatewayControl
from trading.errors import BrokerError, BrokerUnavailable
from trading.execution.broker_messages import MessageKind
from trading.execution.broker_orders import BrokerOrder
from trading.execution.order_states import AdaptivePriority
from trading.objects.instruments import BrokerInstrument, CurrencyPair
from trading.risk.order_kind import OrderKind

ACCOUNT = "DU0000001"
ES = BrokerInstrument(code="SP500", symbol="ES", exchange="CME", currency="USD", multiplier="50")
EURUSD = CurrencyPair(code="EURUSD", base="EUR", quote="USD")
JPYUSD = CurrencyPair(code="JPYUSD", base="JPY", quote="USD", inverted_at_broker=True)


class Adapter:
    """A connected library and what its taps have heard."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self.heard: list[tuple[MessageKind, dict[str, Any]]] = []
        self.library = IbLibrary(lambda kind, facts: self.heard.append((kind, facts)), 5.0)
        self.control = GatewayControl(gateway.folder / "state")

    def said(self, kind: MessageKind) -> list[dict[str, Any]]:
        return [facts for each, facts in self.heard if each is kind]

    async def near(self) -> ContractDetails:
        return next(each for each in await self.library.contracts(ES) if each.contract_month == "202112")

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(8):
            while not is_so():
                await asyncio.sleep(0.02)


def play(gateway: GatewayProcess, story: Callable[[Adapter], Awaitable[None]]) -> None:
    async def told() -> None:
        adapter = Adapter(gateway)
        await adapter.library.connect("127.0.0.1", gateway.port, 8, 5.0)
        try:
            await story(adapter)
        finally:
            adapter.library.disconnect()

    asyncio.run(told())


def an_order(details: ContractDetails, number: int, quantity: int, limit: str) -> BrokerOrder:
    return BrokerOrder(
        id=f"TEST-{number}", parent="TEST", account=ACCOUNT, strategy="test", instrument="SP500",
        contract="SP500/20211200", con_id=details.con_id, exchange=details.exchange, kind=OrderKind.STRATEGY,
        quantity=quantity, order_type="LMT", limit_price=Decimal(limit), time_in_force="DAY", bid=Decimal("4349.87"),
        ask=Decimal("4350.13"), trading_day="2021-10-13", created=datetime(2021, 10, 13, 12, tzinfo=UTC),
        ib_order_id=number)


def test_the_accounts_are_known(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        assert adapter.library.accounts == [ACCOUNT]

    play(gateway, story)


def test_contracts_come_nearest_first_with_what_an_order_needs(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        found = await adapter.library.contracts(ES)
        assert [each.contract_month for each in found] == ["202112", "202203"]
        assert (found[0].exchange, found[0].multiplier, found[0].price_magnifier) == ("CME", "50", 1)
        assert found[0].min_tick > 0
        assert found[0].time_zone

    play(gateway, story)


def test_an_unknown_instrument_has_no_contracts(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        assert await adapter.library.contracts(replace(ES, symbol="NONE")) == []

    play(gateway, story)


def test_bars_are_aware_and_in_order(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        near = await adapter.near()
        bars = await adapter.library.bars(near.con_id, near.exchange, "5 D", "1 day")
        assert len(bars) == 5
        assert [bar.at for bar in bars] == sorted(bar.at for bar in bars)
        assert all(bar.at.tzinfo is not None and bar.low <= bar.close <= bar.high for bar in bars)
        assert len(await adapter.library.bars(near.con_id, near.exchange, "1 D", "1 hour")) > 3

    play(gateway, story)


def test_rates_come_the_way_we_write_them(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        assert (await adapter.library.fx_bars(EURUSD, "5 D"))[-1].close == pytest.approx(1.16)
        assert (await adapter.library.fx_bars(JPYUSD, "5 D"))[-1].close == pytest.approx(0.0088, rel=0.01)

    play(gateway, story)


def test_a_quote_has_both_sides_and_many_may_ask_for_it(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        near = await adapter.near()
        quotes = await asyncio.gather(*(adapter.library.quote(near.con_id, near.exchange, lambda: NOON)
                                        for _ in range(5)))
        assert {(quote.bid, quote.ask) for quote in quotes} == {(Decimal("4349.87"), Decimal("4350.13"))}

    play(gateway, story)


def test_a_feed_that_knows_nothing_gives_no_quote(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        near = await adapter.near()
        await asyncio.to_thread(adapter.control.fault, "quotes", style="none", seconds=30)
        quote = await adapter.library.quote(near.con_id, near.exchange, lambda: NOON, wait_s=0.3)
        assert (quote.bid, quote.ask) == (None, None)

    play(gateway, story)


def test_a_line_that_was_silent_shows_no_old_price(gateway: GatewayProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading.broker.ib.quote_lines.SILENT_S", 0.3)

    async def story(adapter: Adapter) -> None:
        # given a line that is open, and a feed that dies without a word
        near = await adapter.near()
        first = await adapter.library.quote(near.con_id, near.exchange, lambda: NOON)
        assert adapter.library.new_lines([near.con_id]) == 0
        await asyncio.to_thread(adapter.control.fault, "quotes", style="none", seconds=30)
        await asyncio.sleep(0.4)

        # when somebody asks, then there is none, until the feed lives
        assert adapter.library.new_lines([near.con_id]) == 1
        dead = await adapter.library.quote(near.con_id, near.exchange, lambda: NOON, wait_s=0.2)
        assert (dead.bid, dead.ask) == (None, None)
        await asyncio.to_thread(adapter.control.clear)
        await asyncio.sleep(0.4)
        again = await adapter.library.quote(near.con_id, near.exchange, lambda: NOON)
        assert (again.bid, again.ask) == (first.bid, first.ask)

    play(gateway, story)


def test_an_order_is_told_with_its_reference_its_fill_and_its_commission(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        near, number = await adapter.near(), adapter.library.allocate_order_id()
        adapter.library.place(an_order(near, number, 2, "4351"))
        await adapter.until(lambda: bool(adapter.said(MessageKind.COMMISSION)))
        [fill] = adapter.said(MessageKind.EXECUTION)
        assert (fill["reference"], fill["quantity"], fill["price"]) == (f"TEST-{number}", 2, "4350.13")
        assert (fill["account"], fill["con_id"], fill["at"]) == (ACCOUNT, near.con_id, NOON)
        opened = adapter.said(MessageKind.OPEN_ORDER)[0]
        assert (opened["reference"], opened["ib_order_id"]) == (f"TEST-{number}", number)
        assert opened["perm_id"] > 0
        commission = adapter.said(MessageKind.COMMISSION)[0]
        assert (commission["execution_id"], commission["currency"]) == (fill["execution_id"], "USD")
        assert float(commission["amount"]) > 0
        [held] = await adapter.library.positions()
        assert (held.account, held.con_id, held.quantity) == (ACCOUNT, near.con_id, 2)

    play(gateway, story)


@pytest.mark.parametrize("priority", list(AdaptivePriority))
def test_an_order_for_the_brokers_own_algo_arrives_with_its_priority(gateway: GatewayProcess,
                                                                     priority: AdaptivePriority) -> None:
    async def story(adapter: Adapter) -> None:
        near, number = await adapter.near(), adapter.library.allocate_order_id()
        adapter.library.place(replace(an_order(near, number, 1, "4000"), adaptive=priority))
        await adapter.until(lambda: bool(adapter.said(MessageKind.ORDER_STATUS)))
        [arrived] = (await asyncio.to_thread(adapter.control.state_of))["orders"]
        assert (arrived["algo"], arrived["algo_params"]) == ("Adaptive", f'[["adaptivePriority", "{priority.value}"]]')
        assert (arrived["order_type"], arrived["tif"], arrived["limit_price"]) == ("LMT", "DAY", "4000.0")

    play(gateway, story)


def test_an_order_with_an_end_of_its_own_ends_there_by_itself(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        near, number = await adapter.near(), adapter.library.allocate_order_id()
        ends = NOON + timedelta(minutes=11)
        adapter.library.place(replace(an_order(near, number, 1, "4000"), time_in_force="GTD", good_till=ends))
        await adapter.until(lambda: bool(adapter.said(MessageKind.ORDER_STATUS)))
        [arrived] = (await asyncio.to_thread(adapter.control.state_of))["orders"]
        assert (arrived["tif"], arrived["good_till"]) == ("GTD", f"{ends:%Y%m%d %H:%M:%S} UTC")

        # when nobody ends it
        await asyncio.to_thread(adapter.control.clock, forward_s=12 * 60)
        await adapter.until(lambda: adapter.said(MessageKind.ORDER_STATUS)[-1]["status"] == "Cancelled")

    play(gateway, story)


def test_an_order_of_our_own_asks_for_no_algo(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        near, number = await adapter.near(), adapter.library.allocate_order_id()
        adapter.library.place(an_order(near, number, 1, "4000"))
        await adapter.until(lambda: bool(adapter.said(MessageKind.ORDER_STATUS)))
        [arrived] = (await asyncio.to_thread(adapter.control.state_of))["orders"]
        assert (arrived["algo"], arrived["algo_params"]) == ("", "[]")

    play(gateway, story)


def test_the_volume_of_the_day_comes_with_a_quote(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        near = await adapter.near()
        quote = await adapter.library.quote(near.con_id, near.exchange, lambda: NOON)
        assert quote.traded is not None
        assert quote.traded.lots == 5

    play(gateway, story)


def test_a_resting_order_can_be_cancelled_and_is_found_until_then(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        near, number = await adapter.near(), adapter.library.allocate_order_id()
        adapter.library.place(an_order(near, number, 1, "4000"))
        await adapter.until(lambda: bool(adapter.said(MessageKind.ORDER_STATUS)))
        assert await adapter.library.ask_for_orders() == ({f"TEST-{number}"}, set(), set())
        adapter.library.cancel(number)
        await adapter.until(lambda: any(facts["status"] == "Cancelled"
                                        for facts in adapter.said(MessageKind.ORDER_STATUS)))
        opened, completed, executed = await adapter.library.ask_for_orders()
        assert (opened, completed, executed) == (set(), {f"TEST-{number}"}, set())

    play(gateway, story)


def test_a_rejection_reaches_the_taps_as_it_was_said(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        near, number = await adapter.near(), adapter.library.allocate_order_id()
        adapter.library.place(an_order(near, number, 1, "4000.005"))
        await adapter.until(lambda: any(facts["request_id"] == number for facts in adapter.said(MessageKind.ERROR)))
        [told] = [facts for facts in adapter.said(MessageKind.ERROR) if facts["request_id"] == number]
        assert told["code"] == 110
        assert "minimum price variation" in told["text"]

    play(gateway, story)


def test_two_may_ask_the_same_unkeyed_question_at_once(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        answers = await asyncio.gather(*(adapter.library.positions() for _ in range(4)),
                                       *(adapter.library.ask_for_orders() for _ in range(4)))
        assert answers == [[]] * 4 + [(set(), set(), set())] * 4

    play(gateway, story)


def test_the_value_of_the_account(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        assert await adapter.library.account_value(ACCOUNT, "USD") == pytest.approx(5_000_000)
        with pytest.raises(BrokerError, match="no NetLiquidation in EUR"):
            await adapter.library.account_value("DU9", "EUR")

    play(gateway, story)


def test_a_request_without_an_answer_ends_in_its_time(gateway: GatewayProcess) -> None:
    async def story(adapter: Adapter) -> None:
        await asyncio.to_thread(adapter.control.fault, "ignore", request="reqPositions")
        adapter.library._timeout_s = 0.5
        with pytest.raises(BrokerUnavailable, match="nothing is known"):
            await adapter.library.positions()

    play(gateway, story)
