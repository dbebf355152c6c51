"""The job that writes the day's reports, against a real store: what is broken in one of them stops no other."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from test_order_generator import DAY, LOST, NOW, Scene, bought

from processes import run_daily_reports
from processes.job import JobContext
from trading.data.data_blob import DataBlob
from trading.data.mongo.connection import MongoStore
from trading.errors import DataError, JobIncomplete
from trading.execution.adjustments import Adjustment, AdjustmentKind, Entry
from trading.execution.fills import Fill
from trading.reports import positions_report, profit_and_loss_report, trades_report
from trading.reports.report import Report, as_text

STRANGE = f"{LOST}/20220300"


@pytest.fixture
def scene(store: MongoStore, tmp_path: Path) -> Scene:
    return Scene(store, tmp_path)


def write(scene: Scene) -> set[str]:
    """The files that there are after a run, whatever it says."""
    run_daily_reports.run(JobContext(
        config=scene.config, data=scene.data, clock=scene.data.clock, state=scene.folder, trading_day=DAY, run_id="r",
        process=scene.config.processes["run_daily_reports"], slot="s", attempt=1, fence=1,
        stop_requested=lambda: False, is_fenced_out=lambda: False))
    return written(scene)


def written(scene: Scene) -> set[str]:
    return {path.name for path in (scene.folder / "reports" / DAY.isoformat()).iterdir()}


def holds_what_nobody_knows(data: DataBlob) -> None:
    entry = Entry(strategy="s", instrument=LOST, contract=STRANGE, con_id=2, lots=5)
    data.db_books.adjust(Adjustment(id="A-9", kind=AdjustmentKind.OPENING, who="ann", reason="of old", at=NOW,
                                    entries=(entry,)))


def test_a_position_that_nobody_knows_is_listed_without_a_value(scene: Scene) -> None:
    scene.holds(3)
    holds_what_nobody_knows(scene.data)
    assert {"positions.txt", "profit_and_loss.txt", "costs.html", "day.txt"} <= write(scene)
    told = as_text(positions_report.collect(scene.data, DAY.isoformat(), ("s",), "USD"))
    [line] = [line.split() for line in told.splitlines() if "20220300" in line]
    assert line == [LOST, "20220300", "5", "-", "-", "-"]


def test_what_is_not_known_is_no_part_of_the_sum_and_said(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = Fill(id="F9", execution_id="e9", revision=1, broker_order="b9", contract=STRANGE, con_id=2, quantity=5,
                   price=Decimal(1), at=datetime(2021, 10, 13, tzinfo=UTC), trading_day=DAY.isoformat(), strategy="s",
                   instrument=LOST, commission=None)
    monkeypatch.setattr(scene.data.db_books, "fills", lambda: [bought(2, "100"), strange])
    told = as_text(profit_and_loss_report.collect(scene.data, DAY.isoformat(), "USD", "Europe/London"))
    assert f"Not known, and not in it: {STRANGE}" in told


def test_a_report_that_cannot_be_made_stops_no_other(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_data: DataBlob, _day: str) -> Report:
        raise DataError("A stored order is wrong.")

    monkeypatch.setattr(trades_report, "collect", broken)
    with pytest.raises(JobIncomplete, match=r"Reports not written: trades \(A stored order is wrong\.\)\. All others"):
        write(scene)
    files = written(scene)
    assert {"status.txt", "positions.txt", "costs.txt", "day.txt"} <= files
    assert "trades.txt" not in files
