"""tradectl reconcile over a real store: the last comparisons, what differed, and the same as JSON."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daemon.cli.__main__ import run
from trading.data.mongo.connection import MongoStore
from trading.data.mongo.reconciliation_runs import MongoReconciliationRuns
from trading.execution.reconciliation.breaks import Break, BreakId
from trading.execution.reconciliation.run import ReconciliationRun, RunVerdict
from trading.execution.reconciliation.run_kind import RunKind
from trading.shipped import shipped_folder

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
RUN = ReconciliationRun(
    id="R1", kind=RunKind.START_OF_DAY, epoch="e1", trading_day="2026-03-02", begun=NOW, ended=NOW,
    verdict=RunVerdict.PASS, breaks=())
BREAK = Break(id=BreakId.POSITION, instrument="SP500", subject="SP500/20260600", sentence="it differs",
              facts={"ours": 2, "theirs": 3})


class Terminal:
    """Somebody who calls tradectl reconcile beside the store of a test."""

    def __init__(self, folder: Path, server: str, database: str, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capfd = folder, capfd
        shutil.copytree(shipped_folder(), folder / "config")
        file = folder / "config" / "tradingd.yaml"
        text = file.read_text().replace("uri: null", f"uri: {server}").replace("database: tradingd",
                                                                               f"database: {database}")
        file.write_text(text)

    def call(self, *words: str) -> tuple[int, str, str]:
        """Exit code, output, errors."""
        code = run(["--config", str(self.folder / "config"), "--state", str(self.folder / "var"), "reconcile", *words])
        output, errors = self._capfd.readouterr()
        return code, output, errors


@pytest.fixture
def terminal(tmp_path: Path, server: str, store: MongoStore, capfd: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path, server, store.database.name, capfd)


def test_a_store_without_comparisons_says_so(terminal: Terminal) -> None:
    assert terminal.call() == (0, "Our books have not been compared with the broker yet.\n", "")


def test_the_newest_comparison_stands_first_and_its_breaks_are_told(terminal: Terminal, store: MongoStore) -> None:
    runs = MongoReconciliationRuns(store)
    runs.save(RUN)
    runs.save(replace(RUN, id="R2", kind=RunKind.CONTINUOUS, begun=NOW + timedelta(minutes=1),
                        verdict=RunVerdict.PASS_WITH_LOCKS, breaks=(BREAK,)))
    code, output, _ = terminal.call()
    lines = [" ".join(line.split()) for line in output.splitlines()]
    assert code == 0
    assert lines[1:3] == ["2026-03-02 20:01:00 CONTINUOUS PASS_WITH_LOCKS 1 e1",
                          "2026-03-02 20:00:00 START_OF_DAY PASS 0 e1"]
    assert lines[-2:] == ["BREAK INSTRUMENT WHAT", "B5 SP500 it differs"]


def test_comparisons_are_one_json_document(terminal: Terminal, store: MongoStore) -> None:
    MongoReconciliationRuns(store).save(replace(RUN, verdict=None, problem="Positions moved.", breaks=(BREAK,)))
    told = json.loads(terminal.call("--json", "--last", "1")[1])
    assert [(each["kind"], each["verdict"], each["problem"]) for each in told] == [
        ("START_OF_DAY", None, "Positions moved.")]
    assert told[0]["breaks"][0]["facts"] == {"ours": 2, "theirs": 3}


def test_a_comparison_cannot_be_asked_for_without_the_service(terminal: Terminal) -> None:
    code, output, errors = terminal.call("--run")
    assert (code, output) == (3, "")
    assert "tradectl start" in errors
