"""Somebody else at the same gateway: a client of his own, with orders that the service never gave."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from typing import Any

import ib_async
from trading_scene import TradingScene

CLIENT = 9
PATIENCE_S = 20


def spread(scene: TradingScene, near: int, far: int) -> None:
    """Sell `near` against `far` as one combination, and wait until it is filled."""
    async def story(ib: "ib_async.IB") -> None:
        facts = details(scene, near)
        legs = [ib_async.ComboLeg(conId=con_id, ratio=1, action=action, exchange=facts["exchange"])
                for con_id, action in ((near, "SELL"), (far, "BUY"))]
        bag = ib_async.Contract(secType="BAG", symbol=facts["symbol"], currency=facts["currency"],
                                exchange=facts["exchange"], comboLegs=legs)
        terms = [ib_async.TagValue("NonGuaranteed", "1")]
        trade = ib.placeOrder(bag, ib_async.MarketOrder("BUY", 1, tif="DAY", smartComboRoutingParams=terms))
        await so(lambda: trade.orderStatus.status == "Filled")
    _play(scene, story)


def rest(scene: TradingScene, con_id: int, order_id: int, reference: str = "") -> None:
    """Leave an order with that number and reference in the market, far away from it."""
    async def story(ib: "ib_async.IB") -> None:
        facts = details(scene, con_id)
        contract = ib_async.Contract(secType="FUT", conId=con_id, exchange=facts["exchange"])
        order = ib_async.LimitOrder("BUY", 1, float(facts["min_tick"]), tif="GTC", orderId=order_id,
                                    orderRef=reference)
        trade = ib.placeOrder(contract, order)
        await so(lambda: trade.orderStatus.permId != 0)
    _play(scene, story)


def withdraw(scene: TradingScene) -> None:
    """Cancel whatever of his rests."""
    async def story(ib: "ib_async.IB") -> None:
        trades = [trade for trade in await ib.reqOpenOrdersAsync() if trade.order.clientId == CLIENT]
        for trade in trades:
            ib.cancelOrder(trade.order)
        await so(lambda: all(trade.isDone() for trade in trades))
    _play(scene, story)


async def so(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await asyncio.sleep(0.02)


def details(scene: TradingScene, con_id: int) -> dict[str, Any]:
    """How the broker describes a contract."""
    return dict(scene.store().database.contracts.find_one({"details.con_id": con_id})["details"])


def _play(scene: TradingScene, story: Callable[["ib_async.IB"], Coroutine[Any, Any, None]]) -> None:
    async def told() -> None:
        ib = ib_async.IB()
        await ib.connectAsync("127.0.0.1", _port(scene), clientId=CLIENT, timeout=PATIENCE_S)
        try:
            await asyncio.wait_for(story(ib), PATIENCE_S)
        finally:
            ib.disconnect()
    asyncio.run(told())


def _port(scene: TradingScene) -> int:
    """Where the gateway of the service listens: its log says so."""
    said = (scene.state / "logs" / "gateway.log").read_text()
    return int(re.findall(r"^listening on (\d+)$", said, re.MULTILINE)[-1])
