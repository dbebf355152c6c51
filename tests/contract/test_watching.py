"""What those who watch can ask: over TCP, on the control socket, with tradectl."""

import asyncio
import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from alert_fakes import a_daemon
from moved_clock import MovedClock
from starlette.applications import Starlette

from daemon.api.watching import Health, WatchingRoutes, serve_metrics
from daemon.places import Places
from daemon.watching.metrics import Metrics
from trading.alerts_config import MetricsConfig
from trading.control.alert import AlertKind
from trading.data.mongo.connection import MongoStore
from trading.errors import ConfigError

HOUR = timedelta(hours=1)


def asked(url: str, method: str = "GET", body: object = None) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data, method=method), timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_figures_and_health_are_served_over_tcp_to_read_only(store: MongoStore) -> None:
    async def story() -> dict[str, tuple[int, str]]:
        async with a_daemon(store, MovedClock()) as daemon:
            health = Health(ready=False, role="standby", reasons=("another daemon leads",))
            watching = WatchingRoutes(daemon.alerts, Metrics(), lambda: health)
            daemon.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            await daemon.settled()
            async with serve_metrics(MetricsConfig(port=0), watching.routes()) as port:
                with pytest.raises(ConfigError, match=rf"metrics: 127.0.0.1:{port} cannot be served: Address already"):
                    async with serve_metrics(MetricsConfig(port=port), watching.routes()):
                        pass
                return {path: await asyncio.to_thread(asked, f"http://127.0.0.1:{port}{path}", method)
                        for path, method in (("/metrics", "GET"), ("/healthz", "GET"), ("/readyz", "GET"),
                                             ("/alerts/ack", "POST"))}

    answers = asyncio.run(story())
    assert 'tradingd_alerts_open{severity="warning"} 1.0' in answers["/metrics"][1]
    assert answers["/healthz"] == (200, '{"ok":true,"role":"standby"}')
    assert answers["/readyz"] == (503, '{"ready":false,"role":"standby","reasons":["another daemon leads"]}')
    assert answers["/alerts/ack"][0] == 404


def test_without_a_port_nothing_is_served() -> None:
    async def story() -> int | None:
        async with serve_metrics(MetricsConfig(), []) as port:
            return port

    assert asyncio.run(story()) is None


async def told_to(application: Starlette, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """One request to an ASGI application, without a socket."""
    answer: dict[str, Any] = {"body": b""}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(body).encode()}

    async def send(message: Any) -> None:
        answer["status"] = message.get("status", answer.get("status"))
        answer["body"] += message.get("body", b"")

    path, _, query = path.partition("?")
    await application({"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": []},
                      receive, send)
    return answer["status"], json.loads(answer["body"])


@asynccontextmanager
async def served_at(path: Path, application: Starlette) -> AsyncIterator[None]:
    """The control socket of a daemon that knows of alerts only."""
    path.parent.mkdir()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen()
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off", access_log=False))
    serving = asyncio.create_task(server._serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        listener.close()


def test_tradectl_lists_and_acknowledges(store: MongoStore, tmp_path: Path) -> None:
    async def typed(*words: str) -> str:
        done = await asyncio.to_thread(subprocess.run, [sys.executable, "-m", "daemon.cli", "--state", str(tmp_path),
                                                        *words], capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    async def story() -> list[str]:
        async with a_daemon(store, MovedClock()) as daemon:
            api = Starlette(routes=WatchingRoutes(daemon.alerts, Metrics(), lambda: Health(
                ready=True, role="leader")).routes())
            async with served_at(Places(tmp_path).socket, api):
                nothing = await typed("alerts")
                daemon.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
                await daemon.settled()
                return [nothing, await typed("alerts"),
                        await typed("ack", "run_systems", "--reason", "why"),
                        await typed("alerts", "--json"),
                        await typed("ack", "FAILED:run_systems", "--over"), await typed("alerts")]

    nothing, one, done, known, over, nothing_left = asyncio.run(story())
    assert nothing == nothing_left == "Nothing is wrong.\n"
    assert one.splitlines()[1].split() == ["warning", "FAILED:run_systems", "2026-03-02", "20:00:00", "1", "open", "It",
                                           "failed."]
    assert done == "FAILED:run_systems: silent until something changes.\n"
    assert json.loads(known)["alerts"][0]["ack_reason"] == "why"
    assert over == "FAILED:run_systems: over.\n"


def test_the_control_api_lists_and_acknowledges(store: MongoStore) -> None:
    async def story() -> None:
        clock = MovedClock()
        async with a_daemon(store, clock) as daemon:
            api = Starlette(routes=WatchingRoutes(daemon.alerts, Metrics(), lambda: Health(
                ready=True, role="leader")).routes())
            daemon.alerts.tell(AlertKind.FAILED, "run_systems", "It failed.")
            await daemon.settled()
            done = await told_to(api, "POST", "/alerts/ack", {"key": "run_systems", "reason": "why", "actor": "ann"})
            assert [row["acknowledged_by"] for row in done[1]["acknowledged"]] == ["ann"]
            clock.instant += HOUR
            daemon.alerts.over(AlertKind.FAILED, "run_systems")
            await daemon.settled()
            assert (await told_to(api, "GET", "/alerts"))[1]["alerts"] == []
            everything = (await told_to(api, "GET", "/alerts?all=1"))[1]["alerts"]
            assert [(row["key"], row["open"], row["ack_reason"]) for row in everything] == [
                ("FAILED:run_systems", False, "why")]

    asyncio.run(story())
