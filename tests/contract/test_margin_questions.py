"""What-if questions over the wire: the numbers, the ways of not answering, and that they are no orders of ours."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from broker_link_scene import BrokerScene
from recorded_gateway import GatewayProcess

from daemon.broker_service import BrokerService
from trading.broker.facts import ContractDetails
from trading.broker.ib.library import IbLibrary, WhatIfRequest
from trading.broker.simulated.control_client import GatewayControl
from trading.data.mongo.broker_journal import MongoBrokerJournal
from trading.data.mongo.connection import MongoStore
from trading.errors import BrokerError, BrokerUnavailable
from trading.execution.broker_messages import MessageKind
from trading.execution.broker_orders import BrokerOrder
from trading.objects.instruments import BrokerInstrument
from trading.risk.margin_question import WhatIf
from trading.risk.order_kind import OrderKind
from trading.risk.snapshot import Margin

ACCOUNT = "DU0000001"
ES = BrokerInstrument(code="SP500", symbol="ES", exchange="CME", currency="USD", multiplier="50")
PATIENCE_S = 2.0


@pytest.fixture
def scene(tmp_path: Path, gateway: GatewayProcess, store: MongoStore) -> Iterator[BrokerScene]:
    with BrokerScene(tmp_path, gateway, store) as opened:
        yield opened


def a_question(scene: BrokerScene, quantity: int = 1) -> WhatIf:
    async def listed(service: BrokerService) -> list[ContractDetails]:
        return await (await service.library()).contracts(ES)

    near = scene.awaited(listed)[0]
    return WhatIf(con_id=near.con_id, exchange=near.exchange, quantity=quantity, limit_price=Decimal(4355))


def test_the_broker_says_what_the_account_would_need(scene: BrokerScene) -> None:
    told = scene.link.margin_after(a_question(scene, 2))
    assert told is not None
    assert told == Margin(initial_after=pytest.approx(43_500, rel=0.01),
                          maintenance_after=pytest.approx(43_500, rel=0.01), equity_after=5_000_000.0, currency="USD")
    sold = scene.link.margin_after(replace(a_question(scene, -2), limit_price=None))
    assert sold == told


@pytest.mark.parametrize("fault", [
    {"kind": "margin", "style": "no_currency"}, {"kind": "margin", "style": "empty"},
    {"kind": "refuse", "request": "whatIf", "code": 201, "text": "Order rejected"},
    {"kind": "refuse", "request": "whatIf", "code": 110, "text": "The price does not conform"}],
    ids=lambda fault: str(fault.get("style", fault.get("code"))))
def test_what_is_no_answer_is_none_at_once(scene: BrokerScene, fault: dict[str, Any]) -> None:
    question = a_question(scene)
    scene.control.fault(**fault)
    assert scene.link.margin_after(question) is None
    assert scene.link.margin_after(question) is not None


def test_silence_and_the_sentinel_end_in_their_time(scene: BrokerScene) -> None:
    question = a_question(scene)
    scene.control.fault("ignore", request="whatIf")
    scene.control.fault("margin", style="sentinel")
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(scene.link.margin_after, (question, question))) == [None, None]
    assert scene.link.margin_after(question) is not None


def test_a_daemon_that_does_not_lead_asks_nothing(scene: BrokerScene) -> None:
    question = a_question(scene)
    scene.on_the_loop(lambda service: setattr(service.margins.parts.leadership, "is_leader", False))
    assert scene.link.margin_after(question) is None
    assert "whatIf" not in scene.control.state_of()["requests"]


def test_while_the_broker_is_away_nothing_is_known(scene: BrokerScene) -> None:
    question = a_question(scene)
    scene.control.fault("link_lost", seconds=60)
    assert scene.link.margin_after(question) is None


def test_nothing_of_a_question_is_stored(scene: BrokerScene, store: MongoStore) -> None:
    """Neither its answer, nor what the broker objects to it."""
    question = a_question(scene)
    journal = MongoBrokerJournal(store)
    before = journal.after(0)
    scene.link.margin_after(question)
    scene.control.fault("refuse", request="whatIf", code=201, text="Order rejected")
    scene.link.margin_after(question)
    scene.link.refresh()
    assert journal.after(0) == before
    state = scene.control.state_of()
    assert (state["orders"], state["requests"]["whatIf"], state["requests"].get("placeOrder", 0)) == ([], 2, 0)


class Adapter:
    """A library and what its taps have heard."""

    def __init__(self, gateway: GatewayProcess) -> None:
        self.heard: list[tuple[MessageKind, dict[str, Any]]] = []
        self.library = IbLibrary(lambda kind, facts: self.heard.append((kind, facts)), 5.0)
        self.control = GatewayControl(gateway.folder / "state")
        self.port = gateway.port

    async def __aenter__(self) -> "Adapter":
        await self.library.connect("127.0.0.1", self.port, 8, 5.0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.library.disconnect()

    async def margin_after(self, highest_used: int = 0) -> Margin | None:
        near = (await self.library.contracts(ES))[0]
        order = WhatIf(con_id=near.con_id, exchange=near.exchange, quantity=1, limit_price=Decimal(4355))
        return await self.library.margin_after(WhatIfRequest(
            order=order, account=ACCOUNT, currency="USD", highest_used=highest_used), PATIENCE_S)

    async def place(self, reference: str, highest_used: int = 0) -> int:
        """Rest far away from the market; the order id."""
        near = (await self.library.contracts(ES))[0]
        number = self.library.allocate_order_id(highest_used)
        self.library.place(BrokerOrder(
            id=reference, parent="TEST", account=ACCOUNT, strategy="test", instrument="SP500",
            contract="SP500/20211200", con_id=near.con_id, exchange=near.exchange, kind=OrderKind.STRATEGY,
            quantity=1, order_type="LMT", limit_price=Decimal(4000), time_in_force="DAY", bid=Decimal("4349.87"),
            ask=Decimal("4350.13"), trading_day="2021-10-13", created=datetime(2021, 10, 13, 12, tzinfo=UTC),
            ib_order_id=number))
        async with asyncio.timeout(8):
            while not self.said(reference):
                await asyncio.sleep(0.02)
        return number

    def said(self, reference: str) -> bool:
        return any(facts.get("reference") == reference for _, facts in self.heard)

    @property
    def at_gateway(self) -> dict[str, int]:
        return {row["order_ref"]: row["order_id"] for row in self.control.state_of()["orders"]}


def test_a_question_between_two_orders_has_an_id_that_no_order_gets(gateway: GatewayProcess) -> None:
    async def story() -> None:
        async with Adapter(gateway) as adapter:
            first = await adapter.place("first")
            assert await adapter.margin_after() is not None
            second = await adapter.place("second")
            assert second > first + 1
            assert adapter.at_gateway == {"first": first, "second": second}
            told = {facts["reference"] for kind, facts in adapter.heard if kind is MessageKind.OPEN_ORDER}
            assert told == {"first", "second"}
            assert {each.reference for each in await adapter.library.open_orders()} == {"first", "second"}

    asyncio.run(story())


def test_a_question_is_above_every_id_of_earlier_connections_and_orders_go_on_above_it(gateway: GatewayProcess) -> None:
    async def story() -> None:
        # given a gateway that offers ids again which it has given, as after a restart
        async with Adapter(gateway) as adapter:
            await adapter.margin_after(highest_used=7000)
            after_a_question = await adapter.place("first")
        async with Adapter(gateway) as adapter:
            await adapter.margin_after(highest_used=after_a_question)
            assert await adapter.place("second", highest_used=after_a_question) > after_a_question > 7001
            assert sorted(adapter.at_gateway) == ["first", "second"]

    asyncio.run(story())


def test_a_question_without_an_answer_ends_and_the_connection_goes_on(gateway: GatewayProcess) -> None:
    async def story() -> None:
        async with Adapter(gateway) as adapter:
            adapter.control.fault("ignore", request="whatIf")
            with pytest.raises(BrokerUnavailable, match=f"no answer within {PATIENCE_S:g} s"):
                await adapter.margin_after()
            adapter.control.fault("refuse", request="whatIf", code=201, text="Order rejected")
            with pytest.raises(BrokerError, match="Order rejected"):
                await adapter.margin_after()
            assert await adapter.margin_after() is not None

    asyncio.run(story())
