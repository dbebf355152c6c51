"""Market-data lines: one a contract however many ask, kept open a while, and never an old price for a new one. Async.

The library gives the ticker of an earlier subscription back, prices and all; so what a ticker shows counts only from
the moment at which its line was opened, and not while the broker's data farm is broken (ib_wire.md 3.3).

Whoever follows quotes asks again and again for what has changed since: the daemon keeps nothing for him, so that a
slow follower slows nobody, and the lines of one who died are closed like any that nobody asks for.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from trading.broker.facts import Quote, QuoteChanges
from trading.errors import BrokerError
from trading.execution.quotes import Traded

LINGER_S: Final = 20.0  # after the last question
SILENT_S: Final = 10.0  # without a word for so long, a line may be dead: who asks for a price has it opened anew
CONFLATED_S: Final = 0.05  # changes within this time are told at once
LINES: Final = 100  # what a gateway gives an account; more are refused with code 101
FARM_BROKEN: Final = 2103
FARM_OK: Final = 2104
_PRICES: Final = ("bid", "ask", "last")
_VOLUME: Final = "volume"  # of the contract's day; tick type 8 on the wire, 74 delayed


@dataclass
class _Line:
    contract: Any
    ticker: Any
    version: int
    heard_s: float  # on the loop's clock
    lots: int | None = None  # that the market has traded since its day began
    lots_s: float = 0.0  # when that was heard to change
    users: int = 0
    closing: asyncio.TimerHandle | None = None


class QuoteLines:
    """The lines of one connection. `ib` is the library's connection."""

    def __init__(self, ib: Any) -> None:
        self._ib = ib
        self._lines: dict[int, _Line] = {}  # by the library's hash: a future's con id, a combination's legs
        self._is_broken = False
        self._version = 0
        self._news = asyncio.Event()
        ib.pendingTickersEvent += self._heard

    @property
    def count(self) -> int:
        """How many lines are open."""
        return len(self._lines)

    def new(self, keys: Iterable[int]) -> int:
        """How many lines are opened when a price of each of these is asked for, by the library's hash."""
        lines = (self._lines.get(key) for key in keys)
        return sum(line is None or _is_silent(line) for line in lines)

    async def quote(self, contract: Any, now: Callable[[], datetime], wait_s: float) -> Quote:
        """The first complete bid and ask within `wait_s`, or what there is by then.

        A line that was silent is opened anew: the broker then tells a price of now, or none.
        """
        line = self._opened(contract)
        if _is_silent(line):
            self._open_anew(line)
        line.users += 1
        try:
            async with asyncio.timeout(wait_s):
                while self._is_broken or not self._is_complete(line):
                    await line.ticker.updateEvent
        except TimeoutError:
            pass  # an incomplete quote is an answer too; the caller sees its None
        finally:
            self._left(line)
        return self._quote_of(line, now(), now())

    async def changes(self, contracts: Sequence[Any], now: Callable[[], datetime], after: int,
                      wait_s: float) -> QuoteChanges:
        """The newest quotes that changed behind version `after`; empty when none has within `wait_s`.

        Raises:
            BrokerError: all lines are in use.
        """
        lines: list[_Line] = []
        try:
            for contract in contracts:
                lines.append(self._opened(contract))
                lines[-1].users += 1
            async with asyncio.timeout(wait_s):
                while all(line.version <= after for line in lines):
                    await self._news.wait()
                await asyncio.sleep(CONFLATED_S)
        except TimeoutError:
            pass  # nothing new is an answer
        finally:
            for line in lines:
                self._left(line)
        moment, loop_s = now(), asyncio.get_running_loop().time()
        return QuoteChanges(version=self._version, quotes={
            line.contract.conId: self._quote_of(line, moment - timedelta(seconds=loop_s - line.heard_s), moment)
            for line in lines if line.version > after})

    def heed(self, code: int) -> None:
        """A notice of the gateway: after a broken farm streams may stay silent, so they are opened anew."""
        if code == FARM_BROKEN:
            self._is_broken = True
            self._changed(self._lines.values())
        elif code == FARM_OK and self._is_broken:
            self._is_broken = False
            for line in list(self._lines.values()):
                self._open_anew(line)

    def _open_anew(self, line: _Line) -> None:
        self._ib.cancelMktData(line.contract)
        line.ticker, line.heard_s = self._subscribed(line.contract), asyncio.get_running_loop().time()

    def _heard(self, tickers: Iterable[Any]) -> None:
        lines = (self._lines.get(hash(ticker.contract)) for ticker in tickers)
        self._changed(line for line in lines if line is not None)

    def _changed(self, lines: Iterable[_Line]) -> None:
        self._version += 1
        loop_s = asyncio.get_running_loop().time()
        for line in lines:
            line.version, line.heard_s = self._version, loop_s
            lots = whole_lots(line.ticker.volume)
            if lots is not None and lots != line.lots:
                line.lots, line.lots_s = lots, loop_s
        self._news.set()
        self._news = asyncio.Event()

    def _opened(self, contract: Any) -> _Line:
        line = self._lines.get(hash(contract))
        if line is None:
            self._make_room()
            self._version += 1
            line = self._lines[hash(contract)] = _Line(contract, self._subscribed(contract), self._version,
                                                       asyncio.get_running_loop().time())
        if line.closing is not None:
            line.closing.cancel()
            line.closing = None
        return line

    def _make_room(self) -> None:
        """Close the line that nobody has used for longest, if all are open."""
        if len(self._lines) < LINES:
            return
        unused = [line for line in self._lines.values() if line.closing is not None]
        if not unused:
            raise BrokerError(f"All {LINES} market-data lines are in use. Follow fewer contracts at once, or ask again "
                              f"when another job has ended.")
        oldest = min(unused, key=lambda line: line.closing.when() if line.closing else 0.0)
        if oldest.closing is not None:
            oldest.closing.cancel()
        self._close(oldest)

    def _subscribed(self, contract: Any) -> Any:
        """The ticker of a new subscription, without what it knew from an earlier one."""
        known = self._ib.ticker(contract)
        for name in (*_PRICES, _VOLUME) if known is not None else ():
            setattr(known, name, math.nan)
        return self._ib.reqMktData(contract, "", False, False)

    def _left(self, line: _Line) -> None:
        line.users -= 1
        if not line.users:
            line.closing = asyncio.get_running_loop().call_later(LINGER_S, self._close, line)

    def _close(self, line: _Line) -> None:
        if not line.users and self._lines.get(hash(line.contract)) is line:
            del self._lines[hash(line.contract)]
            if self._ib.isConnected():
                self._ib.cancelMktData(line.contract)

    def _quote_of(self, line: _Line, at: datetime, now: datetime) -> Quote:
        """What the line shows; while the farm is broken it shows no price, and the volume as it was."""
        bid, ask, last = ((None,) * 3 if self._is_broken else (price(getattr(line.ticker, name)) for name in _PRICES))
        return Quote(bid=bid, ask=ask, last=last, at=at, traded=_traded(line, now))

    @staticmethod
    def _is_complete(line: _Line) -> bool:
        return price(line.ticker.bid) is not None and price(line.ticker.ask) is not None


def _is_silent(line: _Line) -> bool:
    return asyncio.get_running_loop().time() - line.heard_s >= SILENT_S


def _traded(line: _Line, now: datetime) -> Traded | None:
    if line.lots is None:
        return None
    ago_s = asyncio.get_running_loop().time() - line.lots_s
    return Traded(lots=line.lots, changed=now - timedelta(seconds=ago_s))


def whole_lots(value: float | None) -> int | None:
    """A volume as the wire means it: no number, and a negative one, are none."""
    return None if value is None or not math.isfinite(value) or value < 0 else int(value)


def price(value: float | None) -> Decimal | None:
    """A price as the wire means it: no number, and -1 without a size, are none."""
    return None if value is None or not math.isfinite(value) or value == -1 else Decimal(repr(value))
