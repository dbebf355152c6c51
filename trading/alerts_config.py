"""The sections of tradingd.yaml about watching: alerts, the dead-man ping, metrics.

No secret has a key here: the password of the mail server and the token of the webhook come from trading/secrets.py.
"""

from datetime import timedelta
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PositiveInt, field_validator, model_validator

from trading.process_config import Seconds, Section

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def web_address(value: str) -> str:
    """`value`, if it is an address to which we can send, and holds no password.

    Raises:
        ValueError: it is not, or does.
    """
    parts = urlsplit(value)
    plain = value.isascii() and value.isprintable() and " " not in value
    if not plain or parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError(f"{value!r} is no web address; write for example https://host.example/path")
    if parts.username or parts.password:
        raise ValueError("a name or password in the address would be read by everybody who reads this file; use the "
                         "credential webhook_token")
    return value


def safe_address(value: str) -> str:
    """`value`, if it is a web address where nobody reads along, and to which a path can be added.

    Raises:
        ValueError: it is not.
    """
    parts = urlsplit(web_address(value))
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ValueError(f"{value!r} would send a token readable to {parts.hostname}; use https")
    if parts.query or parts.fragment:
        raise ValueError(f"{value!r} must end before a question mark or #")
    return value.rstrip("/")


def one_line(value: str) -> str:
    """`value`, if it can stand in the head of a mail.

    Raises:
        ValueError: it has several lines, or is no mail address.
    """
    if any(not character.isprintable() for character in value) or "@" not in value:
        raise ValueError(f"{value!r} is no mail address; write for example ops@firm.example")
    return value


WebAddress = Annotated[str, AfterValidator(web_address)]
SafeAddress = Annotated[str, AfterValidator(safe_address)]
MailAddress = Annotated[str, AfterValidator(one_line)]


class EmailConfig(Section):
    """A mail server and who is written to. Password: TRADINGD_SMTP_PASSWORD or the credential smtp_password."""

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "ssl", "none"] = "starttls"
    ca_file: str | None = None  # trusted instead of the system's authorities, for a mail server of the house
    user: str | None = None
    sender: MailAddress
    to: tuple[MailAddress, ...] = Field(min_length=1)
    timeout: Seconds = 10

    @model_validator(mode="after")
    def _no_readable_password(self) -> Self:
        if self.user is not None and self.security == "none" and self.host not in _LOOPBACK:
            raise ValueError(f"security: none would send the password of {self.user} readable to {self.host}; "
                             f"use starttls or ssl")
        return self


class WebhookConfig(Section):
    """Where each message is posted as JSON. Token: TRADINGD_WEBHOOK_TOKEN or the credential webhook_token."""

    url: WebAddress
    timeout: Seconds = 10


class EscalationConfig(Section):
    """Who is called in addition when a critical alert is not acknowledged in time.

    Its secrets are escalation_smtp_password and escalation_webhook_token.
    """

    email: EmailConfig | None = None
    webhook: WebhookConfig | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.email is None and self.webhook is None:
            raise ValueError("escalation needs email, webhook or both; to call nobody leave it out")
        return self


class AlertsConfig(Section):
    """Who is told what is wrong, and how often."""

    name: str = "tradingd"  # stands in front of each subject line: tell paper from live
    email: EmailConfig | None = None
    webhook: WebhookConfig | None = None
    escalation: EscalationConfig | None = None
    repeat_after: Seconds = 14_400  # while open and not acknowledged
    escalate_after: Seconds = 900  # a critical one that nobody has acknowledged
    quiet: Seconds = 300  # at most one message in it about an alert that comes and goes
    flapping_runs: PositiveInt = 5  # so many starts ...
    flapping_within: Seconds = 600  # ... within so long are no accident
    late_after: Seconds = 300  # a due slot that has not started for so long is LATE

    @field_validator("name")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not value.isprintable() or not value:
            raise ValueError(f"{value!r} cannot stand in a subject line; use one line of letters")
        return value

    @model_validator(mode="after")
    def _rhythm(self) -> Self:
        if self.repeat_after < self.quiet:
            raise ValueError(f"repeat_after ({timedelta(seconds=self.repeat_after)}) is shorter than quiet "
                             f"({timedelta(seconds=self.quiet)}); repeat less often")
        return self


class DeadManConfig(Section):
    """A watcher outside that is pinged while all is well, and complains when the pings stop."""

    url: WebAddress | None = None
    every: Seconds = 60


class MetricsConfig(Section):
    """Where /metrics, /healthz and /readyz are served besides the control socket; no port: nowhere."""

    port: int | None = Field(default=None, ge=0, le=65535)  # 0: a free one
    host: str = "127.0.0.1"
