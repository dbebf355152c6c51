"""How a message reads, and which configuration of the alerts is refused."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from daemon.alerts import alert_book
from daemon.alerts.alert_book import Rules
from daemon.alerts.alerts import rules_of
from daemon.alerts.wording import as_values, body, headline
from trading.alerts_config import AlertsConfig, DeadManConfig, EmailConfig, WebhookConfig
from trading.control.alert import (
    DEFAULT_SEVERITY,
    Alert,
    AlertKind,
    AlertState,
    Message,
)

START = datetime(2026, 3, 2, 20, tzinfo=UTC)
RULES = Rules()


def told_state(kind: AlertKind) -> AlertState:
    """An alert that was raised and told at START."""
    alert = Alert(kind=kind, subject="run_systems", text="It ended with exit code 1.", at=START,
                  severity=DEFAULT_SEVERITY[kind])
    return alert_book.raised(None, alert, RULES)[0]


def the_end() -> Message:
    """What is told when FAILED:run_systems is over after an hour."""
    return alert_book.over(told_state(AlertKind.FAILED), START + timedelta(hours=1), RULES)[1][0]


def test_the_subject_line_says_who_how_bad_and_what() -> None:
    message = told_state(AlertKind.LOST).outbox[0]
    assert headline(message, "live") == "[live] CRITICAL LOST run_systems"


def test_the_subject_line_of_an_end_says_over() -> None:
    assert headline(the_end(), "live") == "[live] over: FAILED run_systems"


def test_the_body_says_what_to_type() -> None:
    text = body(told_state(AlertKind.LOST).outbox[0])
    assert text.startswith("It ended with exit code 1.\n\nsince   2026-03-02 20:00:00 UTC\n")
    assert 'tradectl ack LOST:run_systems --reason "..."' in text


def test_the_body_of_an_end_says_how_long_it_was() -> None:
    assert "over after 1 h 0 min" in body(the_end())
    assert "tradectl ack" not in body(the_end())


def test_a_webhook_learns_whether_it_is_open() -> None:
    assert as_values(the_end(), "live")["open"] is False


def test_a_password_in_the_configuration_is_refused() -> None:
    with pytest.raises(ValidationError, match="password"):
        EmailConfig.model_validate({"host": "mail", "sender": "a@b.example", "to": ["c@d.example"], "password": "x"})


def test_a_password_that_would_travel_readable_is_refused() -> None:
    with pytest.raises(ValidationError, match="would send the password of ann readable to mail"):
        EmailConfig(host="mail", sender="a@b.example", to=("c@d.example",), user="ann", security="none")


@pytest.mark.parametrize("url", ["ftp://host/x", "host/x", "https://", "https://ho st/x", "https://u:p@host/x",
                                 "https://host/ü"])
def test_an_address_that_is_none_or_holds_a_password_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        WebhookConfig(url=url)
    with pytest.raises(ValidationError):
        DeadManConfig(url=url)


@pytest.mark.parametrize("address", ["nobody", "a@b\nBcc: c@d"])
def test_a_mail_address_that_is_none_or_has_two_lines_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="is no mail address"):
        EmailConfig(host="mail", sender=address, to=("c@d.example",))


def test_repeating_within_quiet_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"repeat_after \(0:01:00\) is shorter than quiet \(0:05:00\)"):
        AlertsConfig.model_validate({"repeat_after": "PT1M"})


def test_the_shipped_rules_are_those_of_the_book() -> None:
    assert rules_of(AlertsConfig(), escalates=True) == RULES
