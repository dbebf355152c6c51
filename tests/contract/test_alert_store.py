"""The memory of the alerts over the wire."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from daemon.alerts import alert_book
from daemon.alerts.alert_book import Rules
from trading.control.alert import Alert, AlertKind, AlertState, Severity
from trading.data.mongo.alerts import MongoAlerts
from trading.data.mongo.connection import MongoStore
from trading.errors import ConcurrentUpdate

START = datetime(2026, 3, 2, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = Rules()


def a_state(subject: str = "run_systems", kind: AlertKind = AlertKind.LOST) -> AlertState:
    alert = Alert(kind=kind, subject=subject, text="Its worker vanished.", at=START, severity=Severity.CRITICAL)
    return alert_book.raised(None, alert, RULES)[0]


def test_what_is_saved_is_loaded_with_every_field(store: MongoStore) -> None:
    alerts = MongoAlerts(store)
    full = alert_book.acknowledged(a_state(), "ann", "looking", START + HOUR)
    saved = alerts.save(replace(full, over_at=START + HOUR, escalated_at=START + HOUR, escalated=True))
    assert saved == replace(full, over_at=START + HOUR, escalated_at=START + HOUR, escalated=True, version=1)
    assert alerts.load("LOST:run_systems") == saved


def test_what_never_happened_is_not_there(store: MongoStore) -> None:
    assert MongoAlerts(store).load("LOST:run_systems") is None


def test_of_two_who_write_over_the_same_version_one_must_decide_anew(store: MongoStore) -> None:
    alerts = MongoAlerts(store)
    saved = alerts.save(a_state())
    alerts.save(replace(saved, count=2))
    with pytest.raises(ConcurrentUpdate):
        alerts.save(replace(saved, count=3))


def test_of_two_who_write_first_one_must_decide_anew(store: MongoStore) -> None:
    # given two daemons that write the very same words
    MongoAlerts(store).save(a_state())
    with pytest.raises(ConcurrentUpdate):
        MongoAlerts(store).save(a_state())


def test_only_what_is_settled_is_left_out(store: MongoStore) -> None:
    # given one that is open, one that is over, told and delivered, and one whose end is not yet told
    alerts, settled_at = MongoAlerts(store), START + HOUR
    ended, _ = alert_book.over(a_state("ended"), settled_at, RULES)
    alerts.save(a_state("open"))
    alerts.save(replace(ended, outbox=()))
    alerts.save(replace(alert_book.over(a_state("quiet"), START, RULES)[0], outbox=()))

    # then
    assert [state.subject for state in alerts.unsettled()] == ["open", "quiet"]
    assert {state.subject for state in alerts.recent(10)} == {"open", "quiet", "ended"}
