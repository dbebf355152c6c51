"""The broker link: what workers may ask of the one connection. Each route is one request, one answer.

Who follows the journal or quotes asks for what lies behind the last that he has: he loses and repeats nothing, however
often he is started again, and the daemon keeps nothing for him, so that a slow or dead worker is nobody's concern.
"""

import asyncio
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from daemon.api.broker_requests import (
    MOST_MESSAGES,
    Nonsense,
    WantedBars,
    WantedChange,
    WantedContract,
    WantedFxBars,
    WantedMargin,
    WantedMessages,
    WantedQuotes,
    WantedSpread,
    wanted,
)
from daemon.broker_service import BrokerService
from daemon.store.async_store import AsyncStore
from daemon.store.journal_writer import JournalWriter
from trading.broker.facts import Bar, Quote, SpreadContract
from trading.broker.message_rows import row_of
from trading.clock import Clock, to_milliseconds
from trading.config import ServiceConfig
from trading.data.mongo.instruments import MongoInstruments
from trading.errors import NotFound
from trading.execution.broker_messages import BrokerMessage
from trading.risk.margin_question import WhatIf


class BrokerRoutes:
    """Routes under /broker."""

    def __init__(self, broker: BrokerService, journal: JournalWriter, store: AsyncStore,
                 service: ServiceConfig, clock: Clock) -> None:
        self._broker, self._journal, self._store = broker, journal, store
        self._service, self._clock = service, clock
        self._instruments = MongoInstruments(store.store)

    def routes(self) -> list[Route]:
        return [
            Route("/broker/contracts/{code:path}", self.contracts),
            Route("/broker/bars", self.bars, methods=["POST"]),
            Route("/broker/fx_bars", self.fx_bars, methods=["POST"]),
            Route("/broker/quote", self.quote, methods=["POST"]),
            Route("/broker/account", self.account),
            Route("/broker/margin", self.margin, methods=["POST"]),
            Route("/broker/positions", self.positions),
            Route("/broker/spread_quote", self.spread_quote, methods=["POST"]),
            Route("/broker/quotes", self.quotes, methods=["POST"]),
            Route("/broker/messages", self.messages, methods=["POST"]),
            Route("/broker/book", self.book),
            Route("/broker/renew", self.renew, methods=["POST"]),
            Route("/broker/refresh", self.refresh, methods=["POST"]),
            Route("/broker/orders/{order}/submit", self.submit, methods=["POST"]),
            Route("/broker/orders/{order}/change", self.change, methods=["POST"]),
            Route("/broker/orders/{order}/cancel", self.cancel, methods=["POST"]),
            Route("/broker/orders/{order}/evidence", self.evidence),
        ]

    async def contracts(self, request: Request) -> JSONResponse:
        record = await self._store.call(self._instruments.load, request.path_params["code"])
        if record.broker is None:
            raise NotFound(f"{record.instrument.code} has no broker symbol. Add it to ib_config_futures.csv "
                           f"and import again.")
        rows = await (await self._broker.library(_asker(request))).contracts(record.broker)
        return JSONResponse([asdict(row) | {"min_tick": str(row.min_tick)} for row in rows])

    async def bars(self, request: Request) -> JSONResponse:
        asked = await wanted(request, WantedBars)
        library = await self._broker.library(_asker(request))
        return JSONResponse(_rows(await library.bars(asked.con_id, asked.exchange, asked.duration, asked.size)))

    async def fx_bars(self, request: Request) -> JSONResponse:
        asked = await wanted(request, WantedFxBars)
        pairs = await self._store.call(self._instruments.pairs)
        if asked.pair not in pairs:
            raise NotFound(f"There is no currency pair {asked.pair} (known: {', '.join(sorted(pairs)) or 'none'}).")
        library = await self._broker.library(_asker(request))
        return JSONResponse(_rows(await library.fx_bars(pairs[asked.pair], asked.duration)))

    async def quote(self, request: Request) -> JSONResponse:
        asked = await wanted(request, WantedContract)
        library = await self._broker.library_for_quotes(_asker(request), [asked.con_id])
        return JSONResponse(_quote_row(await library.quote(asked.con_id, asked.exchange, self._clock.now)))

    async def spread_quote(self, request: Request) -> JSONResponse:
        spread = SpreadContract(**(await wanted(request, WantedSpread)).model_dump())
        library = await self._broker.library_for_quotes(_asker(request), [spread])
        return JSONResponse(_quote_row(await library.spread_quote(spread, self._clock.now)))

    async def quotes(self, request: Request) -> JSONResponse:
        """What changed in some contracts; a worker follows by asking again behind the version of the answer."""
        asked = await wanted(request, WantedQuotes)
        contracts = {each.con_id: each.exchange for each in asked.contracts}
        library = await self._broker.library_for_quotes(_asker(request), contracts)
        changed = await library.quotes(contracts, self._clock.now, asked.after, asked.wait_s)
        return JSONResponse({"version": changed.version,
                             "quotes": {con_id: _quote_row(quote) for con_id, quote in changed.quotes.items()}})

    async def account(self, request: Request) -> JSONResponse:
        library = await self._broker.library(_asker(request))
        value = await library.account_value(self._service.broker.account, self._service.base_currency)
        return JSONResponse({"net_liquidation": value})

    async def margin(self, request: Request) -> JSONResponse:
        """The broker's word on the margin after an order; null when it gives none."""
        asked = await wanted(request, WantedMargin)
        told = await self._broker.margins.after(WhatIf(**asked.model_dump()), _asker(request),
                                                self._service.base_currency)
        return JSONResponse({"after": None if told is None else asdict(told)})

    async def positions(self, request: Request) -> JSONResponse:
        library = await self._broker.library(_asker(request))
        rows = [row for row in await library.positions() if row.account == self._service.broker.account]
        return JSONResponse([asdict(row) for row in rows])

    async def messages(self, request: Request) -> JSONResponse:
        """What was stored behind `after`; waits for something, at most `wait_s`."""
        asked = await wanted(request, WantedMessages)
        if asked.after > self._journal.stored:
            raise Nonsense(f"Message {asked.after} has not been stored; the newest is {self._journal.stored}. "
                           f"Begin again behind the last message in the books.")
        with suppress(TimeoutError):  # nothing new is an answer
            async with asyncio.timeout(asked.wait_s):
                await self._journal.wait_for(asked.after + 1)
        return JSONResponse([row_of(message) for message in await self._journal.after(asked.after, MOST_MESSAGES)])

    async def book(self, request: Request) -> JSONResponse:
        epoch, heard = await self._broker.book(_asker(request))
        now = self._clock.now()
        rows = [row_of(BrokerMessage(sequence=0, at=now, epoch=epoch, kind=kind, facts=facts)) for kind, facts in heard]
        return JSONResponse({"epoch": epoch, "account": self._service.broker.account, "messages": rows})

    async def renew(self, _request: Request) -> JSONResponse:
        await self._broker.renew()
        return JSONResponse({})

    async def refresh(self, _request: Request) -> JSONResponse:
        await self._broker.refresh()
        return JSONResponse({"last": self._journal.stored})

    async def submit(self, request: Request) -> JSONResponse:
        order = await self._broker.orders.submit(request.path_params["order"])
        return JSONResponse({"lifecycle": order.lifecycle.value})

    async def change(self, request: Request) -> JSONResponse:
        asked = await wanted(request, WantedChange)
        order = await self._broker.orders.change(request.path_params["order"], asked.limit)
        return JSONResponse({"lifecycle": order.lifecycle.value})

    async def cancel(self, request: Request) -> JSONResponse:
        await self._broker.orders.cancel(request.path_params["order"])
        return JSONResponse({})

    async def evidence(self, request: Request) -> JSONResponse:
        return JSONResponse(asdict(await self._broker.orders.evidence(request.path_params["order"])))


def _asker(request: Request) -> str:
    """The worker's process: those who ask take turns."""
    return str(request.client.port) if request.client else ""


def _quote_row(quote: Quote) -> dict[str, Any]:
    prices = {name: None if value is None else str(value) for name, value in
              (("bid", quote.bid), ("ask", quote.ask), ("last", quote.last))}
    traded = None if quote.traded is None else {"lots": quote.traded.lots, "changed": quote.traded.changed.isoformat()}
    return prices | {"at": quote.at.isoformat(), "traded": traded}


def _rows(bars: list[Bar]) -> list[list[Any]]:
    return [[to_milliseconds(bar.at), bar.open, bar.high, bar.low, bar.close, bar.volume] for bar in bars]
