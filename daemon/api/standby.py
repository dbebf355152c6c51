"""What a tradingd answers that does not lead: how it stands, who leads, and that it does nothing by itself."""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from daemon.api.errors import EXCEPTION_HANDLERS
from daemon.api.watching import WatchingRoutes
from daemon.leadership import Leadership


class StandbyApi:
    """Routes that answer in every role; in the role of a standby everything else is refused with a sentence."""

    def __init__(self, leadership: Leadership, watching: WatchingRoutes, status: Callable[[], dict[str, Any]],
                 shut_down: Callable[[], None]) -> None:
        self._leadership, self._watching, self._status, self._shut_down = leadership, watching, status, shut_down

    def common_routes(self) -> list[Route]:
        """Those that a leader serves too."""
        return [Route("/health", self.health), Route("/shutdown", self.shut_down, methods=["POST"]),
                Route("/leader", self.leader), Route("/leader/reset", self.reset, methods=["POST"]),
                *self._watching.routes()]

    def application(self) -> Starlette:
        """The whole standby."""
        everything = Route("/{path:path}", self.refuse, methods=["GET", "POST", "PUT", "DELETE"])
        return Starlette(routes=[Route("/status", self.status), *self.common_routes(), everything],
                         exception_handlers=EXCEPTION_HANDLERS)

    async def health(self, _request: Request) -> JSONResponse:
        return JSONResponse({"ok": True})

    async def status(self, _request: Request) -> JSONResponse:
        return JSONResponse(self._status() | {"processes": []})

    async def shut_down(self, _request: Request) -> JSONResponse:
        self._shut_down()
        return JSONResponse({})

    async def leader(self, _request: Request) -> JSONResponse:
        return JSONResponse(leader_row(self._leadership))

    async def reset(self, _request: Request) -> JSONResponse:
        """Lead although the store is an older copy than what this daemon has done."""
        token = await self._leadership.forget_history()
        return JSONResponse({"greatest_token": token})

    async def refuse(self, _request: Request) -> JSONResponse:
        holder = self._leadership.holder
        who = f"{holder.holder} (pid {holder.pid}) leads; ask there" if holder and holder.nonce else "nobody leads yet"
        reason = self._leadership.problem or f"This tradingd is a standby and decides nothing: {who}."
        return JSONResponse({"error": reason, "kind": "Standby"}, status_code=409)


def leader_row(leadership: Leadership) -> dict[str, Any]:
    """What `tradectl leader` shows."""
    holder = leadership.holder
    return {"is_leader": leadership.is_leader, "token": leadership.token, "node": leadership.node,
            "problem": leadership.problem,
            "holder": holder and {"host": holder.holder, "pid": holder.pid, "token": holder.token}}
