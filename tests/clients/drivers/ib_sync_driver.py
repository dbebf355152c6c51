"""ib_async or ib_insync (the last argument says which), unmodified: its loop runs here, the tour asks from a thread.

Every callback of the library's wrapper is recorded before the library sees it; requests are those of its public API.
"""

import asyncio
import importlib
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import tour
from recording import PATIENCE_S, Recorder

LOOP = asyncio.new_event_loop()
asyncio.set_event_loop(LOOP)
library = importlib.import_module(sys.argv.pop())
NOT_CALLBACKS = ("setEventsDone", "startReq", "startTicker", "endTicker", "startSubscription", "endSubscription",
                 "orderKey", "setTimeout", "reset", "tcpDataArrived", "tcpDataProcessed", "connectionClosed")


class Client:
    """One connection."""

    is_library = True

    def __init__(self) -> None:
        self.recorder = Recorder()
        self.late: list[str] = []
        self._ib = _in_loop(library.IB)
        self._tap()

    def connect(self, host: str, port: int, client_id: int, *, read_only: bool = False) -> float:
        """Seconds until the library calls itself connected; refused connections raise there, and are no problem.

        With `read_only` it asks for no orders.
        """
        started = time.monotonic()
        try:
            _finished(lambda: self._ib.connectAsync(host, port, clientId=client_id, timeout=2.0, readonly=read_only))
        except (TimeoutError, ConnectionError) as error:
            self.recorder.add("connectFailed", repr(error))
        return time.monotonic() - started

    @property
    def version(self) -> int:
        return int(self._ib.client.serverVersion())

    @property
    def is_connected(self) -> bool:
        return bool(self._ib.isConnected())

    def disconnect(self) -> None:
        _in_loop(self._ib.disconnect)

    def new_order_id(self) -> int:
        return int(self._ib.client.getReqId())

    def contract(self, legs: tuple[tuple[int, str, str], ...] = (), **fields: Any) -> Any:
        contract = library.Contract(**fields)
        contract.comboLegs = [library.ComboLeg(conId=con_id, ratio=1, action=action, exchange=exchange)
                              for con_id, action, exchange in legs]
        return contract

    def order(self, algo: tuple[tuple[str, str], ...] = (), **fields: Any) -> Any:
        return library.Order(algoParams=[library.TagValue(*pair) for pair in algo], **fields)

    def price_condition(self, con_id: int, exchange: str, price: float) -> Any:
        return library.PriceCondition(conId=con_id, exch=exchange, isMore=True, price=price)

    def place(self, order_id: int, contract: Any, order: Any) -> None:
        order.orderId = order_id
        _in_loop(lambda: self._ib.placeOrder(contract, order))

    def send_again(self, order_id: int, contract: Any, order: Any) -> None:
        """Past the library's own check that a finished order is not sent again."""
        _in_loop(lambda: self._ib.client.placeOrder(order_id, contract, order))

    def cancel(self, order_id: int) -> None:
        _in_loop(lambda: self._ib.client.cancelOrder(order_id, ""))

    def global_cancel(self) -> None:
        _in_loop(self._ib.reqGlobalCancel)

    def what_if(self, contract: Any, order: Any) -> None:
        self._ask(lambda: self._ib.whatIfOrderAsync(contract, order))

    def open_orders(self) -> None:
        self._ask(self._ib.reqOpenOrdersAsync)

    def all_open_orders(self) -> None:
        self._ask(self._ib.reqAllOpenOrdersAsync)

    def ask_for_open_orders(self) -> None:
        """Without waiting: a refusal is no end to the library."""
        _in_loop(self._ib.client.reqAllOpenOrders)

    def completed(self) -> None:
        self._ask(lambda: self._ib.reqCompletedOrdersAsync(False))

    def executions(self) -> None:
        self._ask(self._ib.reqExecutionsAsync)

    def positions(self) -> None:
        self._ask(self._ib.reqPositionsAsync)

    def positions_multi(self, account: str) -> None:
        _in_loop(lambda: self._ib.client.reqPositionsMulti(self._ib.client.getReqId(), account, ""))

    def account_updates(self, account: str) -> None:
        self._ask(lambda: self._ib.reqAccountUpdatesAsync(account))

    def account_multi(self, account: str) -> None:
        self._ask(lambda: self._ib.reqAccountUpdatesMultiAsync(account))

    def account_summary(self) -> None:
        self._ask(self._ib.reqAccountSummaryAsync)

    def pnl(self, account: str, con_id: int) -> None:
        _in_loop(lambda: self._ib.reqPnL(account))
        _in_loop(lambda: self._ib.reqPnLSingle(account, "", con_id))

    def contract_details(self, contract: Any) -> None:
        self._ask(lambda: self._ib.reqContractDetailsAsync(contract))

    def market_data(self, contract: Any, *, snapshot: bool = False, req_id: int = 0) -> int:
        _in_loop(lambda: self._ib.reqMktData(contract, "", snapshot))
        return int(self._ib.client._reqIdSeq) - 1

    def cancel_market_data(self, _req_id: int, contract: Any) -> None:
        _in_loop(lambda: self._ib.cancelMktData(contract))

    def market_data_type(self, kind: int) -> None:
        _in_loop(lambda: self._ib.reqMarketDataType(kind))

    def history(self, contract: Any, bars: "tour.Bars", req_id: int = 0) -> int:
        self._ask(lambda: self._ib.reqHistoricalDataAsync(
            contract, bars.end, bars.duration, bars.size, bars.what, False, bars.format_date, bars.keep))
        return int(self._ib.client._reqIdSeq) - 1

    def cancel_history(self, req_id: int) -> None:
        _in_loop(lambda: self._ib.client.cancelHistoricalData(req_id))

    def head_timestamp(self, contract: Any) -> None:
        self._ask(lambda: self._ib.reqHeadTimeStampAsync(contract, "TRADES", False, 1))

    def market_rule(self, number: int) -> None:
        self._ask(lambda: self._ib.reqMarketRuleAsync(number))

    def matching_symbols(self, pattern: str) -> None:
        self._ask(lambda: self._ib.reqMatchingSymbolsAsync(pattern))

    def current_time(self) -> None:
        self._ask(self._ib.reqCurrentTimeAsync)

    def req_ids(self) -> None:
        _in_loop(lambda: self._ib.client.reqIds(1))

    def _ask(self, request: Callable[[], Awaitable[Any]]) -> None:
        """A request of the library that must end, in success or in an error."""
        try:
            _finished(request)
        except TimeoutError:
            self.late.append(f"{library.__name__} waits for ever for the end of a request")

    def _tap(self) -> None:
        wrapper = self._ib.wrapper
        for name in dir(type(wrapper)):
            if not name.startswith("_") and name not in NOT_CALLBACKS and callable(getattr(wrapper, name)):
                setattr(wrapper, name, self._tapped(name, getattr(wrapper, name)))

    def _tapped(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def callback(*args: Any, **named: Any) -> Any:
            every = (*args, *named.values())
            if name == "error":
                self.recorder.add("error", *every[:3])
            elif name == "priceSizeTick":
                self.recorder.add("tickPrice", *every[:3])
            else:
                self.recorder.add(name, *every)
            return original(*args, **named)
        return callback


def _in_loop(action: Callable[[], Any]) -> Any:
    async def act() -> Any:
        return action()
    return asyncio.run_coroutine_threadsafe(act(), LOOP).result(PATIENCE_S)


def _finished(request: Callable[[], Awaitable[Any]]) -> Any:
    async def ask() -> Any:
        return await asyncio.wait_for(request(), PATIENCE_S)
    return asyncio.run_coroutine_threadsafe(ask(), LOOP).result(PATIENCE_S + 2)


if __name__ == "__main__":
    LOOP.run_until_complete(LOOP.run_in_executor(None, tour.main, Client))
