"""Routes for those who watch: figures, health, alerts. The same on the control socket and, to read only, over TCP."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from daemon.alerts.alerts import Alerts
from daemon.api.peer import actor_of
from daemon.watching.metrics import CONTENT_TYPE, Metrics
from trading.alerts_config import MetricsConfig
from trading.control.alert import AlertState
from trading.errors import ConfigError

_READING: Final = {"GET", "HEAD"}


@dataclass(frozen=True, kw_only=True)
class Health:
    """Whether this daemon does its work, and if not, why."""

    ready: bool
    role: Literal["leader", "standby"]
    reasons: tuple[str, ...] = ()


class WatchingRoutes:
    """/metrics, /healthz, /readyz for machines, /alerts for people."""

    def __init__(self, alerts: Alerts, metrics: Metrics, health: Callable[[], Health]) -> None:
        self._alerts, self._metrics, self._health = alerts, metrics, health

    def routes(self) -> list[Route]:
        """All of them, for the control socket."""
        return [*self.public_routes(), Route("/alerts", self.alerts),
                Route("/alerts/ack", self.acknowledge, methods=["POST"])]

    def public_routes(self) -> list[Route]:
        """Those that tell nothing about the firm, for `serve_metrics`."""
        return [Route("/metrics", self.metrics), Route("/healthz", self.alive), Route("/readyz", self.ready)]

    async def metrics(self, _request: Request) -> Response:
        self._metrics.set_alerts_open(self._alerts.open_by_severity)
        return Response(self._metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    async def alive(self, _request: Request) -> JSONResponse:
        """Whoever gets an answer knows that the loop lives; a standby lives as well."""
        return JSONResponse({"ok": True, "role": self._health().role})

    async def ready(self, _request: Request) -> JSONResponse:
        health = self._health()
        return JSONResponse({"ready": health.ready, "role": health.role, "reasons": list(health.reasons)},
                            status_code=200 if health.ready else 503)

    async def alerts(self, request: Request) -> JSONResponse:
        """The open ones; with ?all=1 the newest hundred, open or not."""
        everything = request.query_params.get("all", "") not in ("", "0", "false")
        states = await (self._alerts.recent() if everything else self._alerts.open_alerts())
        return JSONResponse({"schema": 1, "alerts": [alert_row(state) for state in states],
                             "delivery_problems": self._alerts.delivery_problems})

    async def acknowledge(self, request: Request) -> JSONResponse:
        body = await request.json() or {}
        if not isinstance(body, dict) or not body.get("key"):
            raise ConfigError('An acknowledgement names its alert: {"key": "LOST:run_systems", "reason": "...", '
                              '"actor": "..."}. See: tradectl alerts')
        answer = self._alerts.put_away if body.get("over") else self._alerts.acknowledge
        states = await answer(str(body["key"]), actor_of(request, body.get("actor")),
                              str(body.get("reason") or "no reason given"))
        return JSONResponse({"acknowledged": [alert_row(state) for state in states]})


def alert_row(state: AlertState) -> dict[str, Any]:
    """What `tradectl alerts` shows of one alert."""
    ended, acknowledged = state.over_at, state.acknowledged_at
    return {"key": state.key, "kind": state.kind.value, "subject": state.subject, "severity": state.severity.value,
            "open": state.open, "text": state.text, "since": state.first_at.isoformat(),
            "last": state.last_at.isoformat(), "over": ended and ended.isoformat(), "count": state.count,
            "told": state.told and state.told.at.isoformat(), "undelivered": len(state.outbox),
            "acknowledged_by": state.acknowledged_by, "acknowledged_at": acknowledged and acknowledged.isoformat(),
            "ack_reason": state.ack_reason}


@asynccontextmanager
async def serve_metrics(config: MetricsConfig, routes: Sequence[Route]) -> AsyncIterator[int | None]:
    """Serve those of `routes` that only read over TCP while the block runs; gives the port, None without one.

    Raises:
        ConfigError: the address cannot be bound.
    """
    if config.port is None:
        yield None
        return
    import asyncio
    import socket

    import uvicorn
    from starlette.applications import Starlette

    try:
        family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
        listener = socket.create_server((config.host, config.port), family=family, backlog=64)
    except OSError as error:
        raise ConfigError(f"tradingd.yaml: metrics: {config.host}:{config.port} cannot be served: "
                          f"{error.strerror or error}. Choose another metrics.port, or leave it out.") from error
    reading = [route for route in routes if route.methods is not None and route.methods <= _READING]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=reading), log_config=None, lifespan="off",
                                           access_log=False, timeout_graceful_shutdown=2, server_header=False,
                                           limit_concurrency=32))
    serving = asyncio.create_task(server._serve([listener]))  # not serve(): the supervisor owns the signals
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        await serving
        listener.close()
