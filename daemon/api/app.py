"""The control API: one ASGI application on the Unix socket, for tradectl, the workers and the dashboard."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pymongo.errors import PyMongoError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from ulid import ULID

from daemon.api.broker_link import BrokerRoutes
from daemon.async_store import AsyncStore
from daemon.process_runner import NotAllowed, ProcessRunner, Slot
from daemon.status import process_row
from trading.control.process_control import Desired
from trading.control.process_run import Kind
from trading.errors import BrokerUnavailable, ConcurrentUpdate, ConfigError, NotFound, TradingError


@dataclass(frozen=True, kw_only=True)
class ControlParts:
    """What the API shows and moves."""

    runner: ProcessRunner
    store: AsyncStore
    broker: BrokerRoutes
    service_status: Callable[[], dict[str, Any]]
    upcoming: Callable[[int], list[dict[str, Any]]]
    trading_day: Callable[[], str]
    reload: Callable[[], list[str]]
    shut_down: Callable[[], None]


class ControlApi:
    """Routes for people; the broker link's routes stand beside them."""

    def __init__(self, parts: ControlParts) -> None:
        self._parts = parts

    def application(self) -> Starlette:
        post = ["POST"]
        routes = [
            Route("/status", self.status),
            Route("/health", self.health),
            Route("/schedule/next", self.schedule_next),
            Route("/reload", self.reload, methods=post),
            Route("/shutdown", self.shut_down, methods=post),
            Route("/processes/{name}/run", self.run, methods=post),
            Route("/processes/{name}/stop", self.stop, methods=post),
            Route("/processes/{name}/pause", self.pause, methods=post),
            Route("/processes/{name}/resume", self.resume, methods=post),
            Route("/processes/{name}/reset", self.reset, methods=post),
            *self._parts.broker.routes(),
        ]
        return Starlette(routes=routes, exception_handlers={TradingError: _refused, PyMongoError: _store_away})

    async def status(self, _request: Request) -> JSONResponse:
        parts = self._parts
        controls = await parts.store.call(parts.store.processes.controls, list(parts.runner.processes))
        rows = [process_row(control, parts.runner.waiting.get(name, (None, ""))[1])
                for name, control in controls.items()]
        upcoming = {row["process"]: row["instant"] for row in reversed(parts.upcoming(200))}
        for row in rows:
            row["next"] = upcoming.get(row["process"])
        return JSONResponse(parts.service_status() | {"processes": rows})

    async def health(self, _request: Request) -> JSONResponse:
        return JSONResponse({"ok": True})

    async def schedule_next(self, request: Request) -> JSONResponse:
        return JSONResponse(self._parts.upcoming(int(request.query_params.get("count", "20"))))

    async def reload(self, _request: Request) -> JSONResponse:
        return JSONResponse({"changes": self._parts.reload()})

    async def shut_down(self, _request: Request) -> JSONResponse:
        self._parts.shut_down()
        return JSONResponse({})

    async def run(self, request: Request) -> JSONResponse:
        name, body = self._known(request), await request.json() or {}
        slot = Slot(key=f"manual-{ULID()}", kind=Kind.MANUAL, trading_day=self._parts.trading_day())
        run = await self._parts.runner.run_single_process(name, slot, force=bool(body.get("force")))
        if body.get("wait"):
            run = await self._parts.runner.wait_for(run.id)
        return JSONResponse({"run": run.id, "state": run.state.value, "reason": run.reason, "log": run.log})

    async def stop(self, request: Request) -> JSONResponse:
        control = await self._parts.runner.stop_process(self._known(request), await _reason(request))
        return JSONResponse({"process": control.name, "state": control.state.value})

    async def pause(self, request: Request) -> JSONResponse:
        return await self._wish(request, Desired.PAUSED)

    async def resume(self, request: Request) -> JSONResponse:
        return await self._wish(request, Desired.ENABLED)

    async def reset(self, request: Request) -> JSONResponse:
        control = await self._parts.runner.reset_process(self._known(request), await _reason(request))
        return JSONResponse({"process": control.name, "state": control.state.value})

    async def _wish(self, request: Request, desired: Desired) -> JSONResponse:
        control = await self._parts.runner.wish(self._known(request), desired, await _reason(request))
        return JSONResponse({"process": control.name, "desired": control.desired.value})

    def _known(self, request: Request) -> str:
        name = str(request.path_params["name"])
        if name not in self._parts.runner.processes:
            raise NotFound(f"There is no process {name} (known: {', '.join(self._parts.runner.processes)}).")
        return name


async def _reason(request: Request) -> str:
    body = await request.json() or {}
    return str(body.get("reason") or "no reason given")


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    status = 404 if isinstance(error, NotFound) else 503 if isinstance(error, BrokerUnavailable) else \
        409 if isinstance(error, (NotAllowed, ConcurrentUpdate)) else 400 if isinstance(error, ConfigError) else 422
    return JSONResponse({"error": str(error), "kind": type(error).__name__}, status_code=status)


async def _store_away(_request: Request, error: Exception) -> JSONResponse:
    reason = str(error).partition(" (configured")[0][:160]
    return JSONResponse({"error": f"The store does not answer: {reason}. It is tried again all the time.",
                         "kind": "StoreError"}, status_code=503)

