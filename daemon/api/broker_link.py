"""The broker link: what workers may ask of the one connection. Each route is one request, one answer."""

import asyncio
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from daemon.broker_service import BrokerService
from daemon.store.async_store import AsyncStore
from daemon.store.journal_writer import JournalWriter
from trading.broker.facts import Bar
from trading.clock import Clock, to_milliseconds
from trading.config import ServiceConfig
from trading.data.mongo.instruments import MongoInstruments
from trading.errors import NotFound


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
            Route("/broker/positions", self.positions),
            Route("/broker/messages", self.messages),
            Route("/broker/refresh", self.refresh, methods=["POST"]),
            Route("/broker/orders/{order}/submit", self.submit, methods=["POST"]),
            Route("/broker/orders/{order}/cancel", self.cancel, methods=["POST"]),
            Route("/broker/orders/{order}/evidence", self.evidence),
        ]

    async def contracts(self, request: Request) -> JSONResponse:
        record = await self._store.call(self._instruments.load, request.path_params["code"])
        if record.broker is None:
            raise NotFound(f"{record.instrument.code} has no broker symbol. Add it to ib_config_futures.csv "
                           f"and import again.")
        rows = await (await self._broker.library()).contracts(record.broker)
        return JSONResponse([asdict(row) | {"min_tick": str(row.min_tick)} for row in rows])

    async def bars(self, request: Request) -> JSONResponse:
        wanted = await request.json()
        library = await self._broker.library()
        return JSONResponse(_rows(await library.bars(wanted["con_id"], wanted["exchange"], wanted["duration"],
                                                     wanted["size"])))

    async def fx_bars(self, request: Request) -> JSONResponse:
        wanted = await request.json()
        pairs = await self._store.call(self._instruments.pairs)
        library = await self._broker.library()
        return JSONResponse(_rows(await library.fx_bars(pairs[wanted["pair"]], wanted["duration"])))

    async def quote(self, request: Request) -> JSONResponse:
        wanted = await request.json()
        library = await self._broker.library()
        quote = await library.quote(wanted["con_id"], wanted["exchange"], self._clock.now)
        prices = {name: None if value is None else str(value) for name, value in
                  (("bid", quote.bid), ("ask", quote.ask), ("last", quote.last))}
        return JSONResponse(prices | {"at": quote.at.isoformat()})

    async def account(self, _request: Request) -> JSONResponse:
        library = await self._broker.library()
        value = await library.account_value(self._service.broker.account, self._service.base_currency)
        return JSONResponse({"net_liquidation": value})

    async def positions(self, _request: Request) -> JSONResponse:
        library = await self._broker.library()
        rows = [row for row in await library.positions() if row.account == self._service.broker.account]
        return JSONResponse([asdict(row) for row in rows])

    async def messages(self, request: Request) -> JSONResponse:
        """The last stored message; waits for one behind `after`, at most `wait_s`."""
        after, wait_s = int(request.query_params["after"]), float(request.query_params["wait_s"])
        with suppress(TimeoutError):  # nothing new is an answer
            await asyncio.wait_for(self._journal.wait_for(after + 1), min(wait_s, 30.0))
        return JSONResponse({"last": self._journal.stored})

    async def refresh(self, _request: Request) -> JSONResponse:
        await self._broker.refresh()
        return JSONResponse({"last": self._journal.stored})

    async def submit(self, request: Request) -> JSONResponse:
        order = await self._broker.submit(request.path_params["order"])
        return JSONResponse({"lifecycle": order.lifecycle.value})

    async def cancel(self, request: Request) -> JSONResponse:
        await self._broker.cancel(request.path_params["order"])
        return JSONResponse({})

    async def evidence(self, request: Request) -> JSONResponse:
        return JSONResponse(asdict(await self._broker.evidence(request.path_params["order"])))


def _rows(bars: list[Bar]) -> list[list[Any]]:
    return [[to_milliseconds(bar.at), bar.open, bar.high, bar.low, bar.close, bar.volume] for bar in bars]
