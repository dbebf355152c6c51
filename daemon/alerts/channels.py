"""Ways to reach people: mail and webhook. Each sends one message or raises NotDelivered; who retries is delivery.py.

Standard library only, in a thread of its own: no connection is kept, and nothing waits longer than its time-out.
"""

import http.client
import json
import smtplib
import ssl
from contextlib import closing
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import Final, Protocol
from urllib.parse import urlsplit

from daemon.alerts.own_thread import in_own_thread
from daemon.alerts.wording import as_values, body, headline
from trading.alerts_config import AlertsConfig, EmailConfig, WebhookConfig
from trading.control.alert import Message, Severity
from trading.errors import TradingError
from trading.log import get_log
from trading.secrets import secret

log = get_log()

_SLACK: Final = 3  # a call is several waits (connect, greeting, data), each of which may take the whole time-out
_TRY_LATER: Final = (408, 425, 429)  # answers of 4xx that say nothing about the message itself


class NotDelivered(TradingError):
    """A channel could not send. `final`: it never will, this very message is refused."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class Channel(Protocol):
    """One way to reach people."""

    @property
    def name(self) -> str:
        """Where it leads, for logs: no secret."""

    async def send(self, message: Message) -> None:
        """Deliver `message`.

        Raises:
            NotDelivered: nobody has received it, or nobody knows whether somebody has.
        """


class EmailChannel:
    """One mail a message; those about one occurrence of an alert form one thread in the mailbox."""

    def __init__(self, config: EmailConfig, name: str, password: str | None = None) -> None:
        self._config, self._from_name, self._password = config, name, password

    @property
    def name(self) -> str:
        return f"mail to {', '.join(self._config.to)} by {self._config.host}:{self._config.port}"

    async def send(self, message: Message) -> None:
        mail = mail_of(message, self._config, self._from_name)
        try:
            await in_own_thread(lambda: self._send(mail), self._config.timeout * _SLACK)
        except smtplib.SMTPRecipientsRefused as error:
            words = "; ".join(sorted({_words(text) for _code, text in error.recipients.values()}))
            final = all(code >= 500 for code, _text in error.recipients.values())
            raise NotDelivered(f"The mail server refuses all recipients: {words}.", final=final) from error
        except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
            raise NotDelivered(f"The mail server refuses the message: {_words(error.smtp_error)}.",
                               final=error.smtp_code >= 500) from error
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise NotDelivered(f"The mail server {self._config.host}:{self._config.port} does not take mail: "
                               f"{_reason(error)}.") from error

    def _send(self, mail: EmailMessage) -> None:
        with self._connect() as server:
            if self._config.security == "starttls":
                server.starttls(context=self._trust())
            if self._config.user is not None:
                server.login(self._config.user, self._password or "")
            refused = server.send_message(mail)
        if refused:
            log.warning("mail_recipients_refused", recipients=sorted(refused))

    def _connect(self) -> smtplib.SMTP:
        host, port, timeout_s = self._config.host, self._config.port, float(self._config.timeout)
        if self._config.security == "ssl":
            return smtplib.SMTP_SSL(host, port, timeout=timeout_s, context=self._trust())
        return smtplib.SMTP(host, port, timeout=timeout_s)

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._config.ca_file)


class WebhookChannel:
    """One JSON POST a message; any answer 2xx means delivered, a redirection does not."""

    def __init__(self, config: WebhookConfig, name: str, token: str | None = None) -> None:
        self._config, self._from_name, self._token = config, name, token

    @property
    def name(self) -> str:
        return f"webhook at {urlsplit(self._config.url).netloc}"

    async def send(self, message: Message) -> None:
        document = json.dumps(as_values(message, self._from_name)).encode()
        try:
            await in_own_thread(lambda: self._post(document, message.id), self._config.timeout * _SLACK)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotDelivered(f"The {self.name} does not answer: {_reason(error)}.") from error

    def _post(self, document: bytes, message_id: str) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": _digest(message_id)}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        status = status_of("POST", self._config.url, self._config.timeout, document, headers)
        if not 200 <= status < 300:
            raise NotDelivered(f"The {self.name} answers {status} {http.client.responses.get(status, '')}".rstrip()
                               + ".", final=400 <= status < 500 and status not in _TRY_LATER)


def status_of(method: str, url: str, timeout_s: float, document: bytes | None = None,
              headers: dict[str, str] | None = None) -> int:
    """The status with which `url` answers; redirections are not followed, the body is not read."""
    parts = urlsplit(url)
    scheme = {"https": http.client.HTTPSConnection, "http": http.client.HTTPConnection}[parts.scheme]
    resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with closing(scheme(parts.hostname or "", parts.port, timeout=timeout_s)) as connection:
        connection.request(method, resource, body=document, headers=headers or {})
        return int(connection.getresponse().status)


def mail_of(message: Message, config: EmailConfig, name: str) -> EmailMessage:
    """The mail; sent again it is the same mail, so that a mail server or reader drops the second copy."""
    mail = EmailMessage()
    mail["Subject"] = headline(message, name)
    mail["From"], mail["To"] = config.sender, ", ".join(config.to)
    mail["Date"] = format_datetime(message.at)
    domain = config.sender.rpartition("@")[2].strip("<> ") or "tradingd"
    mail["Message-ID"] = f"<{_digest(message.id)}@{domain}>"
    mail["References"] = f"<{_digest(message.occurrence)}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # asks vacation responders to be silent
    if message.severity is Severity.CRITICAL:
        mail["Importance"] = "high"
    mail.set_content(body(message))
    return mail


def channels_of(config: AlertsConfig) -> tuple[list[Channel], list[Channel]]:
    """The usual channels and those of the escalation, with their secrets."""
    usual = _channels(config.email, config.webhook, config.name, "")
    if config.escalation is None:
        return usual, []
    return usual, _channels(config.escalation.email, config.escalation.webhook, config.name, "escalation_")


def _channels(email: EmailConfig | None, webhook: WebhookConfig | None, name: str, prefix: str) -> list[Channel]:
    channels: list[Channel] = []
    if email is not None:
        channels.append(EmailChannel(email, name, secret(f"{prefix}smtp_password")))
    if webhook is not None:
        channels.append(WebhookChannel(webhook, name, secret(f"{prefix}webhook_token")))
    return channels


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]


def _words(text: bytes | str) -> str:
    plain = text.decode(errors="replace") if isinstance(text, bytes) else text
    return " ".join(plain.split())[:160].rstrip(".")


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):  # smtplib wraps its own
        return "no answer in time"
    return _words(str(error)) or type(error).__name__
