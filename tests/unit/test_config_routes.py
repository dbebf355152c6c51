"""The control API about the configuration: each route once, and what a wrong request is answered."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from live_config_fakes import FakeRevisions, a_live_config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse

from daemon.api.config_routes import ConfigRoutes
from trading.errors import TradingError

HOUR = "processes:\n  run_systems:\n    timeout: PT1H\n"
TWO = HOUR.replace("PT1H", "PT2H")


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error), "kind": type(error).__name__}, status_code=400)


class Api:
    """An application over a folder, called without a socket."""

    def __init__(self, folder: Path) -> None:
        (folder / "processes.yaml").write_text(HOUR)
        self.folder, self.revisions = folder, FakeRevisions()
        self._live = a_live_config(folder, self.revisions)
        self._application = Starlette(routes=ConfigRoutes(self._live).routes(),
                                      exception_handlers={TradingError: _refused})

    async def start(self) -> "Api":
        await self._live.start()
        return self

    async def __call__(self, method: str, path: str, body: object = None) -> Any:
        sent: list[dict[str, Any]] = []
        path, _, query = path.partition("?")
        scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": [],
                 "query_string": query.encode(), "root_path": "", "scheme": "http", "server": ("tradingd", 80)}

        async def receive() -> dict[str, Any]:
            raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
            return {"type": "http.request", "body": raw}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._application(scope, receive, send)
        return json.loads(sent[1]["body"])


def test_the_routes_tell_one_story(tmp_path: Path) -> None:
    async def story() -> None:
        api = await Api(tmp_path).start()
        assert (await api("GET", "/config"))["generation"] == 1

        checked = await api("POST", "/config/check", {"files": {"processes.yaml": TWO}})
        assert checked["changes"] == ["run_systems: timeout 3600 -> 7200"]
        assert (tmp_path / "processes.yaml").read_text() == HOUR, "a check changes nothing"

        applied = await api("POST", "/config/apply", {"processes_yaml": TWO, "seen": HOUR, "actor": "ana",
                                                      "reason": "slow", "source": "cli"})
        assert (applied["generation"], applied["applied"]) == (2, True)

        (tmp_path / "processes.yaml").write_text(HOUR.replace("PT1H", "PT3H"))
        assert (await api("POST", "/reload"))["changes"] == ["run_systems: timeout 7200 -> 10800"]

        back = await api("POST", "/config/rollback", {"generation": 2, "actor": "ben"})
        assert back["generation"] == 4
        history = await api("GET", "/config/history?limit=3")
        assert [(row["generation"], row["source"], row["author"], row["reason"]) for row in history] == [
            (4, "rollback", "ben", "no reason given"), (3, "api", "somebody", "no reason given"),
            (2, "cli", "ana", "slow")]
        assert (await api("GET", "/config/2"))["files"] == {"processes.yaml": TWO}
    asyncio.run(story())


def test_a_wrong_file_is_answered_with_its_mistakes_and_shown_as_the_problem(tmp_path: Path) -> None:
    async def story() -> None:
        api = await Api(tmp_path).start()
        (tmp_path / "processes.yaml").write_text(HOUR.replace("PT1H", "soon"))
        answer = await api("POST", "/reload", {"actor": "ana"})
        assert answer["kind"] == "ConfigProblems"
        assert (await api("GET", "/config"))["problem"] == answer["error"]
    asyncio.run(story())


@pytest.mark.parametrize(("method", "path", "body", "expected"), [
    ("GET", "/config/99", None, "There is no generation 99"),
    ("GET", "/config/history?limit=x", None, "limit is 'x'; it must be a number from 1."),
    ("POST", "/config/apply", {"processes_yaml": 1}, "processes_yaml must be the text of processes.yaml"),
    ("POST", "/config/apply", [1], "The request must be a JSON object."),
    ("POST", "/config/apply", b"{", "The request is no JSON: "),
    ("POST", "/config/check", {"files": {"processes.yaml": 1}}, "files must be texts by file name"),
    ("POST", "/config/rollback", {"generation": True}, "generation must be a number."),
])
def test_a_wrong_request_is_answered_with_a_sentence(method: str, path: str, body: object, expected: str,
                                                    tmp_path: Path) -> None:
    async def story() -> None:
        assert (await (await Api(tmp_path).start())(method, path, body))["error"].startswith(expected)
    asyncio.run(story())
