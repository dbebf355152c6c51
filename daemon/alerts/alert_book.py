"""When people are told, and when they are left in peace. Pure: a state and the time in, a state and messages out.

A new alert and a changed one are told at once. One that comes and goes is told once in `quiet`, and the next message
says how often it happened. While it is open and nobody has acknowledged it, it is repeated; a critical one is
escalated. Silence is never decided from a clock that was set back: then people are told once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trading.control.alert import MOMENTS, Alert, AlertState, Audience, Message, Reason, Severity, Told

Outcome = tuple[AlertState, tuple[Message, ...]]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How patient we are. Without `escalate_after` nobody is called in addition."""

    repeat_after: timedelta = timedelta(hours=4)
    escalate_after: timedelta | None = timedelta(minutes=15)
    quiet: timedelta = timedelta(minutes=5)


def raised(state: AlertState | None, alert: Alert, rules: Rules) -> Outcome:
    """It was noticed: the new state, and what is to be told now."""
    return due_again(_first(alert) if state is None else _noticed(state, alert, rules), alert.at, rules)


def over(state: AlertState, at: datetime, rules: Rules) -> Outcome:
    """It is over; of what was over already nothing changes."""
    return due_again(replace(state, open=False, over_at=at), at, rules) if state.open else (state, ())


def acknowledged(state: AlertState, by: str, reason: str, at: datetime) -> AlertState:
    """Somebody knows: silence until it changes, or is over and comes back. A mere moment is done with."""
    told = Told(open=state.open, text=state.text, severity=state.severity, at=state.told.at if state.told else at,
                changed_at=state.told.changed_at if state.told else None)
    known = replace(state, acknowledged_by=by, acknowledged_at=at, ack_reason=reason, told=told, untold=0)
    return _closed(known, at) if state.kind in MOMENTS else known


def put_away(state: AlertState, by: str, reason: str, at: datetime) -> AlertState:
    """Somebody knows, and says that it is over; nobody needs to be told."""
    return _closed(acknowledged(state, by, reason, at), at)


def due_again(state: AlertState, now: datetime, rules: Rules) -> Outcome:
    """What is to be told by now: news, repeats, escalation."""
    messages: list[Message] = []
    reason = _news(state, now, rules)
    if reason is not None:
        state = _told(state, reason, now, messages)
    if _must_escalate(state, now, rules):
        state = replace(_written(state, Reason.ESCALATED, Audience.ESCALATION, now, messages),
                        escalated_at=now, escalated=True)
    return replace(state, outbox=(*state.outbox, *messages)), tuple(messages)


def delivered(state: AlertState, message_id: str) -> AlertState:
    """Somebody has received the message."""
    return replace(state, outbox=tuple(message for message in state.outbox if message.id != message_id))


def reconciled(stored: AlertState, mine: AlertState) -> AlertState:
    """One state out of two that grew apart while the store was away: the newest facts, and every message kept."""
    newest, other = (mine, stored) if _last_change(mine) >= _last_change(stored) else (stored, mine)
    told = max((each.told for each in (mine, stored) if each.told is not None), key=lambda told: told.at, default=None)
    outbox = {message.id: message for message in (*stored.outbox, *mine.outbox)}
    unheard = told is None or told == newest.told or newest.last_at > told.at
    same = newest.open == other.open and newest.text == other.text and newest.severity == other.severity
    if same and newest.acknowledged_at is None:
        newest = replace(newest, acknowledged_at=other.acknowledged_at, acknowledged_by=other.acknowledged_by,
                         ack_reason=other.ack_reason)
    return replace(newest, told=told, outbox=tuple(outbox.values()), version=stored.version,
                   untold=newest.untold if unheard else 0,
                   messages=max(mine.messages, stored.messages), escalated=mine.escalated or stored.escalated,
                   escalated_at=_latest((mine.escalated_at, stored.escalated_at)))


def _closed(state: AlertState, at: datetime) -> AlertState:
    assert state.told is not None, "acknowledged just now"
    return replace(state, open=False, over_at=at, told=replace(state.told, open=False), escalated=False)


def _first(alert: Alert) -> AlertState:
    return AlertState(kind=alert.kind, subject=alert.subject, text=alert.text, severity=alert.severity, open=True,
                      first_at=alert.at, last_at=alert.at, critical_since=_if_critical(alert))


