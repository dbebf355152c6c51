"""Routes under /trading: every deed of the trading desk by its name, done once, or only shown with `dry_run`."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from ulid import ULID

from daemon.api.commands import Command, Commands, Values, command_of
from daemon.api.errors import refused
from daemon.store.async_store import AsyncStore
from trading.clock import Clock
from trading.data.trading_desk.asked import deed_of
from trading.data.trading_desk.deed import Deed, Signed
from trading.data.trading_desk.deeds import DEEDS
from trading.data.trading_desk.desk import TradingDesk
from trading.data.trading_desk.records import House
from trading.errors import NotFound

_ABOUT_THE_COMMAND: Final = frozenset({"id", "actor", "reason", "dry_run"})  # the rest is the deed's


class TradingRoutes:
    """What a person may do to orders, positions and controls. `house` is that of the moment."""

    def __init__(self, store: AsyncStore, clock: Clock, house: Callable[[], House]) -> None:
        self._store, self._clock, self._house = store, clock, house
        self._commands = Commands(store, clock, refused, may_repeat=True)  # the desk does each id once

    def routes(self) -> list[Route]:
        return [Route("/trading/{deed}", self.deed, methods=["POST"])]

    async def deed(self, request: Request) -> JSONResponse:
        verb = request.path_params["deed"]
        if verb not in DEEDS:
            raise NotFound(f"There is no deed {verb} (known: {', '.join(DEEDS)}). Nothing was changed.")
        command = await command_of(request, verb, "")
        deed = deed_of(DEEDS[verb], {key: value for key, value in command.values.items()
                                     if key not in _ABOUT_THE_COMMAND})
        desk = TradingDesk(self._store.store, self._house())
        signed = self._signed(command)
        if command.values.get("dry_run"):
            return JSONResponse(asdict(await self._store.call(desk.preview, deed, signed)))
        return await self._commands.once(request, command, lambda: self._do(desk, deed, signed))

    def _signed(self, command: Command) -> Signed:
        return Signed(id=command.id or str(ULID()), who=command.actor, at=self._clock.now(),
                      why=str(command.values.get("reason") or ""))

    async def _do(self, desk: TradingDesk, deed: Deed, signed: Signed) -> Values:
        outcome = await self._store.call(desk.do, deed, signed)
        values: dict[str, Any] = asdict(outcome)
        return values | {"at": outcome.at.isoformat()}
