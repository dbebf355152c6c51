"""What tradectl status says above the processes: first of all whether trading is allowed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from daemon.cli.status import as_text
from daemon.watching.status import kill_row
from trading.risk.kill_level import Cause, Command, KillLevel, KillState, Scope, raised

BY = Command(who="ann", why="strange prices", when=datetime(2026, 3, 2, 20, tzinfo=UTC), cause=Cause.OPERATOR)
RUNNING: dict[str, Any] = {
    "service": "running", "pid": 1, "mode": "paper", "clock": "2026-03-02T20:00:00+00:00", "timezone": "Europe/London",
    "broker": {"link": "ready", "reason": ""}, "leader": {"is_leader": True}, "store": {"problem": ""}, "held": "",
    "clock_problem": "", "config_problem": "", "alerts": 0, "delivery_problems": {}, "processes": []}
DOWN: dict[str, Any] = {"service": "down", "timezone": "Europe/London", "processes": []}


def at(level: KillLevel) -> KillState:
    return raised(KillState(), level, BY)


@pytest.mark.parametrize("values", [RUNNING, DOWN])
@pytest.mark.parametrize(("level", "words"), [
    (KillLevel.K2_NO_NEW_RISK, "NO NEW RISK IS TAKEN (K2_NO_NEW_RISK by ann): strange prices"),
    (KillLevel.K3_HALT, "TRADING IS HALTED (K3_HALT by ann): strange prices"),
    (KillLevel.K4_FLATTEN, "ALL POSITIONS ARE BEING CLOSED (K4_FLATTEN by ann): strange prices"),
    (KillLevel.K5_SEVER, "TRADING IS HALTED AND THE BROKER DISCONNECTED (K5_SEVER by ann): strange prices")])
def test_a_level_is_said(values: dict[str, Any], level: KillLevel, words: str) -> None:
    assert words in as_text(values | {"kill": kill_row(at(level))}).splitlines()


def test_where_all_is_traded_nothing_is_said() -> None:
    assert "K0" not in as_text(RUNNING | {"kill": kill_row(KillState())})


def test_pauses_are_named() -> None:
    state = raised(at(KillLevel.K0_NORMAL), KillLevel.K1_PAUSE_SCOPE, BY, Scope(instrument="SP500"))
    assert "paused: instrument SP500" in as_text(RUNNING | {"kill": kill_row(state)}).splitlines()


def test_a_standby_does_not_say() -> None:
    standby = RUNNING | {"service": "standby", "broker": None, "kill": None,
                         "leader": {"is_leader": False, "problem": "", "holder": "other"}}
    assert "other leads; this one stands by" in as_text(standby)
