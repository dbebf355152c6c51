"""How a message reads: the subject line, the body, and the same as values for a machine. Pure."""

from datetime import timedelta
from typing import Any, Final

from trading.control.alert import Message, Reason

_LEADS: Final = {Reason.NEW: "", Reason.AGAIN: "again: ", Reason.CHANGED: "now: ", Reason.REPEATED: "still: ",
                 Reason.ESCALATED: "not acknowledged: ", Reason.RECOVERED: "over: "}


def headline(message: Message, name: str) -> str:
    """One line: who speaks, how bad, and what about."""
    over = message.reason is Reason.RECOVERED
    severity = "" if over else f"{message.severity.value.upper()} "
    return f"[{name}] {_LEADS[message.reason]}{severity}{message.kind} {_one_line(message.subject)}"


def body(message: Message) -> str:
    """What has happened, since when, how often, and what to type."""
    lines = [message.text, "", f"since   {message.since:%Y-%m-%d %H:%M:%S} UTC",
             f"written {message.at:%Y-%m-%d %H:%M:%S} UTC"]
    if message.reason is Reason.RECOVERED:
        lines.append(f"over after {_span(message.at - message.since)}")
    if message.times > 1 or (message.times and message.reason is Reason.RECOVERED):
        lines.append(f"It happened {_times(message.times)} since the message before this one.")
    if message.reason is not Reason.RECOVERED:
        lines += ["", f"Silence it: tradectl ack {message.key} --reason \"...\"",
                  "All open ones: tradectl alerts. What to do: docs/operations.md"]
    return "\n".join(lines) + "\n"


def as_values(message: Message, name: str) -> dict[str, Any]:
    """The message for a webhook."""
    return {"schema": 1, "id": message.id, "name": name, "key": message.key, "kind": message.kind.value,
            "subject": message.subject, "reason": message.reason.value, "severity": message.severity.value,
            "title": headline(message, name), "text": message.text, "at": message.at.isoformat(),
            "since": message.since.isoformat(), "times": message.times,
            "open": message.reason is not Reason.RECOVERED}


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _span(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
