"""What people should know, and what is remembered of it: one state a kind and subject. Pure; nothing is sent here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from trading.clock import to_milliseconds


class AlertKind(StrEnum):
    """What is wrong, or what has happened. docs/operations.md says what to do about each."""

    FAILED = "FAILED"  # a run ended badly, and its attempts are used up
    LATE = "LATE"  # a slot has come, and its run does not start
    MISSED = "MISSED"  # a slot passed without a run
    LOST = "LOST"  # a worker vanished; nobody knows what it did
    STUCK = "STUCK"  # a run neither ends nor shows life
    FLAPPING = "FLAPPING"  # a process fails and starts again, over and over
    LEADER_CHANGED = "LEADER_CHANGED"  # another daemon has become the active one
    CLOCK_JUMPED = "CLOCK_JUMPED"  # the machine's clock was set
    ZONES_CHANGED = "ZONES_CHANGED"  # the system's time zone data was updated
    STORE_LOST = "STORE_LOST"  # the database does not answer
    BROKER_LOST = "BROKER_LOST"  # the broker's gateway does not answer
    CONFIG_REJECTED = "CONFIG_REJECTED"  # an edit is wrong; the old configuration stays in force
    SCHEDULE_HELD = "SCHEDULE_HELD"  # nothing is started until somebody says so
    CALENDAR_ENDS = "CALENDAR_ENDS"  # a list of holidays is about to run out
    RISK = "RISK"  # the account, orders of unknown fate, or unread alerts: a control asks for attention
    ROLL = "ROLL"  # a contract that is held must be left, or cannot be rolled in time
    LOCKED = "LOCKED"  # instruments are not traded until a person has looked
    HALTED = "HALTED"  # a kill level stops trading, or could not be carried out
    WATCHDOG = "WATCHDOG"  # the independent watchdog had to act, or cannot see
    DISK_FULL = "DISK_FULL"  # little room is left for state and logs


class Severity(StrEnum):
    """How much it matters."""

    INFO = "info"  # told once
    WARNING = "warning"  # repeated until somebody acknowledges it
    CRITICAL = "critical"  # escalated until somebody acknowledges it

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


DEFAULT_SEVERITY: Final[Mapping[AlertKind, Severity]] = {
    AlertKind.FAILED: Severity.WARNING, AlertKind.LATE: Severity.WARNING, AlertKind.MISSED: Severity.WARNING,
    AlertKind.LOST: Severity.CRITICAL, AlertKind.STUCK: Severity.CRITICAL, AlertKind.FLAPPING: Severity.WARNING,
    AlertKind.LEADER_CHANGED: Severity.INFO, AlertKind.CLOCK_JUMPED: Severity.WARNING,
    AlertKind.ZONES_CHANGED: Severity.INFO,
    AlertKind.STORE_LOST: Severity.CRITICAL, AlertKind.BROKER_LOST: Severity.CRITICAL,
    AlertKind.CONFIG_REJECTED: Severity.WARNING, AlertKind.SCHEDULE_HELD: Severity.CRITICAL,
    AlertKind.CALENDAR_ENDS: Severity.WARNING, AlertKind.DISK_FULL: Severity.CRITICAL,
    AlertKind.LOCKED: Severity.CRITICAL, AlertKind.HALTED: Severity.CRITICAL, AlertKind.WATCHDOG: Severity.CRITICAL,
    AlertKind.RISK: Severity.WARNING, AlertKind.ROLL: Severity.CRITICAL,
}
MOMENTS: Final = frozenset({AlertKind.LEADER_CHANGED, AlertKind.CLOCK_JUMPED,
                            AlertKind.ZONES_CHANGED})  # nothing ends them but a person


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Something that has just been noticed. `text` is a sentence that stays the same while the matter does."""

    kind: AlertKind
    subject: str  # a process, a host, a file
    text: str
    at: datetime
    severity: Severity

    @property
    def key(self) -> str:
        return alert_key(self.kind, self.subject)


def alert_key(kind: AlertKind, subject: str) -> str:
    """The name under which people acknowledge it."""
    return f"{kind}:{subject}"


class Reason(StrEnum):
    """Why a message is sent."""

    NEW = "new"
    AGAIN = "again"  # it was over, or had happened before
    CHANGED = "changed"  # another text or severity
    REPEATED = "repeated"  # still open, and nobody has acknowledged it
    ESCALATED = "escalated"
    RECOVERED = "recovered"


class Audience(StrEnum):
    """Whose channels carry a message."""

    USUAL = "usual"
    ESCALATION = "escalation"


@dataclass(frozen=True, kw_only=True)
class Message:
    """One thing to tell people."""

    kind: AlertKind
    subject: str
    reason: Reason
    audience: Audience
    severity: Severity
    text: str
    at: datetime
    since: datetime  # when this occurrence of the alert began
    number: int  # within the occurrence, from 1
    times: int  # how often it happened since the message before

    @property
    def key(self) -> str:
        return alert_key(self.kind, self.subject)

    @property
    def occurrence(self) -> str:
        """The same for all messages about one occurrence of one alert."""
        return f"{self.key}@{to_milliseconds(self.since)}"

    @property
    def id(self) -> str:
        """The same whenever this message is sent again."""
        return f"{self.occurrence}#{self.number}-{to_milliseconds(self.at)}"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What people were told last."""

    open: bool
    text: str
    severity: Severity
    at: datetime
    changed_at: datetime | None = None  # when a change of text or severity was told last


@dataclass(frozen=True, kw_only=True)
class AlertState:
    """All that is known of one alert."""

    kind: AlertKind
    subject: str
    text: str
    severity: Severity
    open: bool
    first_at: datetime  # when this occurrence began
    last_at: datetime  # when it was noticed last
    over_at: datetime | None = None
    count: int = 1  # how often it was noticed in this occurrence
    untold: int = 1  # how often it began since the last message
    told: Told | None = None
    critical_since: datetime | None = None
    escalated_at: datetime | None = None
    escalated: bool = False  # those on the escalation channels believe that it is open
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    ack_reason: str = ""
    messages: int = 0  # how many there were in this occurrence
    outbox: tuple[Message, ...] = ()  # decided, not yet known to be delivered
    version: int = 0

    @property
    def key(self) -> str:
        return alert_key(self.kind, self.subject)

    @property
    def acknowledged(self) -> bool:
        return self.acknowledged_at is not None
