"""Routes of the control API about the configuration: what is in use, what was, and changing it."""

import json
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from daemon.api.peer import actor_of
from daemon.configuration.config_changes import as_lines, as_values, headlines
from daemon.configuration.live_config import PROCESSES_FILE, LiveConfig
from trading.control.config_revision import ConfigRevision, Source
from trading.errors import ConfigError


class ConfigRoutes:
    """Errors leave as TradingErrors; the application answers them."""

    def __init__(self, live: LiveConfig) -> None:
        self._live = live

    def routes(self) -> list[Route]:
        """For the application, in the order in which they must be tried."""
        post = ["POST"]
        return [
            Route("/config", self.show),
            Route("/config/history", self.history),
            Route("/config/check", self.check, methods=post),
            Route("/config/apply", self.apply, methods=post),
            Route("/config/rollback", self.rollback, methods=post),
            Route("/config/{generation:int}", self.revision),
            Route("/reload", self.reload, methods=post),
        ]

    async def show(self, _request: Request) -> JSONResponse:
        return JSONResponse(self._live.status())

    async def history(self, request: Request) -> JSONResponse:
        limit = request.query_params.get("limit", "20")
        if not limit.isdecimal() or int(limit) == 0:
            raise ConfigError(f"limit is {limit!r}; it must be a number from 1.")
        return JSONResponse([_row(revision) for revision in await self._live.history(int(limit))])

    async def revision(self, request: Request) -> JSONResponse:
        revision = await self._live.revision(int(request.path_params["generation"]))
        return JSONResponse(_row(revision) | {"files": dict(revision.files)})

    async def reload(self, request: Request) -> JSONResponse:
        body = await _body(request)
        outcome = await self._live.reload(actor_of(request, body.get("actor")), _reason(body), Source.API)
        return JSONResponse(outcome.as_values())

    async def check(self, request: Request) -> JSONResponse:
        """What the files on disk would change; `files` (name -> text; null: not there) in place of some of them."""
        files = (await _body(request)).get("files")
        if files is not None and (not isinstance(files, dict)
                                  or not all(isinstance(text, str | None) for text in files.values())):
            raise ConfigError("files must be texts by file name, for example {\"processes.yaml\": \"...\"}.")
        changes = await self._live.check(files)
        return JSONResponse({"changes": headlines(changes), "lines": as_lines(changes), "details": as_values(changes)})

    async def apply(self, request: Request) -> JSONResponse:
        body = await _body(request)
        text, seen = body.get("processes_yaml"), body.get("seen")
        if not isinstance(text, str) or not isinstance(seen, str | None):
            raise ConfigError(f"processes_yaml must be the text of {PROCESSES_FILE}, seen the text before.")
        source = Source.CLI if body.get("source") == Source.CLI else Source.API
        author = actor_of(request, body.get("actor"))
        outcome = await self._live.apply_text(text, author, _reason(body), seen, source)
        return JSONResponse(outcome.as_values())

    async def rollback(self, request: Request) -> JSONResponse:
        body = await _body(request)
        generation = body.get("generation")
        if not isinstance(generation, int) or isinstance(generation, bool):
            raise ConfigError("generation must be a number. See: tradectl schedule history")
        outcome = await self._live.rollback(generation, actor_of(request, body.get("actor")), _reason(body))
        return JSONResponse(outcome.as_values())


def _row(revision: ConfigRevision) -> dict[str, Any]:
    values = asdict(revision)
    del values["files"]
    return values | {"at": revision.at.isoformat(), "source": revision.source.value}


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise ConfigError(f"The request is no JSON: {error}.") from error
    if not isinstance(body, dict | None):
        raise ConfigError("The request must be a JSON object.")
    return body or {}


def _reason(body: dict[str, Any]) -> str:
    return str(body.get("reason") or "no reason given")
