"""Mail and webhook against real servers on loopback: delivered, refused, absent, hanging."""

import asyncio
import json
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alert_servers import PASSWORD, Hook, Mailbox, free_port, guarded_server, mail_server, silent_server, web_server

from daemon.alerts.alert_book import Rules, raised
from daemon.alerts.channels import Channel, EmailChannel, NotDelivered, WebhookChannel, channels_of
from trading.alerts_config import AlertsConfig, EmailConfig, EscalationConfig, WebhookConfig
from trading.control.alert import Alert, AlertKind, Message, Severity

START = datetime(2026, 3, 2, 20, tzinfo=UTC)


def a_message(text: str = "Its worker vanished.", later: timedelta = timedelta(0)) -> Message:
    alert = Alert(kind=AlertKind.LOST, subject="run_systems", text=text, at=START, severity=Severity.CRITICAL)
    state, messages = raised(None, alert, Rules())
    if later:
        changed = Alert(kind=AlertKind.LOST, subject="run_systems", text="Other words.", at=START + later,
                        severity=Severity.CRITICAL)
        messages = raised(state, changed, Rules())[1]
    return messages[0]


def email(port: int, **changes: object) -> EmailConfig:
    return EmailConfig.model_validate({
        "host": "127.0.0.1", "port": port, "security": "none", "sender": "tradingd@firm.example",
        "to": ["ann@firm.example", "bob@firm.example"], "timeout": 1, **changes})


def sent(channel: Channel, message: Message) -> None:
    asyncio.run(channel.send(message))


def refused(channel: Channel, message: Message) -> NotDelivered:
    with pytest.raises(NotDelivered) as caught:
        asyncio.run(channel.send(message))
    return caught.value


def test_a_mail_arrives_with_its_headers() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        sent(EmailChannel(email(port), "live"), a_message())
    mail = mailbox.mails[0]
    assert mail["Subject"] == "[live] CRITICAL LOST run_systems"
    assert mail["From"] == "tradingd@firm.example"
    assert mail["To"] == "ann@firm.example, bob@firm.example"
    assert mail["Date"].datetime == START
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().startswith("Its worker vanished.")


def test_a_mail_that_is_sent_twice_is_the_same_mail() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        sent(EmailChannel(email(port), "live"), a_message())
        sent(EmailChannel(email(port), "live"), a_message())
    assert mailbox.mails[0]["Message-ID"] == mailbox.mails[1]["Message-ID"]


def test_mails_about_one_occurrence_form_a_thread() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        sent(EmailChannel(email(port), "live"), a_message())
        sent(EmailChannel(email(port), "live"), a_message(later=timedelta(hours=1)))
    first, second = mailbox.mails
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]


def test_letters_outside_ascii_arrive() -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        sent(EmailChannel(email(port), "Börse"), a_message("Größe 5 € überschritten."))
    assert mailbox.mails[0]["Subject"].startswith("[Börse]")
    assert mailbox.mails[0].get_content().startswith("Größe 5 € überschritten.")


@pytest.mark.parametrize(("answer", "final"), [("451 try later", False), ("554 no", True)])
def test_a_mail_that_the_server_refuses_is_not_delivered(answer: str, final: bool) -> None:
    with mail_server(Mailbox(answer=answer)) as port:
        error = refused(EmailChannel(email(port), "live"), a_message())
    assert str(error) == f"The mail server refuses the message: {answer[4:]}."
    assert error.final is final


@pytest.mark.parametrize(("rcpt", "final"), [("450 greylisted", False), ("550 unknown here", True)])
def test_a_mail_without_any_willing_recipient_is_not_delivered(rcpt: str, final: bool) -> None:
    with mail_server(Mailbox(rcpt=rcpt)) as port:
        error = refused(EmailChannel(email(port), "live"), a_message())
    assert str(error) == f"The mail server refuses all recipients: {rcpt[4:]}."
    assert error.final is final


def test_a_mail_server_that_is_down_is_named() -> None:
    port = free_port()
    error = refused(EmailChannel(email(port), "live"), a_message())
    assert str(error) == f"The mail server 127.0.0.1:{port} does not take mail: [Errno 111] Connection refused."


def test_a_mail_server_that_hangs_is_left_after_the_time_out() -> None:
    with silent_server() as port:
        began = time.monotonic()
        error = refused(EmailChannel(email(port), "live"), a_message())
    assert str(error) == f"The mail server 127.0.0.1:{port} does not take mail: no answer in time."
    assert 0.9 < time.monotonic() - began < 5


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of our own for localhost, with its key in the same file."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"],
                   cwd=folder, check=True, capture_output=True)
    (folder / "both.pem").write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return folder / "both.pem"


