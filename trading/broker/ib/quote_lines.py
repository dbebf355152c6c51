"""Market-data lines: one a contract however many ask, kept open a while, and never an old price for a new one. Async.

The library gives the ticker of an earlier subscription back, prices and all; so what a ticker shows counts only from
the moment at which its line was opened, and not while the broker's data farm is broken (ib_wire.md 3.3).
"""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from trading.broker.facts import Quote

LINGER_S: Final = 20.0  # after the last question
FARM_BROKEN: Final = 2103
FARM_OK: Final = 2104
_PRICES: Final = ("bid", "ask", "last")


@dataclass
class _Line:
    contract: Any
    ticker: Any
    users: int = 0
    closing: asyncio.TimerHandle | None = None


class QuoteLines:
    """The lines of one connection. `ib` is the library's connection."""

    def __init__(self, ib: Any) -> None:
        self._ib = ib
        self._lines: dict[int, _Line] = {}
        self._is_broken = False

    @property
    def count(self) -> int:
        """How many lines are open; a gateway gives a hundred."""
        return len(self._lines)

    async def quote(self, contract: Any, now: Callable[[], datetime], wait_s: float) -> Quote:
        """The first complete bid and ask within `wait_s`, or what there is by then."""
        line = self._opened(contract)
        line.users += 1
        try:
            async with asyncio.timeout(wait_s):
                while self._is_broken or not self._is_complete(line):
                    await line.ticker.updateEvent
        except TimeoutError:
            pass  # an incomplete quote is an answer too; the caller sees its None
        finally:
            self._left(line)
        bid, ask, last = ((None,) * 3 if self._is_broken else (price(getattr(line.ticker, name)) for name in _PRICES))
        return Quote(bid=bid, ask=ask, last=last, at=now())

    def heed(self, code: int) -> None:
        """A notice of the gateway: after a broken farm streams may stay silent, so they are opened anew."""
        if code == FARM_BROKEN:
            self._is_broken = True
        elif code == FARM_OK and self._is_broken:
            self._is_broken = False
            for line in list(self._lines.values()):
                self._ib.cancelMktData(line.contract)
                line.ticker = self._subscribed(line.contract)

    def _opened(self, contract: Any) -> _Line:
        line = self._lines.get(contract.conId)
        if line is None:
            line = self._lines[contract.conId] = _Line(contract, self._subscribed(contract))
        if line.closing is not None:
            line.closing.cancel()
            line.closing = None
        return line

    def _subscribed(self, contract: Any) -> Any:
        """The ticker of a new subscription, without what it knew from an earlier one."""
        known = self._ib.ticker(contract)
        for name in _PRICES if known is not None else ():
            setattr(known, name, math.nan)
        return self._ib.reqMktData(contract, "", False, False)

    def _left(self, line: _Line) -> None:
        line.users -= 1
        if not line.users:
            line.closing = asyncio.get_running_loop().call_later(LINGER_S, self._close, line)

    def _close(self, line: _Line) -> None:
        if not line.users and self._lines.get(line.contract.conId) is line:
            del self._lines[line.contract.conId]
            if self._ib.isConnected():
                self._ib.cancelMktData(line.contract)

    @staticmethod
    def _is_complete(line: _Line) -> bool:
        return price(line.ticker.bid) is not None and price(line.ticker.ask) is not None


def price(value: float | None) -> Decimal | None:
    """A price as the wire means it: no number, and -1 without a size, are none."""
    return None if value is None or not math.isfinite(value) or value == -1 else Decimal(repr(value))
