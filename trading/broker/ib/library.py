"""The seam: the only module that imports the Interactive Brokers library. Async; transport only.

The library's own view of orders is never used: it rewrites states from error codes and forgets everything on a
disconnect (ib_wire.md 1.4). Raw taps hand every message on, before the library looks at it.
"""

import asyncio
import dataclasses
import gc
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, TypeVar

import ib_async

from trading.broker.facts import (
    Bar,
    BrokerPosition,
    ContractDetails,
    OpenOrder,
    Quote,
    QuoteChanges,
    SpreadContract,
)
from trading.broker.ib.diagnosis import what_listens
from trading.broker.ib.history import HistoryRefusal, refusal
from trading.broker.ib.message_facts import (
    details,
    instant,
    margin_after,
    open_order,
)
from trading.broker.ib.message_taps import MessageTaps, Sink
from trading.broker.ib.quote_lines import QuoteLines
from trading.errors import BrokerError, BrokerUnavailable, NoPermission
from trading.execution.broker_messages import MessageKind
from trading.execution.broker_orders import BrokerOrder
from trading.objects.instruments import BrokerInstrument, CurrencyPair
from trading.risk.margin_question import WhatIf
from trading.risk.snapshot import Margin

Answer = TypeVar("Answer")
MESSAGES_FOR_ORDERS: Final = 3  # open, completed, executed
_ID_IN_USE: Final = 326
_LISTED: Final = (MessageKind.OPEN_ORDER, MessageKind.COMPLETED_ORDER, MessageKind.EXECUTION)
_FETCH_NOTHING: Final[dict[str, Any]] = (  # we ask for everything ourselves; the library's forerunner cannot be told so
    {"fetchFields": ib_async.StartupFetch(0)} if hasattr(ib_async, "StartupFetch") else {})


@dataclasses.dataclass(frozen=True, kw_only=True)
class WhatIfRequest:
    """A what-if question: the order, for which account, and in which currency that is kept."""

    order: WhatIf
    account: str
    currency: str
    highest_used: int  # order id, on any connection


