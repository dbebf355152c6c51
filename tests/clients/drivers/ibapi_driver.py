"""Interactive Brokers' own client, 9.81 or 10.5x, unmodified: a thread reads, the tour asks."""

import threading
import time
from collections import deque
from decimal import Decimal
from typing import Any

import tour
from ibapi.client import EClient
from ibapi.contract import ComboLeg, Contract
from ibapi.order import Order
from ibapi.tag_value import TagValue
from ibapi.wrapper import EWrapper
from recording import PATIENCE_S, Recorder

try:
    from ibapi.order_cancel import OrderCancel
except ImportError:  # 9.81
    OrderCancel = None
ERROR_IN_9_81 = 3  # arguments of error()
PACE = 20  # messages a second: the gateway takes fifty, however late on a busy machine it comes to read them
RENAMED = {"commissionAndFeesReport": "commissionReport"}


def recording_wrapper(recorder: Recorder) -> EWrapper:
    """An EWrapper every callback of which is recorded."""
    methods = {name: _recorded(name, recorder) for name in dir(EWrapper)
               if not name.startswith(("_", "log")) and not name.endswith("ProtoBuf")}
    methods["error"] = lambda _self, *args: recorder.add("error", *_error(args))
    return type("RecordingWrapper", (EWrapper,), methods)()


def _recorded(name: str, recorder: Recorder) -> Any:
    return lambda _self, *args, **named: recorder.add(RENAMED.get(name, name), *args, *named.values())


