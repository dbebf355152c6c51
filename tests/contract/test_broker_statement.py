"""The process that compares the broker's statement each morning: a statement over http, a real store, a person told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from flex_server import TOKEN, FlexServer, ordered, refusal
from statement_files import a_row, activity
from trading_desk_scene import SP, Scene

from processes import check_broker_statement
from processes.job import JobContext
from trading.broker.ib.statement_service import Patience, StatementRefused
from trading.config import load_config
from trading.data.data_blob import DataBlob
from trading.data.mongo.connection import MongoStore
from trading.errors import ConfigError, DataError, PositionsDiffer, StopRequested

PROCESS = "check_broker_statement"
TUESDAY = datetime(2026, 3, 3, 7, 30, tzinfo=UTC)


@dataclass
class StandingClock:
    """Seven thirty."""

    def now(self) -> datetime:
        return TUESDAY

    def monotonic_s(self) -> float:
        return 0.0


@pytest.fixture
def flex() -> Iterator[FlexServer]:
    with FlexServer().serving() as serving:
        yield serving


@pytest.fixture
def scene(store: MongoStore) -> Scene:
    return Scene(store)


@dataclass
class Morning:
    """A firm with a broker that writes statements."""

    scene: Scene
    folder: Path
    flex: FlexServer

    def job(self, mode: str = "paper", is_fenced_out: bool = False, **statements: Any) -> JobContext:
        token = self.folder / "token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        broker = {"account": "DU1", "timezone": "UTC", "statements": {
            "query": "77", "token_file": str(token), "url": self.flex.url} | statements}
        (self.folder / "tradingd.yaml").write_text(yaml.safe_dump({"mode": mode, "broker": broker}))
        config, clock = load_config(self.folder), StandingClock()
        return JobContext(config=config, data=DataBlob(store=self.scene.store, clock=clock, socket=self.folder / "no"),
                          clock=clock, state=self.folder, trading_day=TUESDAY.date(), run_id="r", slot="s", attempt=1,
                          process=config.processes[PROCESS], fence=1, stop_requested=lambda: False,
                          is_fenced_out=lambda: is_fenced_out)

    def run(self, *reports: str, **changes: Any) -> None:
        self.flex.answers = [ordered(self.flex.url), *reports]
        check_broker_statement.run(self.job(**changes), Patience(attempts=2, pause_s=0, timeout_s=2))


@pytest.fixture
def morning(scene: Scene, tmp_path: Path, flex: FlexServer) -> Morning:
    return Morning(scene, tmp_path, flex)


def test_a_missed_fill_is_booked_and_a_person_is_told_once(morning: Morning) -> None:
    order = morning.scene.at_the_broker()
    report = activity(a_row(orderReference=order.id))
    with pytest.raises(PositionsDiffer) as told:
        morning.run(report)
    assert str(told.value) == (
        f"The broker's statement differs from our books (0 executions agree; 1 missing here): our books lacked +2 "
        f"SP500/20260600 at 5000.25 of 2026-03-02 15:04:05 UTC (s, order {order.id}; execution DU1/0001f4e8.65.01). "
        f"What it proves is booked. See: tradectl fills, tradectl locks")
    assert morning.scene.books.contract_positions() == {SP: 2}
    morning.run(report)  # the same again is no news
    assert morning.scene.books.contract_positions() == {SP: 2}


def test_a_commission_alone_is_booked_and_told_to_nobody(morning: Morning) -> None:
    order = morning.scene.at_the_broker()
    with pytest.raises(PositionsDiffer):
        morning.run(activity(a_row(orderReference=order.id, ibCommission=None)))
    morning.run(activity(a_row(orderReference=order.id)))
    assert str(morning.scene.books.fills()[0].commission) == "4.1"


def test_a_statement_that_agrees_ends_well(morning: Morning) -> None:
    order = morning.scene.at_the_broker()
    with pytest.raises(PositionsDiffer):
        morning.run(activity(a_row(orderReference=order.id)))
    before = morning.scene.books.fills()
    morning.run(activity(a_row(orderReference=order.id)))
    assert (len(before), morning.scene.books.fills()) == (1, before)


@pytest.mark.parametrize("changes", [{"query": None}, {"mode": "simulated"}], ids=["no query", "simulated"])
def test_without_a_statement_it_ends_well_and_asks_nobody(morning: Morning, changes: dict[str, Any]) -> None:
    morning.run(activity(a_row()), **changes)
    assert morning.flex.asked == []
    assert morning.scene.books.fills() == []


def test_what_the_service_refuses_and_what_is_not_ours_books_nothing(morning: Morning) -> None:
    with pytest.raises(StatementRefused, match="the token has expired"):
        morning.run(refusal(1012, "Token has expired."))
    with pytest.raises(DataError, match="The statement is of account U9; our books are those of DU1"):
        morning.run(activity(a_row(accountId="U9"), account="U9"))
    with pytest.raises(ConfigError, match="cannot be read"):
        morning.run(activity(a_row()), token_file="nowhere")
    assert morning.scene.books.fills() == []


def test_a_run_that_another_daemon_has_settled_books_nothing(morning: Morning) -> None:
    with pytest.raises(StopRequested):
        morning.run(activity(a_row()), is_fenced_out=True)
    assert morning.scene.books.fills() == []


def test_the_times_of_a_statement_are_in_the_zone_that_is_configured_for_it(morning: Morning) -> None:
    order = morning.scene.at_the_broker()
    with pytest.raises(PositionsDiffer, match="2026-03-02 20:04:05 UTC"):
        morning.run(activity(a_row(orderReference=order.id)), timezone="America/New_York")
