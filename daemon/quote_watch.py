"""QuoteWatch: whether there are quotes of what is held, while it is traded (RC-44). It tells, and never flattens.

Lines are opened for a look and close again by themselves, a part of the contracts at a time: jobs need lines too. What
could not be asked says nothing, so its silence begins anew.
"""

import asyncio
import math
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from daemon.broker_service import BrokerService, Link
from daemon.store.async_store import AsyncStore
from trading.broker.facts import ContractDetails
from trading.clock import Clock
from trading.data.mongo.contracts import MongoContracts
from trading.errors import BrokerError, DataError
from trading.log import get_log
from trading.objects.trading_hours import open_hours
from trading.risk.check import Check
from trading.risk.controls.watch import rc_44, rc_44_monitor
from trading.risk.settings import AccountSettings

log = get_log()
ASK_EVERY_S: Final = 60.0
AT_ONCE: Final = 20  # lines
ROUNDS: Final = 3  # in so many asks each contract has its turn
ANSWER_WITHIN_S: Final = 5.0
READ_WITHIN_S: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class QuoteParts:
    """What it works with."""

    store: AsyncStore
    broker: BrokerService
    clock: Clock
    settings: AccountSettings


@dataclass(frozen=True, kw_only=True)
class Held:
    """A contract that we hold and that is traded now."""

    key: str
    lots: int
    details: ContractDetails


class QuoteWatch:
    """Remembers when each contract was heard last, from its first look in a session on."""

    def __init__(self, parts: QuoteParts) -> None:
        self._parts = parts
        self._contracts = MongoContracts(parts.store.store)
        self._heard: dict[str, datetime] = {}
        self._asked_s = float("-inf")
        self._turn = 0

    async def look(self) -> tuple[Check, ...]:
        """What RC-44 says; nothing while the broker cannot be asked: that is another alert's matter."""
        if self._parts.broker.link is not Link.READY:
            self._heard.clear()
            return ()
        held, now = await self._held(), self._parts.clock.now()
        self._heard = {each.key: self._heard.get(each.key, now) for each in held}
        if held and self._parts.clock.monotonic_s() - self._asked_s >= ASK_EVERY_S:
            self._asked_s = self._parts.clock.monotonic_s()
            await self._ask(self._next(held))
        settings, now = self._parts.settings, self._parts.clock.now()
        checks = {each.key: rc_44(each.key, each.lots, now - self._heard.get(each.key, now), in_session=True,
                                  settings=settings) for each in held}
        return (rc_44_monitor(checks, settings),)

    async def _held(self) -> list[Held]:
        store = self._parts.store
        positions = await store.call(store.books.contract_positions)
        known = await store.call(self._contracts.some, sorted(positions))
        now = self._parts.clock.now()
        return [Held(key=key, lots=lots, details=known[key]) for key, lots in positions.items()
                if key in known and is_traded(known[key], now)]

    def _next(self, held: list[Held]) -> list[Held]:
        """Those whose turn it is."""
        size = min(len(held), max(AT_ONCE, math.ceil(len(held) / ROUNDS)))
        begin = self._turn % len(held)
        self._turn = begin + size
        return [held[(begin + place) % len(held)] for place in range(size)]

    async def _ask(self, asked: list[Held]) -> None:
        contracts = {each.details.con_id: each.details.exchange for each in asked}
        clock = self._parts.clock
        try:
            library = await self._parts.broker.library_for_quotes("risk watch", contracts)
            await asyncio.gather(*(library.quote(con_id, exchange, clock.now, ANSWER_WITHIN_S)
                                   for con_id, exchange in contracts.items()))
            found = (await library.quotes(contracts, clock.now, 0, READ_WITHIN_S)).quotes
        except BrokerError as error:
            log.info("quotes_not_asked", reason=str(error), effect="it is looked at again soon")
            for each in asked:
                self._heard.pop(each.key, None)
            return
        for each in asked:
            quote = found.get(each.details.con_id)
            if quote is not None and quote.bid is not None and quote.ask is not None:
                self._heard[each.key] = max(self._heard[each.key], quote.at)


def is_traded(details: ContractDetails, now: datetime) -> bool:
    """Whether its exchange is open; hours that nobody understands are another control's matter."""
    try:
        sessions = open_hours(details.trading_hours, details.time_zone)
    except DataError:
        return False
    return any(each.start <= now < each.end for each in sessions)