def _error(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Id, code and text; then the time of the error, which 10.5x has as its second argument."""
    if len(args) == ERROR_IN_9_81:
        return args
    req_id, error_time, code, text, *_ = args
    return req_id, code, text, error_time


class Client:
    """One connection."""

    is_library = False

    def __init__(self) -> None:
        self.recorder = Recorder()
        self._unpaced = EClient(recording_wrapper(self.recorder))
        self._sent: deque[float] = deque([0.0] * PACE, PACE)
        self._ids = 1000
        self._next_order_id = 0

    def connect(self, host: str, port: int, client_id: int, *, read_only: bool = False) -> float:
        """Seconds until the ids were there; the time-out when they never came. It asks for nothing, `read_only` or not.
        """
        started = time.monotonic()
        self._unpaced.connect(host, port, client_id)
        self._reader = threading.Thread(target=self._unpaced.run, daemon=True)
        self._reader.start()
        is_up = {"managedAccounts", "nextValidId"}
        self.recorder.until(0, lambda seen: is_up <= {each["name"] for each in seen} or tour.errors(seen, 326))
        first = [each["args"][0] for each in self.recorder.events if each["name"] == "nextValidId"]
        self._next_order_id = int(first[0]) if first else 0
        return time.monotonic() - started

    @property
    def _client(self) -> EClient:
        """The client, when it may send one message more."""
        time.sleep(max(0.0, self._sent[0] + 1.05 - time.monotonic()))
        self._sent.append(time.monotonic())
        return self._unpaced

    @property
    def version(self) -> int:
        return self._unpaced.serverVersion() or 0

    @property
    def is_connected(self) -> bool:
        return bool(self._unpaced.isConnected())

    def disconnect(self) -> None:
        self._unpaced.disconnect()
        self._reader.join(PATIENCE_S)

    def new_order_id(self) -> int:
        self._next_order_id += 1
        return self._next_order_id - 1

    def contract(self, legs: tuple[tuple[int, str, str], ...] = (), **fields: Any) -> Contract:
        contract = _filled(Contract(), fields)
        if legs:
            contract.comboLegs = [_filled(ComboLeg(), {"conId": con_id, "ratio": 1, "action": action,
                                                       "exchange": exchange}) for con_id, action, exchange in legs]
        return contract

    def order(self, algo: tuple[tuple[str, str], ...] = (), **fields: Any) -> Order:
        order = _filled(Order(), fields)
        order.eTradeOnly = order.firmQuoteOnly = False  # the defaults of 9.81, which gateways refuse (10268, 10269)
        if OrderCancel is not None:
            order.totalQuantity = Decimal(str(order.totalQuantity))
        order.algoParams = [TagValue(*pair) for pair in algo] or order.algoParams
        return order

    def price_condition(self, con_id: int, exchange: str, price: float) -> Any:
        from ibapi.order_condition import PriceCondition

        condition = PriceCondition(0, con_id, exchange, True, price)
        condition.isConjunctionConnection = True
        return condition

    def place(self, order_id: int, contract: Contract, order: Order) -> None:
        self._client.placeOrder(order_id, contract, order)

    def send_again(self, order_id: int, contract: Contract, order: Order) -> None:
        self.place(order_id, contract, order)

    def cancel(self, order_id: int) -> None:
        self._client.cancelOrder(order_id, *self._cancel_terms())

    def global_cancel(self) -> None:
        self._client.reqGlobalCancel(*self._cancel_terms())

    def what_if(self, contract: Contract, order: Order) -> None:
        order.whatIf = True
        self.place(self.new_order_id(), contract, order)

    def open_orders(self) -> None:
        self._client.reqOpenOrders()

    def all_open_orders(self) -> None:
        self._client.reqAllOpenOrders()

    def ask_for_open_orders(self) -> None:
        self.all_open_orders()

    def completed(self) -> None:
        self._client.reqCompletedOrders(False)

    def executions(self) -> None:
        from ibapi.execution import ExecutionFilter

        self._client.reqExecutions(self._req_id(), ExecutionFilter())

    def positions(self) -> None:
        self._client.reqPositions()

    def positions_multi(self, account: str) -> None:
        self._client.reqPositionsMulti(self._req_id(), account, "")

    def account_updates(self, account: str) -> None:
        self._client.reqAccountUpdates(True, account)

    def account_multi(self, account: str) -> None:
        self._client.reqAccountUpdatesMulti(self._req_id(), account, "", False)

    def account_summary(self) -> None:
        self._client.reqAccountSummary(self._req_id(), "All", "NetLiquidation,TotalCashValue,InitMarginReq")

    def pnl(self, account: str, con_id: int) -> None:
        self._client.reqPnL(self._req_id(), account, "")
        self._client.reqPnLSingle(self._req_id(), account, "", con_id)

    def contract_details(self, contract: Contract) -> None:
        self._client.reqContractDetails(self._req_id(), contract)

    def market_data(self, contract: Contract, *, snapshot: bool = False, req_id: int = 0) -> int:
        req_id = req_id or self._req_id()
        self._client.reqMktData(req_id, contract, "", snapshot, False, [])
        return req_id

    def cancel_market_data(self, req_id: int, _contract: Contract) -> None:
        self._client.cancelMktData(req_id)

    def market_data_type(self, kind: int) -> None:
        self._client.reqMarketDataType(kind)

    def history(self, contract: Contract, bars: "tour.Bars", req_id: int = 0) -> int:
        req_id = req_id or self._req_id()
        self._client.reqHistoricalData(req_id, contract, bars.end, bars.duration, bars.size, bars.what, 0,
                                       bars.format_date, bars.keep, [])
        return req_id

    def cancel_history(self, req_id: int) -> None:
        self._client.cancelHistoricalData(req_id)

    def head_timestamp(self, contract: Contract) -> None:
        self._client.reqHeadTimeStamp(self._req_id(), contract, "TRADES", 0, 1)

    def market_rule(self, number: int) -> None:
        self._client.reqMarketRule(number)

    def matching_symbols(self, pattern: str) -> None:
        self._client.reqMatchingSymbols(self._req_id(), pattern)

    def current_time(self) -> None:
        self._client.reqCurrentTime()

    def req_ids(self) -> None:
        self._client.reqIds(1)

    def _req_id(self) -> int:
        self._ids += 1
        return self._ids

    def _cancel_terms(self) -> tuple[Any, ...]:
        return () if OrderCancel is None else (OrderCancel(),)


def _filled(thing: Any, fields: dict[str, Any]) -> Any:
    for name, value in fields.items():
        assert hasattr(thing, name), name
        setattr(thing, name, value)
    return thing


if __name__ == "__main__":
    tour.main(Client)