class IbLibrary:
    """One connection. Every request has a time limit; unkeyed requests never run twice at once."""

    def __init__(self, sink: Sink, request_timeout_s: float) -> None:
        self._timeout_s = request_timeout_s
        self._ib = ib_async.IB()
        self._ib.RaiseRequestErrors = True
        self._ib.TimezoneTWS = "UTC"
        self._one_at_a_time = asyncio.Lock()
        self._lines = QuoteLines(self._ib)
        self._id_in_use, self._gone = asyncio.Event(), asyncio.Event()
        self._ib.client.conn.disconnected += lambda _: self._gone.set()
        self._taps = MessageTaps(self._ib, sink, self._heed)

    async def connect(self, host: str, port: int, client_id: int, timeout_s: float) -> int:
        """Connect; the next valid order id that the broker offers.

        Raises:
            BrokerUnavailable: nobody listens, nobody answers, or the client id is in use.
        """
        connecting = asyncio.ensure_future(
            self._ib.connectAsync(host, port, client_id, timeout=timeout_s, **_FETCH_NOTHING))
        refused, gone = asyncio.ensure_future(self._id_in_use.wait()), asyncio.ensure_future(self._gone.wait())
        try:
            # the library itself would wait until its time is up (ib_wire.md 1.4, L10)
            await asyncio.wait({connecting, refused, gone}, return_when=asyncio.FIRST_COMPLETED)
            if refused.done():
                raise BrokerUnavailable(f"Client id {client_id} is in use at the gateway {host}:{port}: by another "
                                        f"program, or by an earlier session that it has not given up yet. End that "
                                        f"program, or set broker.client_id (watchdog.client_id). It is tried again.")
            if gone.done() and not connecting.done():
                raise ConnectionResetError
            await connecting
        except (OSError, TimeoutError) as error:
            raise BrokerUnavailable(f"The gateway at {host}:{port} does not answer as client {client_id}: "
                                    f"{await what_listens(host, port)}. Check that it runs, its API port "
                                    f"(broker.port), and that it allows this address.") from error
        finally:
            for task in (refused, gone, connecting):
                task.cancel()
            await asyncio.gather(refused, gone, connecting, return_exceptions=True)
        return int(self._ib.client.getReqId())

    @property
    def accounts(self) -> list[str]:
        """The accounts that the gateway manages."""
        return [account for account in self._ib.managedAccounts() if account]

    def disconnect(self) -> None:
        """Close the connection, in whatever state it is; the library refuses to close one that is half made.

        Each trade of the library holds itself in circles. A process that lives long collects those so rarely that the
        orders of a day would be in memory several times after some disconnects.
        """
        for close in (self._ib.disconnect, self._ib.client.disconnect):
            with suppress(OSError):
                close()
        gc.collect()

    @property
    def is_connected(self) -> bool:
        return bool(self._ib.isConnected())

    def on_disconnect(self, callback: Callable[[], None]) -> None:
        """Call `callback` when the socket is gone, whoever closed it."""
        self._ib.disconnectedEvent += callback

    def allocate_order_id(self, highest_used: int = 0) -> int:
        """An order id greater than every one seen on this connection, and than the highest of earlier ones.

        A gateway that restarts may offer ids again that it has already given (orders_and_risk.md V3, Lean IB #242).
        """
        self._ib.client.updateReqId(highest_used + 1)
        return int(self._ib.client.getReqId())

    def place(self, order: BrokerOrder) -> None:
        """Hand `order` to the socket. Returning says nothing about its fate."""
        assert order.ib_order_id is not None
        self._ib.placeOrder(_traded(order), ib_async.Order(
            orderId=order.ib_order_id, action="BUY" if order.quantity > 0 else "SELL",
            totalQuantity=abs(order.quantity), orderType=order.order_type,
            lmtPrice=float(order.limit_price) if order.limit_price is not None else 0.0,
            tif=order.time_in_force, goodTillDate=ib_async.util.formatIBDatetime(order.good_till), outsideRth=False,
            account=order.account, orderRef=order.id, transmit=True,
            **_algo_fields(order), **_spread_fields(order)))

    def cancel(self, ib_order_id: int) -> None:
        """Ask for a cancel; the order stays alive until the broker says otherwise."""
        self._ib.client.cancelOrder(ib_order_id, "")

    def cancel_everything(self) -> None:
        """Ask for a cancel of every open order of the account, whoever sent it."""
        self._ib.reqGlobalCancel()

    async def margin_after(self, asked: WhatIfRequest, within_s: float) -> Margin | None:
        """What the account would need after an order that is not sent; None when the broker computes nothing.

        The question takes an order id as a real order would, so that neither is ever mistaken for the other.

        Raises:
            BrokerError: the broker refuses to say.
            BrokerUnavailable: no answer within `within_s`; one that says "not computed yet" is none.
        """
        state = await self._limited(self._what_if(asked), within_s)
        return margin_after(state, asked.currency)

    async def _what_if(self, asked: WhatIfRequest) -> Any:
        """The library's own call takes an id without regard to those of earlier connections."""
        order, number = asked.order, self.allocate_order_id(asked.highest_used)
        self._taps.leave_out(number)
        contract = _future(order.con_id, order.exchange)
        answer = self._ib.wrapper.startReq(number, contract)
        self._ib.client.placeOrder(number, contract, ib_async.Order(
            orderId=number, action="BUY" if order.quantity > 0 else "SELL", totalQuantity=abs(order.quantity),
            orderType="MKT" if order.limit_price is None else "LMT", lmtPrice=float(order.limit_price or 0),
            tif="DAY", outsideRth=False, account=asked.account, whatIf=True, transmit=True))  # not to transmit: 413
        return await answer

    async def current_time(self, within_s: float) -> datetime:
        """The broker's clock; the heartbeat of the connection.

        Raises:
            BrokerUnavailable: no answer within `within_s`: the socket may look open, nobody is behind it.
        """
        try:
            async with asyncio.timeout(within_s):
                return await self._unkeyed(self._ib.reqCurrentTimeAsync)
        except TimeoutError as error:
            raise BrokerUnavailable(f"The gateway has not answered a heartbeat for {within_s:g} s.") from error

    async def ask_for_orders(self) -> tuple[set[str], set[str], set[str]]:
        """References of our open, completed and executed orders of today; the taps see each message.

        Raises:
            BrokerUnavailable: an answer is missing; nothing may be concluded.
        """
        opened = await self._unkeyed(self._ib.reqAllOpenOrdersAsync)
        completed = await self._unkeyed(lambda: self._ib.reqCompletedOrdersAsync(False))
        executed = await self._unkeyed(self._ib.reqExecutionsAsync)
        return ({trade.order.orderRef for trade in opened}, {trade.order.orderRef for trade in completed},
                {fill.execution.orderRef for fill in executed})

    async def open_orders(self) -> list[OpenOrder]:
        """Every order that rests at the broker, of all clients.

        Raises:
            BrokerUnavailable: the answer is missing; nothing may be concluded.
        """
        with self._taps.listening() as heard:
            await self._unkeyed(self._ib.reqAllOpenOrdersAsync)
        told = (facts for kind, facts in heard if kind is MessageKind.OPEN_ORDER)
        return list({order.perm_id: order for order in map(open_order, told)}.values())

    async def everything(self) -> list[tuple[MessageKind, dict[str, Any]]]:
        """What the broker says of all open, completed and executed orders of today, message by message.

        Raises:
            BrokerUnavailable: an answer is missing; nothing may be concluded.
        """
        with self._taps.listening() as heard:
            await self.ask_for_orders()
        return [(kind, facts) for kind, facts in heard if kind in _LISTED]

    async def positions(self) -> list[BrokerPosition]:
        """Everything that the broker says we hold."""
        rows = await self._unkeyed(self._ib.reqPositionsAsync)
        return [BrokerPosition(account=row.account, con_id=row.contract.conId, symbol=row.contract.symbol,
                               quantity=int(row.position)) for row in rows if row.position]

    async def account_value(self, account: str, currency: str) -> float:
        """Net liquidation of `account` in `currency`."""
        rows = await self._unkeyed(lambda: self._ib.accountSummaryAsync(account))
        for row in rows:
            if row.tag == "NetLiquidation" and row.account == account and row.currency in (currency, "BASE"):
                return float(row.value)
        raise BrokerError(f"The broker reports no NetLiquidation in {currency} for account {account}. "
                          f"Check broker.account in tradingd.yaml.")

    async def contracts(self, instrument: BrokerInstrument) -> list[ContractDetails]:
        """Every listed contract of `instrument`, nearest first; empty when the broker lists none."""
        query = ib_async.Contract(secType="FUT", symbol=instrument.symbol, exchange=instrument.exchange,
                                  currency=instrument.currency, multiplier=instrument.multiplier)
        try:
            rows = await self._limited(self._ib.reqContractDetailsAsync(query))
        except BrokerError as error:
            if error.code == 200:
                return []
            raise
        return sorted((details(row) for row in rows), key=lambda found: found.contract_month)

    async def bars(self, con_id: int, exchange: str, duration: str, size: str) -> list[Bar]:
        """Historical trades of one contract up to now; empty when there are none."""
        contract = ib_async.Contract(secType="FUT", conId=con_id, exchange=exchange, includeExpired=True)
        return await self._history(contract, duration, size, "TRADES")

    async def fx_bars(self, pair: CurrencyPair, duration: str) -> list[Bar]:
        """Daily mid rates of `pair` the way we write it."""
        base, quote = (pair.quote, pair.base) if pair.inverted_at_broker else (pair.base, pair.quote)
        contract = ib_async.Contract(secType="CASH", symbol=base, currency=quote, exchange="IDEALPRO")
        bars = await self._history(contract, duration, "1 day", "MIDPOINT")
        return [_inverted(bar) for bar in bars] if pair.inverted_at_broker else bars

    async def quote(self, con_id: int, exchange: str, now: Callable[[], datetime], wait_s: float = 5.0) -> Quote:
        """The first complete bid and ask within `wait_s`, or what there is by then."""
        return await self._lines.quote(_future(con_id, exchange), now, wait_s)

    async def spread_quote(self, spread: SpreadContract, now: Callable[[], datetime], wait_s: float = 5.0) -> Quote:
        """The same of the market of a calendar spread itself."""
        return await self._lines.quote(_combination(spread), now, wait_s)

    def new_lines(self, wanted: Iterable[int | SpreadContract]) -> int:
        """How many of these contracts (by con id) and spreads have no open line yet: each costs a message."""
        return self._lines.new(each if isinstance(each, int) else hash(_combination(each)) for each in wanted)

    async def quotes(self, contracts: Mapping[int, str], now: Callable[[], datetime], after: int,
                     wait_s: float) -> QuoteChanges:
        """What changed behind version `after` in these contracts (exchange by con id); waits for something to change.

        Raises:
            BrokerError: all lines of the account are in use.
        """
        wanted = [_future(con_id, exchange) for con_id, exchange in contracts.items()]
        return await self._lines.changes(wanted, now, after, wait_s)

    async def _history(self, contract: Any, duration: str, size: str, show: str) -> list[Bar]:
        """Bars; the library gives up and cancels at its limit, and then answers as if there were none."""
        begun = asyncio.get_running_loop().time()
        request = self._ib.reqHistoricalDataAsync(contract, "", duration, size, show, False, 2,
                                                  timeout=self._timeout_s)
        try:
            rows = await self._limited(request, self._timeout_s + 1)
        except BrokerError as error:
            meaning = refusal(error.code, str(error))
            if meaning is HistoryRefusal.EMPTY:
                return []
            if meaning is HistoryRefusal.NO_PERMISSION:
                raise NoPermission(f"{error} Subscribe to its market data in the broker's account management, or leave "
                                   f"the instrument out.", error.code) from error
            raise
        if not rows and asyncio.get_running_loop().time() - begun >= self._timeout_s:
            raise BrokerUnavailable(f"The broker gave no bars within {self._timeout_s:g} s; nothing is known.")
        return [Bar(at=instant(row.date), open=row.open, high=row.high, low=row.low, close=row.close,
                    volume=max(0.0, float(row.volume))) for row in rows]

    async def _unkeyed(self, request: Callable[[], Awaitable[Answer]]) -> Answer:
        async with self._one_at_a_time:
            return await self._limited(request())

    async def _limited(self, request: Awaitable[Answer], within_s: float | None = None) -> Answer:
        try:
            async with asyncio.timeout(within_s or self._timeout_s):
                return await request
        except ib_async.RequestError as error:
            raise BrokerError(f"The broker refused: {error.message} (code {error.code}).", error.code) from error
        except TimeoutError as error:
            raise BrokerUnavailable(f"The broker gave no answer within {within_s or self._timeout_s:g} s; nothing is "
                                    f"known.") from error
        except ConnectionError as error:
            raise BrokerUnavailable("The connection to the broker broke before the answer came.") from error

    def _heed(self, code: int) -> None:
        if code == _ID_IN_USE:
            self._id_in_use.set()
        self._lines.heed(code)