def test_a_password_is_given_to_a_server_that_we_trust(certificate: Path) -> None:
    mailbox = Mailbox()
    with guarded_server(mailbox, certificate) as port:
        config = email(port, host="localhost", security="starttls", user="ann", ca_file=str(certificate))
        sent(EmailChannel(config, "live", PASSWORD), a_message())
    assert (len(mailbox.mails), mailbox.users) == (1, [b"ann"])


def test_a_password_is_not_given_to_a_server_that_nobody_vouches_for(certificate: Path) -> None:
    mailbox = Mailbox()
    with guarded_server(mailbox, certificate) as port:
        config = email(port, host="localhost", security="starttls", user="ann")
        error = refused(EmailChannel(config, "live", PASSWORD), a_message())
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)
    assert mailbox.users == []


def test_a_wrong_password_is_told_without_the_password(certificate: Path) -> None:
    with guarded_server(Mailbox(), certificate) as port:
        config = email(port, host="localhost", security="starttls", user="ann", ca_file=str(certificate))
        error = refused(EmailChannel(config, "live", "battery staple"), a_message())
    assert "535" in str(error)
    assert "battery" not in str(error)


def webhook(url: str, token: str | None = None) -> WebhookChannel:
    return WebhookChannel(WebhookConfig(url=url, timeout=1), "live", token)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_a_webhook_that_says_2xx_has_the_message(status: int) -> None:
    hook = Hook(status=status)
    with web_server(hook) as url:
        sent(webhook(f"{url}/hook?room=ops"), a_message())
    values = json.loads(hook.bodies[0])
    assert hook.paths == ["/hook?room=ops"]
    assert (values["key"], values["severity"], values["open"]) == ("LOST:run_systems", "critical", True)
    assert values["title"] == "[live] CRITICAL LOST run_systems"


def test_the_token_goes_with_the_message() -> None:
    hook = Hook()
    with web_server(hook) as url:
        sent(webhook(url, token="t0ken"), a_message())
    assert hook.headers[0]["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(("status", "final"), [(500, False), (503, False), (429, False), (404, True), (302, False)])
def test_any_other_answer_is_not_delivered(status: int, final: bool) -> None:
    with web_server(Hook(status=status)) as url:
        error = refused(webhook(url), a_message())
    assert str(error).startswith(f"The webhook at 127.0.0.1:{url.rpartition(':')[2]} answers {status} ")
    assert error.final is final


def test_a_redirection_does_not_carry_the_token_elsewhere() -> None:
    elsewhere = Hook()
    with web_server(elsewhere) as other, web_server(Hook(status=307, location=other)) as url:
        refused(webhook(url, token="t0ken"), a_message())
    assert elsewhere.paths == []


def test_a_webhook_that_is_down_is_named() -> None:
    port = free_port()
    error = refused(webhook(f"http://127.0.0.1:{port}/"), a_message())
    assert str(error) == f"The webhook at 127.0.0.1:{port} does not answer: [Errno 111] Connection refused."


def test_a_webhook_that_hangs_is_left_after_the_time_out() -> None:
    with silent_server() as port:
        error = refused(webhook(f"http://127.0.0.1:{port}/"), a_message())
    assert str(error) == f"The webhook at 127.0.0.1:{port} does not answer: no answer in time."


def test_a_token_that_no_header_can_carry_is_not_delivered() -> None:
    with web_server(Hook()) as url:
        assert "does not answer" in str(refused(webhook(url, token="a\nb"), a_message()))


def test_the_event_loop_goes_on_while_a_channel_hangs() -> None:
    async def ticks_meanwhile(port: int) -> int:
        sending = asyncio.create_task(webhook(f"http://127.0.0.1:{port}/").send(a_message()))
        ticks = 0
        while not sending.done():
            await asyncio.sleep(0.01)
            ticks += 1
        with pytest.raises(NotDelivered):
            await sending
        return ticks

    with silent_server() as port:
        assert asyncio.run(ticks_meanwhile(port)) > 20


def test_secrets_come_from_environment_or_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # given a token in the environment, and another one for the escalation in a credential
    monkeypatch.setenv("TRADINGD_WEBHOOK_TOKEN", "usual")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "escalation_webhook_token").write_text("other\n")
    hook = Hook()

    # when both channels send
    with web_server(hook) as url:
        config = WebhookConfig(url=url)
        usual, escalation = channels_of(AlertsConfig(webhook=config, escalation=EscalationConfig(webhook=config)))
        sent(usual[0], a_message())
        sent(escalation[0], a_message())

    # then
    assert [headers["Authorization"] for headers in hook.headers] == ["Bearer usual", "Bearer other"]