def _noticed(state: AlertState, alert: Alert, rules: Rules) -> AlertState:
    """`state` after it was noticed once more: still open, back again, or something new of an old name."""
    if _is_forgotten(state, alert.at, rules):
        return replace(_first(alert), told=state.told, version=state.version, outbox=state.outbox,
                       escalated=state.escalated)
    changed = (state.text, state.severity) != (alert.text, alert.severity)
    began = not state.open or state.kind in MOMENTS
    newer = replace(state, text=alert.text, severity=alert.severity, open=True, over_at=None, last_at=alert.at,
                    count=state.count + 1, untold=state.untold + int(began))
    if (changed or began) and state.acknowledged:
        newer = replace(newer, acknowledged_by=None, acknowledged_at=None, ack_reason="", critical_since=None)
    since = newer.critical_since if newer.critical_since is not None else alert.at
    return replace(newer, critical_since=since if alert.severity is Severity.CRITICAL else None)


def _is_forgotten(state: AlertState, at: datetime, rules: Rules) -> bool:
    """Whether it is over, people know, and that is a while ago: what comes now is an occurrence of its own."""
    if state.open or state.over_at is None or state.told is None or state.told.open or state.untold:
        return False
    return _passed(state.over_at, at, rules.quiet)


def _if_critical(alert: Alert) -> datetime | None:
    return alert.at if alert.severity is Severity.CRITICAL else None


def _news(state: AlertState, now: datetime, rules: Rules) -> Reason | None:
    """Why those on the usual channels should hear of it now, if they should."""
    told = state.told
    if told is None:
        return Reason.NEW if state.open else None
    calm = _passed(told.at, now, rules.quiet)
    if not state.open:
        return Reason.RECOVERED if calm and (told.open or state.untold) else None
    return _open_news(state, told, now, rules) if calm or not state.untold else _worse(state, told)


def _open_news(state: AlertState, told: Told, now: datetime, rules: Rules) -> Reason | None:
    if state.untold or not told.open:
        return Reason.AGAIN if state.messages else Reason.NEW
    if (state.text, state.severity) != (told.text, told.severity):
        calm = told.changed_at is None or _passed(told.changed_at, now, rules.quiet)
        return Reason.CHANGED if calm else _worse(state, told)
    if state.acknowledged or state.severity is Severity.INFO:
        return None
    return Reason.REPEATED if _passed(told.at, now, max(rules.repeat_after, rules.quiet)) else None


def _worse(state: AlertState, told: Told) -> Reason | None:
    """More severe than people know: that does not wait."""
    if state.severity.rank <= told.severity.rank:
        return None
    return Reason.CHANGED if told.open else Reason.AGAIN if state.messages else Reason.NEW


def _must_escalate(state: AlertState, now: datetime, rules: Rules) -> bool:
    if rules.escalate_after is None or not state.open or state.acknowledged or state.critical_since is None:
        return False
    since = _latest((state.critical_since, state.escalated_at))
    return since is not None and _passed(since, now, rules.escalate_after)


def _told(state: AlertState, reason: Reason, now: datetime, messages: list[Message]) -> AlertState:
    """`state` after people on the usual channels, and those who were called in addition, have heard of it."""
    changed_at = now if reason is Reason.CHANGED else state.told.changed_at if state.told else None
    newer = _written(state, reason, Audience.USUAL, now, messages)
    if reason is Reason.RECOVERED and state.escalated:
        newer = replace(_written(newer, reason, Audience.ESCALATION, now, messages), escalated=False)
    told = Told(open=state.open, text=state.text, severity=state.severity, at=now, changed_at=changed_at)
    return replace(newer, told=told, untold=0)


def _written(state: AlertState, reason: Reason, audience: Audience, now: datetime,
             messages: list[Message]) -> AlertState:
    number = state.messages + 1
    messages.append(Message(kind=state.kind, subject=state.subject, reason=reason, audience=audience, at=now,
                            severity=state.severity, text=state.text, since=state.first_at, number=number,
                            times=state.untold))
    return replace(state, messages=number)


def _last_change(state: AlertState) -> datetime:
    return max(moment for moment in (state.last_at, state.over_at, state.acknowledged_at) if moment is not None)


def _latest(moments: Sequence[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _passed(since: datetime, now: datetime, span: timedelta) -> bool:
    """Whether `span` has passed; a clock that was set back keeps nobody silent."""
    return not since <= now < since + span