def _future(con_id: int, exchange: str) -> Any:
    return ib_async.Contract(secType="FUT", conId=con_id, exchange=exchange)


def _traded(order: BrokerOrder) -> Any:
    """The contract of an order: a future, or the months of a spread as one."""
    if order.spread is None:
        return _future(order.con_id, order.exchange)
    return _combination(SpreadContract(
        symbol=order.spread.symbol, currency=order.spread.currency, exchange=order.exchange,
        near=order.spread.near.con_id, far=order.spread.far.con_id))


def _combination(spread: SpreadContract) -> Any:
    """Bought, it sells the near month and buys the far one (ib_wire.md 2.8)."""
    legs = [ib_async.ComboLeg(conId=con_id, ratio=1, action=action, exchange=spread.exchange)
            for con_id, action in ((spread.near, "SELL"), (spread.far, "BUY"))]
    return ib_async.Contract(secType="BAG", symbol=spread.symbol, currency=spread.currency,
                             exchange=spread.exchange, comboLegs=legs)


def _spread_fields(order: BrokerOrder) -> dict[str, Any]:
    """Both months trade or none: never left to a preset of the broker's program (RC-35)."""
    if order.spread is None:
        return {}
    return {"smartComboRoutingParams": [ib_async.TagValue("NonGuaranteed", "0")]}


def _algo_fields(order: BrokerOrder) -> dict[str, Any]:
    """What asks the broker to work `order` by its own algo; nothing for one that we work ourselves."""
    if order.adaptive is None:
        return {}
    return {"algoStrategy": "Adaptive", "algoParams": [ib_async.TagValue("adaptivePriority", order.adaptive.value)]}


def _inverted(bar: Bar) -> Bar:
    return Bar(at=bar.at, open=1 / bar.open, high=1 / bar.low, low=1 / bar.high, close=1 / bar.close,
               volume=bar.volume)
