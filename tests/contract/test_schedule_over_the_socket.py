"""tradectl schedule against a service: the real live configuration, revisions in a real store, a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from served import Served
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from daemon.api.config_routes import ConfigRoutes
from daemon.cli.__main__ import run
from daemon.configuration.checked_config import checked
from daemon.configuration.live_config import LiveConfig, LiveParts
from trading.clock import SystemClock
from trading.data.mongo.config_revisions import MongoConfigRevisions
from trading.data.mongo.connection import MongoStore
from trading.errors import ConcurrentUpdate, ConfigError, NotFound, TradingError
from trading.shipped import shipped_folder


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, ConcurrentUpdate) else \
        400 if isinstance(error, ConfigError) else 422
    return JSONResponse({"error": str(error), "kind": type(error).__name__}, status_code=status)


async def _status(_request: Request) -> JSONResponse:
    return JSONResponse({"clock": SystemClock().now().isoformat(),
                         "processes": [{"process": "run_daily_reports", "state": "RUNNING"}]})


class Service:
    """The part of the daemon that this is about, in a thread."""

    def __init__(self, config: Path, state: Path, store: MongoStore) -> None:
        (state / "run").mkdir(parents=True)
        found = checked(config)
        self.live = LiveConfig(LiveParts(folder=config, revisions=MongoConfigRevisions(store), clock=SystemClock(),
                                         on_change=lambda _old, _new: None, running=lambda: {"run_daily_reports"}),
                               found.config, found.calendars)
        application = Starlette(routes=[Route("/status", _status), *ConfigRoutes(self.live).routes()],
                                exception_handlers={TradingError: _refused})
        self._served = Served(application, state / "run" / "control.sock", before=self.live.start)

    def __enter__(self) -> "Service":
        self._served.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._served.__exit__()


class Terminal:
    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.config, self.state = folder / "config", folder / "state"
        self._capfd, self._monkeypatch = capfd, monkeypatch
        self.config.mkdir()
        for file in shipped_folder().glob("*.yaml"):
            (self.config / file.name).write_bytes(file.read_bytes())
        self.file = self.config / "processes.yaml"

    def __call__(self, *words: str, editor: str = "false") -> int:
        self._monkeypatch.delenv("VISUAL", raising=False)
        self._monkeypatch.setenv("EDITOR", editor)
        return self._run("schedule", *words)

    def reload(self) -> int:
        return self._run("reload")

    def _run(self, *words: str) -> int:
        code = run(["--config", str(self.config), "--state", str(self.state), *words])
        self.out, self.err = self._capfd.readouterr()
        return code


@pytest.fixture
def terminal(tmp_path: Path, store: MongoStore, capfd: pytest.CaptureFixture[str],
             monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A terminal beside a running service."""
    terminal = Terminal(tmp_path, capfd, monkeypatch)
    with Service(terminal.config, terminal.state, store):
        yield terminal


def test_an_edit_its_history_its_difference_and_the_way_back(terminal: Terminal) -> None:
    before = terminal.file.read_text()

    # an edit goes through the service, and says what a running job does
    assert terminal("edit", "--yes", "--reason", "later", editor="sed -i 's/^0 22/0 23/'") == 0
    assert "note: running: it keeps its configuration until its end" in terminal.out
    assert terminal.out.endswith("Applied as generation 2.\n")
    assert '"0 23 * * 1-5"' in terminal.file.read_text()

    # it is in the history
    assert terminal("history", "--json") == 0
    newest, first = json.loads(terminal.out)
    assert (newest["generation"], newest["source"], newest["reason"]) == (2, "cli", "later")
    assert newest["changes"] == ["run_daily_reports: cron 0 22 * * 1-5 -> 0 23 * * 1-5"]
    assert first["source"] == "start"

    # the files are what is in use, and differ from what was
    assert terminal("diff") == 0
    assert terminal.out == "Nothing differs.\n"
    assert terminal("diff", "1") == 0
    assert "+    cron: \"0 23 * * 1-5\"" in terminal.out.splitlines()

    # and back
    assert terminal("rollback", "1") == 2, "nobody agreed"
    assert terminal("rollback", "1", "--yes") == 0
    assert terminal.out.endswith("The files say what they said in generation 1; in use as generation 3.\n")
    assert terminal.file.read_text() == before
    assert terminal("rollback", "1", "--yes") == 0
    assert terminal.out == "The files say what they said in generation 1 already.\n"


def test_a_generation_that_never_was_is_an_error_of_usage(terminal: Terminal) -> None:
    assert terminal("rollback", "99", "--yes") == 2
    assert terminal.err == "There is no generation 99 of the configuration. See: tradectl schedule history\n"


def test_an_edit_that_somebody_else_overtook_is_refused(terminal: Terminal) -> None:
    # given an editor during which somebody saves the file
    overtaking = f"sh -c 'echo \"# mine\" >> {terminal.file}; sed -i \"s/^0 22/0 23/\" $0'"
    assert terminal("edit", "--yes", editor=overtaking) == 4
    assert "was changed by somebody else" in terminal.err
    assert terminal.file.read_text().endswith("# mine\n")


SYSTEM = "system:\n  forecast_rules:\n    trend: {rule: %s, fast: 8, slow: 32, scalar: 5.3, weight: 1}\n"


def test_a_rollback_brings_the_strategies_back_as_they_were(terminal: Terminal) -> None:
    strategies = terminal.config / "strategies"
    strategies.mkdir()
    for name in ("mine", "yours"):
        (strategies / f"{name}.yaml").write_text(SYSTEM % "ewmac")
    assert terminal.reload() == 0
    (strategies / "yours.yaml").unlink()
    (strategies / "third.yaml").write_text(SYSTEM % "ewmac")
    assert terminal.reload() == 0

    # the difference says what is added and removed
    assert terminal("diff", "2") == 0
    assert {"strategy yours: removed", "strategy third: added"} <= set(terminal.out.splitlines())
    assert "+  note: what it holds" not in terminal.out
    assert "  note: what it holds stays held, and is only rolled from now on" in terminal.out

    # and back
    assert terminal("rollback", "2", "--yes") == 0
    assert terminal.out.splitlines()[0] == "strategy third: removed"
    assert sorted(path.name for path in strategies.glob("*.yaml")) == ["mine.yaml", "yours.yaml"]
    assert terminal("check") == 0
    assert "strategies mine, yours, mode simulated" in terminal.out


def test_a_check_asks_the_service_for_modules_that_only_it_may_see(terminal: Terminal) -> None:
    (terminal.config / "strategies").mkdir()
    (terminal.config / "strategies" / "mine.yaml").write_text(SYSTEM % "no_rules.fade")
    assert terminal("check") == 2
    assert terminal.err.startswith(f"{terminal.config}/strategies/mine.yaml:3:5: system.forecast_rules.trend: the "
                                   f"module no_rules of rule no_rules.fade cannot be found")
