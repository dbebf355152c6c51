"""RC-41 in the service: another program than the one that led last waits for a person (Knight)."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from manager import Manager, Unit
from paper import daemon_words, paper_config, tradectl

from daemon.program import program_digest

pytestmark = pytest.mark.chaos
REPOSITORY = Path(__file__).parents[2]
ROOMS = ("daemon", "processes", "trading", "config")


@contextmanager
def leading(program: Path, config: Path, state: Path) -> Iterator[Manager]:
    """The service of `program` over one state, until it is stopped."""
    folder = state.parent / program.name
    folder.mkdir(exist_ok=True)
    manager = Manager(Unit(words=daemon_words(config, state), folder=folder, environment={
        "PYTHONPATH": os.pathsep.join(filter(None, (str(program), os.environ.get("PYTHONPATH"))))}))
    try:
        manager.wait_until_ready()
        yield manager
        assert manager.stop() == 0
    finally:
        manager.close()


def test_o23_another_program_trades_nothing_until_a_person_lets_it(tmp_path: Path) -> None:
    # given a program that leads on an account, and another one that differs in a table alone
    old, new = tmp_path / "programs" / "old", tmp_path / "programs" / "new"
    for program in (old, new):
        for room in ROOMS:
            shutil.copytree(REPOSITORY / room, program / room, ignore=shutil.ignore_patterns("__pycache__"))
    (new / "trading" / "a_table.csv").write_text("201,CANCELLED\n")
    config, state = paper_config(tmp_path / "config"), tmp_path / "var"
    with leading(old, config, state):
        assert level(config, state) == "K0_NORMAL"

    # when the other one leads, then trading is halted, and a person reads why and what to do
    with leading(new, config, state) as manager:
        said = f"Program {program_digest(new)[:8]} with schema 1 runs, but {program_digest(old)[:8]} with schema 1"
        assert said in manager.output()
        assert level(config, state) == "K3_HALT"
        assert "TRADING IS HALTED (K3_HALT by version guard)" in tradectl(config, state, "status").stdout

        assert "RISK:RC-41" in tradectl(config, state, "alerts").stdout

        # when the person says that it is meant, then it trades
        resumed = tradectl(config, state, "resume-trading", "--reason", "upgrade", "--yes")
        assert resumed.returncode == 0, resumed.stderr
    with leading(new, config, state):
        assert level(config, state) == "K0_NORMAL"


def level(config: Path, state: Path) -> str:
    shown = tradectl(config, state, "resume-trading", "--dry-run", "--json")
    return str(json.loads(shown.stdout)["before"]["level"])
